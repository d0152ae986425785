// A chart in words: its sentence and a table, in a dialog; and the same lines for a file.

import { h } from "../app/dom.js";
import { sentences, t } from "../app/words.js";
import { KINDS } from "./layers/kinds.js";
import { isOfTimes } from "./time_ticks.js";

/** @typedef {import("./plan.js").Known} Known */

/** What a chart shows, as sentences; of times with their zone. @param {import("./types.js").ChartOptions} options */
export const inWords = ({ x, sentence }) => sentences([sentence(), isOfTimes(x) ? t("chart.zone_said") : ""]);

/** Rows of text: the head, then a row for each x of these. @param {Known[]} layers @param {import("./types.js").X[]} xs @param {import("./types.js").ChartOptions} options @param {(layer: import("./types.js").Layer) => (y: number) => string} textOf @returns {string[][]} */
export function linesOf(layers, xs, options, textOf) {
  const listed = layers.filter(({ layer }) => layer.type !== "rule" && (layer.type !== "marks" || layer.name));
  const head = listed.flatMap(({ layer }) => {
    const { columns } = KINDS[layer.type];
    return columns ? columns.map((key) => `${layer.name ?? ""} ${t(key)}`.trim()) : [layer.name ?? ""];
  });
  return [[options.xName ?? t("chart.x"), ...head], ...xs.map((x) => [options.xText(x), ...listed.flatMap((known) => cellsOf(known, x, textOf(known.layer)))])];
}

/** @param {Known} known @param {import("./types.js").X} x @param {(y: number) => string} yText @returns {string[]} */
function cellsOf({ layer, byX }, x, yText) {
  const kind = KINDS[layer.type], point = byX.get(x);
  if (kind.columns) return point && kind.cells ? kind.cells(point).map(String) : kind.columns.map(() => "");
  return [point ? kind.said(layer, point, yText) : ""];
}

/** Shows the table. @param {string} label @param {string} sentence @param {string[][]} lines */
export function showTable(label, sentence, [head, ...body]) {
  const dialog = /** @type {HTMLDialogElement} */ (h("dialog", { class: "chart-table", "aria-label": label, data: { testid: "chart-table" } },
    h("h2", {}, label), h("p", {}, sentence),
    h("div", { class: "rows", tabindex: "0", role: "group", "aria-label": label }, h("table", {},
      h("thead", {}, h("tr", {}, head.map((name, index) => h("th", { scope: "col", class: index ? "num" : "" }, name)))),
      h("tbody", {}, body.map(([x, ...values]) => h("tr", {}, h("th", { scope: "row" }, x), values.map((value) => h("td", { class: "num" }, value))))))),
    h("footer", {}, h("button", { type: "button", class: "primary", onclick: () => dialog.close() }, t("close")))));
  dialog.addEventListener("close", () => dialog.remove());
  document.body.append(dialog);
  dialog.showModal();
}
