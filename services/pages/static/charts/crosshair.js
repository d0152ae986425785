// The crosshair: a line at the pointer, and the values of every layer there.

import { fill, h } from "../app/dom.js";
import { KINDS } from "./layers/kinds.js";
import { firstFrom } from "./scales.js";
import { specimen } from "./specimen.js";
import { s, sharp } from "./svg.js";

/** @typedef {import("./plan.js").Known} Known */
/** @typedef {import("./types.js").X} X */
/** @typedef {[string, string, import("./types.js").Layer]} Value its name, what it is, and of which layer */

const CARRIED = new Set(["line", "area", "step", "step_area"]);

/** The point of a layer that holds at x: that of x itself, of a line the last one before it. @param {Known} known @param {X} x @param {number} position */
export function pointAt({ layer, data, positions, byX }, x, position) {
  const exact = byX.get(x);
  if (exact || !CARRIED.has(layer.type) || !(position <= positions[positions.length - 1])) return exact;
  return data[firstFrom(positions, position) - 1];
}

/** What the layers say at x, as names and values. @param {Known[]} layers @param {X} x @param {number} position @param {(layer: import("./types.js").Layer) => (y: number) => string} textOf @returns {Value[]} */
export function valuesAt(layers, x, position, textOf) {
  return layers.flatMap((known) => {
    const point = pointAt(known, x, position), said = point && KINDS[known.layer.type].said(known.layer, point, textOf(known.layer));
    return said ? [/** @type {Value} */ ([known.layer.name ?? "", said, known.layer])] : [];
  });
}

export class Crosshair {
  constructor() {
    this.node = s("g", { class: "crosshair" });
    this.tip = h("div", { class: "chart-tip", "aria-hidden": "true", hidden: true });
  }

  hide() {
    this.node.replaceChildren();
    this.tip.hidden = true;
  }

  /**
   * @param {import("./plan.js").Plan} plan @param {number} middle pixel of the x in a pane @param {number | null} height pixel of the pointer in the svg
   * @param {string} title @param {Value[]} values
   */
  show(plan, middle, height, title, values) {
    const { left, width, panes, bottom } = plan, x = sharp(left + middle);
    this.node.replaceChildren(s("path", { d: `M${x} ${panes[0].top}V${bottom}` }), ...this.level(plan, height));
    fill(this.tip, h("b", {}, title), values.map(([name, value, layer]) => h("span", {}, specimen(layer), name && h("small", {}, name), h("em", {}, value))));
    this.tip.hidden = false;
    const onLeft = middle > width / 2;
    this.tip.style.setProperty("left", onLeft ? "auto" : `${x + 10}px`);
    this.tip.style.setProperty("right", onLeft ? `calc(100% - ${x - 10}px)` : "auto");
  }

  /** The pointer's own height, with its value. @param {import("./plan.js").Plan} plan @param {number | null} height */
  level({ panes, left, width }, height) {
    const pane = height === null ? undefined : panes.find(({ top, height: tall, ticks }) => ticks.length && height >= top && height <= top + tall);
    if (!pane || height === null) return [];
    return [s("path", { d: `M${left} ${sharp(height)}h${width}` }),
      s("text", { class: "level", x: left + 3, y: height - 3 }, pane.yText(pane.y.back(height - pane.top)))];
  }
}
