// Acts on what is traded and by which terms: an instrument is listed, or its terms and texts are changed.

import { send } from "../app/api.js";
import { h } from "../app/dom.js";
import { grouped } from "../app/format.js";
import { instrumentOf, readInstruments } from "../app/instruments.js";
import { listed, t, term } from "../app/words.js";
import { choice, fromPercent, inPercent, line, reasonField, valueOf } from "../operate/fields.js";
import { haltedCounts } from "./halt.js";
import { named, percentLine } from "./instrument_acts.js";
import { valuesOf } from "./market.js";

/** What a change of an instrument may name. */
export const TERMS = ["band_rate", "collar_rate", "max_quantity", "name_en", "name_zh", "spec", "note"];
const RATES = new Set(["band_rate", "collar_rate"]);
const PRICE = "\\d{1,16}(\\.\\d{1,8})?";

/** @param {string} name @param {Record<string, any>} [attributes] @param {string} [hint] */
const textLine = (name, attributes = {}, hint) => line(t(`field.${name}`), name, attributes, hint);

/** @param {string} name @param {string} [value] @param {string} [list] of values to choose from */
const nameLine = (name, value = "", list) => textLine(name, { value, list, required: true, maxlength: 80, pattern: ".*\\S.*", title: t("acts.name_needed") });

/** @param {string} name @param {string | number} [value] */
const wholeLine = (name, value = "") => textLine(name, { value, required: true, inputmode: "numeric", pattern: "[1-9]\\d{0,9}", title: t("acts.whole") });

/** @param {string} name @param {string} [hint] */
const priceLine = (name, hint) => textLine(name, { required: true, inputmode: "decimal", pattern: PRICE, title: t("listing.decimal") }, hint);

/** @param {string} [value] */
const limitsLine = (value = "") => percentLine("band_rate", value, t("field.band_rate"), t("terms.band_hint"));

/** Two fields beside each other. @param {...HTMLElement} fields */
const pair = (...fields) => h("div", { class: "pair" }, fields);

/** A term as the form has it. @param {any} instrument @param {string} name @returns {string} */
const inForm = (instrument, name) => String(RATES.has(name) ? inPercent(instrument[name] ?? "0") : instrument[name]).trim();

/** A field of the form as the API takes it. @param {string} name @param {string} value */
const asAsked = (name, value) => (RATES.has(name) ? fromPercent(value) : name === "max_quantity" ? Number(value) : value);

/** Other terms of an instrument: only what differs in the form is sent. @param {string} symbol @returns {import("../operate/acts.js").Act} */
export function termsAct(symbol) {
  return {
    kinds: ["change_instrument"],
    ask: async () => {
      await readInstruments();
      const now = instrumentOf(symbol);
      return {
        known: now,
        title: t("terms.ask", { symbol }),
        facts: [named(symbol), [t("fact.band"), `${grouped(now.lower_limit)} – ${grouped(now.upper_limit)}`]],
        fields: [
          pair(limitsLine(inForm(now, "band_rate")), percentLine("collar_rate", inForm(now, "collar_rate"), t("field.collar_rate"))),
          wholeLine("max_quantity", now.max_quantity),
          pair(nameLine("name_en", now.name_en), nameLine("name_zh", now.name_zh)),
          textLine("spec", { value: now.spec }),
          textLine("note", { value: now.note }),
          reasonField(),
        ],
        consequence: t("terms.consequence"),
        act: t("terms.set"),
      };
    },
    run: async (given, key, now) => {
      const changed = TERMS.filter((name) => valueOf(given, name) !== inForm(now, name));
      if (!changed.length) throw new Error(t("terms.nothing"));
      const body = Object.fromEntries(changed.map((name) => [name, asAsked(name, valueOf(given, name))]));
      const { seq } = await send("PATCH", `/v1/admin/instruments/${encodeURIComponent(symbol)}`, { ...body, reason: valueOf(given, "reason") }, key);
      return { said: t("terms.done", { symbol, changed: listed(changed.map((name) => t(`field.${name}`))) }), seq };
    },
  };
}

const TEXTS = ["symbol", "name_en", "name_zh", "category", "family", "unit", "tick_size", "reference_price", "reference_price_source", "spec", "note", "reason"];

/** A choice of what the listed instruments have. @param {string} name @param {(value: string) => string} [word] */
const known = (name, word = (value) => value) => choice(t(`field.${name}`), name, valuesOf(name).map((value) => [value, word(value)]));

/** A new instrument. @returns {import("../operate/acts.js").Act} */
export const listingAct = () => ({
  kinds: ["list_instrument"],
  ask: async () => {
    await readInstruments();
    return {
      title: t("listing.ask"),
      facts: [[t("listing.listed"), grouped(haltedCounts().all)]],
      fields: [
        pair(
          line(t("listing.code"), "symbol", { required: true, maxlength: 16, pattern: "[A-Z0-9][A-Z0-9\\-]*", title: t("listing.symbol") }, t("listing.symbol")),
          known("category", (value) => term("category", value)),
        ),
        pair(nameLine("name_en"), nameLine("name_zh")),
        pair(nameLine("family", "", "families"), known("unit")),
        h("datalist", { id: "families" }, valuesOf("family").map((value) => h("option", { value }))),
        pair(wholeLine("lot_size"), priceLine("tick_size")),
        pair(priceLine("reference_price", t("listing.price_hint")), known("reference_price_source", (value) => term("price_source", value))),
        pair(limitsLine(), wholeLine("max_quantity")),
        textLine("spec"),
        textLine("note"),
        reasonField(),
      ],
      consequence: t("listing.consequence"),
      act: t("listing.act"),
    };
  },
  run: async (given, key) => {
    const body = Object.fromEntries(TEXTS.map((name) => [name, valueOf(given, name)]));
    const numbers = { lot_size: Number(valueOf(given, "lot_size")), max_quantity: Number(valueOf(given, "max_quantity")) };
    const { symbol, seq } = await send("POST", "/v1/admin/instruments", { ...body, ...numbers, band_rate: fromPercent(valueOf(given, "band_rate")) }, key);
    return { said: t("listing.done", { symbol }), seq };
  },
});
