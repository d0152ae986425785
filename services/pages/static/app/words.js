// Words of the page's language. The catalogue is services/pages/words/*.json; a test finds a key that it lacks.

import { page } from "./page.js";

/**
 * The text of a key, with `{name}` replaced by values, and `{name|day|days}` by the word for one or for any other number.
 * @param {string} key
 * @param {Record<string, unknown>} [values]
 */
export function t(key, values = {}) {
  const text = page.words[key];
  if (text === undefined) throw new Error(`the catalogue has no "${key}"`);
  return text.replace(/\{(\w+)(?:\|([^|{}]*)\|([^|{}]*))?\}/g, (_, name, one, many) => (one === undefined ? String(values[name]) : String(values[name]) === "1" ? one : many));
}

/** The text of a code that the API sends (a phase, a reason, a state): `t("phase.halted")`; the code itself if there is none.
 * @param {string} kind @param {string} code */
export const term = (kind, code) => page.words[`${kind}.${code}`] ?? code.replaceAll("_", " ");

/** An instrument's name in the page's language. @param {{name_en: string, name_zh: string}} instrument */
export const nameOf = (instrument) => (page.lang === "zh" ? instrument.name_zh : instrument.name_en);

/** Sentences after each other: Chinese ones without a space; empty ones are left out. @param {string[]} texts */
export const sentences = (texts) => texts.filter(Boolean).join(page.lang === "zh" ? "" : " ");

/** Texts beside each other. @param {string[]} texts */
export const listed = (texts) => texts.join(page.lang === "zh" ? "、" : ", ");
