// Today's turnover as a sum that grows in steps, and the state of the market in words: closed, pre-open, halted.

import { say } from "../app/dom.js";
import { forDrawing, units } from "../app/decimal.js";
import { clock, duration, minute, money, short } from "../app/format.js";
import { at, page } from "../app/page.js";
import { saveButton } from "../app/save.js";
import { get, watch } from "../app/store.js";
import { nextChange } from "../app/timetable.js";
import { year } from "../app/url_state.js";
import { sentences, t, term } from "../app/words.js";
import { Chart } from "../charts/chart.js";
import { isPresent } from "./data.js";
import { pointsOf, sumsOf, withSum } from "./day_points.js";

/** The sums of the trading day that the feed is in. @type {{date: string, sums: import("./day_points.js").DaySums}} */
const day = { date: "", sums: sumsOf([]) };

const chart = new Chart(at("today"), {
  label: t("today.title"), height: innerHeight >= 1000 && innerWidth >= 1100 ? 340 : 256, x: "time", zero: true, legend: false, xName: t("chart.minute"),
  xText: (x) => (x % 60_000 ? clock(x) : minute(x)), yText: (y) => short(Math.max(0, y).toFixed(2)), empty: t("today.empty"),
  sentence: () => t("today.sentence", { date: get("turnover")?.trading_date ?? "", net: money(get("turnover")?.day), required: money(get("report")?.required_per_day) }),
});
at("today-tools").append(chart.tableButton, saveButton("today", () => chart.lines()));

/** Takes the latest sum; a day begins with what the page came with. @param {any} told */
function take({ trading_date, day: sum }) {
  const { intraday } = page.first;
  if (trading_date !== day.date) Object.assign(day, { date: trading_date, sums: sumsOf(intraday?.trading_date === trading_date ? intraday.amounts : []) });
  if (units(sum) || day.sums.ends.length) day.sums = withSum(day.sums, Date.now(), sum);
}

/** Nothing before the feed has told the day's sum: until then nobody knows whether there was a trade. */
function show() {
  const report = get("report"), told = get("turnover"), required = isPresent() && report?.required_per_day;
  if (!told) return;
  take(told);
  const rule = required ? [/** @type {const} */ ({ type: "rule", y: forDrawing(required), name: t("chart.mean"), text: short(required), className: "pace" })] : [];
  chart.show([{ type: "step_area", data: pointsOf(day.sums), name: t("chart.cumulative") }, ...rule]);
}

/** Today is of the year under way: beside another year it is not shown. */
function showOnlyInItsYear() {
  const trading = get("turnover")?.trading_date ?? get("venue")?.trading_date, asked = year();
  const isOther = Boolean(trading && asked !== null && asked !== Number(trading.slice(0, 4)));
  for (const node of document.querySelectorAll(".today, .keys div:has([data-key=today])")) node.toggleAttribute("hidden", isOther);
}

/** What comes next on the timetable. @param {any} venue @param {string} phase */
function next(venue, phase) {
  const coming = nextChange(venue, phase);
  if (!coming) return "";
  const time = duration(Date.parse(coming.time) - Date.now());
  return coming.phase === "continuous" ? t("today.opens", { time }) : t("today.next", { phase: term("phase", coming.phase), time });
}

/** The state in words; nothing while all trade. */
function stateSaid() {
  const venue = get("venue"), phases = [...(get("phases") ?? new Map()).values()].map(({ phase }) => phase).filter((phase) => phase !== "delisted");
  if (venue?.kill_switch) return t("today.kill_switch");
  if (!phases.length) return "";
  if (phases.every((phase) => phase === "halted")) return t("today.halted");
  if (phases.every((phase) => phase === "closed")) return sentences([t("today.closed", { next: next(venue, "closed") }), t("today.settlement")]);
  if (phases.every((phase) => phase === "call_auction" || phase === "auction_matching")) return t("today.auction", { next: next(venue, phases[0]) });
  return "";
}

function showState() {
  const said = stateSaid(), node = at("today-state");
  say(node, said);
  say(at("today-date"), get("turnover")?.trading_date ?? get("venue")?.trading_date ?? "");
}

watch(["turnover", "report"], show);
watch(["turnover", "venue", "address"], showOnlyInItsYear);
watch(["venue", "phases", "turnover"], showState);
setInterval(showState, 1_000);
