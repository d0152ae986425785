// Bars from the zero line. One path for each class of them.

import { px, s } from "../svg.js";

const MOST_PX = 46;

/** How broad a bar is. @param {number} step pixels between neighbours */
export const breadth = (step) => Math.max(1, Math.min(MOST_PX, step * 0.72));

/** The path of a rectangle. @param {number} middle @param {number} broad @param {number} top @param {number} bottom */
export const box = (middle, broad, top, bottom) =>
  `M${px(middle - broad / 2)} ${px(top)}h${px(broad)}V${px(bottom)}h${px(-broad)}Z`;

/** @type {import("../types.js").Kind} */
export const bars = {
  zero: true,
  extent: (_, data) => data.map(({ y }) => Number(y ?? 0)),
  draw(layer, data, { at, y, step }) {
    const paths = new Map(), broad = breadth(step), ground = y.at(0);
    for (const { x, y: value, className = "" } of data) {
      if (value) paths.set(className, (paths.get(className) ?? "") + box(at(x), broad, y.at(value), ground));
    }
    return [...paths].map(([className, d]) => s("path", { class: `layer bars ${layer.className ?? ""} ${className}`, d }));
  },
  said: (_, { y, text }, yText) => text ?? yText(Number(y ?? 0)),
};
