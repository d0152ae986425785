// Grid lines, ticks and their texts.

import { t } from "../app/words.js";
import { ticks } from "./scales.js";
import { breadthOf, s, sharp } from "./svg.js";
import { clockTick, isOfTimes, timeTicks } from "./time_ticks.js";

/** @typedef {import("./plan.js").Plan} Plan */

/** Between the texts of ticks; bars have the room of their slots besides. */
const ROOM = 14, ROOM_OF_BARS = 8;

/** Grid lines and texts of the y axes. @param {Plan} plan @returns {SVGElement[]} */
export function yAxes({ panes, left, width }) {
  return panes.flatMap(({ axis, y, top, ticks: marks }) => marks.flatMap(({ at, text }) => {
    const line = top + y.at(at), isRight = axis === "right";
    const grid = isRight ? [] : [s("path", { class: "grid", d: `M${left} ${sharp(line)}h${width}` })];
    return [...grid, s("text", { x: isRight ? left + width + 6 : left - 6, y: line + 4, "text-anchor": isRight ? "start" : "end" }, text)];
  }));
}

/**
 * The ticks of the x axis, those that have room beside each other; at its beginning the zone of its times.
 * @param {import("./types.js").ChartOptions["x"]} kind @param {import("./scales.js").XAxis} axis @param {Plan} plan
 * @param {(x: any) => string} xText @param {import("./types.js").X[]} xs @returns {SVGElement[]}
 */
export function xAxisNodes(kind, axis, plan, xText, xs) {
  const { x, left, width, bottom } = plan, nodes = [s("path", { class: "ground", d: `M${left} ${sharp(bottom)}h${width}` })];
  const all = xTicks(kind, axis, plan, xText, xs), isOfDays = new Set(all.map(({ day }) => day)).size > 1;
  /** @type {string | undefined} */
  let shownDay;
  let free = -Infinity;
  if (isOfTimes(kind)) {
    nodes.push(s("text", { class: "zone", x: 0, y: bottom + 15 }, t("chart.zone")));
    free = breadthOf(t("chart.zone")) + ROOM / 2;
  }
  for (const { position, text: name, day } of all) {
    const text = isOfDays && day && day !== shownDay && day !== name ? `${day} ${name}` : name;
    const middle = x.at(position), half = breadthOf(text) / 2;
    if (middle < -1 || middle > width + 1) continue;
    const at = Math.min(left + width - half + 6, Math.max(half, left + middle));
    if (at - half < free) continue;
    free = at + half + (kind === "category" ? ROOM_OF_BARS : ROOM);
    shownDay = day;
    if (kind !== "category") nodes.push(s("path", { class: "tick", d: `M${sharp(left + middle)} ${bottom}v4` }));
    nodes.push(s("text", { x: at, y: bottom + 15, "text-anchor": "middle" }, text));
  }
  return nodes;
}

/** @param {string} kind @param {import("./scales.js").XAxis} axis @param {Plan} plan @param {(x: any) => string} xText @param {import("./types.js").X[]} xs
 * @returns {{position: number, text: string, day?: string}[]} */
function xTicks(kind, axis, { x, width }, xText, xs) {
  const most = Math.max(2, Math.floor(width / (kind === "time" ? 66 : 80)));
  if (kind === "category") return xs.map((key) => ({ position: axis.position(key), text: xText(key) }));
  if (kind === "number") return ticks(x.from, x.to, most).map((at) => ({ position: at, text: xText(at) }));
  if (kind === "time") return timeTicks(x.from, x.to, most).map((tick) => ({ ...tick, position: tick.at }));
  return slotTicks(axis, x, most, /** @type {number[]} */ (xs));
}

/** Slots leave out nights: the ticks are of the times that are really there. A tick in a gap is that of the first slot after it. @param {import("./scales.js").XAxis} axis @param {import("./types.js").Scale} x @param {number} most @param {number[]} times */
function slotTicks(axis, x, most, times) {
  if (!times.length) return [];
  const first = Math.max(0, Math.ceil(x.from)), last = Math.min(times.length - 1, Math.floor(x.to));
  const seen = new Map();
  for (const tick of timeTicks(times[first] ?? 0, times[last] ?? 0, most * gapFactor(times, first, last))) {
    const position = Math.ceil(axis.position(tick.at) - 1e-9), { text, day } = tick.day ? clockTick(times[position], tick.about) : tick;
    if (!seen.has(position)) seen.set(position, { position, text, day });
  }
  return [...seen.values()];
}

/** How much longer the time from the first to the last is than what is shown of it. @param {number[]} times @param {number} first @param {number} last */
function gapFactor(times, first, last) {
  let step = Infinity;
  for (let i = first + 1; i <= last; i++) step = Math.min(step, times[i] - times[i - 1]);
  return Number.isFinite(step) ? Math.max(1, Math.min(8, (times[last] - times[first]) / (step * (last - first + 1)))) : 1;
}
