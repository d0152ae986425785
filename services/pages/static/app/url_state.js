// The URL is the state: a copied link shows the same view. Names: year, day, product, account, seq, lang, theme and a page's own.

/** @param {string} name */
export const read = (name) => new URLSearchParams(location.search).get(name);

/** The year of the address; null where it names none that a report can be of. */
export function year() {
  const asked = Number(read("year"));
  return Number.isInteger(asked) && asked >= 2000 && asked <= 2099 ? asked : null;
}

/** This page's address with some names changed; null takes a name out. @param {Record<string, string | number | null>} changes */
export function address(changes, path = location.pathname) {
  const query = new URLSearchParams(location.search);
  for (const [name, value] of Object.entries(changes)) {
    if (value === null) query.delete(name);
    else query.set(name, String(value));
  }
  const text = query.toString();
  return path + (text ? `?${text}` : "");
}

/** Changes names in the address. `push`: the browser's Back leads to the view before.
 * @param {Record<string, string | number | null>} changes @param {{push?: boolean}} [options] */
export function write(changes, { push = false } = {}) {
  history[push ? "pushState" : "replaceState"](null, "", address(changes));
}

/** Calls `show` when Back or Forward changed the address. @param {() => void} show */
export const onReturn = (show) => addEventListener("popstate", show);
