// The instruments with last price, change and phase, each a link to its page; a search narrows them.

import { changeOf } from "../app/decimal.js";
import { h } from "../app/dom.js";
import { number } from "../app/format.js";
import { at } from "../app/page.js";
import { get, watch } from "../app/store.js";
import { nameOf, term } from "../app/words.js";
import { symbol, tickers } from "./instrument.js";
import { Cell, mark } from "./pace.js";
import { changeText, directionOf } from "./quote.js";

/** @type {Map<string, {node: HTMLElement, last: Cell, change: Cell}>} */
const lines = new Map();

/** @param {any} listed */
function line(listed) {
  const last = new Cell(), change = new Cell();
  const node = h("a", { href: `/ui/trade/${listed.symbol}`, title: `${listed.name_en} · ${listed.name_zh}`, data: { symbol: listed.symbol }, "aria-current": listed.symbol === symbol ? "page" : null },
    h("b", {}, listed.symbol), h("span", { class: "num last" }, last.node),
    h("small", { class: "name" }, nameOf(listed)), h("span", { class: "num change" }, change.node));
  lines.set(listed.symbol, { node, last, change });
  return h("li", {}, node);
}

/** @param {string} name */
function show(name) {
  const ticker = tickers.get(name), found = lines.get(name);
  if (!ticker || !found) return;
  const change = changeOf(ticker.last, ticker.reference_price), isTrading = ticker.phase === "continuous";
  found.last.show(number(ticker.last ?? ticker.reference_price));
  mark(found.node, "traded", ticker.last ? "yes" : "no"); // not yet today: the last settlement price, dim
  found.change.show(isTrading ? changeText(change) : term("phase", ticker.phase));
  mark(found.node, "direction", isTrading ? directionOf(change) : "flat");
  mark(found.node, "phase", ticker.phase);
}

/** Shows the tickers of these instruments. @param {Iterable<string>} names */
export function showList(names) {
  for (const name of names) show(name);
}

function narrow() {
  const input = /** @type {HTMLInputElement} */ (at("search")), wanted = input.value.trim().toLowerCase();
  let count = 0;
  for (const listed of get("instruments")) {
    const text = `${listed.symbol} ${listed.name_en} ${listed.name_zh} ${listed.category} ${listed.family}`.toLowerCase();
    const isFound = wanted.split(/\s+/).every((word) => text.includes(word));
    /** @type {HTMLElement} */ (lines.get(listed.symbol)?.node.parentElement).hidden = !isFound;
    count += Number(isFound);
  }
  at("list-empty").hidden = count > 0;
}

/** The links that the search has left. @returns {HTMLElement[]} */
const found = () => [...at("instruments").querySelectorAll("li:not([hidden]) a")].map((node) => /** @type {HTMLElement} */ (node));

/** Adds a line for each instrument that has none: those listed since the page came stand last, as they do in the API. */
function showListed() {
  const added = get("instruments").filter((/** @type {any} */ listed) => !lines.has(listed.symbol));
  at("instruments").append(...added.map(line));
  for (const listed of added) show(listed.symbol);
  narrow();
}

export function startList() {
  const list = at("instruments"), search = /** @type {HTMLInputElement} */ (at("search"));
  list.replaceChildren();
  showListed();
  watch(["instruments"], showListed);
  const here = lines.get(symbol)?.node;
  if (here) list.parentElement?.scrollTo({ top: here.offsetTop - 120 });
  search.addEventListener("input", showListed);
  search.addEventListener("keydown", (event) => {
    if (event.key === "Enter") found()[0]?.click();
    else if (event.key === "ArrowDown") found()[0]?.focus();
    else return;
    event.preventDefault();
  });
  list.addEventListener("keydown", (event) => {
    const links = found(), next = /** @type {Record<string, number>} */ ({ ArrowDown: 1, ArrowUp: -1 })[event.key];
    if (next === undefined) return;
    event.preventDefault();
    (links[links.indexOf(/** @type {HTMLElement} */ (document.activeElement)) + next] ?? search).focus();
  });
}

export function listCsv() {
  const head = ["symbol", "name_en", "last", "change", "phase", "volume", "turnover"];
  return [head, ...get("instruments").map((/** @type {any} */ listed) => {
    const ticker = tickers.get(listed.symbol) ?? {};
    return [listed.symbol, listed.name_en, ticker.last, changeOf(ticker.last ?? null, ticker.reference_price ?? null), ticker.phase, ticker.volume, ticker.turnover];
  })];
}
