// The ladder's arithmetic: levels grouped by ticks, with running sums, gaps, and what it costs to trade through them. Pure.

import { text, times } from "../app/decimal.js";

/** @typedef {import("../app/book.js").Level} Level @typedef {import("./ticks.js").Ticks} Ticks */
/**
 * @typedef {object} Step one row of the ladder
 * @property {number} ticks the price at which the row's group ends: the worst one of it
 * @property {number} quantity lots
 * @property {number} orders
 * @property {number} sum lots from the best price to here
 * @property {number} gap how many groups between this one and the better one before it are empty
 */

/** The ticks of the group that a price belongs to: bids round down, asks up. @param {number} ticks @param {"bid" | "ask"} side @param {number} group */
export const groupOf = (ticks, side, group) => (side === "bid" ? Math.floor(ticks / group) : Math.ceil(ticks / group)) * group;

/**
 * The best `count` groups of a side.
 * @param {Level[]} levels best first @param {"bid" | "ask"} side @param {number} group ticks @param {Ticks} ticks @param {number} count
 * @returns {Step[]} best first
 */
export function steps(levels, side, group, ticks, count) {
  /** @type {Step[]} */
  const found = [];
  let sum = 0;
  for (const { price, quantity, orders } of levels) {
    const at = groupOf(ticks.of(price), side, group);
    let step = found[found.length - 1];
    if (step?.ticks !== at) {
      if (found.length === count) break;
      const gap = step ? Math.abs(at - step.ticks) / group - 1 : 0;
      step = { ticks: at, quantity: 0, orders: 0, sum: 0, gap };
      found.push(step);
    }
    sum += quantity;
    step.quantity += quantity;
    step.orders += orders;
    step.sum = sum;
  }
  return found;
}

/**
 * What it takes to trade from the best price to one of the ladder.
 * @param {Level[]} levels best first @param {"bid" | "ask"} side @param {number} to ticks @param {Ticks} ticks @param {number} lot units in a lot
 * @returns {{quantity: number, amount: string, average: string, exact: string}} lots, yuan, yuan per unit rounded to the tick's decimals,
 * and to four more, as the API's avg_px
 */
export function sumTo(levels, side, to, ticks, lot) {
  let quantity = 0, amount = 0n;
  for (const level of levels) {
    const at = ticks.of(level.price);
    if (side === "bid" ? at < to : at > to) break;
    quantity += level.quantity;
    amount += times(level.price, level.quantity);
  }
  const average = quantity ? rounded(amount, BigInt(quantity)) : 0n;
  return { quantity, amount: text(amount * BigInt(lot), 2), average: text(average, ticks.places), exact: text(average, ticks.places + 4) };
}

/**
 * What lies between the best prices: the spread in ticks, its share of the middle in basis points with one decimal, and the middle,
 * with a decimal more than the tick has where it is half a tick.
 * @param {string} bid @param {string} ask above the bid @param {Ticks} ticks @returns {{spread: number, share: string, middle: string}}
 */
export function between(bid, ask, ticks) {
  const low = ticks.of(bid), high = ticks.of(ask), spread = high - low, twice = BigInt(low + high), middle = twice * ticks.size;
  const tenths = rounded(BigInt(spread) * 200_000n, twice), isOnPlaces = middle % (2n * 10n ** BigInt(6 - ticks.places)) === 0n;
  return { spread, share: text(tenths * 100_000n, 1), middle: text(middle / 2n, ticks.places + Number(!isOnPlaces)) };
}

/** The quotient of two positive numbers, rounded half up. @param {bigint} dividend @param {bigint} divisor */
const rounded = (dividend, divisor) => (2n * dividend + divisor) / (2n * divisor);
