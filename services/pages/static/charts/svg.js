// SVG nodes, and the charts' stylesheet, which comes with the first of them.

const SVG = "http://www.w3.org/2000/svg";
const sheet = new URL("./charts.css", import.meta.url).pathname;

if (![...document.styleSheets].some(({ href }) => href && new URL(href).pathname === sheet)) {
  const link = document.createElement("link");
  link.rel = "stylesheet";
  link.href = sheet;
  document.head.append(link);
}

/**
 * An SVG element. Attributes that are null are left out.
 * @param {string} tag @param {Record<string, string | number | null | undefined>} [attributes] @param {...(Node | string)} children
 * @returns {SVGElement}
 */
export function s(tag, attributes = {}, ...children) {
  const node = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value !== null && value !== undefined) node.setAttribute(name, String(value));
  }
  node.append(...children);
  return node;
}

/** A pixel, to a tenth: shorter paths. @param {number} pixel */
export const px = (pixel) => Math.round(pixel * 10) / 10;

/** A line's pixel in the middle of a device pixel: sharp. @param {number} pixel */
export const sharp = (pixel) => Math.round(pixel) + 0.5;

/** About how many pixels a text of the axes takes. @param {string} text */
export const breadthOf = (text) => [...text].reduce((sum, sign) => sum + (sign > "\u2e80" ? 11.5 : 6.4), 0);
