// The fee rates of an account class: an act of administrators.

import { read, send } from "../app/api.js";
import { PERCENT } from "../app/format.js";
import { t } from "../app/words.js";
import { fromPercent, line, rate, valueOf } from "../operate/fields.js";
import { percentLine } from "./instrument_acts.js";

/** The class that a dialog asks for. */
export const classLine = () =>
  line(t("fees.class"), "account_class", { value: 0, required: true, inputmode: "numeric", pattern: "\\d{1,3}", title: t("fees.class_hint") }, t("fees.class_hint"));

/** @returns {import("../operate/acts.js").Act} */
export const feesAct = () => ({
  kinds: ["set_fees"],
  ask: async () => {
    /** @type {any[]} */ const classes = await read("/v1/admin/fees");
    return {
      title: t("fees.ask"),
      facts: classes.map(({ account_class, maker_rate, taker_rate }) => [
        t("fees.of", { number: account_class }),
        t("fees.rates", { maker: rate(maker_rate), taker: rate(taker_rate) }),
      ]),
      fields: [classLine(), percentLine("maker_rate", "", t("field.maker_rate")), percentLine("taker_rate", "", t("field.taker_rate"))],
      consequence: t("fees.consequence"),
      act: t("fees.set"),
    };
  },
  run: async (given, key) => {
    const number = Number(valueOf(given, "account_class")), maker = valueOf(given, "maker_rate"), taker = valueOf(given, "taker_rate");
    const { seq } = await send("PUT", `/v1/admin/fees/${number}`, { maker_rate: fromPercent(maker), taker_rate: fromPercent(taker) }, key);
    return { said: t("fees.done", { number, rates: t("fees.rates", { maker: `${maker}${PERCENT}`, taker: `${taker}${PERCENT}` }) }), seq };
  },
});
