// Inputs of the dialogs and of the forms that search.

import { h } from "../app/dom.js";
import { text, units } from "../app/decimal.js";
import { PERCENT } from "../app/format.js";
import { t } from "../app/words.js";

/** @param {string} label @param {HTMLElement} input @param {string} [hint] */
export const field = (label, input, hint) => h("label", { class: "field" }, h("span", {}, label), input, hint && h("small", {}, hint));

/** A line of text. @param {string} label @param {string} name @param {Record<string, any>} [attributes] @param {string} [hint] */
export const line = (label, name, attributes = {}, hint) =>
  field(
    label,
    h("input", { name, type: "text", autocomplete: "off", maxlength: 500, data: { testid: `field-${name}` }, ...attributes }),
    hint,
  );

/** Why: it must hold more than spaces. @param {string} [label] @param {string} [name] */
export const reasonField = (label = t("acts.reason"), name = "reason") =>
  line(label, name, { required: true, pattern: ".*\\S.*", title: t("acts.reason_needed") }, t("acts.reason_kept"));

/** @param {string} label @param {string} name @param {[string, string][]} options values and words @param {string | null} [chosen] */
export const choice = (label, name, options, chosen = null) =>
  field(
    label,
    h(
      "select",
      { name, data: { testid: `field-${name}` } },
      options.map(([value, word]) => h("option", { value, selected: value === chosen }, word)),
    ),
  );

/** @param {FormData} given @param {string} name */
export const valueOf = (given, name) => String(given.get(name) ?? "").trim();

/** "0.030000" → "3 %", exact. @param {string | null} rate */
export const rate = (rate) => (rate === null ? t("none") : `${inPercent(rate)}${PERCENT}`);

/** "0.030000" → "3". @param {string} rate */
export const inPercent = (rate) => text(units(rate) * 100n, 4).replace(/\.?0+$/, "");

/** "3" → "0.030000". @param {string} percent at most four decimals */
export const fromPercent = (percent) => text(units(percent) / 100n, 6);
