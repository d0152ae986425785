// The products with the largest turnover of the year: their share, their price of the last days, today's change.

import { read } from "../app/api.js";
import { h, rows, say } from "../app/dom.js";
import { changeOf, forDrawing, units } from "../app/decimal.js";
import { money, number, percent, short } from "../app/format.js";
import { instrumentOf } from "../app/instruments.js";
import { at } from "../app/page.js";
import { saveButton } from "../app/save.js";
import { page } from "../app/page.js";
import { get, watch } from "../app/store.js";
import { nameOf, t } from "../app/words.js";
import { spark } from "../charts/spark.js";
import { showChange } from "./market.js";

const COUNT = 10, DAYS = 30, LATER_MS = 400;

/** Closing prices by symbol, of the same days; most come with the page. @type {Map<string, string[]>} */
const closes = new Map(Object.entries(page.first.closes ?? {}));

const largest = () => [...(get("report")?.products ?? [])].sort((a, b) => Number(units(b.net) - units(a.net))).slice(0, COUNT);

/** @param {any} line */
const row = ({ symbol }) => h("tr", {}, h("th", { scope: "row" }, h("a", { href: `/ui/trade/${symbol}` }, h("b", {}, symbol))),
  h("td", { class: "num" }), h("td", { class: "num dim" }), h("td", { class: "spark-cell" }), h("td", { class: "num" }));

/** @param {HTMLElement} node @param {any} line */
function update(node, { symbol, net, share }) {
  const [name, year, part, prices, change] = /** @type {HTMLElement[]} */ ([...node.children]), instrument = instrumentOf(symbol), ticker = get("tickers").get(symbol);
  if (instrument) name.title = nameOf(instrument);
  say(year, short(net));
  year.title = money(net);
  say(part, percent(share, 1));
  showChange(change, changeOf(ticker?.last, ticker?.reference_price));
  showPrices(prices, symbol, ticker?.last);
}

/** @param {HTMLElement} cell @param {string} symbol @param {string | null | undefined} last */
function showPrices(cell, symbol, last) {
  const known = closes.get(symbol);
  if (!known?.length) return;
  const prices = [...known.slice(0, -1), last ?? known[known.length - 1]], key = prices.join();
  if (cell.dataset.shown === key) return;
  cell.dataset.shown = key;
  const label = t("products.spark", { symbol, count: prices.length, first: number(prices[0]), last: number(prices[prices.length - 1]) });
  spark(cell, prices.map(forDrawing), { label });
  cell.title = label;
}

/** Reads the closing prices that are not known, after what is urgent. */
async function readCloses() {
  for (const { symbol } of largest()) {
    if (closes.has(symbol)) continue;
    closes.set(symbol, []);
    try {
      const { candles } = await read(`/v1/market/${encodeURIComponent(symbol)}/candles`, { interval: "1d", limit: DAYS, gaps: "flat" });
      closes.set(symbol, candles.map((/** @type {any} */ candle) => candle.close));
      show();
    } catch {
      closes.delete(symbol);
    }
  }
}

const show = () => rows(at("products"), largest(), ({ symbol }) => symbol, row, update);

watch(["report", "changed"], show);
watch(["report"], () => void setTimeout(readCloses, LATER_MS));

at("products-tools").append(saveButton("products", () => [
  [t("product"), "", t("products.net"), t("products.share"), t("market.change")],
  ...largest().map(({ symbol, net, share }) => {
    const { last, reference_price } = get("tickers").get(symbol) ?? {}, instrument = instrumentOf(symbol);
    return [symbol, instrument ? nameOf(instrument) : symbol, net, share, changeOf(last, reference_price)];
  }),
]));
