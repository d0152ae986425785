// A band between two lines: the range of a forecast, the limits of a day.

import { px, s } from "../svg.js";

/** @type {import("../types.js").Kind} */
export const band = {
  extent: (_, data) => data.flatMap(({ low, high }) => [Number(low), Number(high)]),
  draw(layer, data, { at, y }) {
    if (!data.length) return [];
    const upper = data.map(({ x, high }) => `${px(at(x))} ${px(y.at(Number(high)))}`);
    const lower = data.map(({ x, low }) => `${px(at(x))} ${px(y.at(Number(low)))}`).reverse();
    return [s("path", { class: `layer band ${layer.className ?? ""}`, d: `M${upper.join("L")}L${lower.join("L")}Z` })];
  },
  columns: ["chart.low", "chart.high"],
  cells: ({ low, high, cells }) => cells ?? [low, high],
  said: (_, { low, high, text }, yText) => text ?? `${yText(Number(low))} – ${yText(Number(high))}`,
};
