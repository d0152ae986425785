// The state of the instrument in words: what it takes now, and when that changes.

import { duration, minute, number } from "../app/format.js";
import { t, term } from "../app/words.js";

const TRADING = new Set(["continuous", "call_auction"]);

/** The next of the timetable's changes to one of these phases. @param {any} venue @param {Set<string>} phases */
const next = (venue, phases) => (venue?.next_changes ?? []).find((/** @type {any} */ change) => phases.has(change.phase));

/** "4 min 07 s" until a time; "0 s" when it has passed. @param {string} time */
const until = (time) => duration(Date.parse(time) - Date.now());

/** When the call auction that collects orders now will match: a volatility auction has its own end. @param {any} ticker @param {any} venue
 * @returns {string | null} */
export function matchesAt(ticker, venue) {
  return ticker.auction_ends_at ?? next(venue, new Set(["auction_matching", "continuous", "closed"]))?.time ?? null;
}

/** What the phase is called. @param {any} ticker */
export const phaseName = (ticker) => (ticker.auction_ends_at ? t("phase.volatility") : term("phase", ticker.phase));

/** The line about the phase: empty while nothing is to be said. @param {any} ticker @param {any} venue */
export function phaseSentence(ticker, venue) {
  if (venue?.kill_switch) return t("facts.kill_switch");
  switch (ticker.phase) {
    case "halted": return t("state.halted");
    case "delisted": return t("state.delisted");
    case "closed": {
      const opening = next(venue, TRADING);
      return opening
        ? t("state.closed_until", { phase: term("phase", opening.phase), time: until(opening.time), at: minute(opening.time), settled: number(ticker.reference_price) })
        : t("state.closed", { settled: number(ticker.reference_price) });
    }
    case "auction_matching": return t("state.matching");
    case "call_auction": {
      const at = matchesAt(ticker, venue), kind = ticker.auction_ends_at ? t("phase.volatility") : term("phase", ticker.phase);
      return at ? t("state.auction_until", { kind, time: until(at), at: minute(at) }) : t("state.auction", { kind });
    }
    default: {
      const coming = (venue?.next_changes ?? []).find((/** @type {any} */ change) => change.phase !== ticker.phase);
      return coming ? t("state.continuous_until", { at: minute(coming.time), phase: term("phase", coming.phase) }) : t("state.continuous");
    }
  }
}

/** What the auction would do now: price, lots, and what is left over. @param {any} ticker */
export function indication(ticker) {
  const left = ticker.indicative_imbalance;
  return {
    price: number(ticker.indicative_price),
    volume: number(ticker.indicative_volume),
    imbalance: left === null ? "–" : number(Math.abs(left)),
    who: !left ? "" : t(left > 0 ? "auction.buys_left" : "auction.sells_left"),
  };
}

/** Why an order could not be entered now, or "" if it could. @param {any} ticker @param {any} venue */
export function entryNote(ticker, venue) {
  if (venue?.kill_switch) return t("entry.kill_switch");
  return ticker.phase === "continuous" ? "" : t(`entry.${ticker.phase}`);
}
