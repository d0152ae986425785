// Today's turnover as points: the sum at the end of each five minutes that are over, and the sum of this moment.

import { forDrawing, text, units } from "../app/decimal.js";
import { money } from "../app/format.js";

const FIVE_MINUTES = 300_000;

/** @typedef {{x: number, y: number, text: string}} Sum at a time in milliseconds */
/** @typedef {{ends: Sum[], now: Sum | null}} DaySums ascending */

/** @param {number} x @param {string} yuan @returns {Sum} */
const sumAt = (x, yuan) => ({ x, y: forDrawing(yuan), text: money(yuan) });

/** The sums at the ends of five minutes that are over; the first one is the zero at which the first of them began.
 * @param {[string, string][]} amounts start and turnover of those with trades @returns {DaySums} */
export function sumsOf(amounts) {
  let sum = 0n;
  const ends = amounts.map(([start, amount]) => sumAt(Date.parse(start) + FIVE_MINUTES, text((sum += units(amount)), 2)));
  return { ends: ends.length ? [sumAt(ends[0].x - FIVE_MINUTES, "0.00"), ...ends] : ends, now: null };
}

/** With the sum of this moment. The one before it held until now: where its five minutes are over, it is the sum at their end.
 * @param {DaySums} known @param {number} x @param {string} yuan @returns {DaySums} */
export function withSum({ ends, now }, x, yuan) {
  const over = now && Math.ceil(now.x / FIVE_MINUTES) * FIVE_MINUTES;
  const all = now && over && over < x ? [...ends, { ...now, x: over }] : ends;
  return { ends: all, now: sumAt(Math.max(x, all.at(-1)?.x ?? x), yuan) };
}

/** @param {DaySums} known */
export const pointsOf = ({ ends, now }) => [...ends, ...(now ? [now] : [])];
