// What was typed outlives a change of the language, which loads the page again: for that one load, and for this page alone.

const PLACE = "carried";

/** @type {Map<string, () => unknown>} */
const givers = new Map();

const found = JSON.parse(sessionStorage.getItem(PLACE) ?? "{}");
sessionStorage.removeItem(PLACE);

/** What the page before this one gave under a name. @param {string} name @param {() => unknown} give called before the language changes @returns {any} undefined: nothing */
export function carry(name, give) {
  givers.set(name, give);
  return found.path === location.pathname ? found.given[name] : undefined;
}

/** Keeps what was typed for the next load. */
export function keepCarried() {
  const given = Object.fromEntries([...givers].map(([name, give]) => [name, give()]));
  sessionStorage.setItem(PLACE, JSON.stringify({ path: location.pathname, given }));
}
