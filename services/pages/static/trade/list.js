// The instruments with last price, change and phase, each a link to its page; favourites stand first, and a search narrows them.

import { changeOf } from "../app/decimal.js";
import { h, rows } from "../app/dom.js";
import { number } from "../app/format.js";
import { at } from "../app/page.js";
import { get, watch } from "../app/store.js";
import { nameOf, t, term } from "../app/words.js";
import { chooseFavourite, isFavourite } from "./choices.js";
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
  show(listed.symbol);
  return h("li", {}, star(listed.symbol), node);
}

/** @param {string} name of an instrument */
function star(name) {
  const glyph = new Cell(), node = h("button", { type: "button", class: "quiet star", title: t("list.favourite", { symbol: name }), "aria-label": t("list.favourite", { symbol: name }), data: { testid: `favourite-${name}` } }, glyph.node);
  const tell = () => {
    node.setAttribute("aria-pressed", String(isFavourite(name)));
    glyph.show(isFavourite(name) ? "★" : "☆");
  };
  node.addEventListener("click", () => {
    chooseFavourite(name);
    tell();
    showListed();
  });
  tell();
  return node;
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

/** Favourites first. @returns {any[]} */
function ordered() {
  const all = get("instruments"), isFirst = (/** @type {any} */ { symbol: name }) => isFavourite(name);
  return [...all.filter(isFirst), ...all.filter((/** @type {any} */ listed) => !isFirst(listed))];
}

/** Whether the search has left an instrument. @param {any} listed */
function isFound({ symbol: name, name_en, name_zh, category, family }) {
  const text = `${name} ${name_en} ${name_zh} ${category} ${family}`.toLowerCase();
  return /** @type {HTMLInputElement} */ (at("search")).value.trim().toLowerCase().split(/\s+/).every((word) => text.includes(word));
}

/** The links that the search has left. @returns {HTMLElement[]} */
const found = () => [...at("instruments").querySelectorAll("li:not([hidden]) a")].map((node) => /** @type {HTMLElement} */ (node));

/** Those listed since the page came stand last, as they do in the API. No line moves while one points at the list. */
function showListed() {
  const all = ordered();
  rows(at("instruments"), all, (listed) => listed.symbol, line, (node, listed) => { node.hidden = !isFound(listed); });
  at("list-empty").hidden = all.some(isFound);
}

export function startList() {
  const list = at("instruments"), search = /** @type {HTMLInputElement} */ (at("search"));
  list.replaceChildren();
  showListed();
  list.dataset.freeze = ""; // from now on: the pointer may be there before the first line
  watch(["instruments"], showListed);
  const here = lines.get(symbol)?.node.parentElement;
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
    const here = links.findIndex((link) => link.parentElement?.contains(document.activeElement));
    (links[here + next] ?? search).focus();
  });
}

export function listCsv() {
  const head = ["symbol", "name_en", "last", "change", "phase", "volume", "turnover"];
  return [head, ...ordered().map((listed) => {
    const ticker = tickers.get(listed.symbol) ?? {};
    return [listed.symbol, listed.name_en, ticker.last, changeOf(ticker.last ?? null, ticker.reference_price ?? null), ticker.phase, ticker.volume, ticker.turnover];
  })];
}
