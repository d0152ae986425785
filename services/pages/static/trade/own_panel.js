// The panel of the account: open orders, fills, ended orders, ledger, balances, one tab each. A tab is filled when it is seen.

import { read } from "../app/api.js";
import { say } from "../app/dom.js";
import { money, number, short } from "../app/format.js";
import { at } from "../app/page.js";
import { saveButton } from "../app/save.js";
import { get, watch } from "../app/store.js";
import { t } from "../app/words.js";
import { chooseTab, tab } from "./choices.js";
import { symbol } from "./instrument.js";
import { cancelAll, OrdersTable } from "./orders_table.js";
import { showEnded, showFills, showHoldings, showLedger } from "./own_tables.js";
import { paced } from "./pace.js";

const LINES = 100;
const LEDGER_PACE_MS = 1_000;
const TABS = ["open", "fills", "ended", "ledger", "balances"];
/** The API's names of the columns that a tab saves. @type {Record<string, string[]>} */
const COLUMNS = {
  open: ["order_id", "client_order_id", "created_at", "symbol", "side", "order_type", "time_in_force", "stop_price", "price", "display_quantity", "leaves_qty", "quantity", "state"],
  fills: ["trade_id", "order_id", "time", "symbol", "side", "price", "quantity", "amount", "fee", "liquidity", "busted"],
  ended: ["order_id", "updated_at", "symbol", "side", "order_type", "time_in_force", "price", "quantity", "cum_qty", "avg_px", "state", "reason"],
  ledger: ["seq", "time", "cause", "symbol", "order_id", "trade_id", "cash", "fee", "reserved", "quantity", "reserved_quantity"],
  balances: ["symbol", "quantity", "reserved", "available"],
};

export class OwnPanel {
  /** @param {import("./account.js").Account} account */
  constructor(account) {
    this.account = account;
    this.shown = TABS.includes(tab()) ? tab() : "open";
    this.orders = new OrdersTable(at("open-body"), at("open-empty"));
    /** @type {any[]} */
    this.ledger = [];
    this.readLedger = paced(LEDGER_PACE_MS, () => this.askLedger());
    for (const name of TABS) {
      at(`tab-${name}`).addEventListener("click", () => this.open(name));
      at(`tab-${name}`).addEventListener("keydown", (event) => this.step(name, event));
    }
    at("own-acts").append(saveButton("own", () => this.csv()));
    at("cancel-here").addEventListener("click", () => this.cancelAll("cancel-here", symbol, this.openHere()));
    at("cancel-everywhere").addEventListener("click", () => this.cancelAll("cancel-everywhere", "*", [...account.open.values()]));
    watch(["orders"], () => this.showOrders());
    watch(["fills"], () => this.showFills());
    watch(["balances"], () => this.showBalances());
    this.open(this.shown);
  }

  /** @param {string} button @param {string} where @param {any[]} orders */
  async cancelAll(button, where, orders) {
    await cancelAll(at(button), where, orders);
    this.showOrders();
  }

  openHere() {
    return [...this.account.open.values()].filter((order) => order.symbol === symbol);
  }

  /** @param {string} name */
  open(name) {
    this.shown = name;
    chooseTab(name);
    for (const other of TABS) {
      const button = at(`tab-${other}`);
      button.setAttribute("aria-selected", String(other === name));
      button.tabIndex = other === name ? 0 : -1;
      at(`own-${other}`).hidden = other !== name;
    }
    if (name === "ledger") this.readLedger();
    this.showOrders();
    this.showFills();
    this.showBalances();
  }

  /** @param {string} name @param {KeyboardEvent} event */
  step(name, event) {
    const by = /** @type {Record<string, number>} */ ({ ArrowRight: 1, ArrowLeft: -1 })[event.key];
    if (by === undefined) return;
    event.preventDefault();
    const next = TABS[(TABS.indexOf(name) + by + TABS.length) % TABS.length];
    this.open(next);
    at(`tab-${next}`).focus();
  }

  showOrders() {
    const { account } = this;
    say(at("count-open"), account.open.size);
    /** @type {HTMLButtonElement} */ (at("cancel-here")).disabled = this.openHere().length === 0;
    /** @type {HTMLButtonElement} */ (at("cancel-everywhere")).disabled = account.open.size === 0;
    if (this.shown === "open") this.orders.show([...account.open.values()].sort((a, b) => Number(b.order_id) - Number(a.order_id)), account.ended);
    if (this.shown === "ended") showEnded(at("ended-body"), at("ended-empty"), account.ended);
  }

  showFills() {
    if (this.shown === "fills") showFills(at("fills-body"), at("fills-empty"), this.account.fills);
  }

  showBalances() {
    const balances = get("balances");
    if (!balances) return;
    const held = this.account.holding(symbol);
    for (const name of ["cash", "reserved", "available"]) {
      say(at(`balance-${name}`), short(balances[name]));
      at(`balance-${name}`).title = money(balances[name]);
    }
    say(at("balance-lots"), number(held.quantity));
    say(at("balance-reserved-lots"), number(held.reserved));
    say(at("balance-available-lots"), number(held.available));
    if (this.shown === "balances") showHoldings(at("balances-body"), balances);
    if (this.shown === "ledger") this.readLedger();
  }

  async askLedger() {
    try {
      this.ledger = (await read("/v1/account/ledger", { limit: LINES })).lines;
      say(at("ledger-said"), t("ledger.shown", { lines: this.ledger.length }));
      showLedger(at("ledger-body"), this.ledger);
    } catch (error) {
      say(at("ledger-said"), error instanceof Error ? error.message : String(error));
    }
  }

  csv() {
    const { account, shown } = this, head = COLUMNS[shown], balances = get("balances");
    const cash = balances ? [{ symbol: "CNY", quantity: balances.cash, reserved: balances.reserved, available: balances.available }] : [];
    const found = /** @type {Record<string, any[]>} */ ({
      open: [...account.open.values()], fills: account.fills, ended: account.ended, ledger: this.ledger, balances: [...cash, ...(balances?.holdings ?? [])],
    })[shown];
    return [head, ...found.map((line) => head.map((name) => line[name]))];
  }
}
