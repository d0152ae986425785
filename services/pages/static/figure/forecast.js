// The forecast of the year's end: in words, as a fan, with what was measured of it and everything that it takes for granted.

import { Chart } from "../charts/chart.js";
import { forDrawing } from "../app/decimal.js";
import { fill, h } from "../app/dom.js";
import { money, noon, number, PERCENT, percent, short } from "../app/format.js";
import { targetName } from "../app/target_name.js";
import { t } from "../app/words.js";
import { DAYS, MEASURED } from "./coverage.js";
import { showFlagged } from "./flagged.js";
import { parts } from "./panel.js";
import { said, verdict } from "./said.js";
import { showScorecard } from "./scorecard.js";
import { saveChart, showTable } from "./table.js";

/** @type {Chart | undefined} */
let chart;
/** @type {any} */
let shown;

/** @param {HTMLElement} host @param {Record<string, any>} docs */
export function showForecast(host, { report, flagged, forecasts }) {
  shown = report;
  const { forecast } = report, at = parts(host, "said", "numbers", "chart", "note", "flagged", "score", "coverage", "grounds");
  fill(at.said, h("p", { class: "verdict-line" }, verdict(report)), h("p", { data: { testid: "forecast-said" } }, inWords()));
  fill(at.numbers, ...numbers());
  showFan(at.chart);
  fill(at.note, h("p", { class: "dim" }, forecast?.p50 ? t("forecast.fan") : t("forecast.no_fan")));
  showOfYear(at.flagged, flagged, showFlagged);
  showOfYear(at.score, forecasts, showScorecard);
  showCoverage(at.coverage);
  fill(at.grounds, h("details", { open: at.grounds.querySelector("details")?.open || null }, h("summary", {}, t("forecast.grounds")),
    forecast && [said(forecast.method), h("ul", {}, forecast.assumptions.map((/** @type {string} */ one) => said(one, "li")))],
    h("h3", {}, t("forecast.report_grounds")), h("ul", {}, report.assumptions.map((/** @type {string} */ one) => said(one, "li")))));
}

/** Shows what the API tells of the present of the year that is shown; its place stays until that has come.
 * @param {HTMLElement} host @param {any} found null while it is not there, undefined where it is not asked for
 * @param {(host: HTMLElement, found: any) => void} show */
function showOfYear(host, found, show) {
  host.hidden = found === undefined;
  if (found?.year === shown.year) show(host, found);
  else fill(host);
}

/** The forecast in words. */
function inWords() {
  const { forecast } = shown;
  if (!forecast) return t("forecast.none");
  if (forecast.p50 === null) return t("forecast.nothing_yet");
  const range = { p10: short(forecast.p10_rounded), p50: short(forecast.p50_rounded), p90: short(forecast.p90_rounded), width: percent(forecast.width, 0) };
  return t(forecast.too_early ? "forecast.too_early" : "forecast.said", { ...range, reach: percent(forecast.reach, 0), target: short(shown.target) });
}

function numbers() {
  const { forecast } = shown;
  /** @param {string} name @param {string | HTMLElement} value */
  const pair = (name, value) => [h("dt", {}, t(`forecast.${name}`)), h("dd", { data: { forecast: name } }, value)];
  return [h("dl", { class: "pairs" },
    ...(forecast?.p50 ? ["p10", "p50", "p90"].flatMap((name) => pair(name, money(forecast[name]))) : []),
    ...(forecast?.reach ? pair("reach", percent(forecast.reach)) : []),
    ...pair("target", money(shown.target)), ...pair("target_name", h("span", { translate: "no" }, targetName(shown.target_name))), ...pair("required", money(shown.required_per_day)), ...pair("recent_mean", money(shown.recent_mean)),
    ...pair("ratio", shown.required_ratio === null ? "–" : `${number(shown.required_ratio)} ×`),
    ...pair("at_recent", money(shown.forecast_recent_mean)), ...pair("at_year", money(shown.forecast_year_mean)), ...pair("days", `${shown.days_completed} / ${shown.days_left}`))];
}

/** @param {HTMLElement} host */
function showFan(host) {
  if (!chart) {
    chart = new Chart(host, {
      label: t("figure.forecast"), x: "time", height: 260, sentence: inWords, onRange: (range) => chart?.zoom(range), xName: t("column.date"),
      xText: (/** @type {number} */ x) => new Date(x).toISOString().slice(0, 10), yText: (y) => short(y.toFixed(0)),
    });
    saveChart(host, "fan", chart);
  }
  const days = shown.days;
  /** @param {string} name */
  const line = (name) => days.filter((/** @type {any} */ day) => day[name] !== null).map((/** @type {any} */ day) => ({ x: noon(day.date), y: forDrawing(day[name]), text: money(day[name]) }));
  const done = line("cumulative");
  chart.show([
    ...fan(done.at(-1)),
    { type: "line", name: t("forecast.pace"), className: "pace", data: line("pace") },
    ...(days.some((/** @type {any} */ day) => day.pace !== day.seasonal_pace) ? [/** @type {any} */ ({ type: "line", name: t("forecast.seasonal"), className: "seasonal", data: line("seasonal_pace") })] : []),
    { type: "line", name: t("rung.net"), className: "actual", data: done },
    { type: "rule", y: forDrawing(shown.target), name: t("forecast.target"), text: money(shown.target), fit: true },
  ]);
}

/** From the present straight to what the year's end is forecast to be. @param {{x: number, y: number} | undefined} last @returns {any[]} */
function fan(last) {
  const { forecast } = shown, end = shown.days.at(-1);
  if (!forecast?.p50 || !end) return [];
  const from = last ?? { x: noon(shown.days[0].date), y: 0 }, x = noon(end.date);
  if (x <= from.x) return [];
  return [
    { type: "band", name: t("forecast.range"), data: [{ x: from.x, low: from.y, high: from.y, text: "" },
      { x, low: forDrawing(forecast.p10), high: forDrawing(forecast.p90), text: `${money(forecast.p10)} – ${money(forecast.p90)}` }] },
    { type: "line", name: t("forecast.p50"), className: "forecast", data: [{ x: from.x, y: from.y }, { x, y: forDrawing(forecast.p50), text: money(forecast.p50) }] },
  ];
}

/** @param {HTMLElement} host */
function showCoverage(host) {
  if (host.querySelector("table")) return;
  const place = h("div", { class: "scroll-x" });
  fill(host, h("details", {}, h("summary", {}, t("coverage.title")), h("p", { class: "dim" }, t("coverage.about")), place));
  showTable(place, {
    name: "coverage", label: t("coverage.title"), lines: MEASURED, keyOf: ({ generator, past }) => `${generator}/${past}`,
    columns: [
      { head: t("coverage.years"), names: true, cell: ({ generator, past }) => `${t(`coverage.${generator}`)} · ${t("coverage.past", { count: past })}` },
      ...DAYS.map((day, number) => ({ head: t("coverage.day", { day }), number: true, cell: (/** @type {any} */ line) => (line.percent[number] === null ? "–" : `${line.percent[number]}${PERCENT}`) })),
    ],
  });
}

