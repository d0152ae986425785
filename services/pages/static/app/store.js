// Named values of a page. Whoever watches one is called at most once a frame after it was set.

/** @type {Map<string, any>} */
const values = new Map();
/** @type {Map<string, Set<() => void>>} */
const watchers = new Map();
/** @type {Set<() => void>} */
const due = new Set();
let isAsked = false;

/** @param {string} name */
export const get = (name) => values.get(name);

/** Sets a value and calls its watchers in the next frame. @param {string} name @param {any} value */
export function set(name, value) {
  values.set(name, value);
  for (const show of watchers.get(name) ?? []) due.add(show);
  ask();
}

/** Calls `show` in the next frame, and in the frame after each change of one of these names.
 * @param {string[]} names @param {() => void} show @returns {() => void} stops watching */
export function watch(names, show) {
  for (const name of names) {
    const known = watchers.get(name) ?? new Set();
    watchers.set(name, known.add(show));
  }
  due.add(show);
  ask();
  return () => {
    for (const name of names) watchers.get(name)?.delete(show);
    due.delete(show);
  };
}

function ask() {
  if (isAsked || !due.size) return;
  isAsked = true;
  requestAnimationFrame(() => {
    isAsked = false;
    const now = [...due];
    due.clear();
    for (const show of now) {
      try {
        show();
      } catch (error) {
        reportError(error); // One panel's trouble is not that of the others.
      }
    }
  });
}
