// The line above: name, phase, last price, change, the day's figures, and what the phase means now.

import { changeOf } from "../app/decimal.js";
import { at } from "../app/page.js";
import { mark } from "./pace.js";
import { say } from "../app/dom.js";
import { money, number, percent, short } from "../app/format.js";
import { get } from "../app/store.js";
import { nameOf, t } from "../app/words.js";
import { indication, phaseName, phaseSentence } from "./phases.js";

/** @param {string | null} change @returns {"up" | "down" | "flat"} */
export const directionOf = (change) => (change === null || !/[1-9]/.test(change) ? "flat" : change.startsWith("-") ? "down" : "up");

/** "▲ 1.23 %": a sign beside the colour. @param {string | null} change */
export function changeText(change) {
  const sign = { up: "▲ +", down: "▼ ", flat: "" }[directionOf(change)];
  return sign + percent(change, 2);
}

/** What the first paint says of the instrument, where it knew none. @param {any} instrument */
export function showListing(instrument) {
  const lot = t("quote.lot", { size: instrument.lot_size, unit: instrument.unit });
  say(at("quote-listing"), nameOf(instrument));
  say(at("quote-terms"), `${lot} · ${t("quote.tick", { tick: instrument.tick_size, unit: instrument.unit })}`);
  for (const node of document.querySelectorAll("[data-lot]")) say(node, lot);
  for (const node of document.querySelectorAll("[data-unit]")) say(node, `¥/${instrument.unit}`);
}

/** @param {any} ticker */
export function showQuote(ticker) {
  const change = changeOf(ticker.last, ticker.reference_price);
  say(at("quote-last"), number(ticker.last ?? ticker.reference_price));
  say(at("quote-change"), ticker.last ? changeText(change) : t("quote.untraded"));
  mark(at("quote-price"), "traded", ticker.last ? "yes" : "no");
  mark(at("quote-price"), "direction", directionOf(change));
  say(at("quote-bid"), number(ticker.best_bid));
  say(at("quote-ask"), number(ticker.best_ask));
  say(at("quote-day"), `${number(ticker.low)} … ${number(ticker.high)}`);
  say(at("quote-limits"), `${number(ticker.lower_limit)} … ${number(ticker.upper_limit)}`);
  say(at("quote-reference"), number(ticker.reference_price));
  say(at("quote-volume"), number(ticker.volume));
  say(at("quote-turnover"), short(ticker.turnover));
  at("quote-turnover").title = money(ticker.turnover);
  showPhase(ticker);
}

/** Also once a second, for the countdown. @param {any} ticker */
export function showPhase(ticker) {
  const venue = get("venue"), isAuction = ticker.phase === "call_auction";
  const phase = at("quote-phase");
  say(phase, phaseName(ticker));
  mark(phase, "phase", ticker.phase);
  say(at("phase-said"), phaseSentence(ticker, venue));
  at("indication").hidden = !isAuction;
  mark(at("phase-line"), "phase", venue?.kill_switch ? "halted" : ticker.phase);
  if (!isAuction) return;
  const { price, volume, imbalance, who } = indication(ticker);
  say(at("indicative-price"), price);
  say(at("indicative-volume"), volume);
  say(at("indicative-imbalance"), who ? `${imbalance} ${who}` : imbalance);
}

/** The title of the browser's tab: the last price is seen from elsewhere. Before the day's first trade there is none. @param {any} ticker @param {string} symbol */
export function showTitle(ticker, symbol) {
  const title = `${ticker.last ? `${number(ticker.last)} ` : ""}${symbol} · ${t("title.trade")} · REX`;
  if (document.title !== title) document.title = title;
}
