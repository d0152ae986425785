// What the overview knows: the year's report, its months, and what the feed tells. Everything else here only shows it.

import { read } from "../app/api.js";
import { units } from "../app/decimal.js";
import { feed } from "../app/feed.js";
import { page } from "../app/page.js";
import { get, set } from "../app/store.js";
import * as url from "../app/url_state.js";

/** When a report is read again: in any case; where trades came since, which its sum by the feed has and its counts have not; where
 * the completed days differ; where no answer came. */
const AGAIN_MS = 300_000, TRADED_MS = 15_000, DIFFERS_MS = 1_500, FAILED_MS = 2_000;
/** What a snapshot has of each instrument is less than the day's: older trades than its oldest may be missing. */
const TAPE = 40, LATEST = 6;

/** The year that the page shows. */
export const shownYear = () => url.year() ?? (Number(page.first.venue?.trading_date.slice(0, 4)) || page.first.report?.year);

/** Whether the shown year is the one under way, whose sum the feed tells. */
export const isPresent = () => !get("turnover") || Number(get("turnover").trading_date.slice(0, 4)) === get("report")?.year;

/** @type {ReturnType<typeof setTimeout> | undefined} */
let due;
let dueAt = Infinity;

/** Reads the report again after so long, or sooner if that is due. @param {number} ms */
function plan(ms) {
  const at = performance.now() + ms;
  if (at >= dueAt) return;
  clearTimeout(due);
  dueAt = at;
  due = setTimeout(refresh, ms);
}

/** Reads the report and the months of the shown year. */
async function refresh() {
  const year = shownYear();
  let again = AGAIN_MS;
  dueAt = 0; // nothing is planned while it is under way
  try {
    const [report, months] = await Promise.all([read(`/v1/reports/turnover/${year}`), read(`/v1/reports/turnover/${year}/months`)]);
    set("report", report);
    set("months", months);
  } catch {
    again = FAILED_MS;
  }
  dueAt = Infinity;
  plan(again);
}

/** The feed's sum of the completed days against the report's: another day, a decision or a new year makes another report.
 * @param {{trading_date: string, day: string, year: string}} told */
function compare(told) {
  const report = get("report");
  if (!report) return; // it is on its way
  if (report.year !== Number(told.trading_date.slice(0, 4))) {
    if (!url.year()) plan(DIFFERS_MS);
  } else if (report.trading_date !== told.trading_date || units(told.year) - units(told.day) !== units(report.net) - units(report.today)) plan(DIFFERS_MS);
  else if (told.year !== report.net) plan(TRADED_MS);
}

/** Of a symbol whose snapshot was full: its oldest trade. Before the newest of them the tape is not whole. @type {Map<string, bigint>} */
const begins = new Map();

/** @param {any} push */
function takeTrades({ type, data, symbol }) {
  if (type === "snapshot") {
    if (data.trades.length < LATEST) begins.delete(symbol);
    else begins.set(symbol, BigInt(data.trades[0].trade_id));
  }
  const known = type === "snapshot" ? (get("tape") ?? []).filter((/** @type {any} */ trade) => trade.symbol !== symbol) : get("tape") ?? [];
  const busted = new Set(data.busted);
  const all = [...known, ...data.trades].map((trade) => (busted.has(trade.trade_id) ? { ...trade, busted: true } : trade));
  const once = new Map(all.map((trade) => [trade.trade_id, trade]));
  const whole = [...begins.values()].reduce((latest, id) => (id > latest ? id : latest), 0n);
  set("tape", [...once.values()].filter(({ trade_id }) => BigInt(trade_id) >= whole)
    .sort((a, b) => (BigInt(a.trade_id) < BigInt(b.trade_id) ? 1 : -1)).slice(0, TAPE));
}

/** Follows the feed. */
function follow() {
  feed.follow({ channels: ["turnover"] }, ({ data, seq }) => {
    set("turnover", { ...data, seq });
    compare(data);
  });
  feed.follow({ channels: ["ticker"], symbols: ["*"] }, ({ data }) => {
    get("tickers").set(data.symbol, data);
    get("changed").add(data.symbol);
    set("changed", get("changed"));
  });
  feed.follow({ channels: ["trades"], symbols: ["*"], latest: LATEST }, takeTrades);
}

const { report, months, tickers } = page.first;
const isAsked = report && report.year === shownYear();
set("report", isAsked ? report : null);
set("months", isAsked ? months : null);
set("tickers", new Map((tickers ?? []).map((/** @type {any} */ ticker) => [ticker.symbol, ticker])));
set("changed", new Set());

/** Begins to follow the feed, and reads what the page came without. */
export function start() {
  follow();
  if (isAsked && months) plan(AGAIN_MS);
  else refresh();
}

/** Sums decimal texts exactly. @param {string[]} amounts @returns {bigint} millionths */
export const sum = (amounts) => amounts.reduce((all, amount) => all + units(amount), 0n);
