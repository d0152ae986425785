// Fast data is shown in the next frame, and then at a pace that an eye can follow.

/** All fast data of the page is shown in the same frames, which are at least so far apart: a frame costs more than what changes in it. */
const BEAT_MS = 85;

/** @typedef {{show: () => void, ms: number, shownAt: number}} Part */
/** @type {Set<Part>} */
const due = new Set();
let beatAt = -Infinity, nextAt = Infinity, timer = 0;

/**
 * A function that has `show` called in the next frame, at most once in `ms`. The last call is never lost.
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
  const first = Math.min(...[...due].map((part) => part.shownAt + part.ms)), at = Math.max(first, beatAt + BEAT_MS);
  if (at >= nextAt) return;
  clearTimeout(timer);
  nextAt = at;
  const wait = at - performance.now();
  if (wait > 0) timer = window.setTimeout(() => requestAnimationFrame(beat), wait);
  else requestAnimationFrame(beat);
}

function beat() {
  nextAt = Infinity;
  beatAt = performance.now();
  for (const part of [...due]) {
    if (part.shownAt + part.ms > beatAt) continue;
    due.delete(part);
    part.shownAt = beatAt;
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
