// The candles of one interval: the past from REST, the present from pushes, which hold where both have one.

import { read } from "../app/api.js";
import { feed } from "../app/feed.js";
import { midnight } from "../app/format.js";

/** How many candles are read. */
const PAST = 300;

/** @typedef {{start: string, trading_date?: string | null, open: string, high: string, low: string, close: string, quantity: number, amount: string, trades: number, closed: boolean}} Candle */

export class Candles {
  /** @param {string} symbol @param {() => void} changed */
  constructor(symbol, changed) {
    this.symbol = symbol;
    this.changed = changed;
    this.interval = "";
    /** @type {Map<number, Candle>} by the moment of their start */ this.known = new Map();
    /** What pushes have told since the last snapshot. @type {Map<number, Candle | null>} */ this.told = new Map();
    /** Whether the past was read. */ this.isRead = false;
    /** @type {() => void} */ this.leave = () => {};
  }

  /** Follows another interval. @param {string} interval */
  open(interval) {
    this.leave();
    this.interval = interval;
    this.known.clear();
    this.told.clear();
    this.isRead = false;
    this.leave = feed.follow({ channels: ["candles"], symbols: [this.symbol], interval }, (push) => this.take(push));
    this.readPast();
    this.changed();
  }

  async readPast() {
    const { interval } = this;
    const { candles } = await read(`/v1/market/${this.symbol}/candles`, { interval, limit: PAST });
    if (interval !== this.interval) return;
    this.known = new Map(candles.map((/** @type {Candle} */ candle) => [momentOf(candle), candle]));
    this.isRead = true;
    for (const [key, candle] of this.told) this.put(key, candle);
    this.changed();
  }

  /** @param {import("../app/feed.js").Push} push */
  take({ type, data }) {
    if (type === "snapshot") {
      this.told.clear();
      if (this.isRead) this.readPast(); // The line was cut: more may have changed than a snapshot holds.
    }
    for (const candle of data.candles) this.tell(momentOf(candle), candle);
    for (const start of data.removed) this.tell(momentOf({ start }), null);
    this.changed();
  }

  /** @param {number} key @param {Candle | null} candle */
  tell(key, candle) {
    this.told.set(key, candle);
    this.put(key, candle);
  }

  /** @param {number} key @param {Candle | null} candle */
  put(key, candle) {
    if (candle) this.known.set(key, candle);
    else this.known.delete(key);
  }

  /** Oldest first. @returns {Candle[]} */
  list() {
    return [...this.known].sort(([a], [b]) => a - b).map(([, candle]) => candle);
  }
}

/** The moment of a candle on the axis: of a day, whose start is a date in pushes, its midnight in Shanghai.
 * @param {{start: string, trading_date?: string | null}} candle */
export function momentOf({ start, trading_date }) {
  const date = trading_date ?? (start.length === 10 ? start : null);
  return date ? midnight(date) : Date.parse(start);
}
