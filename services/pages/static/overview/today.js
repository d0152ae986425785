// Today's turnover as a line, and the state of the market in words: closed, pre-open, halted.

import { say } from "../app/dom.js";
import { forDrawing, text } from "../app/decimal.js";
import { duration, minute, money, short } from "../app/format.js";
import { at, page } from "../app/page.js";
import { saveButton } from "../app/save.js";
import { get, watch } from "../app/store.js";
import { nextChange } from "../app/timetable.js";
import { t, term } from "../app/words.js";
import { Chart } from "../charts/chart.js";
import { isPresent } from "./data.js";
import { units } from "../app/decimal.js";

const FIVE_MINUTES = 300_000;

/** The trading day's points: the cumulative turnover at the end of each five minutes, then what the feed tells.
 * @type {{date: string, points: {x: number, y: number, text: string}[], live: number}} */
const day = { date: "", points: [], live: 0 };

const chart = new Chart(at("today"), {
  label: t("today.title"), height: innerHeight >= 1000 && innerWidth >= 1100 ? 340 : 256, x: "time", zero: true, legend: false, xName: t("chart.minute"),
  xText: (x) => minute(x), yText: (y) => short(Math.max(0, y).toFixed(2)), empty: t("today.empty"),
  sentence: () => t("today.sentence", { date: get("turnover")?.trading_date ?? "", net: money(get("turnover")?.day), required: money(get("report")?.required_per_day) }),
});
at("today-tools").append(chart.tableButton, saveButton("today", () => chart.lines()));

/** Begins the day with what the page came with. */
function begin() {
  const { intraday } = page.first, { trading_date } = get("turnover");
  day.date = trading_date;
  day.points = [];
  if (intraday?.trading_date === trading_date) {
    let sum = 0n;
    for (const [start, amount] of intraday.amounts) {
      const x = Date.parse(start);
      if (!day.points.length) day.points.push({ x, y: 0, text: money("0.00") });
      sum += units(amount);
      day.points.push({ x: Math.min(x + FIVE_MINUTES, Date.now()), y: forDrawing(text(sum, 2)), text: money(text(sum, 2)) });
    }
  }
  day.live = day.points.length;
}

/** The latest sum is a point of its own; of each five minutes only the last stays. */
function take() {
  const told = get("turnover");
  if (!told) return;
  if (told.trading_date !== day.date) begin();
  const now = Date.now(), last = day.points[day.points.length - 1], before = day.points[day.points.length - 2];
  if (!units(told.day) && !last) return;
  const point = { x: now, y: forDrawing(told.day), text: money(told.day) };
  const isSame = last && day.points.length > day.live && before && now - before.x < FIVE_MINUTES;
  if (isSame || (last && last.x >= now)) day.points[day.points.length - 1] = point;
  else day.points.push(point);
}

function show() {
  take();
  const report = get("report"), required = isPresent() && report?.required_per_day;
  const rule = required ? [/** @type {const} */ ({ type: "rule", y: forDrawing(required), name: t("chart.mean"), text: short(required), className: "pace" })] : [];
  chart.show([{ type: "area", data: [...day.points], name: t("chart.cumulative") }, ...rule]);
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
  if (phases.every((phase) => phase === "closed")) return `${t("today.closed", { next: next(venue, "closed") })} ${t("today.settlement")}`;
  if (phases.every((phase) => phase === "call_auction" || phase === "auction_matching")) return t("today.auction", { next: next(venue, phases[0]) });
  return "";
}

function showState() {
  const said = stateSaid(), node = at("today-state");
  say(node, said);
  say(at("today-date"), get("turnover")?.trading_date ?? get("venue")?.trading_date ?? "");
}

watch(["turnover", "report"], show);
watch(["venue", "phases", "turnover"], showState);
setInterval(showState, 1_000);
