// A halt and its end: of every instrument, or of one.

import { send } from "../app/api.js";
import { get } from "../app/store.js";
import { t } from "../app/words.js";
import { line, valueOf } from "../operate/fields.js";
import { phaseText } from "./board.js";
import { chosenInstrument, instrumentText, stateOf } from "./market.js";

/** @typedef {import("../operate/acts.js").Act} Act */

/** @param {{isHalt: boolean, symbol?: string}} what without a symbol: every instrument @returns {Act} */
export const haltAct = ({ isHalt, symbol }) => (symbol ? haltOne(symbol, isHalt) : haltEvery(isHalt));

/** How many instruments are halted, of how many. */
export function haltedCounts() {
  const phases = [...(get("phases") ?? new Map()).values()].filter(({ phase }) => phase !== "delisted");
  return { halted: phases.filter(({ phase }) => phase === "halted").length, all: phases.length };
}

/** Why a halt: it is urgent, so nobody has to say. */
const haltReason = () => line(t("halt.why"), "reason", {}, t("acts.reason_kept"));

/** @param {boolean} isHalt @returns {Act} */
const haltEvery = (isHalt) => ({
  kinds: isHalt ? [] : ["resume"],
  ask: () => {
    const { halted, all } = haltedCounts();
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

/** @param {string} symbol @param {boolean} isHalt @returns {Act} */
const haltOne = (symbol, isHalt) => ({
  kinds: isHalt ? [] : ["resume"],
  ask: () => ({
    title: t(isHalt ? "halt.ask" : "resume.ask", { symbol }),
    facts: [
      [t("instrument"), instrumentText(chosenInstrument())],
      [t("now"), phaseText(stateOf(symbol).phase)],
    ],
    consequence: isHalt ? t("halt.consequence") : t("resume.consequence"),
    fields: isHalt ? [haltReason()] : [],
    act: t(isHalt ? "halt.act" : "resume.act"),
    danger: isHalt,
  }),
  run: async (given, key) => {
    const [how, body] = isHalt ? ["halt", { reason: valueOf(given, "reason") }] : ["resume", undefined];
    const { seq } = await send("POST", `/v1/admin/instruments/${encodeURIComponent(symbol)}/${how}`, body, key);
    return { said: t(isHalt ? "halt.done" : "resume.done", { symbol }), seq };
  },
});
