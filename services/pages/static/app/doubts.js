// Why not to believe a report's figure.

import { h } from "./dom.js";
import { page } from "./page.js";
import { t } from "./words.js";

/** A sentence for each doubt that a report tells of itself. @param {any} report @returns {string[]} */
const sentences = ({ discrepancies, proof_alerts }) => [
  ...discrepancies.map((/** @type {any} */ found) => (page.lang === "zh" ? found.sentence_zh : found.sentence)),
  ...proof_alerts.map((/** @type {string} */ sentence) => (page.lang === "zh" ? t("doubt.not_proven") : sentence)),
];

/** They beside the figure; nothing where there is none. @param {any} report */
export const doubts = (report) => sentences(report).map((said) => h("b", { class: "danger", data: { testid: "doubt" } }, said));
