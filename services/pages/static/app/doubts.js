// Why not to believe a report's figure.

import { h } from "./dom.js";
import { page } from "./page.js";

/** A line for each doubt that a report has of itself. @param {any} report */
export const doubts = ({ discrepancies, proof_alerts }) =>
  [...discrepancies, ...proof_alerts].map(({ sentence, sentence_zh }) =>
    h("b", { class: "doubt danger", data: { testid: "doubt" } }, page.lang === "zh" ? sentence_zh : sentence));
