// The three charts of the way down: the year against its pace, days, and a day by five minutes.

import { h } from "../../app/dom.js";
import { forDrawing, text, units } from "../../app/decimal.js";
import { day as dateOf, grouped, minute, money, noon, short } from "../../app/format.js";
import { page } from "../../app/page.js";
import { get } from "../../app/store.js";
import { nameOf, t } from "../../app/words.js";
import { Chart } from "../../charts/chart.js";
import { isPresent, sum } from "../data.js";
import { addressOf, go } from "./place.js";
import { BUCKET_MS } from "./sources.js";

/** The height of the charts: more where the window has it, less below the way back. */
const HEIGHT = innerHeight >= 1000 && innerWidth >= 1100 ? 324 : 240, LOW = HEIGHT - 44, DAY_MS = 86_400_000;

/** @param {number} y */
const yuan = (y) => short(y.toFixed(2));

/** What charts over days share. @param {HTMLElement} host @param {Partial<import("../../charts/types.js").ChartOptions>} options */
const dayChart = (host, options) => new Chart(host, {
  label: t("drill.title"), sentence: () => "", x: "time", xText: dateOf, yText: yuan, zero: true, height: LOW, xName: t("chart.date"), empty: t("drill.no_data"),
  onPick: (x) => go(addressOf("day", { day: dateOf(x) })),
  onRange: ({ from, to }) => {
    const [first, last] = [dateOf(from), dateOf(to)];
    go(first === last ? addressOf("day", { day: first }) : addressOf("days", { from: first, to: last }));
  },
  ...options,
});

/** @param {string | null} decimal @returns {{y: number | null, text?: string}} */
const value = (decimal) => (decimal === null ? { y: null } : { y: forDrawing(decimal), text: money(decimal) });

/** The fan from the last completed day to the year's end, along the seasonal pace. @param {any} report */
function fanOf(report) {
  const { forecast, days } = report, last = days.findLast((/** @type {any} */ day) => day.cumulative !== null);
  if (!forecast || forecast.too_early || !last) return [];
  const start = forDrawing(last.cumulative), done = forDrawing(last.seasonal_pace), end = days[days.length - 1];
  const way = days.filter((/** @type {any} */ day) => day.date >= last.date)
    .map((/** @type {any} */ day) => [noon(day.date), (forDrawing(day.seasonal_pace) - done) / (forDrawing(end.seasonal_pace) - done || 1)]);
  const at = (/** @type {string} */ goal) => (/** @type {number} */ share) => start + (forDrawing(goal) - start) * share;
  const [low, middle, high] = [forecast.p10, forecast.p50, forecast.p90].map(at);
  const said = (/** @type {number} */ share, /** @type {string} */ words) => (share === 1 ? { text: words } : {});
  return [
    { type: "band", name: t("chart.fan"), data: way.map((/** @type {number[]} */ [x, share]) => ({ x, low: low(share), high: high(share), ...said(share, `${short(forecast.p10_rounded)} – ${short(forecast.p90_rounded)}`) })) },
    { type: "line", className: "forecast", name: t("chart.p50"), data: way.map((/** @type {number[]} */ [x, share]) => ({ x, y: middle(share), ...said(share, short(forecast.p50_rounded)) })) },
  ];
}

/** The year against its pace. @param {HTMLElement} host */
export function yearChart(host) {
  const chart = dayChart(host, {
    height: HEIGHT,
    sentence: () => {
      const report = get("report"), told = isPresent() ? get("turnover") : null;
      return report ? t("year.sentence", { year: report.year, net: money(told?.year ?? report.net), target: money(report.target), verdict: page.lang === "zh" ? report.verdict_zh : report.verdict }) : "";
    },
  });
  return {
    chart,
    show() {
      const report = get("report"), told = isPresent() ? get("turnover") : null;
      if (!report) return;
      const days = report.days.map((/** @type {any} */ day) => (told && day.date === told.trading_date ? { ...day, cumulative: told.year } : day));
      const line = (/** @type {string} */ name) => days.map((/** @type {any} */ day) => ({ x: noon(day.date), ...value(day[name]) }));
      const isSeasonal = days.some((/** @type {any} */ day) => day.pace !== day.seasonal_pace);
      chart.show([
        .../** @type {any[]} */ (fanOf({ ...report, days })),
        { type: "area", name: t("chart.net"), className: "actual", data: line("cumulative") },
        { type: "line", name: t("chart.pace"), className: "pace", data: line("pace") },
        ...(isSeasonal ? [/** @type {any} */ ({ type: "line", name: t("chart.seasonal"), className: "seasonal", data: line("seasonal_pace") })] : []),
        { type: "rule", y: forDrawing(report.target), name: t("chart.target"), text: short(report.target), className: "pace", fit: true },
      ]);
    },
  };
}

/** The net turnover of days. @param {HTMLElement} host @param {{year: number, product: string | null, from: string, to: string, days: any[]}} what */
export function daysChart(host, { year, product, from, to, days }) {
  const net = money(text(sum(days.map((day) => day.net)), 2)), required = !product && isPresent() && get("report")?.year === year && get("report").required_per_day;
  const chart = dayChart(host, {
    sentence: () => t("days.sentence", { net, days: days.length }),
    ...(days.length < 2 ? {} : { domain: { from: noon(days[0].date) - DAY_MS / 2, to: noon(days[days.length - 1].date) + DAY_MS / 2 } }),
  });
  chart.show([
    { type: "bars", name: `${product ? `${product} · ` : ""}${t("chart.day_net")}`, data: days.map((day) => ({ x: noon(day.date), ...value(day.net) })) },
    ...(required ? [/** @type {any} */ ({ type: "rule", y: forDrawing(required), name: t("chart.mean"), text: short(required), className: "pace" })] : []),
  ]);
  return chart;
}

/** A day by five minutes. @param {HTMLElement} host @param {{date: string, product: string | null, buckets: import("./sources.js").Bucket[], day: any}} what */
export function minutesChart(host, { date, product, buckets, day }) {
  const iso = (/** @type {number} */ ms) => `${new Date(ms).toISOString().slice(0, 19)}Z`;
  const choose = (/** @type {number} */ from, /** @type {number} */ to) =>
    go(addressOf("minutes", { start: iso(Math.floor(from / BUCKET_MS) * BUCKET_MS), end: iso(Math.ceil((to + 1) / BUCKET_MS) * BUCKET_MS) }));
  const chart = new Chart(host, {
    label: date, x: "slots", height: LOW, zero: true, xName: t("chart.minute"), xText: (x) => minute(x), yText: yuan, empty: t("drill.no_data"),
    sentence: () => (day ? t("day.sentence", { net: money(day.net), trades: grouped(day.trades), busted: grouped(day.busted_trades), excluded: grouped(day.excluded_trades) }) : t("drill.no_data")),
    onPick: (x) => choose(x, x), onRange: ({ from, to }) => choose(from, to),
  });
  let all = 0n;
  const line = buckets.map(({ start, amount }) => ({ x: start, ...value(text(all += units(amount), 2)) }));
  chart.show([
    { type: "bars", name: `${product ? `${product} · ` : ""}${t("chart.amount")}`, data: buckets.map(({ start, amount }) => ({ x: start, ...value(amount) })) },
    { type: "line", axis: "right", name: t("chart.cumulative"), className: "pace", data: line },
  ]);
  return chart;
}

/** The list of products that the charts may be narrowed to. @param {string | null} chosen @param {(symbol: string | null) => void} choose */
export const productChoice = (chosen, choose) => h("select", {
  "aria-label": t("product"), data: { testid: "product" }, onchange: (/** @type {Event} */ event) => choose(/** @type {HTMLSelectElement} */ (event.target).value || null),
}, h("option", { value: "" }, t("drill.all_products")), get("instruments").map((/** @type {any} */ instrument) =>
  h("option", { value: instrument.symbol, selected: instrument.symbol === chosen, title: nameOf(instrument) }, instrument.symbol)));
