// What the control page follows: the state of auctions, the ticker of the chosen instrument, and the instruments' settings.

import { feed } from "../app/feed.js";
import { instrumentOf, readInstruments } from "../app/instruments.js";
import { get, set, watch } from "../app/store.js";
import * as url from "../app/url_state.js";
import { nameOf, term } from "../app/words.js";

/** Follows the auctions of all instruments, and reads the instruments again after an act or a new trading date. */
export function followMarket() {
  feed.follow({ channels: ["auction"], symbols: ["*"] }, ({ symbol, data }) => {
    set("auctions", new Map(get("auctions")).set(symbol, data));
  });
  let known = get("venue")?.trading_date;
  watch(["venue"], () => {
    const date = get("venue")?.trading_date;
    if (date && date !== known) readAgain();
    known = date ?? known;
  });
  watch(["acted"], () => get("acted") !== undefined && readAgain());
}

/** The line says where the venue does not answer; the next act or day reads again. */
const readAgain = () => readInstruments().catch(() => {});

/** The chosen instrument: `?product`, or the first. @returns {any} */
export const chosenInstrument = () => {
  const symbol = get("product") ?? url.read("product"),
    all = get("instruments") ?? [];
  return all.find((/** @type {any} */ one) => one.symbol === symbol) ?? all[0];
};

/** "PRND-OX · Praseodymium-neodymium oxide", and that it is delisted. @param {any} instrument */
export const instrumentText = (instrument) => {
  const { symbol } = instrument,
    { phase } = stateOf(symbol);
  return `${symbol} · ${nameOf(instrument)}${phase === "delisted" ? ` · ${term("phase", phase)}` : ""}`;
};

/** The values that a field has among the instruments. @param {string} name @returns {string[]} */
export const valuesOf = (name) => [...new Set(get("instruments").map((/** @type {any} */ one) => one[name]))].sort();

let stop = () => {};

/** Follows the ticker of the chosen instrument. */
export function followChosen() {
  stop();
  const { symbol } = chosenInstrument() ?? {};
  if (!symbol) return;
  stop = feed.follow({ channels: ["ticker"], symbols: [symbol] }, ({ data }) => set("ticker", data));
}

/** Chooses an instrument. @param {string} symbol */
export function choose(symbol) {
  url.write({ product: symbol });
  set("ticker", null);
  set("product", symbol);
  followChosen();
  reveal("instrument");
}

/** Where the facts stand below and not beside, brings them into view. @param {string} id */
export function reveal(id) {
  if (matchMedia("(max-width: 1100px)").matches) document.getElementById(id)?.closest("aside")?.scrollIntoView({ block: "nearest" });
}

/** The phase of an instrument and the end of its volatility auction. @param {string} symbol @returns {{phase: string, auction_ends_at: string | null}} */
export const stateOf = (symbol) =>
  get("phases")?.get(symbol) ?? {
    phase: instrumentOf(symbol)?.phase ?? "closed",
    auction_ends_at: null,
  };
