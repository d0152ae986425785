// A small piece of what a layer draws, for legends: the style sheet gives both the same stroke and the same ground.

import { s } from "./svg.js";

/** @typedef {import("./types.js").Layer} Layer */

const LINE = "M0 5H26", GROUND = "M0 5H26V10H0Z", BAND = "M0 1H26V9H0Z", BOX = "M8 0H18V10H8Z";

/** @type {Record<Layer["type"], [string, string][]>} classes of what is drawn, each with its path */
const DRAWN = {
  line: [["line", LINE]], step: [["line", LINE]], rule: [["rule", LINE]],
  area: [["area", GROUND], ["line", LINE]], step_area: [["area", GROUND], ["line", LINE]],
  band: [["band", BAND]], bars: [["bars", BOX]], waterfall: [["bars", BOX]], candles: [["bars", BOX]], marks: [["mark", BOX]],
};

/** @param {Layer} layer */
export const specimen = ({ type, className = "" }) => s("svg", { class: "specimen", viewBox: "0 0 26 10", width: 26, height: 10, "aria-hidden": "true" },
  ...DRAWN[type].map(([kind, d]) => s("path", { class: `layer ${kind} ${className}`, d })));
