// Acts that wait for a second person: who has proposed what, and the buttons of whoever may end it.

import { read, send } from "../app/api.js";
import { h, say } from "../app/dom.js";
import { day, grouped, minute, stamp } from "../app/format.js";
import { get, set, watch } from "../app/store.js";
import { t, term } from "../app/words.js";
import { actButton, outcomeLine } from "../operate/acts.js";
import { reasonField, valueOf } from "../operate/fields.js";
import { Listing, panel } from "../operate/listing.js";
import { inOneLine, named } from "./proposal_facts.js";

const EVERY_MS = 5_000;
/** The most that the venue gives at once, newest first. */
const PAGE = 500;

/** @typedef {{acts: string[], proposals: any[], isMore: boolean}} Waiting what was read last */

/** The list. It is hidden until the venue has said that it has such acts, or that one waits; it keeps asking.
 * @param {import("../operate/access.js").Access} rights @returns {HTMLElement} */
export function proposalsPanel(rights) {
  const outcome = outcomeLine(),
    state = h("p", { class: "body dim", role: "status", hidden: true, data: { testid: "proposals-state" } });
  const listing = new Listing({
    id: "proposals",
    label: t("eyes"),
    keyOf: (one) => String(one.proposal),
    empty: t("eyes.none"),
    columns: [
      { name: t("log.command"), text: (one) => grouped(one.proposal), num: true },
      { name: t("eyes.proposed_by"), text: (one) => one.proposed_by.name ?? one.proposed_by.key_id },
      { name: t("eyes.since"), text: (one) => stamp(one.proposed_at) },
      { name: t("log.what"), text: (one) => term("action", one.act) },
      { name: t("log.about"), text: inOneLine, kind: () => "wide" },
      { name: t("log.why"), text: (one) => one.why, kind: () => "wide" },
      { name: t("eyes.until"), text: (one) => `${day(one.expires_at)} ${minute(one.expires_at)}`, title: (one) => stamp(one.expires_at) },
      {
        name: t("acts"),
        text: (one) => (mayEnd(one, rights) ? one.proposal : t("eyes.needs_scope", { scope: one.scope })),
        unsaved: true,
        show: (one) => (mayEnd(one, rights) ? h("div", { class: "acts" }, buttons(one, outcome)) : h("span", { class: "dim" }, t("eyes.needs_scope", { scope: one.scope }))),
      },
    ],
  });
  const aside = [h("span", { class: "dim" }, t("eyes.said")), listing.save];
  const node = panel("proposals-panel", t("eyes"), aside, outcome, state, listing.node);
  node.hidden = true;
  watch(["proposals", "proposals_unread", "accounts", "instruments"], () => {
    /** @type {Waiting | undefined} */ const waiting = get("proposals");
    const unread = get("proposals_unread");
    say(state, unread ? t("eyes.unread") : waiting?.isMore ? t("eyes.more", { count: PAGE }) : "");
    state.hidden = !state.textContent;
    node.hidden = waiting ? !waiting.acts.length && !waiting.proposals.length : !unread;
    if (waiting) listing.show(waiting.proposals);
    listing.node.hidden = !waiting;
  });
  watch(["acted"], () => get("acted") !== undefined && readProposals());
  setInterval(() => document.visibilityState === "visible" && readProposals(), EVERY_MS);
  readProposals();
  return node;
}

async function readProposals() {
  try {
    const { acts, proposals, next_cursor } = await read("/v1/admin/proposals", { limit: PAGE });
    set("proposals", { acts, proposals, isMore: next_cursor !== null });
    set("proposals_unread", false);
  } catch {
    set("proposals_unread", true);
  }
}

/** @param {any} proposal @param {import("../operate/access.js").Access} rights */
const mayEnd = ({ scope }, rights) => (scope === "admin" ? rights.administers : rights.acts);

/** @param {any} proposal @param {HTMLElement} outcome */
const buttons = (proposal, outcome) =>
  proposal.is_own
    ? [actButton(t("eyes.withdraw"), "withdraw-proposal", outcome, endAct(proposal, "withdraw"))]
    : [
        actButton(t("eyes.confirm"), "confirm-proposal", outcome, confirmAct(proposal), { danger: true }),
        actButton(t("eyes.reject"), "reject-proposal", outcome, endAct(proposal, "reject")),
      ];

/** @param {any} proposal @returns {import("../operate/acts.js").Act} */
const confirmAct = (proposal) => ({
  ask: async () => ({ title: t("eyes.ask_confirm", { proposal: proposal.proposal }), ...(await named(proposal)), act: t("eyes.confirm"), danger: true }),
  run: async (_, key) => {
    const { seq } = await send("POST", `/v1/admin/proposals/${proposal.proposal}/confirm`, undefined, key);
    return { said: t("eyes.done_confirm", { proposal: proposal.proposal, act: term("action", proposal.act) }), seq };
  },
});

/** @param {any} proposal @param {"reject" | "withdraw"} how @returns {import("../operate/acts.js").Act} */
const endAct = (proposal, how) => ({
  ask: async () => ({
    title: t(`eyes.ask_${how}`, { proposal: proposal.proposal }),
    facts: (await named(proposal)).facts,
    fields: [reasonField()],
    consequence: t("eyes.consequence_end"),
    act: t(`eyes.${how}`),
  }),
  run: async (given, key) => {
    const { seq } = await send("POST", `/v1/admin/proposals/${proposal.proposal}/${how}`, { reason: valueOf(given, "reason") }, key);
    return { said: t(`eyes.done_${how}`, { proposal: proposal.proposal }), seq };
  },
});
