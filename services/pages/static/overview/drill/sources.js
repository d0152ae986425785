// What the way down reads from the API: the days of a year, the minutes of a day, the trades of some minutes.

import { read } from "../../app/api.js";
import { text, units } from "../../app/decimal.js";
import { get } from "../../app/store.js";

const KEPT_MS = 30_000, MOST_KEPT = 128, TRADES = 200, AT_ONCE = 6;
export const BUCKET_MS = 300_000;

/** @type {Map<string, {at: number, answer: Promise<any>}>} */
const kept = new Map();

/** Drops the answers that are too old, and the oldest where they are too many: they stand in the order of their time. @param {number} now */
function dropOld(now) {
  for (const [key, { at }] of kept) {
    if (now - at < KEPT_MS && kept.size < MOST_KEPT) return;
    kept.delete(key);
  }
}

/** An answer that is at most half a minute old. @param {string} path @param {Record<string, any>} [query] */
function readKept(path, query) {
  const key = path + JSON.stringify(query), now = performance.now();
  dropOld(now);
  const known = kept.get(key);
  if (known) return known.answer;
  const answer = read(path, query), mine = { at: now, answer };
  kept.set(key, mine);
  answer.catch(() => { if (kept.get(key) === mine) kept.delete(key); });
  return answer;
}

/** The trading days with trades of a year. @param {number} year @param {string | null} product */
export const daysOf = (year, product) => readKept(`/v1/reports/turnover/${year}/days`, { product });

/** The trading days of a year, as the venue's calendar has them. @param {number} year @returns {Promise<string[]>} */
const tradingDays = async (year) => (await readKept("/v1/calendar", { year })).trading_days;

/** When a trading day ends, and the next one begins: at 17:00, Asia/Shanghai. @param {string} date */
const rollOf = (date) => Date.parse(`${date}T17:00:00+08:00`);

/** When a trading day began and ended: at the end of the trading day before, which may be one of the year before. Null: no trading
 * day. @param {string} date */
export async function spanOf(date) {
  const year = Number(date.slice(0, 4)), days = await tradingDays(year), index = days.indexOf(date);
  if (index < 0) return null;
  const before = index > 0 ? days[index - 1] : (await tradingDays(year - 1)).at(-1);
  return before === undefined ? null : { start: rollOf(before), end: rollOf(date) };
}

/** Does something for each of these, a few at once. @template A, B @param {A[]} items @param {(item: A) => Promise<B>} work @returns {Promise<B[]>} */
async function each(items, work) {
  /** @type {B[]} */
  const found = new Array(items.length);
  let next = 0;
  const run = async () => {
    while (next < items.length) {
      const index = next++;
      found[index] = await work(items[index]);
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, run));
  return found;
}

/** @typedef {{start: number, amount: string, quantity: number, symbols: string[]}} Bucket */

/**
 * The turnover of a trading day by five minutes: the candles of a product, or those of all added up, exactly.
 * @param {string} date @param {string | null} product @returns {Promise<Bucket[]>}
 */
export async function minutesOf(date, product) {
  const span = await spanOf(date), symbols = product ? [product] : get("instruments").map((/** @type {any} */ one) => one.symbol);
  if (!span) return [];
  const { start, end } = span;
  const query = { interval: "5m", start: new Date(start).toISOString(), end: new Date(end).toISOString(), limit: 1000 };
  const all = await each(symbols, async (symbol) => (await readKept(`/v1/market/${encodeURIComponent(symbol)}/candles`, query)).candles);
  /** @type {Map<number, {sum: bigint, quantity: number, symbols: string[]}>} */
  const found = new Map();
  all.forEach((candles, index) => {
    for (const candle of candles) {
      const at = Date.parse(candle.start), bucket = found.get(at) ?? { sum: 0n, quantity: 0, symbols: [] };
      bucket.sum += units(candle.amount);
      bucket.quantity += candle.quantity;
      bucket.symbols.push(symbols[index]);
      found.set(at, bucket);
    }
  });
  return [...found].sort(([a], [b]) => a - b).map(([at, { sum, quantity, symbols: traded }]) => ({ start: at, amount: text(sum, 2), quantity, symbols: traded }));
}

/** The trades of some minutes, oldest first. @param {string} date @param {string} start ISO @param {string} end ISO @param {string | null} product */
export async function tradesOf(date, start, end, product) {
  const buckets = await minutesOf(date, product), from = Date.parse(start), to = Date.parse(end);
  const symbols = [...new Set(buckets.filter((bucket) => bucket.start + BUCKET_MS > from && bucket.start < to).flatMap((bucket) => bucket.symbols))];
  const pages = await each(symbols, (symbol) => read(`/v1/market/${encodeURIComponent(symbol)}/trades`, { date, start, end, limit: TRADES }));
  const trades = pages.flatMap((page) => page.trades).sort((a, b) => (BigInt(a.trade_id) < BigInt(b.trade_id) ? -1 : 1));
  return { trades, isCut: pages.some((page) => page.next_cursor !== null), most: TRADES };
}
