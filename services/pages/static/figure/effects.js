// Why the turnover differs from last year's: price, tonnage, new and gone products, without a remainder.

import { Chart } from "../charts/chart.js";
import { forDrawing } from "../app/decimal.js";
import { fill, h } from "../app/dom.js";
import { money, number, short } from "../app/format.js";
import { nameOf, t } from "../app/words.js";
import { signed } from "./amounts.js";
import { parts, showNothing } from "./panel.js";
import { saveChart, showTable } from "./table.js";

const EFFECTS = ["price", "tonnage", "new", "gone"];

/** @type {Chart | undefined} */
let chart;
/** @type {any} */
let shown;

/** @param {HTMLElement} host @param {Record<string, any>} docs */
export function showEffects(host, { effects }) {
  shown = effects;
  if (!effects.days_before) return showNothing(host, t("effects.none", { days: effects.days }));
  const at = parts(host, "said", "chart", "table");
  fill(at.said, h("p", {}, sentence()));
  showSteps(at.chart);
  showTable(at.table, {
    name: "effects", label: t("figure.effects"), lines: effects.products, keyOf: ({ symbol }) => symbol, seal: effects,
    columns: [
      { head: t("product"), names: true, cell: (line) => `${line.symbol} ${nameOf(line)}`, csv: ({ symbol }) => symbol },
      change("difference"), ...EFFECTS.slice(0, 2).map(change),
      { head: t("effects.new_gone"), number: true, cell: (line) => (line.kind === "both" ? "–" : `${t(`effects.${line.kind}`)} ${signed(line[line.kind])}`), csv: (line) => (line.kind === "both" ? "" : line[line.kind]) },
      { head: t("column.tonnes"), number: true, cell: ({ tonnes, tonnes_before }) => `${number(tonnes)} / ${number(tonnes_before)}` },
      { head: t("effects.mean_price"), number: true, cell: ({ mean_price, mean_price_before, unit }) => `${number(mean_price)} / ${number(mean_price_before)} ¥/${unit}` },
    ],
  });
}

/** @param {string} name @returns {import("./table.js").Column} */
const change = (name) => ({ head: t(`effects.${name}`), number: true, cell: (line) => signed(line[name]), title: (line) => short(line[name]), csv: (line) => line[name] });

function sentence() {
  const { total, first_date, last_date, days, days_before } = shown;
  return t("effects.sentence", {
    from: first_date, to: last_date, days, days_before, difference: signed(total.difference), price: signed(total.price), tonnage: signed(total.tonnage),
    new: money(total.new), gone: money(total.gone),
  });
}

/** @param {HTMLElement} host */
function showSteps(host) {
  const { total } = shown;
  if (!chart) {
    chart = new Chart(host, {
      label: t("figure.effects"), x: "category", zero: true, height: 170, sentence, xName: t("figure.effects"),
      xText: (/** @type {string} */ name) => t(`effects.${name}`), yText: (y) => short(y.toFixed(0)),
    });
    saveChart(host, "effects-chart", chart);
  }
  const steps = EFFECTS.filter((name) => total[name] !== "0.00").map((name) => {
    const y = forDrawing(total[name]);
    return { x: name, y: Math.abs(y), kind: /** @type {"plus" | "minus"} */ (y < 0 ? "minus" : "plus"), text: signed(total[name]), title: short(total[name]) };
  });
  chart.show([{
    type: "waterfall", data: [
      { x: "net_before", y: forDrawing(total.net_before), kind: "total", text: money(total.net_before), title: short(total.net_before) }, ...steps,
      { x: "net", y: forDrawing(total.net), kind: "total", text: money(total.net), title: short(total.net) }],
  }]);
}
