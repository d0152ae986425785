// The depth chart: how many lots lie up to each price, on both sides of the book, in a range around its middle: a far-away order would
// squeeze the others.

import { forDrawing } from "../app/decimal.js";
import { say } from "../app/dom.js";
import { grouped, number, PERCENT } from "../app/format.js";
import { at } from "../app/page.js";
import { saveButton } from "../app/save.js";
import { t } from "../app/words.js";
import { Chart } from "../charts/chart.js";
import { REACHES, chooseReach, reach } from "./choices.js";
import { paced } from "./pace.js";

const PACE_MS = 1_000;
/** So many prices of each side are seen at first, within so many per cent: a far order in a thin book is none of them. */
const SHOWN = 6, MOST = 1;

export class DepthChart {
  /** @param {import("../app/book.js").Book} book @param {import("./ticks.js").Ticks} ticks @param {string} symbol */
  constructor(book, ticks, symbol) {
    this.book = book;
    this.tick = forDrawing(ticks.price(1));
    this.host = at("depth-chart");
    this.later = paced(PACE_MS, () => this.show());
    this.chart = new Chart(this.host, {
      label: t("depth.label", { symbol }), sentence: () => this.sentence(), x: "number", height: 152, zero: true, legend: false,
      xName: t("field.price"), xText: (x) => grouped(x.toFixed(ticks.places)), yText: (y) => grouped(y.toFixed(0)), empty: t("ladder.empty"),
    });
    /** What the chart showed when this module chose it; another view was chosen by a person. @type {[number, number] | null} */
    this.view = null;
    at("depth-narrower").addEventListener("click", () => this.reachOut(-1));
    at("depth-wider").addEventListener("click", () => this.reachOut(1));
    at("depth-acts").append(saveButton("depth", () => this.csv()));
    /** Which of REACHES is shown; null: not known yet. */
    this.reach = reach();
    this.showReach();
  }

  /** @param {number} by steps of REACHES, to the outside */
  reachOut(by) {
    this.reach = REACHES[REACHES.indexOf(this.reach ?? 0) + by];
    chooseReach(this.reach);
    this.showReach();
    this.view = this.chart.view;
    this.show();
  }

  /** Without a choice: the least reach that shows SHOWN prices of each side, as the book is at first. */
  fit() {
    const { bids, asks } = this.book;
    if (this.reach !== null || !bids.length || !asks.length) return;
    const [low, bid, ask, high] = [bids[Math.min(SHOWN, bids.length) - 1], bids[0], asks[0], asks[Math.min(SHOWN, asks.length) - 1]].map(({ price }) => forDrawing(price));
    const middle = (bid + ask) / 2, far = Math.max(middle - low, high - middle);
    this.reach = REACHES.find((percent) => percent >= MOST || (middle * percent) / 100 >= far) ?? MOST;
    this.showReach();
  }

  showReach() {
    const step = REACHES.indexOf(this.reach ?? 0);
    say(at("depth-reach"), this.reach === null ? "" : this.reach ? `±${this.reach}${PERCENT}` : t("depth.all"));
    /** @type {HTMLButtonElement} */ (at("depth-narrower")).disabled = this.reach === null || step === 0;
    /** @type {HTMLButtonElement} */ (at("depth-wider")).disabled = this.reach === null || step === REACHES.length - 1;
  }

  /** The range of prices around the middle, where both sides have orders. @returns {{from: number, to: number} | null} null: all */
  range() {
    const bid = forDrawing(this.book.bids[0]?.price), ask = forDrawing(this.book.asks[0]?.price), middle = (bid + ask) / 2;
    if (!this.reach || Number.isNaN(middle)) return null;
    const half = Math.max((middle * this.reach) / 100, ask - bid); // the best prices are always seen
    return { from: middle - half, to: middle + half };
  }

  show() {
    if (!this.host.offsetParent) return;
    this.fit();
    const { bids, asks } = this.book, range = this.range(), isOurs = this.chart.view === this.view;
    this.chart.show([
      { type: "area", name: t("depth.bids"), className: "buy", data: stairs(bids, -this.tick, range?.from).reverse() },
      { type: "area", name: t("depth.asks"), className: "sell", data: stairs(asks, this.tick, range?.to) },
    ]);
    if (!isOurs) return;
    this.chart.zoom(range);
    this.view = this.chart.view;
  }

  sentence() {
    const { bids, asks } = this.book, total = (/** @type {{quantity: number}[]} */ side) => side.reduce((sum, level) => sum + level.quantity, 0);
    return t("depth.sentence", { bids: number(total(bids)), asks: number(total(asks)), bid: number(bids[0]?.price), ask: number(asks[0]?.price) });
  }

  csv() {
    const head = ["side", "price", "quantity", "orders"], { bids, asks } = this.book;
    return [head, ...bids.map((level) => ["bid", level.price, level.quantity, level.orders]), ...asks.map((level) => ["ask", level.price, level.quantity, level.orders])];
  }
}

/** Two points at each price: the lots before it, and with it; the last ones hold for a tick more, or to the end of the range.
 * @param {import("../app/book.js").Level[]} levels best first @param {number} tick away from the best price @param {number} [end] of the range */
function stairs(levels, tick, end) {
  let sum = 0;
  const steps = levels.flatMap(({ price, quantity }) => {
    const x = forDrawing(price), before = sum;
    sum += quantity;
    return [{ x, y: before, text: number(sum) }, { x, y: sum, text: number(sum) }];
  }), last = steps.at(-1);
  if (!last) return [];
  const beyond = last.x + tick, isWithin = end !== undefined && (end - beyond) * tick > 0;
  return [...steps, { ...last, x: isWithin ? end : beyond }];
}
