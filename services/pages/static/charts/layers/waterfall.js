// A waterfall: totals stand on the ground, what is taken off or added hangs from the level before it.

import { breadthOf, px, s, sharp } from "../svg.js";
import { box, breadth } from "./bars.js";

const LINE_PX = 14, APART_PX = 4;

/** @typedef {import("../types.js").Point} Point */

/** Each point with the levels between which it is drawn. @param {Point[]} data */
function levels(data) {
  let level = 0;
  return data.map((point) => {
    const size = Number(point.y ?? 0), before = level;
    level = point.kind === "minus" ? level - size : point.kind === "plus" ? level + size : size;
    return { point, from: point.kind === "total" ? 0 : before, to: level };
  });
}

/** @type {import("../types.js").Kind} */
export const waterfall = {
  zero: true,
  extent: (_, data) => levels(data).flatMap(({ from, to }) => [from, to]),
  draw(layer, data, { at, y, step, width, yText }) {
    const broad = breadth(step) * 0.9, all = levels(data), free = [0, 0];
    /** @type {SVGElement[]} */
    const nodes = [];
    all.forEach(({ point, from, to }, index) => {
      const top = y.at(Math.max(from, to)), bottom = Math.max(y.at(Math.min(from, to)), top + 1), middle = at(point.x);
      nodes.push(s("path", { class: `layer waterfall ${point.kind ?? "total"} ${point.className ?? ""} ${layer.className ?? ""}`, d: box(middle, broad, top, bottom) }));
      const value = point.title ?? yText(Number(point.y ?? 0)), half = breadthOf(value) / 2;
      // Where the bars are narrow, every other value stands a line below, on its bar.
      const left = Math.max(0, Math.min(width - 2 * half, middle - half)), line = left < free[0] && left >= free[1] ? 1 : 0;
      if (left >= free[line]) nodes.push(s("text", { class: "value", x: px(left + half), y: px(Math.max(10, top - 4) + line * LINE_PX), "text-anchor": "middle" }, value));
      free[line] = Math.max(free[line], left + 2 * half + APART_PX);
      const next = all[index + 1], hangs = next && (next.point.kind !== "total" || Math.abs(y.at(next.to) - y.at(to)) < 1);
      if (hangs) nodes.push(s("path", { class: "tie", d: `M${middle + broad / 2} ${sharp(y.at(to))}H${at(next.point.x) - broad / 2}` }));
    });
    return nodes;
  },
  said: (_, { y, kind, text }, yText) => text ?? `${kind === "minus" ? "−" : kind === "plus" ? "+" : ""}${yText(Number(y ?? 0))}`,
};
