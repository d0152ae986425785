// What the server wrote into the page for its scripts, and the nodes that scripts look for.

/** @param {string} id @returns {HTMLElement} */
export function at(id) {
  const found = document.getElementById(id);
  if (!found) throw new Error(`the page has no #${id}`);
  return found;
}

/**
 * @typedef {object} PageData
 * @property {string} page the page's name: overview, figure, …
 * @property {"en" | "zh"} lang
 * @property {Record<string, string>} words of the catalogue, in the page's language
 * @property {boolean} demo
 * @property {string} symbol the instrument of a page about one
 * @property {Record<string, any>} first what the first paint shows, by the path of the API that answered it
 */

/** @type {PageData} */
export const page = JSON.parse(at("page").textContent ?? "");
