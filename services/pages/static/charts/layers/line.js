// Lines: straight, in steps, and with the area below them. One path each, however many points.

import { px, s } from "../svg.js";

/** @typedef {import("../types.js").Layer} Layer */
/** @typedef {import("../types.js").Point} Point */
/** @typedef {import("../types.js").Place} Place */

/** The path of points; a point without y is a gap. @param {Point[]} data @param {Place} place @param {boolean} [inSteps] @param {boolean} [closed] down to the axis */
export function pathOf(data, { at, y, height }, inSteps = false, closed = false) {
  const ground = px(Math.min(height, Math.max(0, y.at(Math.max(0, y.from)))));
  let text = "", start = NaN, last = NaN;
  const end = () => {
    if (closed && !Number.isNaN(start)) text += `L${last} ${ground}L${start} ${ground}Z`;
    start = NaN;
  };
  for (const point of data) {
    if (point.y === null || point.y === undefined) {
      end();
      continue;
    }
    const left = px(at(point.x)), top = px(y.at(point.y));
    text += Number.isNaN(start) ? `M${left} ${top}` : inSteps ? `H${left}V${top}` : `L${left} ${top}`;
    if (Number.isNaN(start)) start = left;
    last = left;
  }
  end();
  return text;
}

const shared = {
  /** @param {Layer} _ @param {Point[]} data */
  extent: (_, data) => data.map(({ y }) => y).filter((y) => y !== null && y !== undefined),
  /** @param {Layer} _ @param {Point} point @param {(y: number) => string} yText */
  said: (_, { y, text }, yText) => text ?? (y === null || y === undefined ? "" : yText(y)),
};

/** @param {Layer} layer @param {string} kind */
const classOf = (layer, kind) => `layer ${kind} ${layer.className ?? ""}`;

/** @type {import("../types.js").Kind} */
export const line = {
  ...shared,
  draw: (layer, data, place) => [s("path", { class: classOf(layer, "line"), d: pathOf(data, place) }), ...alone(layer, data, place)],
};

/** @type {import("../types.js").Kind} */
export const step = { ...shared, draw: (layer, data, place) => [s("path", { class: classOf(layer, "line"), d: pathOf(data, place, true) })] };

/** @param {boolean} inSteps @returns {import("../types.js").Kind} */
const filled = (inSteps) => ({
  ...shared,
  zero: true,
  draw: (layer, data, place) => [
    s("path", { class: classOf(layer, "area"), d: pathOf(data, place, inSteps, true) }),
    s("path", { class: classOf(layer, "line"), d: pathOf(data, place, inSteps) }),
    ...alone(layer, data, place),
  ],
});

export const area = filled(false);

/** Of a sum, which stays until something is added. */
export const stepArea = filled(true);

/** A single point has no line: it is shown as a dot. @param {Layer} layer @param {Point[]} data @param {Place} place */
function alone(layer, data, { at, y }) {
  const [only, ...others] = data.filter((point) => point.y !== null && point.y !== undefined);
  if (!only || others.length) return [];
  return [s("circle", { class: classOf(layer, "dot"), cx: px(at(only.x)), cy: px(y.at(Number(only.y))), r: 2.5 })];
}
