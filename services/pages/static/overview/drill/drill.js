// The way down from the year: what the address names is shown, and a step leads to a narrower one.

import { fill, h } from "../../app/dom.js";
import { text } from "../../app/decimal.js";
import { money } from "../../app/format.js";
import { at } from "../../app/page.js";
import { saveButton } from "../../app/save.js";
import { get, watch } from "../../app/store.js";
import { address } from "../../app/url_state.js";
import { t } from "../../app/words.js";
import { sum } from "../data.js";
import { daysChart, minutesChart, productChoice, yearChart } from "./charts.js";
import { showCrumbs } from "./crumbs.js";
import { journalPaper, orderPaper, tradePaper, tradesPaper } from "./papers.js";
import { go, placeNow, stepNow } from "./place.js";
import { daysOf, minutesOf } from "./sources.js";

/** @typedef {{nodes: (HTMLElement | string)[], lines: () => unknown[][], show?: () => void, hint?: string, chart?: import("../../charts/chart.js").Chart}} View */

const AGAIN_MS = 5_000;
let asked = 0;
/** @type {View | null} */
let view = null;

/** @returns {Promise<View>} */
async function yearView() {
  const { product, year } = placeNow();
  if (product) return daysView({ ...placeNow(), from: `${year}-01-01`, to: `${year}-12-31` });
  const host = h("div", { data: { testid: "year-chart" } }), { chart, show } = yearChart(host);
  show();
  return { nodes: [host], lines: () => chart.lines(), show, hint: t("drill.hint_year"), chart };
}

/** @param {ReturnType<typeof placeNow>} place @returns {Promise<View>} */
async function daysView({ year, product, from, to }) {
  const all = await daysOf(Number(from?.slice(0, 4)) || year, product), host = h("div", { data: { testid: "days-chart" } });
  const days = all.days.filter((/** @type {any} */ { date }) => date >= String(from) && date <= String(to));
  const chart = daysChart(host, { year, product, from: String(from), to: String(to), days });
  const said = t("days.sentence", { net: money(text(sum(days.map((/** @type {any} */ { net }) => net)), 2)), days: days.length });
  return { nodes: [h("p", { class: "said", data: { testid: "drill-said" } }, said), host], lines: () => chart.lines(), hint: t("drill.hint_days"), chart };
}

/** @param {ReturnType<typeof placeNow>} place @returns {Promise<View>} */
async function dayView({ day, product }) {
  const date = String(day), [all, buckets] = await Promise.all([daysOf(Number(date.slice(0, 4)), product), minutesOf(date, product)]);
  const host = h("div", { data: { testid: "day-chart" } }), found = all.days.find((/** @type {any} */ one) => one.date === date);
  const chart = minutesChart(host, { date, product, buckets, day: found });
  return { nodes: [h("p", { class: "said", title: t("day.note"), data: { testid: "drill-said" } }, chart.options.sentence()), host], lines: () => chart.lines(), hint: t("drill.hint_day"), chart };
}

/** @returns {Promise<View>} */
function viewNow() {
  const place = placeNow();
  switch (stepNow()) {
    case "seq": return journalPaper(String(place.seq));
    case "order": return orderPaper(String(place.order));
    case "trade": return tradePaper(String(place.trade));
    case "minutes": return tradesPaper(/** @type {any} */ (place));
    case "day": return dayView(place);
    case "days": return daysView(place);
    default: return yearView();
  }
}

/** Shows what the address names; an answer that comes too late is not shown. */
async function show() {
  const turn = ++asked, host = at("drill");
  showCrumbs();
  host.dataset.step = stepNow();
  if (!get("report")) return;
  host.setAttribute("aria-busy", "true");
  try {
    const found = await viewNow();
    if (turn !== asked) return found.chart?.close();
    view?.chart?.close();
    view = found;
    fill(host, found.nodes, found.hint && h("p", { class: "hint" }, found.hint));
  } catch (error) {
    if (turn !== asked) return;
    view?.chart?.close();
    view = { nodes: [], lines: () => [] };
    fill(host, h("p", { class: "warn", data: { testid: "drill-trouble" } }, t("drill.missing", { why: error instanceof Error ? error.message : String(error) })));
  }
  host.removeAttribute("aria-busy");
  showTools();
}

function showTools() {
  const { product } = placeNow(), mayNarrow = ["year", "days", "day", "minutes"].includes(stepNow());
  fill(at("drill-tools"), view?.chart?.tableButton, mayNarrow && productChoice(product, (symbol) => go(address({ product: symbol }))), saveButton("drill", () => view?.lines() ?? []));
}

watch(["address"], show);
let isWaiting = !get("report"), day = get("report")?.trading_date;
watch(["report"], () => {
  const report = get("report");
  if (report && (isWaiting || report.trading_date !== day)) show();
  else view?.show?.();
  isWaiting = !report;
  day = report?.trading_date;
});
// A second's turnover moves the year's line by less than a pixel: it is drawn again now and then.
let drawnAt = 0;
watch(["turnover"], () => {
  if (performance.now() - drawnAt < AGAIN_MS) return;
  drawnAt = performance.now();
  view?.show?.();
});
