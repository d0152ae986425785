// What the page shows, by its address: the reports of a year, of all or of one account and product.

import { read, readAll } from "../app/api.js";
import { page } from "../app/page.js";
import { get, set } from "../app/store.js";
import * as url from "../app/url_state.js";

/** The year of the venue's trading day. */
export const presentYear = () => Number((get("venue") ?? page.first.venue)?.trading_date.slice(0, 4) ?? new Date().getFullYear());

export const year = () => url.year() ?? presentYear();
/** The account that was asked for; 0: all. */
export const account = () => Number(url.read("account")) || 0;
/** The product that was asked for; null: all. */
export const product = () => url.read("product");

/** @typedef {{at_least_seq?: number}} After the last act of this page
 * @type {Record<string, (after: After) => Promise<any>>} */
const READS = {
  hands: (after) => read(`/v1/reports/turnover/${year()}/changed_hands`, after),
  decisions: (after) => read("/v1/reports/decisions", { year: year(), limit: 50, ...after }),
  accounts: () => readAll("/v1/admin/accounts", "accounts"),
  findings: (after) => read(`/v1/reports/findings/${year()}`, after),
  abnormal: (after) => read(`/v1/reports/abnormal_trading/${year()}`, after),
  groups: (after) => readAll("/v1/reports/control_groups", "control_groups", after),
};
/** What every logged-in person may read. */
export const READ_BY_ALL = ["hands", "decisions"];
export const READ_BY_OPERATORS = ["accounts", "findings", "abnormal", "groups"];

let asked = 0;

/** Reads the reports anew, after the last act. Each is set as its name, and `NAME.trouble` as the sentence why it could not be read.
 * @param {string[]} names */
export async function load(names) {
  const number = ++asked,
    seq = get("acted");
  await Promise.all(
    names.map(async (name) => {
      try {
        const answer = await READS[name](seq ? { at_least_seq: seq } : {});
        if (number !== asked) return;
        set(`${name}.trouble`, null);
        set(name, answer);
      } catch (error) {
        if (number === asked) set(`${name}.trouble`, error instanceof Error ? error.message : String(error));
      }
    }),
  );
}

/** @typedef {import("../operate/accounts.js").AccountFacts} AccountFacts */

/** The accounts of a member: of an owner group all. @param {string} name @returns {number[]} */
export function accountsOf(name) {
  /** @type {AccountFacts[]} */ const all = get("accounts") ?? [];
  const member = all.find((one) => one.name === name);
  return member ? all.filter((one) => ownerOf(one) === ownerOf(member)).map((one) => one.account) : [];
}

/** @param {AccountFacts} one */
const ownerOf = (one) => one.owner || one.account;

/** "19 · Silver Birch Trading". @param {number} number */
export const accountText = (number) => {
  const found = (get("accounts") ?? []).find((/** @type {AccountFacts} */ one) => one.account === number);
  return found ? `${number} · ${found.name}` : String(number);
};

/** Whether a member is the one that was asked for. @param {string} name */
export const isAsked = (name) => !account() || accountsOf(name).includes(account());
