// The book is shown in the next frame; what is slower waits for the frame of another part, at a pace that an eye can follow.

/** So much longer a slower part waits for the frame of another one: a frame costs more than what changes in it. */
const COMPANY_MS = 110;

/** @typedef {{show: () => void, ms: number, shownAt: number}} Part */
/** @type {Set<Part>} */
const due = new Set();
let nextAt = Infinity, timer = 0;

/**
 * A function that has `show` called in the next frame, at most once in `ms`: of 0 in the next one, else in that of another part
 * where one comes in time. The last call is never lost.
 * @param {number} ms @param {() => void} show
 */
export function paced(ms, show) {
  const part = { show, ms, shownAt: -Infinity };
  return () => {
    due.add(part);
    ask();
  };
}

/** Sees to it that the part that is due first is shown in time. */
function ask() {
  const now = performance.now();
  const at = Math.min(...[...due].map(({ shownAt, ms }) => (ms ? Math.max(shownAt + ms, now) + COMPANY_MS : now)));
  if (at >= nextAt) return;
  clearTimeout(timer);
  nextAt = at;
  if (at > now) timer = window.setTimeout(() => requestAnimationFrame(beat), at - now);
  else requestAnimationFrame(beat);
}

function beat() {
  nextAt = Infinity;
  const now = performance.now();
  for (const part of [...due]) {
    if (part.shownAt + part.ms > now) continue;
    due.delete(part);
    part.shownAt = now;
    part.show();
  }
  ask();
}

/** A text node that is touched only when its text changes: nothing is read back from the page. */
export class Cell {
  constructor() {
    this.node = document.createTextNode("");
    this.text = "";
  }

  /** @param {string | number} value */
  show(value) {
    const text = String(value);
    if (text === this.text) return;
    this.text = text;
    this.node.data = text;
  }
}

/** An attribute that is touched only when it changes. @param {HTMLElement} node @param {string} name of the data attribute @param {string} value */
export function mark(node, name, value) {
  if (node.dataset[name] !== value) node.dataset[name] = value;
}
