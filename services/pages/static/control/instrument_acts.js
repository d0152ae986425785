// Acts that set something of an instrument: its phase, its collar, its volatility band; and its end.

import { send } from "../app/api.js";
import { PERCENT } from "../app/format.js";
import { instrumentOf } from "../app/instruments.js";
import { get } from "../app/store.js";
import { sentences, t, term } from "../app/words.js";
import { choice, fromPercent, inPercent, line, rate, reasonField, valueOf } from "../operate/fields.js";
import { phaseText } from "./board.js";
import { instrumentText, stateOf } from "./market.js";

const PHASES = ["continuous", "call_auction", "auction_matching", "closed"];
const PATTERN = "(0|[1-9]\\d?)(\\.\\d{1,4})?";

/** @param {string} symbol @returns {[string, string]} */
export const named = (symbol) => [t("instrument"), instrumentText(instrumentOf(symbol))];

/** @param {string} symbol @param {string} what @param {any} body @param {import("../app/api.js").Sending} key */
const put = (symbol, what, body, key) => send("PUT", `/v1/admin/instruments/${encodeURIComponent(symbol)}/${what}`, body, key);

/** @param {string} name @param {string} value @param {string} label @param {string} [hint] */
export const percentLine = (name, value, label, hint = t("acts.percent")) =>
  line(label, name, { value, required: true, inputmode: "decimal", pattern: PATTERN, title: hint }, hint);

/** @param {string} symbol @returns {import("../operate/acts.js").Act} */
export const phaseAct = (symbol) => ({
  kinds: ["set_phase"],
  ask: () => ({
    title: t("phase_act.ask", { symbol }),
    facts: [named(symbol), [t("now"), phaseText(stateOf(symbol).phase)]],
    fields: [
      choice(
        t("phase_act.to"),
        "phase",
        PHASES.map((phase) => [phase, phaseText(phase)]),
        stateOf(symbol).phase === "call_auction" ? "continuous" : "call_auction",
      ),
    ],
    consequence: sentences([t("phase_act.consequence"), get("venue")?.schedule === "always" ? t("phase_act.always") : t("phase_act.until")]),
    act: t("phase_act.set"),
    danger: true,
  }),
  run: async (given, key) => {
    const phase = valueOf(given, "phase"),
      { seq } = await put(symbol, "phase", { phase }, key);
    return { said: t("phase_act.done", { symbol, phase: term("phase", phase) }), seq };
  },
});

/** @param {string} symbol @returns {import("../operate/acts.js").Act} */
export const collarAct = (symbol) => {
  return {
    kinds: ["set_collar"],
    ask: () => {
      const { collar_rate } = instrumentOf(symbol);
      return {
        title: t("collar.ask", { symbol }),
        facts: [named(symbol), [t("now"), rate(collar_rate)]],
        fields: [percentLine("rate", inPercent(collar_rate ?? "0"), t("collar.rate"))],
        consequence: t("collar.consequence"),
        act: t("collar.set"),
      };
    },
    run: async (given, key) => {
      const percent = valueOf(given, "rate"),
        { seq } = await put(symbol, "collar", { rate: fromPercent(percent) }, key);
      return { said: t("collar.done", { symbol, rate: `${percent}${PERCENT}` }), seq };
    },
  };
};

/** @param {string} symbol @returns {import("../operate/acts.js").Act} */
export const bandAct = (symbol) => ({
  kinds: ["set_volatility_band"],
  ask: () => {
    const { volatility_rate, auction_seconds } = instrumentOf(symbol);
    const now = volatility_rate === null ? t("none") : t("band.value", { rate: rate(volatility_rate), seconds: auction_seconds });
    return {
      title: t("band.ask", { symbol }),
      facts: [named(symbol), [t("now"), now]],
      fields: [
        percentLine("rate", inPercent(volatility_rate ?? "0"), t("band.rate")),
        line(t("band.seconds"), "auction_seconds", {
          value: auction_seconds ?? 0,
          required: true,
          inputmode: "numeric",
          pattern: "\\d{1,5}",
          title: t("acts.whole"),
        }),
      ],
      consequence: t("band.consequence"),
      act: t("band.set"),
    };
  },
  run: async (given, key) => {
    const percent = valueOf(given, "rate"),
      seconds = Number(valueOf(given, "auction_seconds"));
    const { seq } = await put(symbol, "volatility_band", { rate: fromPercent(percent), auction_seconds: seconds }, key);
    return { said: t("band.done", { symbol, rate: `${percent}${PERCENT}`, seconds }), seq };
  },
});

/** @param {string} symbol @returns {import("../operate/acts.js").Act} */
export const delistAct = (symbol) => ({
  kinds: ["delist_instrument"],
  ask: () => ({
    title: t("delisting.ask", { symbol }),
    facts: [named(symbol), [t("now"), phaseText(stateOf(symbol).phase)]],
    fields: [reasonField()],
    consequence: t("delisting.consequence"),
    act: t("delisting.act"),
    danger: true,
  }),
  run: async (given, key) => {
    const body = { reason: valueOf(given, "reason") };
    const { seq } = await send("POST", `/v1/admin/instruments/${encodeURIComponent(symbol)}/delist`, body, key);
    return { said: t("delisting.done", { symbol }), seq };
  },
});
