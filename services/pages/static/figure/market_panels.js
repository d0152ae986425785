// The PrNd index of the year, and the quality of the market on a day.

import { Chart } from "../charts/chart.js";
import { forDrawing, text, units } from "../app/decimal.js";
import { fill, h } from "../app/dom.js";
import { duration, noon, number, percent } from "../app/format.js";
import { set } from "../app/store.js";
import { nameOf, t, term } from "../app/words.js";
import { renew } from "./documents.js";
import { parts, showNothing } from "./panel.js";
import { said } from "./said.js";
import { saveChart, showTable } from "./table.js";

/** @type {Chart | undefined} */
let chart;
/** @type {any} */
let shown;

/** @param {HTMLElement} host @param {Record<string, any>} docs */
export function showIndex(host, { index }) {
  shown = index;
  if (!index.days.length) return showNothing(host, t("index.none"));
  const at = parts(host, "said", "chart", "table", "rule");
  fill(at.said, h("p", {}, sentence()));
  showLine(at.chart);
  showTable(at.table, {
    name: "index", label: t("figure.index"), lines: index.days.toReversed(), keyOf: ({ date }) => date, seal: index,
    columns: [
      { head: t("column.date"), names: true, cell: ({ date }) => date },
      { head: t("index.value"), number: true, cell: ({ value }) => number(value), csv: ({ value }) => value },
      { head: t("index.assessed"), cell: ({ assessed }) => t(assessed ? "yes" : "index.not_assessed"), csv: ({ assessed }) => assessed },
      { head: t("column.trades"), number: true, cell: ({ trades }) => number(trades), csv: ({ trades }) => trades },
      { head: t("index.members"), number: true, cell: ({ buyers, sellers }) => `${buyers} / ${sellers}` },
      ...["PRND-OX", "PRND-MET"].map((symbol) => ({
        head: symbol, number: true, cell: (/** @type {any} */ line) => settlement(line, symbol), title: (/** @type {any} */ line) => term("settlement", priceOf(line, symbol)?.source ?? ""),
      })),
    ],
  });
  fill(at.rule, said(index.rule), index.years.map((/** @type {any} */ one) =>
    h("p", { class: "dim" }, t(one.assumed ? "index.weights_assumed" : "index.weights", { year: one.year, weights: one.weights.map((/** @type {any} */ w) => `${w.symbol} ${percent(w.weight)}`).join(" · ") }))));
}

/** @param {any} line @param {string} symbol */
const priceOf = (line, symbol) => line.prices.find((/** @type {any} */ price) => price.symbol === symbol);
/** @param {any} line @param {string} symbol */
const settlement = (line, symbol) => number(priceOf(line, symbol)?.settlement);

function sentence() {
  const last = shown.days.at(-1);
  return t("index.sentence", { value: number(last.value), date: last.date, base: number(shown.base), base_date: shown.base_date });
}

/** @param {HTMLElement} host */
function showLine(host) {
  if (!chart) {
    chart = new Chart(host, {
      label: t("figure.index"), x: "time", height: 170, sentence, onRange: (range) => chart?.zoom(range), xName: t("column.date"),
      xText: (/** @type {number} */ x) => new Date(x).toISOString().slice(0, 10), yText: (y) => y.toFixed(2),
    });
    saveChart(host, "index-chart", chart);
  }
  const points = shown.days.map((/** @type {any} */ day) => ({ x: noon(day.date), y: forDrawing(day.value), text: number(day.value), assessed: day.assessed }));
  chart.show([
    { type: "line", name: t("figure.index"), data: points },
    { type: "marks", name: t("index.not_assessed"), className: "warn", data: points.filter((/** @type {any} */ point) => !point.assessed) },
  ]);
}

/** Shows another day. @param {string} date */
export function chooseQuality(date) {
  set("quality_date", date);
  renew(["quality"]);
}

/** @param {HTMLElement} host @param {Record<string, any>} docs */
export function showQuality(host, { quality }) {
  const at = parts(host, "said", "table");
  fill(at.said, h("p", {}, t(quality.complete ? "quality.complete" : "quality.running", { date: quality.date })));
  const lines = quality.products.filter((/** @type {any} */ one) => Number(one.continuous_s) > 0);
  if (!lines.length) return showNothing(at.table, t("quality.none"));
  /** @param {string} name @param {(line: any) => string} cell @returns {import("./table.js").Column} */
  const column = (name, cell) => ({ head: t(`quality.${name}`), number: true, cell, csv: (line) => line[name] });
  /** @param {string} name */
  const plain = (name) => column(name, (line) => number(line[name]));
  /** The exact one is the title. @param {string} name @param {number} places @param {(line: any) => string} [unit] */
  const rounded = (name, places, unit = () => "") => ({
    ...column(name, (line) => (line[name] === null ? "–" : number(text(units(line[name]), places)) + unit(line))), title: (/** @type {any} */ line) => line[name],
  });
  showTable(at.table, {
    name: "quality", label: t("figure.quality"), lines, keyOf: ({ symbol }) => symbol, seal: quality,
    columns: [
      { head: t("product"), names: true, cell: ({ symbol }) => symbol, title: nameOf, csv: ({ symbol }) => symbol },
      column("continuous_s", (line) => duration(Number(line.continuous_s) * 1000)),
      column("two_sided_share", (line) => percent(line.two_sided_share)),
      rounded("spread", 2, (line) => ` ¥/${line.unit}`), rounded("spread_bp", 1), plain("median_spread"),
      rounded("buy_depth_lots", 0), rounded("sell_depth_lots", 0), plain("trades"), rounded("effective_spread_bp", 1), plain("large_trades"),
      rounded("recovery_s", 0, () => " s"),
      { ...plain("amihud"), cell: ({ amihud }) => (amihud === null ? "–" : (forDrawing(amihud) * 10_000).toFixed(2)), title: ({ amihud }) => amihud },
    ],
  });
}

