// The accounts that a dialog lets choose from: those last read, or read now.

import { readAll } from "../app/api.js";
import { get, set } from "../app/store.js";

/** @typedef {{account: number, name: string, owner: number}} AccountFacts */

/** @returns {Promise<AccountFacts[]>} */
export async function knownAccounts() {
  if (!get("accounts")) set("accounts", await readAll("/v1/admin/accounts", "accounts"));
  return get("accounts");
}

/** Members' accounts as choices: 1 is the venue's own. @param {AccountFacts[]} accounts @returns {[string, string][]} */
export const choicesOf = (accounts) =>
  accounts.filter(({ account }) => account > 1).map(({ account, name }) => [String(account), `${account} · ${name}`]);
