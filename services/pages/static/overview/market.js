// The tickers of all instruments, by category. Only what changed is written.

import { say } from "../app/dom.js";
import { changeOf, text, units } from "../app/decimal.js";
import { grouped, money, number, PERCENT, short } from "../app/format.js";
import { at } from "../app/page.js";
import { saveButton } from "../app/save.js";
import { get, watch } from "../app/store.js";
import { nameOf, t, term } from "../app/words.js";

/** @type {Map<string, HTMLElement>} */
const lines = new Map([...document.querySelectorAll("[data-symbol]")].map((node) => [/** @type {HTMLElement} */ (node).dataset.symbol ?? "", /** @type {HTMLElement} */ (node)]));

/** The price that stands for a ticker now, and what it is. @param {any} ticker @returns {[string | null, string]} */
function priceOf({ last, indicative_price, phase, reference_price }) {
  if ((phase === "call_auction" || phase === "auction_matching") && indicative_price) return [indicative_price, "indicative"];
  return last ? [last, "last"] : [reference_price, "settlement"];
}

/** Shows a change, a share of the settlement price, with its sign and its colour. @param {HTMLElement} cell @param {string | null} share */
export function showChange(cell, share) {
  const change = share && text(units(share) * 100n, 2);
  say(cell, change === null ? "–" : `${change.replace("-", "")}${PERCENT}`);
  const way = change === null || !/[1-9]/.test(change) ? "" : change.startsWith("-") ? "down" : "up";
  if (cell.className !== `num ${way}`) cell.className = `num ${way}`;
}

/** @param {string} symbol */
function showLine(symbol) {
  const line = lines.get(symbol), ticker = get("tickers").get(symbol);
  if (!line || !ticker) return;
  const [, price, change, turnover] = /** @type {HTMLElement[]} */ ([...line.children]), [value, what] = priceOf(ticker);
  say(price, number(value));
  price.title = what === "last" ? term("phase", ticker.phase) : t(`market.${what}`);
  price.classList.toggle("dim", what === "settlement");
  showChange(change, changeOf(ticker.last, ticker.reference_price));
  say(turnover, short(ticker.turnover));
  turnover.title = `${money(ticker.turnover)} · ${grouped(ticker.volume)} ${t("market.volume")}`;
  line.classList.toggle("halted", ticker.phase === "halted");
}

watch(["changed"], () => {
  const changed = get("changed");
  for (const symbol of changed) showLine(symbol);
  changed.clear();
});
for (const symbol of lines.keys()) showLine(symbol);

at("market-tools").append(saveButton("market", () => [
  [t("product"), "", t("market.last"), t("market.settlement"), t("market.volume"), t("market.turnover")],
  ...get("instruments").map((/** @type {any} */ instrument) => {
    const { last, reference_price, volume, turnover } = get("tickers").get(instrument.symbol) ?? {};
    return [instrument.symbol, nameOf(instrument), last, reference_price, volume, turnover];
  }),
]));
