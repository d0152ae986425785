// Sentences of the API in the page's language. The catalogue knows each by its first words; one that it does not know is shown
// as it came, in English.

import { h } from "../app/dom.js";
import { page } from "../app/page.js";

/** @param {string} sentence */
const keyOf = (sentence) => `said.${(sentence.toLowerCase().match(/[a-z]+/g) ?? []).slice(0, 4).join("_")}`;

/** A node with the sentence. @param {string} sentence @param {string} [tag] */
export function said(sentence, tag = "p") {
  const found = page.lang === "zh" ? page.words[keyOf(sentence)] : undefined;
  const year = /\d{4}/.exec(sentence)?.[0] ?? "";
  return found ? h(tag, {}, found.replaceAll("{year}", year)) : h(tag, { lang: "en" }, sentence);
}

/** What the last trading day added, which the API says in both languages. @param {any} lastDay */
export const added = (lastDay) => (page.lang === "zh" ? lastDay.sentence_zh : lastDay.sentence);

/** The verdict on the year, which the API says in both languages. @param {any} report */
export const verdict = (report) => (page.lang === "zh" ? report.verdict_zh : report.verdict);
