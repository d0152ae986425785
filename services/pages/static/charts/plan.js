// Where everything of a chart stands: panes, scales, margins, and the part of each layer's data that is in view.

import { KINDS } from "./layers/kinds.js";
import { firstFrom, linear, roomy, ticks } from "./scales.js";
import { breadthOf } from "./svg.js";

/** @typedef {import("./types.js").Layer} Layer */
/** @typedef {import("./types.js").Point} Point */
/** @typedef {import("./types.js").Scale} Scale */

const TOP = 8, BOTTOM = 20, EDGE = 8, STRIP = 0.22, GAP = 8, TICK_PX = 34;

/**
 * @typedef {object} Known a layer with what is looked up in it
 * @property {Layer} layer
 * @property {Point[]} data
 * @property {number[]} positions of its data on the x axis
 * @property {Map<import("./types.js").X, Point>} byX
 *
 * @typedef {object} Pane
 * @property {"left" | "right" | "below"} axis
 * @property {Scale} y
 * @property {number} top
 * @property {number} height
 * @property {(y: number) => string} yText
 * @property {{at: number, text: string}[]} ticks
 * @property {{known: Known, data: Point[]}[]} shown
 *
 * @typedef {object} Plan
 * @property {Pane[]} panes
 * @property {number} left
 * @property {number} width of the panes
 * @property {number} bottom
 * @property {Scale} x from positions to pixels of a pane
 */

/** The data in view, with a neighbour on either side, so that lines run to the edge. @param {Known} known @param {[number, number]} view */
function inView({ layer, data, positions }, view) {
  if (layer.type === "waterfall" || layer.type === "rule") return data;
  return data.slice(Math.max(0, firstFrom(positions, view[0]) - 1), firstFrom(positions, view[1]) + 1);
}

/**
 * @param {Known[]} layers @param {[number, number]} view positions of the x axis
 * @param {{width: number, height: number}} size @param {import("./types.js").ChartOptions} options
 * @returns {Plan}
 */
export function planOf(layers, view, size, options) {
  const hasStrip = layers.some(({ layer }) => layer.axis === "below");
  const bottom = size.height - BOTTOM, strip = hasStrip ? Math.round((bottom - TOP) * STRIP) : 0;
  const mainHeight = bottom - TOP - (hasStrip ? strip + GAP : 0);
  const rooms = /** @type {const} */ ([["left", TOP, mainHeight, options.yText], ["right", TOP, mainHeight, options.rightText ?? options.yText],
    ["below", bottom - strip, strip, options.belowText ?? options.yText]]);
  const panes = rooms.map(([axis, top, height, yText]) => paneOf(axis, layers.filter(({ layer }) => (layer.axis ?? "left") === axis), view, { top, height, yText, zero: options.zero ?? false }))
    .filter(({ axis, shown }) => shown.length || axis === "left");
  /** @param {string[]} axes */
  const margin = (...axes) => Math.max(EDGE, ...panes.filter(({ axis }) => axes.includes(axis)).flatMap((pane) => pane.ticks.map(({ text }) => breadthOf(text) + 12)));
  const left = Math.round(margin("left", "below")), width = Math.max(20, size.width - left - Math.round(margin("right")));
  return { panes, left, width, bottom, x: linear(view[0], view[1], 0, width) };
}

/**
 * @param {"left" | "right" | "below"} axis @param {Known[]} layers @param {[number, number]} view
 * @param {{top: number, height: number, yText: (y: number) => string, zero: boolean}} room @returns {Pane}
 */
function paneOf(axis, layers, view, { top, height, yText, zero }) {
  const shown = layers.map((known) => ({ known, data: inView(known, view) }));
  const values = shown.flatMap(({ known, data }) => KINDS[known.layer.type].extent(known.layer, data));
  const hasZero = (zero && axis !== "right") || axis === "below" || layers.some(({ layer }) => KINDS[layer.type].zero);
  const [low, high] = roomy(values, hasZero);
  const found = values.length ? ticks(low, high, axis === "below" ? 2 : Math.max(2, Math.floor(height / TICK_PX))) : [];
  const kept = axis === "below" ? found.slice(-1) : found;
  return { axis, top, height, yText, shown, y: linear(low, high, height, 0), ticks: kept.map((at) => ({ at, text: yText(at) })) };
}
