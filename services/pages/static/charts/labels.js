// Where texts stand in a small picture, so that none covers another, and lines run through few of them.

import { breadthOf } from "./svg.js";

/** @typedef {{x: number, y: number, width: number, height: number}} Box its middle and its size, pixels */
/** @typedef {{x: number, y: number, half: number}} Ink a point of a line, and half of the line's breadth */

const LINE_PX = 14, BASE_PX = 4, GAP = 2;
/** A text over another is so much worse than a line through it. */
const TEXT_WEIGHT = 100;

/** How much two boxes cover of each other. @param {Box} a @param {Box} b */
function shared(a, b) {
  const across = (a.width + b.width) / 2 + GAP - Math.abs(a.x - b.x), down = (a.height + b.height) / 2 - Math.abs(a.y - b.y);
  return across > 0 && down > 0 ? across * down : 0;
}

/** Texts that are placed one after the other, each where it covers the least of what stands there. */
export class Labels {
  /** @param {number} width of the picture @param {number} height @param {Box[]} taken what texts leave free
   * @param {Ink[]} inked points of the lines */
  constructor(width, height, taken, inked) {
    this.width = width;
    this.height = height;
    this.taken = [...taken];
    this.inked = inked;
  }

  /** The middle and the base line of a text: the first of these places that is free, else the freest.
   * @param {string} text @param {{x: number, y: number}[]} places of its base line, the best first */
  place(text, places) {
    const width = breadthOf(text), half = width / 2 + GAP;
    /** @type {Box | null} */
    let best = null;
    let least = Infinity;
    for (const { x, y } of places) {
      const box = { x: Math.max(half, Math.min(this.width - half, x)), y: Math.max(LINE_PX / 2, Math.min(this.height - LINE_PX / 2, y - BASE_PX)), width, height: LINE_PX };
      const through = this.inked.filter((ink) => Math.abs(ink.x - box.x) < half + ink.half && Math.abs(ink.y - box.y) < LINE_PX / 2 + ink.half).length;
      const cover = through + TEXT_WEIGHT * this.taken.reduce((sum, other) => sum + shared(box, other), 0);
      if (cover < least) [best, least] = [box, cover];
      if (!cover) break;
    }
    if (!best) return { x: half, y: LINE_PX };
    this.taken.push(best);
    return { x: best.x, y: best.y + BASE_PX };
  }
}
