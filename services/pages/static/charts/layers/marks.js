// Marks on points: own fills, busts. A shape of its own for each meaning.

import { px, s } from "../svg.js";

const SHAPES = {
  up: "M0 -5L5 4H-5Z",
  down: "M0 5L5 -4H-5Z",
  cross: "M-4 -4L4 4M4 -4L-4 4",
  dot: "M-3.5 0a3.5 3.5 0 1 0 7 0a3.5 3.5 0 1 0 -7 0",
};

/** @type {import("../types.js").Kind} */
export const marks = {
  extent: (_, data) => data.map(({ y }) => Number(y)),
  draw: (layer, data, { at, y }) => data.map(({ x, y: value, shape = "dot", className = "", title }) =>
    s("path", { class: `layer mark ${shape} ${layer.className ?? ""} ${className}`, d: SHAPES[shape], transform: `translate(${px(at(x))} ${px(y.at(Number(value)))})` },
      ...(title ? [s("title", {}, title)] : []))),
  said: (_, { y, title, text }, yText) => text ?? title ?? yText(Number(y)),
};
