// The panel of the market: the levels of a book with their sums, and trades.

import { fill, h } from "../app/dom.js";
import { clock, day, money, number } from "../app/format.js";
import { at } from "../app/page.js";
import { t, term } from "../app/words.js";
import { parts } from "./panel.js";
import { showTable } from "./table.js";

export const LEVELS = 10;

/** @typedef {{book: any, trades: any, seq: number | null}} Market a text in place of a document says why there is none */

/** @param {string} symbol @param {Market} market `seq` null: of the present */
export function showMarket(symbol, { book, trades, seq }) {
  const { said, levels, sums, then, trades: host } = parts(at("market-body"), "said", "levels", "sums", "then", "trades");
  const isKnown = book !== null && typeof book === "object", isPast = seq !== null;
  fill(said, h("p", {}, bookLine(symbol, isKnown ? book : null, seq)), typeof book === "string" && h("p", { class: "warn", role: "status" }, book));
  if (isKnown) showLevels(levels, book);
  else fill(levels);
  fill(sums, isKnown && h("p", { data: { testid: "book-sums" } }, sumsLine(book)));
  then.hidden = host.hidden = !isPast;
  if (!isPast) return;
  fill(then, h("p", {}, t("market.then", { symbol, seq: number(seq) })), typeof trades === "string" && h("p", { class: "warn" }, trades));
  if (Array.isArray(trades)) showTrades(host, trades);
}

/** @param {string} symbol @param {any} book @param {number | null} seq */
function bookLine(symbol, book, seq) {
  if (!book) return t("market.reading", { symbol });
  if (seq === null) return t("market.book", { symbol });
  return t("market.book_then", { symbol, seq: number(book.seq), phase: term("phase", book.phase) });
}

/** The API sums whole sides of a past book; of the present the levels that are shown. @param {any} book */
function sumsLine(book) {
  const lots = (/** @type {any[]} */ side) => number(side.reduce((sum, { quantity }) => sum + quantity, 0));
  if (book.bid_quantity === undefined) return t("market.sums_shown", { bid: lots(book.bids), ask: lots(book.asks), count: LEVELS });
  return t("market.sums", {
    bid: number(book.bid_quantity), bids: number(book.bid_levels), ask: number(book.ask_quantity), asks: number(book.ask_levels),
  });
}

/** @param {HTMLElement} host @param {any} book */
function showLevels(host, book) {
  const lines = Array.from({ length: LEVELS }, (_, index) => ({ index, bid: book.bids[index], ask: book.asks[index] }));
  showTable(host, {
    name: "book", label: t("market.book_label"), lines, keyOf: ({ index }) => String(index), seal: book,
    columns: [
      { head: t("market.bid_orders"), number: true, cell: ({ bid }) => (bid ? number(bid.orders) : "–") },
      { head: t("market.bid_lots"), number: true, cell: ({ bid }) => (bid ? number(bid.quantity) : "–") },
      { head: t("market.bid"), number: true, cell: ({ bid }) => (bid ? number(bid.price) : "–") },
      { head: t("market.ask"), number: true, cell: ({ ask }) => (ask ? number(ask.price) : "–") },
      { head: t("market.ask_lots"), number: true, cell: ({ ask }) => (ask ? number(ask.quantity) : "–") },
      { head: t("market.ask_orders"), number: true, cell: ({ ask }) => (ask ? number(ask.orders) : "–") },
    ],
  });
}

/** @param {HTMLElement} host @param {any[]} trades */
function showTrades(host, trades) {
  showTable(host, {
    name: "trades-then", label: t("market.trades"), lines: trades, keyOf: ({ trade_id }) => trade_id,
    columns: [
      { head: t("market.time"), names: true, cell: ({ time }) => `${day(time).slice(5)} ${clock(time)}`, title: ({ time }) => time, csv: ({ time }) => time },
      { head: t("market.price"), number: true, cell: ({ price }) => number(price), csv: ({ price }) => price },
      { head: t("market.lots"), number: true, cell: ({ quantity }) => number(quantity), csv: ({ quantity }) => quantity },
      { head: t("column.yuan"), number: true, cell: ({ amount }) => money(amount), csv: ({ amount }) => amount },
      { head: t("column.side"), cell: ({ taker_side, auction }) => (auction ? t("market.auction") : term("side", taker_side)), csv: ({ taker_side }) => taker_side },
      { head: t("seq"), number: true, cell: ({ seq }) => number(seq), csv: ({ seq }) => seq },
    ],
  });
}
