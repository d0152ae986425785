// Where the ticket is: for who may trade the ticket, its check and the account's panel; for others a sentence on what it needs.

import { say } from "../app/dom.js";
import { feed } from "../app/feed.js";
import { at } from "../app/page.js";
import { session } from "../app/session.js";
import { get, watch } from "../app/store.js";
import { t } from "../app/words.js";
import { Check } from "./check.js";
import { toastFills } from "./fill_toasts.js";
import { tickers } from "./instrument.js";
import { showNeeds } from "./needs.js";
import { OwnPanel } from "./own_panel.js";
import { entryNote } from "./phases.js";
import { Ticket } from "./ticket.js";

export class TicketPanel {
  /** @param {any} instrument @param {import("./account.js").Account} account */
  constructor(instrument, account) {
    this.account = account;
    this.ticker = tickers.get(instrument.symbol);
    this.phase = "";
    /** @type {Check | null} */
    this.check = null;
    this.ticket = new Ticket(instrument, () => this.check?.changed());
    this.check = new Check(this.ticket, account);
    account.onOrder.push((order) => this.ticket.hear(order));
    account.onFills.push(toastFills);
    // What is available, and what is taken, has changed: the answer may be another one.
    watch(["balances"], () => this.check?.later());
    watch(["account", "account_trouble"], () => this.showAccount());
    watch(["venue"], () => this.hearTicker(this.ticker));
    feed.addEventListener("state", () => this.check?.later());
  }

  showAccount() {
    const facts = get("account"), trouble = get("account_trouble");
    if (facts) say(at("ticket-account"), t("ticket.account", { name: facts.name, account: facts.account }));
    at("account-trouble").hidden = !trouble;
    say(at("account-trouble"), trouble ? t("ticket.account_trouble", { why: trouble }) : "");
    this.hearTicker(this.ticker);
  }

  /** @param {any} ticker of the instrument */
  hearTicker(ticker) {
    if (!ticker) return;
    this.ticker = ticker;
    this.ticket.showTerms(ticker);
    const note = this.account.facts?.kill_switch ? t("entry.account_kill_switch") : entryNote(ticker, get("venue"));
    at("ticket-note").hidden = !note;
    say(at("ticket-note"), note);
    if (ticker.phase !== this.phase) this.check?.later();
    this.phase = ticker.phase;
  }
}

/** Opens the panel for who may trade. @param {any} instrument @param {import("./account.js").Account} account */
export async function openTicketPanel(instrument, account) {
  const who = await session;
  // On a phone a button leads to the ticket, while that is out of sight.
  new IntersectionObserver(([seen]) => { at("to-ticket").hidden = seen.isIntersecting; }).observe(at("order"));
  if (!who.scopes.includes("trade") || !who.account) {
    showNeeds(who);
    return null;
  }
  at("ticket").hidden = false;
  at("own").dataset.for = at("order").dataset.for = "trader";
  const panel = new TicketPanel(instrument, account);
  new OwnPanel(account);
  account.start();
  return panel;
}
