// The account of who looks: its open and ended orders, fills and balances, from pushes; from REST the past of them, and what no push tells.

import { Refused, read } from "../app/api.js";
import { feed } from "../app/feed.js";
import { set } from "../app/store.js";

const ENDED = 40;
const FILLS = 100;
/** The facts are read again so long after they were, when balances have changed. */
const FACTS_MS = 10_000;
const FAILED_MS = 3_000;
const OPEN = new Set(["new", "partially_filled"]);

export class Account {
  constructor() {
    /** @type {Map<string, any>} open orders by order_id */ this.open = new Map();
    /** @type {any[]} that ended, newest first */ this.ended = [];
    /** @type {any[]} newest first */ this.fills = [];
    /** @type {any} */ this.balances = null;
    /** What the pushes do not tell: name, fee rates, limits. @type {any} */ this.facts = null;
    /** @type {((order: any) => void)[]} called with each order that was told */ this.onOrder = [];
    /** @type {((fills: any[]) => void)[]} called with the fills of one command */ this.onFills = [];
    /** The reads that failed and are tried again, with why, by path. @type {Map<string, string>} */ this.troubles = new Map();
    /** When each read is due, by path. @type {Map<string, number>} */ this.timers = new Map();
    this.factsAt = -Infinity;
    this.wasLive = feed.state === "live";
  }

  /** Begins to follow the account. */
  start() {
    feed.follow({ channels: ["orders"] }, (push) => this.takeOrders(push));
    feed.follow({ channels: ["fills"] }, (push) => this.takeFills(push));
    feed.follow({ channels: ["balances"] }, (push) => this.takeBalances(push));
    feed.addEventListener("state", () => {
      if (feed.state !== "live") return;
      if (this.wasLive) this.readFacts();
      this.wasLive = true;
    });
    this.readFacts();
  }

  /** Reads until there is an answer; why there is none is told. @param {string} path @param {Record<string, any>} query @param {(answer: any) => void} take */
  async ask(path, query, take) {
    this.plan(path, null);
    try {
      take(await read(path, query));
      this.troubles.delete(path);
    } catch (error) {
      this.troubles.set(path, error instanceof Error ? error.message : String(error));
      const isFinal = error instanceof Refused && (error.status === 401 || error.status === 403);
      if (!isFinal) this.plan(path, () => this.ask(path, query, take), FAILED_MS);
    }
    set("account_trouble", [...this.troubles.values()][0] ?? null);
  }

  /** @param {string} path @param {(() => void) | null} act instead of what was planned @param {number} [ms] from now */
  plan(path, act, ms) {
    clearTimeout(this.timers.get(path));
    this.timers.delete(path);
    if (act) this.timers.set(path, window.setTimeout(act, ms));
  }

  readFacts() {
    this.factsAt = performance.now();
    this.ask("/v1/account", {}, (facts) => set("account", this.facts = facts));
  }

  /** What no push tells may have changed, too: reads it again, at most every FACTS_MS. */
  refreshFacts() {
    if (!this.timers.has("/v1/account")) this.plan("/v1/account", () => this.readFacts(), Math.max(0, this.factsAt + FACTS_MS - performance.now()));
  }

  /** @param {import("../app/feed.js").Push} push */
  takeOrders({ type, data }) {
    if (type === "snapshot") {
      this.open.clear();
      this.readEnded();
    }
    for (const order of data.orders) {
      this.open.delete(order.order_id);
      if (OPEN.has(order.state)) this.open.set(order.order_id, order);
      else this.addEnded([order]);
      for (const hear of this.onOrder) hear(order);
    }
    if (!data.more) set("orders", this.open); // what a part holds is not all
  }

  readEnded() {
    this.ask("/v1/orders", { state: "closed", limit: ENDED }, ({ orders }) => {
      this.addEnded(orders);
      set("orders", this.open);
      for (const order of orders) for (const hear of this.onOrder) hear(order);
    });
  }

  /** @param {any[]} orders */
  addEnded(orders) {
    const known = new Map([...this.ended, ...orders].map((order) => [order.order_id, order]));
    this.ended = [...known.values()].sort((a, b) => b.seq - a.seq).slice(0, ENDED);
  }

  /** @param {import("../app/feed.js").Push} push */
  takeFills({ type, data }) {
    if (type === "snapshot") this.readFills();
    this.addFills(data.fills);
    const busted = new Set(data.busts.map((/** @type {any} */ bust) => bust.trade_id));
    if (busted.size) this.fills = this.fills.map((fill) => (busted.has(fill.trade_id) ? { ...fill, busted: true } : fill));
    set("fills", this.fills);
    if (data.fills.length) for (const hear of this.onFills) hear(data.fills);
  }

  readFills() {
    this.ask("/v1/fills", { limit: FILLS }, ({ fills }) => {
      this.addFills(fills);
      set("fills", this.fills);
    });
  }

  /** A fill that was told later holds; what is busted stays so. @param {any[]} fills */
  addFills(fills) {
    const known = new Map(this.fills.map((fill) => [keyOf(fill), fill]));
    for (const fill of fills) known.set(keyOf(fill), { ...fill, busted: fill.busted || known.get(keyOf(fill))?.busted });
    this.fills = [...known.values()].sort((a, b) => b.seq - a.seq).slice(0, FILLS);
  }

  /** @param {import("../app/feed.js").Push} push */
  takeBalances({ type, data }) {
    const before = type === "snapshot" || !this.balances ? [] : this.balances.holdings;
    const holdings = new Map([...before, ...data.holdings].map((/** @type {any} */ holding) => [holding.symbol, holding]));
    this.balances = { ...data, holdings: [...holdings.values()].filter((holding) => holding.quantity || holding.reserved) };
    set("balances", this.balances);
    if (type !== "snapshot") this.refreshFacts();
  }

  /** What the account holds of an instrument. @param {string} symbol */
  holding(symbol) {
    return this.balances?.holdings.find((/** @type {any} */ found) => found.symbol === symbol) ?? { symbol, quantity: 0, reserved: 0, available: 0 };
  }

  /** The open orders of an instrument that have a price in its book: no waiting stops, nothing without a price. @param {string} symbol */
  inBook(symbol) {
    return [...this.open.values()].filter((order) => order.symbol === symbol && order.triggered !== false && order.price !== null);
  }
}

/** @param {any} fill */
const keyOf = (fill) => `${fill.trade_id}/${fill.order_id}`;
