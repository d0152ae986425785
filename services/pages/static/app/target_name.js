// The name of a target: that of one which the venue has set by itself in the page's language, any other as a person gave it.

import { page } from "./page.js";
import { t } from "./words.js";

/** @param {string} name */
const slug = (name) => name.toLowerCase().replace(/[^a-z0-9]+/g, "_");

/** @param {string} name @returns {string} */
export function targetName(name) {
  const [end = "", year, seed] = /: (\d{4}), seed (\d+)$/.exec(name) ?? []; // of a simulated year
  const key = slug(name.slice(0, name.length - end.length));
  return page.words[`target_name.${key}`] === undefined ? name : t(`target_name.${key}`, { year, seed });
}
