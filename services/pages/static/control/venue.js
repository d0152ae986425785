// The whole venue: its kill switch, a halt of every instrument, a new instrument, a cancel of all open orders, its target, figures from outside.

import { send } from "../app/api.js";
import { h, say } from "../app/dom.js";
import { grouped } from "../app/format.js";
import { get, watch } from "../app/store.js";
import { targetName } from "../app/target_name.js";
import { amountOf } from "../app/target_words.js";
import { t } from "../app/words.js";
import { actButton, outcomeLine } from "../operate/acts.js";
import { cancelAct } from "./cancel.js";
import { haltAct, haltedCounts } from "./halt.js";
import { listingAct } from "./instrument_terms.js";
import { outsideAct } from "./outside.js";
import { targetAct, targetsInForce } from "./target.js";

const EVERY_MS = 10_000;

/** @param {import("../operate/access.js").Access} rights @returns {HTMLElement} */
export function venueActs(rights) {
  const outcome = outcomeLine();
  const on = actButton(t("kill.turn_on"), "kill-on", outcome, killAct(true), { danger: true });
  const off = actButton(t("kill.turn_off"), "kill-off", outcome, killAct(false));
  const halt = actButton(t("halt.all"), "halt-all", outcome, haltAct({ isHalt: true }), { danger: true });
  const resume = actButton(t("resume.all"), "resume-all", outcome, haltAct({ isHalt: false }));
  const cancel = actButton(t("cancel_orders.every"), "cancel-all", outcome, cancelAct({}), { danger: true });
  const killState = h("b", { data: { testid: "kill-state" } }),
    haltState = h("b", { data: { testid: "halt-state" } });
  const list = actButton(t("listing.act"), "list-instrument", outcome, listingAct()),
    listed = h("b", { data: { testid: "listed-count" } });
  watch(["venue", "phases", "acted"], () => {
    const isOn = get("venue")?.kill_switch === true,
      { halted, all } = haltedCounts();
    say(killState, isOn ? t("kill.is_on") : t("kill.is_off"));
    killState.className = isOn ? "danger" : "";
    say(haltState, t("halt.count", { halted: grouped(halted), all: grouped(all) }));
    say(listed, grouped(all));
    haltState.className = halted ? "danger" : "";
    on.disabled = isOn;
    off.disabled = !isOn;
    halt.disabled = all > 0 && halted === all;
    resume.disabled = halted === 0;
  });
  const target = actButton(t("target.act"), "set-target", outcome, targetAct()),
    targetState = h("b", { data: { testid: "target-state" } }, "–");
  const outside = actButton(t("outside.act"), "state-context", outcome, outsideAct(rights.name));
  if (rights.reads) {
    watch(["acted"], () => showTarget(targetState));
    setInterval(() => document.visibilityState === "visible" && showTarget(targetState), EVERY_MS);
  }
  /** @param {string} name @param {HTMLElement} state @param {HTMLElement[]} buttons */
  const row = (name, state, ...buttons) =>
    h("div", { class: "switch" }, h("span", {}, name), state, h("span", { class: "acts" }, rights.acts && buttons));
  return h(
    "div",
    { class: "switches-list", id: "venue-acts", data: { testid: "venue-acts" } },
    row(t("kill.venue"), killState, on, off),
    row(t("halt.instruments"), haltState, halt, resume),
    rights.acts && row(t("listing.listed"), listed, list),
    rights.reads && row(t("target.of_year"), targetState, target, outside),
    ...(rights.acts ? [row(t("cancel_orders.of_all"), h("b", {}, ""), cancel), outcome] : []),
  );
}

/** The venue's own target of the year; the last one known where it cannot be read. @param {HTMLElement} node */
async function showTarget(node) {
  try {
    const found = (await targetsInForce()).find(({ scope, metric, month }) => scope === "venue" && metric === "net_traded" && month === 0);
    say(node, found ? amountOf(found.metric, found.amount) : t("target.none"));
    node.title = found ? targetName(found.name) : "";
  } catch (error) {
    node.title = error instanceof Error ? error.message : String(error);
  }
}

/** @param {boolean} isOn @returns {import("../operate/acts.js").Act} */
const killAct = (isOn) => ({
  kinds: isOn ? [] : ["kill_switch_off"],
  ask: () => ({
    title: isOn ? t("kill.ask_on") : t("kill.ask_off"),
    facts: [
      [t("whom"), t("everybody")],
      [t("now"), isOn ? t("kill.is_off") : t("kill.is_on")],
    ],
    consequence: isOn ? t("kill.consequence_on") : t("kill.consequence_off"),
    act: isOn ? t("kill.turn_on") : t("kill.turn_off"),
    danger: isOn,
  }),
  run: async (_, key) => {
    const { seq } = await send("POST", `/v1/admin/kill_switch/${isOn ? "on" : "off"}`, undefined, key);
    return { said: isOn ? t("kill.done_on") : t("kill.done_off"), seq };
  },
});
