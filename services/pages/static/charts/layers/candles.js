// Candles: a hollow body rose, a filled one fell, so that the colour is not needed to tell them apart. A faint line through the
// closes leads the eye where many have a single trade. Four paths in all.

import { px, s, sharp } from "../svg.js";
import { box, breadth } from "./bars.js";
import { pathOf } from "./line.js";

/** @type {import("../types.js").Kind} */
export const candles = {
  extent: (_, data) => data.flatMap(({ low, high }) => [Number(low), Number(high)]),
  draw(layer, data, place) {
    const { at, y, step } = place, closes = pathOf(data.map(({ x, close }) => ({ x, y: close })), place);
    const paths = { rose: "", fell: "", still: "" }, broad = Math.max(1, Math.min(15, breadth(step)));
    for (const { x, open = 0, high = 0, low = 0, close = 0 } of data) {
      const middle = sharp(at(x)), top = y.at(Math.max(open, close)), bottom = y.at(Math.min(open, close));
      const kind = close > open ? "rose" : close < open ? "fell" : "still";
      paths[kind] += `M${middle} ${px(y.at(high))}V${px(top)}M${middle} ${px(bottom)}V${px(y.at(low))}`;
      paths[kind] += kind === "still" ? `M${px(middle - broad / 2)} ${sharp(top)}h${px(broad)}` : box(middle, broad, top, Math.max(bottom, top + 1));
    }
    const bodies = Object.entries(paths).filter(([, d]) => d).map(([kind, d]) => s("path", { class: `layer candles ${kind} ${layer.className ?? ""}`, d }));
    return [s("path", { class: "layer closes", d: closes }), ...bodies];
  },
  columns: ["chart.open", "chart.high", "chart.low", "chart.close"],
  cells: ({ open, high, low, close, cells }) => cells ?? [open, high, low, close],
  said: (_, { open, high, low, close, text }, yText) =>
    text ?? [open, high, low, close].map((price) => yText(Number(price))).join(" · "),
};
