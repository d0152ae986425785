// A figure about the world outside, with its source: it stands beside the report and is counted in nothing.

import { read, send } from "../app/api.js";
import { fill, h } from "../app/dom.js";
import { number } from "../app/format.js";
import { get } from "../app/store.js";
import { t } from "../app/words.js";
import { line, valueOf } from "../operate/fields.js";
import { thisYear } from "./target.js";

/** Those of a year that hold. @param {number} year @returns {Promise<any[]>} */
export async function figuresOf(year) {
  const seq = get("acted");
  return (await read(`/v1/reports/context/${year}`, seq ? { at_least_seq: seq } : {})).figures;
}

/** An empty value withdraws the figure. @param {string} value */
export const consequenceOf = (value) => (value ? t("outside.consequence") : t("outside.consequence_withdrawn"));

/** @param {number} year @returns {Promise<[string, string][]>} */
const factsOf = async (year) =>
  (await figuresOf(year)).map(({ figure, value, unit, source }) => [`${year} · ${figure}`, `${number(value)} ${unit} · ${source}`]);

/** The value, and the consequence, which follows what is typed. */
function valueAndConsequence() {
  const attributes = { inputmode: "decimal", pattern: "-?\\d{1,20}(\\.\\d{1,6})?", title: t("outside.value_hint") };
  const value = line(t("field.value"), "value", attributes, t("outside.value_hint")), consequence = h("span", {}, consequenceOf(""));
  value.addEventListener("input", ({ target }) => fill(consequence, consequenceOf(/** @type {HTMLInputElement} */ (target).value.trim())));
  return { value, consequence };
}

/** @param {string | null} name of the person who enters it @returns {import("../operate/acts.js").Act} */
export const outsideAct = (name) => ({
  kinds: ["context_stated"],
  ask: async () => {
    const { value, consequence } = valueAndConsequence();
    return {
      title: t("outside.ask"),
      facts: (await Promise.all([thisYear() - 1, thisYear()].map(factsOf))).flat(),
      fields: [
        line(t("field.year"), "year", { value: thisYear(), required: true, inputmode: "numeric", pattern: "20\\d\\d", title: t("acts.whole") }),
        line(t("field.figure"), "figure", { required: true, maxlength: 80, pattern: ".*\\S.*", title: t("acts.name_needed") }, t("outside.figure_hint")),
        value,
        line(t("field.unit"), "unit", { maxlength: 30 }, t("outside.unit_hint")),
        line(t("field.source"), "source", { required: true, pattern: ".*\\S.*", title: t("outside.source_hint") }, t("outside.source_hint")),
      ],
      consequence,
      act: t("outside.set"),
    };
  },
  run: async (given, key) => {
    const [figure, value, unit, source] = ["figure", "value", "unit", "source"].map((field) => valueOf(given, field)), year = Number(valueOf(given, "year"));
    const { seq } = await send("POST", "/v1/admin/context", { year, figure, value, unit, source, name: name ?? "" }, key);
    return { said: value ? t("outside.done", { year, figure, value: `${number(value)} ${unit}` }) : t("outside.withdrawn", { year, figure }), seq };
  },
});
