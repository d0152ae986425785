// A horizontal line at a value: a target, an own order. One with `onDrag` has a grip, for the pointer and for the keyboard.

import { breadthOf, px, s, sharp } from "../svg.js";

const NAME_PX = 13, APART_PX = 12;

/** @typedef {import("../types.js").Layer} Layer */

/** What tells a rule from the others of its chart. @param {Layer} layer */
export const keyOf = (layer) => layer.key ?? layer.name ?? String(layer.y);

/**
 * Where the name of a rule ends: at the right edge; where it would cover the name of a near rule, on the left of that.
 * @param {number} base of the text, pixels @param {string} name @param {import("../types.js").Place} place
 */
function endOf(base, name, { width, ruleNames }) {
  const breadth = breadthOf(name), edge = width - 4;
  let right = edge;
  for (let other; (other = ruleNames.find((one) => Math.abs(one.base - base) < NAME_PX && one.left < right && right - breadth < one.right)); ) right = other.left - APART_PX;
  if (right < breadth) right = edge; // There is no room for it beside the others.
  ruleNames.push({ base, left: right - breadth, right });
  return right;
}

/** @type {import("../types.js").Kind} */
export const rule = {
  extent: (layer) => (layer.fit ? [Number(layer.y)] : []),
  draw(layer, _, place) {
    const { y, width, height, yText, dragged } = place, key = keyOf(layer), value = dragged?.key === key ? dragged.y : Number(layer.y), top = sharp(y.at(value));
    if (top < -1 || top > height + 1) return [];
    const said = dragged?.key === key ? yText(value) : layer.text ?? yText(value);
    const name = layer.name ? `${layer.name} ${said}` : said;
    const base = top < 14 ? top + 12 : top - 4;
    const nodes = [
      s("path", { class: `layer rule ${layer.className ?? ""}`, d: `M0 ${top}H${width}` }),
      s("text", { class: `rule-name ${layer.className ?? ""}`, x: px(endOf(base, name, place)), y: px(base), "text-anchor": "end" }, name),
    ];
    if (layer.onDrag) {
      nodes.push(s("rect", {
        class: "grip", x: 0, y: top - 12, width, height: 24, "data-rule": key, tabindex: 0, role: "slider",
        "aria-label": layer.name ?? name, "aria-valuenow": value, "aria-valuetext": said, "aria-orientation": "vertical",
      }));
    }
    return nodes;
  },
  said: () => "",
};
