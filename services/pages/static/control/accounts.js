// The accounts with their balances, and the chosen one with its holdings, limits and acts.

import { readAll } from "../app/api.js";
import { h } from "../app/dom.js";
import { grouped, money } from "../app/format.js";
import { get, set, watch } from "../app/store.js";
import { toast } from "../app/toasts.js";
import * as url from "../app/url_state.js";
import { t } from "../app/words.js";
import { actButton, outcomeLine } from "../operate/acts.js";
import { Listing, panel } from "../operate/listing.js";
import { accountBody } from "./account.js";
import { openAct } from "./account_admin.js";
import { feesAct } from "./fees.js";
import { reveal } from "./market.js";

const EVERY_MS = 5_000;

/** @param {any} account */
const picker = (account) =>
  h(
    "button",
    {
      type: "button",
      class: "pick",
      data: { account: account.account, testid: "pick-account" },
      onclick: () => choose(account.account),
    },
    account.name,
  );

/** @param {number} account */
function choose(account) {
  url.write({ account });
  set("account", account);
  reveal("account");
}

/** The chosen account, of those last read. @returns {any} */
export const chosenAccount = () => {
  const number = get("account") ?? Number(url.read("account")),
    all = get("accounts") ?? [];
  return all.find((/** @type {any} */ one) => one.account === number) ?? all.find((/** @type {any} */ one) => one.account > 1) ?? all[0]; // 1 is the venue's own
};

/** @param {import("../operate/access.js").Access} rights @returns {HTMLElement} */
export function accountsPanel(rights) {
  const listing = new Listing({
    id: "accounts",
    label: t("accounts"),
    keyOf: (one) => String(one.account),
    empty: t("accounts.none"),
    rowKind: (one) => (one.account === chosenAccount()?.account ? "chosen" : ""),
    columns: [
      { name: t("account.number"), text: (one) => one.account, num: true },
      { name: t("account.name"), text: (one) => one.name, show: picker },
      { name: t("account.owner"), text: (one) => (one.owner === one.account || !one.owner ? "–" : one.owner), num: true },
      { name: t("account.cash"), text: (one) => money(one.cash), num: true },
      { name: t("account.available"), text: (one) => money(one.available), num: true },
      { name: t("account.open_orders"), text: (one) => grouped(one.open_orders), num: true },
      { name: t("account.day_turnover"), text: (one) => money(one.day_turnover), num: true },
      {
        name: t("kill.account"),
        text: (one) => (one.kill_switch ? t("kill.on") : t("kill.off")),
        kind: (one) => (one.kill_switch ? "danger halted" : "dim"),
      },
    ],
  });
  const body = h("div", { class: "body", id: "account", data: { testid: "account" } });
  watch(["accounts", "account"], () => {
    const all = get("accounts");
    if (!all) return;
    listing.show(all);
  });
  accountBody(body, rights);
  const outcome = outcomeLine();
  const list = panel(
    "accounts-panel",
    t("accounts"),
    [
      rights.administers && actButton(t("open.act"), "open-account", outcome, openAct()),
      rights.administers && actButton(t("fees.act"), "set-fees", outcome, feesAct()),
      h("span", { class: "dim" }, t("accounts.fresh")),
      listing.save,
    ],
    rights.administers && outcome,
    listing.node,
  );
  const chosen = h("aside", { class: "panel", "aria-label": t("account") }, h("header", {}, h("h2", {}, t("account"))), body);
  keepFresh(list);
  return h("div", { class: "beside" }, list, chosen);
}

/** Reads the accounts while they are in view, and after every act. @param {HTMLElement} node */
function keepFresh(node) {
  let isSeen = false;
  const look = () => {
    if (isSeen && document.visibilityState === "visible") readAccounts();
  };
  new IntersectionObserver(([entry]) => {
    isSeen = entry.isIntersecting;
  }).observe(node);
  setInterval(look, EVERY_MS);
  watch(["acted"], readAccounts);
}

let isUnderWay = false;

async function readAccounts() {
  if (isUnderWay) return;
  isUnderWay = true;
  try {
    set("accounts", await readAll("/v1/admin/accounts", "accounts"));
  } catch (error) {
    if (!get("accounts")) toast("refused", error instanceof Error ? error.message : String(error));
  } finally {
    isUnderWay = false;
  }
}
