// Candles and volume, with own orders as rules that can be dragged, and own fills as marks.

import { once } from "../app/act.js";
import { forDrawing } from "../app/decimal.js";
import { confirm } from "../app/dialog.js";
import { day, grouped, minute, money, number, stamp } from "../app/format.js";
import { at } from "../app/page.js";
import { saveButton } from "../app/save.js";
import { t } from "../app/words.js";
import { Chart } from "../charts/chart.js";
import { Candles, momentOf } from "./candles.js";
import { RANGES, chooseRange, range } from "./choices.js";
import { lotsText, nameOfOrder } from "./outcome.js";
import { amendOrder } from "./orders_table.js";
import { paced } from "./pace.js";

const PACE_MS = 500, EDGE_PX = 8;
/** How many candles are shown at first. */
const SHOWN = 90;
/** The axis reaches to own orders within this share of the last price; a far one would flatten the candles. */
const NEAR = 0.015;

export class PriceChart {
  /** @param {any} instrument @param {import("./ticks.js").Ticks} ticks @param {import("./account.js").Account} account */
  constructor(instrument, ticks, account) {
    this.instrument = instrument;
    this.ticks = ticks;
    this.account = account;
    this.host = at("price-chart");
    this.later = paced(PACE_MS, () => this.show());
    this.candles = new Candles(instrument.symbol, this.later);
    this.chart = new Chart(this.host, {
      label: t("chart.label", { symbol: instrument.symbol }),
      sentence: () => this.sentence(),
      x: "slots", height: Math.max(200, this.host.clientHeight - EDGE_PX),
      xText: (x) => (this.candles.interval === "1d" ? day(x) : `${day(x).slice(5)} ${minute(x)}`),
      xName: t("time.head"), yText: (y) => grouped(y.toFixed(ticks.places)), belowText: (y) => grouped(y.toFixed(0)),
      empty: t("chart.no_candles"), legend: false,
      onRange: ({ from, to }) => { this.chart.zoom({ from, to }); this.setZoomed(true); },
    });
    this.isZoomed = false;
    /** What the chart showed when this module chose it; another view was chosen by a person. @type {[number, number] | null} */
    this.view = null;
    at("chart-whole").addEventListener("click", () => { this.setZoomed(false); this.show(); });
    at("chart-acts").append(saveButton("candles", () => this.csv()));
    for (const button of document.querySelectorAll("[data-range]")) button.addEventListener("click", () => this.open(button.getAttribute("data-range") ?? "", true));
    new ResizeObserver(() => this.fit()).observe(this.host);
    this.open(range(), false);
  }

  fit() {
    const height = Math.max(200, this.host.clientHeight - EDGE_PX);
    if (Math.abs(height - this.chart.height) < 2) return;
    this.chart.height = height;
    this.chart.svg.setAttribute("height", String(height));
    this.chart.ask();
  }

  /** @param {string} interval @param {boolean} isChosen by hand */
  open(interval, isChosen) {
    if (!RANGES.includes(interval)) return;
    if (isChosen) chooseRange(interval);
    for (const button of document.querySelectorAll("[data-range]")) button.setAttribute("aria-pressed", String(button.getAttribute("data-range") === interval));
    this.setZoomed(false);
    this.candles.open(interval);
  }

  show() {
    const candles = this.candles.list(), moments = candles.map(momentOf);
    this.chart.show([
      { type: "candles", name: t("chart.price"), data: candles.map((candle, index) => ({
        x: moments[index], open: forDrawing(candle.open), high: forDrawing(candle.high), low: forDrawing(candle.low), close: forDrawing(candle.close),
        text: t("chart.ohlc", { open: number(candle.open), high: number(candle.high), low: number(candle.low), close: number(candle.close) }),
        cells: [candle.open, candle.high, candle.low, candle.close],
      })) },
      { type: "bars", name: t("chart.volume"), axis: "below", data: candles.map((candle, index) => ({
        x: moments[index], y: candle.quantity, text: t("chart.lots", { lots: lotsText(candle.quantity), amount: money(candle.amount) }), className: forDrawing(candle.close) < forDrawing(candle.open) ? "down" : "up",
      })) },
      ...this.rules(), { type: "marks", name: t("chart.fills"), data: this.fills(moments) },
    ]);
    this.follow(moments);
    if (this.candles.isRead) this.host.dataset.candles = String(candles.length);
  }

  /** Keeps the last candles in view, until a person looks at others. @param {number[]} moments */
  follow(moments) {
    const { chart } = this;
    if (chart.view !== this.view) this.setZoomed(true);
    if (this.isZoomed) return;
    chart.zoom(moments.length > SHOWN ? { from: moments[moments.length - SHOWN], to: moments[moments.length - 1] } : null);
    this.view = chart.view;
  }

  /** @param {boolean} isZoomed by hand */
  setZoomed(isZoomed) {
    this.isZoomed = isZoomed;
    this.view = this.chart.view;
    at("chart-whole").hidden = !isZoomed;
  }

  /** Own orders that have a price: waiting stops by their trigger. @returns {import("../charts/types.js").Layer[]} */
  rules() {
    const own = [...this.account.open.values()].filter((order) => order.symbol === this.instrument.symbol);
    return own.map((order) => {
      const name = order.triggered === false ? "stop_price" : "price";
      return { order, name, price: order[name] };
    }).filter(({ price }) => price !== null).map(({ order, name, price }) => ({
      type: "rule", key: order.order_id, y: forDrawing(price), fit: this.isNear(forDrawing(price)), text: number(price), grain: forDrawing(this.instrument.tick_size), className: order.side,
      name: t(name === "price" ? "chart.order" : "chart.stop", { side: t(`act.${order.side}`), lots: number(order.leaves_qty) }),
      onDrag: (y) => this.drop(order, name, this.ticks.nearest(y)),
    }));
  }

  /** Whether a price is so near to the last one that the axis shows it. @param {number} price */
  isNear(price) {
    const last = this.candles.list().at(-1)?.close ?? this.instrument.reference_price;
    return Math.abs(price / forDrawing(last) - 1) < NEAR;
  }

  /** Own fills of the instrument, each at the candle it belongs to. @param {number[]} moments @returns {import("../charts/types.js").Point[]} ascending */
  fills(moments) {
    const own = this.account.fills.filter((fill) => fill.symbol === this.instrument.symbol && !fill.busted).reverse();
    return own.flatMap((fill) => {
      const made = Date.parse(fill.time), x = moments.findLast((moment) => moment <= made);
      if (x === undefined) return [];
      const title = t("chart.fill", { side: t(`act.${fill.side}`), lots: number(fill.quantity), price: number(fill.price), time: stamp(fill.time) });
      return [{ x, y: forDrawing(fill.price), className: fill.side, shape: /** @type {"up" | "down"} */ (fill.side === "buy" ? "up" : "down"), title, text: title }];
    });
  }

  /** An own order was dragged to a price: asks, then amends it. @param {any} order @param {string} name @param {string} price */
  async drop(order, name, price) {
    if (price === order[name]) return;
    const agreed = await confirm({
      title: t("drag.title"), act: t("drag.act"), consequence: t("drag.consequence"),
      facts: [[t("drag.order"), nameOfOrder(order)], [t(`field.${name}`), t("drag.from_to", { from: number(order[name]), to: number(price) })]],
    });
    if (agreed) await once(this.host, () => amendOrder(order, { [name]: price }));
    this.later();
  }

  sentence() {
    const candles = this.candles.list(), last = candles.at(-1);
    if (!last) return t("chart.no_candles");
    const highest = candles.reduce((best, { high }) => (forDrawing(high) > forDrawing(best) ? high : best), last.high);
    const lowest = candles.reduce((best, { low }) => (forDrawing(low) < forDrawing(best) ? low : best), last.low);
    return t("chart.sentence", { count: candles.length, interval: t(`range.${this.candles.interval}`), last: number(last.close), high: number(highest), low: number(lowest) });
  }

  csv() {
    const head = ["start", "trading_date", "open", "high", "low", "close", "quantity", "amount", "trades"];
    return [head, ...this.candles.list().map((candle) => head.map((name) => /** @type {any} */ (candle)[name] ?? ""))];
  }
}
