// The whole venue: its kill switch, a halt of every instrument, a cancel of all open orders.

import { send } from "../app/api.js";
import { h, say } from "../app/dom.js";
import { grouped } from "../app/format.js";
import { get, watch } from "../app/store.js";
import { t } from "../app/words.js";
import { actButton, outcomeLine } from "../operate/acts.js";
import { line, valueOf } from "../operate/fields.js";
import { cancelAct } from "./cancel.js";

/** @param {import("../operate/access.js").Access} rights @returns {HTMLElement} */
export function venueActs(rights) {
  const outcome = outcomeLine();
  const on = actButton(t("kill.turn_on"), "kill-on", outcome, killAct(true), { danger: true });
  const off = actButton(t("kill.turn_off"), "kill-off", outcome, killAct(false));
  const halt = actButton(t("halt.all"), "halt-all", outcome, haltAct(true), { danger: true });
  const resume = actButton(t("resume.all"), "resume-all", outcome, haltAct(false));
  const cancel = actButton(t("cancel_orders.every"), "cancel-all", outcome, cancelAct({}), { danger: true });
  const killState = h("b", { data: { testid: "kill-state" } }),
    haltState = h("b", { data: { testid: "halt-state" } });
  watch(["venue", "phases", "acted"], () => {
    const isOn = get("venue")?.kill_switch === true,
      { halted, all } = counts();
    say(killState, isOn ? t("kill.is_on") : t("kill.is_off"));
    killState.className = isOn ? "danger" : "";
    say(haltState, t("halt.count", { halted: grouped(halted), all: grouped(all) }));
    haltState.className = halted ? "danger" : "";
    on.disabled = isOn;
    off.disabled = !isOn;
    halt.disabled = all > 0 && halted === all;
    resume.disabled = halted === 0;
  });
  /** @param {string} name @param {HTMLElement} state @param {HTMLElement[]} buttons */
  const row = (name, state, ...buttons) =>
    h("div", { class: "switch" }, h("span", {}, name), state, h("span", { class: "acts" }, rights.acts && buttons));
  return h(
    "div",
    { class: "switches-list", id: "venue-acts", data: { testid: "venue-acts" } },
    row(t("kill.venue"), killState, on, off),
    row(t("halt.instruments"), haltState, halt, resume),
    ...(rights.acts ? [row(t("cancel_orders.of_all"), h("b", {}, ""), cancel), outcome] : []),
  );
}

function counts() {
  const phases = [...(get("phases") ?? new Map()).values()].filter(({ phase }) => phase !== "delisted");
  return { halted: phases.filter(({ phase }) => phase === "halted").length, all: phases.length };
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

/** Why a halt: it is urgent, so nobody has to say. */
export const haltReason = () => line(t("halt.why"), "reason", {}, t("acts.reason_kept"));

/** @param {boolean} isHalt @returns {import("../operate/acts.js").Act} */
const haltAct = (isHalt) => ({
  kinds: isHalt ? [] : ["resume"],
  ask: () => {
    const { halted, all } = counts();
    return {
      title: isHalt ? t("halt.ask_all") : t("resume.ask_all"),
      facts: [
        [t("whom"), t("halt.every", { count: all })],
        [t("now"), t("halt.count", { halted, all })],
      ],
      consequence: isHalt ? t("halt.consequence") : t("resume.consequence"),
      fields: isHalt ? [haltReason()] : [],
      act: isHalt ? t("halt.all") : t("resume.all"),
      danger: isHalt,
    };
  },
  run: async (given, key) => {
    const [path, body] = isHalt ? ["/v1/admin/halt", { reason: valueOf(given, "reason") }] : ["/v1/admin/resume", undefined];
    const { seq } = await send("POST", path, body, key);
    return { said: isHalt ? t("halt.done_all") : t("resume.done_all"), seq };
  },
});
