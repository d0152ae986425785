// What who looks at a page may do on it, and the sentence that says so.

import { fill } from "../app/dom.js";
import { may, session } from "../app/session.js";
import { waysIn } from "../app/ways_in.js";
import { t } from "../app/words.js";

/**
 * @typedef {object} Access
 * @property {string | null} name of the person
 * @property {boolean} reads what operators read
 * @property {boolean} acts as an operator
 * @property {boolean} administers people and keys
 * @property {boolean} readsPeople the lists of people and keys
 */

/** @returns {Promise<Access>} */
export async function access() {
  const [who, reads, acts, administers, readsPeople] = await Promise.all([
    session,
    may("operate", "audit"),
    may("operate"),
    may("admin"),
    may("admin", "audit"),
  ]);
  return { name: who.name, reads, acts, administers, readsPeople };
}

/** Says in `node` what an account without these rights lacks. @param {HTMLElement} node @param {Access} rights */
export function tellAccess(node, rights) {
  node.hidden = rights.acts;
  if (rights.acts) return;
  if (rights.reads) return fill(node, t("access.auditor"));
  fill(node, t("access.nobody"), rights.name === null && waysIn("operator"));
}
