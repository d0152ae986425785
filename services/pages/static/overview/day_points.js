// Today's turnover as points: the sum at the end of each five minutes before the page was opened, then each sum from the moment on
// at which the page learnt it, and the sum of this moment.

import { forDrawing, text, units } from "../app/decimal.js";
import { money } from "../app/format.js";

const FIVE_MINUTES = 300_000;

/** @param {number} x */
const minuteOf = (x) => Math.floor(x / 60_000);

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

/** With the sum of this moment. A sum that is another one than before begins now; of the changes within a minute that is over the
 * last one is kept. @param {DaySums} known @param {number} now @param {string} yuan @returns {DaySums} */
export function withSum({ ends, now: before }, now, yuan) {
  const known = before ?? ends.at(-1), sum = sumAt(Math.max(now, known?.x ?? now), yuan);
  if (known?.text === sum.text) return { ends, now: sum };
  const last = ends.at(-1);
  if (!last) return { ends: [sumAt(sum.x, "0.00"), sum], now: sum };
  const isOver = minuteOf(last.x) < minuteOf(sum.x);
  return { ends: [...ends.filter((end) => !isOver || end === last || minuteOf(end.x) !== minuteOf(last.x)), sum], now: sum };
}

/** @param {DaySums} known */
export const pointsOf = ({ ends, now }) => [...ends, ...(now && now !== ends.at(-1) ? [now] : [])];
