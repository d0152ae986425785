// The log of what operators and administrators did: it comes from the journal, so nobody can remove a line.

import { read } from "../app/api.js";
import { h, say } from "../app/dom.js";
import { grouped, midnight, stamp } from "../app/format.js";
import { watch } from "../app/store.js";
import { aboutOf, amountOf } from "../app/target_words.js";
import * as url from "../app/url_state.js";
import { listed, t, term } from "../app/words.js";
import { choice, field, line, valueOf } from "../operate/fields.js";
import { Listing, panel } from "../operate/listing.js";
import { fieldText } from "./field_text.js";

const PAGE = 25;
const DAY_MS = 86_400_000;
const KINDS = [
  "halt",
  "resume",
  "set_phase",
  "set_collar",
  "set_volatility_band",
  "list_instrument",
  "change_instrument",
  "delist_instrument",
  "kill_switch_on",
  "kill_switch_off",
  "set_order_limits",
  "set_turnover_limit",
  "cancel",
  "mass_cancel",
  "bust_trade",
  "trades_decided",
  "alert_acknowledged",
  "measure_imposed",
  "measure_lifted",
  "control_declared",
  "control_ended",
  "target_set",
  "context_stated",
  "open_account",
  "deposit",
  "withdraw",
  "receive",
  "release",
  "set_fees",
  "key_issued",
  "key_limits_set",
  "key_revoked",
  "user_added",
  "user_role_changed",
  "user_password_changed",
  "user_link_made",
  "user_removed",
  "act_proposed",
  "proposal_ended",
];
/** Fields that the log does not show. */
const HIDDEN = new Set(["scope", "method"]);

/** What an action was about: its fields, but why. @param {any} action */
const about = ({ kind, fields, why }) =>
  kind.startsWith("kill_switch_") && fields.account === 0
    ? t("log.venue")
    : kind === "target_set"
      ? `${fields.year} · ${aboutOf(fields)} · ${amountOf(fields.metric, fields.amount)} · ${fields.name}`
      : ofFields(fields, why);

/** @param {Record<string, any>} fields @param {string | null} why */
const ofFields = ({ limits, ...fields }, why) =>
  Object.entries({ ...fields, ...limits })
    .filter(([name, value]) => value !== why && !HIDDEN.has(name) && !isUnsaid(name, value))
    .map(([name, value]) => `${term("field", name)} ${Array.isArray(value) ? someOf(name, value) : fieldText(name, value)}`)
    .join(" · ");

/** A limit that is none is said: all limits are replaced. @param {string} name @param {any} value */
const isUnsaid = (name, value) => (value === null && !name.startsWith("max_")) || value === "" || (name === "account" && value === 0);

/** @param {string} name @param {any[]} values */
const someOf = (name, values) =>
  `${listed(values.slice(0, 3).map((one) => fieldText(name, one)))}${values.length > 3 ? ` … (${values.length})` : ""}`;

/** Who did it, and who had proposed it. @param {any} action of the log @returns {string} */
export function whoActed({ person, key_name, key_id, proposal, proposed_by }) {
  const who = person ?? key_name ?? key_id;
  return proposal === null ? who : t("log.two", { who, by: proposed_by ?? "–" });
}

/** @param {number} ms */
const iso = (ms) => new Date(ms).toISOString();

/** What the address asks for: `who`, `kind`, `day`. @returns {HTMLElement} */
export function logPanel() {
  const listing = new Listing({
    id: "log",
    label: t("log"),
    keyOf: (one) => String(one.seq),
    empty: t("log.none"),
    columns: [
      { name: t("log.command"), text: (one) => grouped(one.seq), num: true },
      { name: t("log.time"), text: (one) => stamp(one.time) },
      {
        name: t("log.who"),
        text: whoActed,
        title: (one) => t("log.key", { key: one.key_name ?? one.key_id }),
      },
      { name: t("log.what"), text: (one) => term("action", one.kind) },
      { name: t("log.about"), text: about, kind: () => "wide" },
      { name: t("log.why"), text: (one) => one.why, kind: () => "wide" },
    ],
  });
  const form = /** @type {HTMLFormElement} */ (
    h(
      "form",
      { class: "search", role: "search", "aria-label": t("log"), data: { testid: "log-search" } },
      line(t("log.who"), "who", { maxlength: 80, value: url.read("who") ?? "" }),
      choice(
        t("log.what"),
        "kind",
        [["", t("log.everything")], ...KINDS.map((kind) => /** @type {[string, string]} */ ([kind, term("action", kind)]))],
        url.read("kind"),
      ),
      field(t("log.day"), h("input", { type: "date", name: "day", value: url.read("day") ?? "", data: { testid: "field-day" } })),
      h("button", { type: "submit" }, t("log.search")),
    )
  );
  const older = h("button", { type: "button", hidden: true, data: { testid: "older" } }, t("log.older")),
    said = h("p", { class: "outcome", role: "status" });
  /** @type {string | null} */ let cursor = null;
  const asked = () => {
    const given = new FormData(form);
    return { who: valueOf(given, "who") || null, kind: valueOf(given, "kind") || null, day: valueOf(given, "day") || null };
  };
  let searches = 0;
  /** Shows what is found, unless another search has begun meanwhile. @param {boolean} isMore */
  const show = async (isMore) => {
    const own = ++searches,
      { who, kind, day } = asked();
    try {
      const page = await read("/v1/admin/log", {
        who,
        kind,
        start: day && iso(midnight(day)),
        end: day && iso(midnight(day) + DAY_MS),
        limit: PAGE,
        cursor: isMore ? cursor : null,
      });
      if (own !== searches) return;
      cursor = page.next_cursor;
      listing.show(isMore ? [...listing.items, ...page.actions] : page.actions);
      older.hidden = cursor === null;
      say(said, "");
    } catch (error) {
      if (own === searches) say(said, error instanceof Error ? error.message : String(error));
    }
  };
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    url.write(asked());
    show(false);
  });
  older.addEventListener("click", () => show(true));
  watch(["acted"], () => show(false));
  return panel("log-panel", t("log"), [listing.save], form, said, listing.node, h("p", { class: "body" }, older));
}
