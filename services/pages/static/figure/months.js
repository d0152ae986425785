// The months: actual, plan, and the year before.

import { Chart } from "../charts/chart.js";
import { forDrawing, ratio } from "../app/decimal.js";
import { money, number, short } from "../app/format.js";
import { t } from "../app/words.js";
import { part, yuanColumn } from "./amounts.js";
import { parts } from "./panel.js";
import { saveChart, showTable } from "./table.js";

/** @type {Chart | undefined} */
let chart;
/** @type {any} */
let shown;

/** @param {HTMLElement} host @param {Record<string, any>} docs */
export function showMonths(host, { months }) {
  shown = months;
  const at = parts(host, "chart", "table");
  showBars(at.chart);
  showTable(at.table, {
    name: "months", label: t("figure.months"), lines: months.months, keyOf: ({ month }) => month, seal: months,
    columns: [
      { head: t("column.month"), names: true, cell: ({ month }) => month },
      yuanColumn(t("column.actual"), ({ actual }) => actual),
      { ...yuanColumn(t("column.plan"), ({ plan }) => plan), title: ({ plan_source }) => t(`plan.${plan_source}`) },
      { head: t("column.of_plan"), number: true, cell: ({ actual, plan }) => (actual === null ? "–" : part(ratio(actual, plan))) },
      yuanColumn(t("column.last_year"), ({ last_year }) => last_year),
      { head: t("column.tonnes"), number: true, cell: ({ tonnes }) => number(tonnes), csv: ({ tonnes }) => tonnes },
      { head: t("column.days"), number: true, cell: ({ days, days_begun }) => `${days_begun} / ${days}` },
    ],
  });
}

/** @param {HTMLElement} host */
function showBars(host) {
  if (!chart) {
    chart = new Chart(host, {
      label: t("figure.months"), x: "category", zero: true, height: 190, xName: t("column.month"),
      sentence: () => t("months.sentence", { target: money(shown.target) }),
      xText: (/** @type {string} */ month) => month, yText: (y) => short(y.toFixed(0)),
    });
    saveChart(host, "months-chart", chart);
  }
  /** @param {string} name */
  const of = (name) => shown.months.map((/** @type {any} */ month) => ({ x: month.month, y: month[name] === null ? null : forDrawing(month[name]), text: money(month[name]) }));
  chart.show([
    { type: "bars", name: t("column.actual"), data: of("actual").filter((/** @type {any} */ { y }) => y !== null) },
    { type: "step", name: t("column.plan"), className: "plan", data: of("plan") },
    { type: "line", name: t("column.last_year"), className: "before", data: of("last_year") },
  ]);
}
