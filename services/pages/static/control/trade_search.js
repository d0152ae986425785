// Which address of the API finds the trades that a person asks for. Each is then read with both its parties.

import { read } from "../app/api.js";
import { t } from "../app/words.js";

const PAGE = 20;
const DAY_MS = 86_400_000;
/** A trading day begins at 17:00 of the trading day before, which no holiday makes earlier than so many days. */
const MOST_DAYS = 14;

/** @typedef {{trade?: string, date?: string, member?: string, symbol?: string, from?: string, to?: string}} Asked */
/** @typedef {{trades: any[], next: string | null, isNewest: boolean}} Found */

/** @param {Asked} asked @param {string | null} cursor of the next page @returns {Promise<Found>} */
export async function find(asked, cursor) {
  if (asked.trade) return { trades: [await read(`/v1/reports/trades/${asked.trade}`)], next: null, isNewest: true };
  if (asked.from && asked.to && moment(asked.from) >= moment(asked.to)) throw new Error(t("trades.before_from"));
  if (asked.member) return ofMember(asked, cursor);
  if (asked.symbol) return ofProduct(asked, cursor);
  if (asked.from || asked.to) throw new Error(t("trades.time_needs"));
  if (!asked.date) throw new Error(t("trades.nothing_asked"));
  const page = await read("/v1/reports/trades", { date: asked.date, limit: PAGE, sum: false, cursor });
  return { trades: page.trades, next: page.next_cursor, isNewest: false };
}

/** @param {Asked} asked @param {string | null} cursor @returns {Promise<Found>} */
async function ofMember({ member, symbol, date, from, to }, cursor) {
  const evening = date ? Date.parse(`${date}T17:00:00+08:00`) : 0;
  const start = from ? moment(from) : date ? iso(evening - MOST_DAYS * DAY_MS) : null,
    end = to ? moment(to) : date ? iso(evening) : null;
  if (start && end && start >= end) throw new Error(t("trades.not_in_day", { date: date ?? "" }));
  const page = await read("/v1/fills", { account: member, symbol, start, end, limit: PAGE, cursor });
  const fills = page.fills.filter((/** @type {any} */ fill) => !date || fill.trading_date === date);
  const isOver = date && page.fills.length && page.fills.at(-1).trading_date < date;
  return { trades: await withParties(fills), next: isOver ? null : page.next_cursor, isNewest: true };
}

/** @param {Asked} asked @param {string | null} cursor @returns {Promise<Found>} */
async function ofProduct({ symbol, date, from, to }, cursor) {
  const start = from ? moment(from) : date || to ? null : "2000-01-01T00:00:00Z",
    end = to ? moment(to) : null;
  const page = await read(`/v1/market/${encodeURIComponent(symbol ?? "")}/trades`, { date, start, end, limit: PAGE, cursor });
  return { trades: await withParties(page.trades), next: page.next_cursor, isNewest: true };
}

/** @param {string} local a date and time in Shanghai, as the input gives it */
const moment = (local) => iso(Date.parse(`${local.length === 16 ? `${local}:00` : local}+08:00`));

/** @param {number} ms */
const iso = (ms) => `${new Date(ms).toISOString().slice(0, 19)}Z`;

/** @param {{trade_id: string}[]} list */
const withParties = (list) => Promise.all(list.map(({ trade_id }) => read(`/v1/reports/trades/${trade_id}`)));
