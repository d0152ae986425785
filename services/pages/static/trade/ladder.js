// The ladder: asks above bids, the best of each in the middle. Its rows are made once and never move; only what changed is touched.

import { h, say } from "../app/dom.js";
import { grouped, money, number, short } from "../app/format.js";
import { t } from "../app/words.js";
import { groupOf, steps, sumTo } from "./levels.js";
import { Middle } from "./middle.js";
import { lotsText } from "./outcome.js";
import { Cell, mark } from "./pace.js";

/** How many levels of each side are shown. */
export const DEPTH = 12;

/** @typedef {"bid" | "ask"} Side @typedef {import("./levels.js").Step} Step */

class Line {
  /** @param {Side} side @param {number} rank 0: the best */
  constructor(side, rank) {
    this.side = side;
    this.rank = rank;
    /** @type {Step | null} */
    this.step = null;
    this.own = 0;
    this.cells = { own: new Cell(), orders: new Cell(), gap: new Cell(), price: new Cell(), quantity: new Cell(), sum: new Cell() };
    const { own, orders, gap, price, quantity, sum } = this.cells;
    this.size = h("td", { class: "num size" }, quantity.node); // its own share: on the row it would be inherited by every cell
    this.node = h("tr", { class: side, data: { side } },
      h("td", { class: "own" }, own.node), h("td", { class: "num dim" }, orders.node),
      h("td", { class: "num price" }, h("small", { class: "gap" }, gap.node), h("span", {}, price.node)),
      this.size, h("td", { class: "num sum" }, sum.node));
    this.share = "";
  }

  /** @param {Step | null} step @param {string} price @param {number} most the largest size shown @param {number} own lots */
  show(step, price, most, own) {
    this.step = step;
    this.own = own;
    const { cells } = this, { dataset } = this.node;
    cells.own.show(own ? `◆ ${grouped(own)}` : "");
    cells.orders.show(step ? step.orders : "");
    cells.gap.show(step?.gap ? `⋯${step.gap < 1_000 ? step.gap : `${Math.floor(step.gap / 1_000)}k`}` : "");
    cells.price.show(step ? grouped(price) : "");
    cells.quantity.show(step ? grouped(step.quantity) : "");
    cells.sum.show(step ? grouped(step.sum) : "");
    const share = step ? `${Math.ceil((step.quantity * 50) / most) * 2}%` : "0%";
    if (share !== this.share) this.size.style.setProperty("--share", (this.share = share));
    if (dataset.price !== (step ? price : undefined)) {
      if (step) dataset.price = price;
      else delete dataset.price;
    }
    mark(this.node, "gap", step?.gap ? "yes" : "no");
  }
}

export class Ladder {
  /**
   * @param {object} parts
   * @param {HTMLTableSectionElement} parts.body @param {HTMLElement} parts.said where the sum is told
   * @param {import("../app/book.js").Book} parts.book @param {import("./ticks.js").Ticks} parts.ticks @param {any} parts.instrument
   * @param {(price: string, side: Side) => void} parts.pick gets the price of a chosen level
   */
  constructor({ body, said, book, ticks, instrument, pick }) {
    this.said = said;
    this.body = body;
    this.book = book;
    this.ticks = ticks;
    this.instrument = instrument;
    this.group = 1;
    /** @type {any[]} own open orders of the instrument in the book */ this.own = [];
    /** @type {any} */ this.ticker = null;
    /** Where the last price has moved. @type {import("./middle.js").Move} */ this.move = "flat";
    /** @type {Line | null} where the pointer or the focus is */ this.at = null;
    const ranks = [...Array(DEPTH).keys()];
    this.asks = ranks.map((rank) => new Line("ask", rank));
    this.bids = ranks.map((rank) => new Line("bid", rank));
    this.middle = new Middle();
    body.replaceChildren(...[...this.asks].reverse().map((line) => line.node), h("tr", { class: "middle" }, this.middle.node), ...this.bids.map((line) => line.node));
    this.lines = new Map([...this.asks, ...this.bids].map((line) => [line.node, line]));
    this.listen(body, pick);
  }

  /** @param {HTMLElement} body @param {(price: string, side: Side) => void} pick */
  listen(body, pick) {
    const lineOf = (/** @type {Event} */ event) =>
      this.lines.get(/** @type {HTMLTableRowElement} */ (/** @type {Element} */ (event.target).closest("tr"))) ?? null;
    const take = (/** @type {Line | null} */ line) => { if (line?.step) pick(this.ticks.price(line.step.ticks), line.side); };
    body.addEventListener("pointerover", (event) => this.point(lineOf(event)));
    body.addEventListener("pointerleave", () => this.point(null));
    body.addEventListener("click", (event) => take(lineOf(event)));
    body.addEventListener("focusin", (event) => this.point(lineOf(event)));
    body.addEventListener("focusout", () => this.point(null));
    this.bids[0].node.tabIndex = 0;
    body.addEventListener("keydown", (event) => {
      const order = [...this.asks].reverse().concat(this.bids), here = order.findIndex((line) => line.node === document.activeElement);
      const next = /** @type {Record<string, number>} */ ({ ArrowUp: here - 1, ArrowDown: here + 1 })[event.key];
      if (event.key === "Enter") take(this.at);
      if (next === undefined || !order[next]) return;
      event.preventDefault();
      order[here].node.tabIndex = -1;
      order[next].node.tabIndex = 0;
      order[next].node.focus();
    });
  }

  show() {
    const { book, ticks, group } = this;
    const asks = steps(book.asks, "ask", group, ticks, DEPTH), bids = steps(book.bids, "bid", group, ticks, DEPTH);
    const most = Math.max(1, ...asks.map((step) => step.quantity), ...bids.map((step) => step.quantity));
    const own = this.ownSizes();
    for (const [lines, found] of /** @type {[Line[], Step[]][]} */ ([[this.asks, asks], [this.bids, bids]])) {
      for (const line of lines) {
        const step = found[line.rank] ?? null;
        line.show(step, step ? ticks.price(step.ticks) : "", most, step ? own.get(`${line.side}${step.ticks}`) ?? 0 : 0);
      }
    }
    this.showMiddle();
    if (this.at) this.tell();
    this.body.dataset.seq = String(book.seq); // for who measures how soon a command is seen
  }

  /** What is shown, from top to bottom: of a row the price at which its group ends. */
  csv() {
    const shown = [...[...this.asks].reverse(), ...this.bids].flatMap(({ side, step, own }) => (step ? { side, ...step, own } : []));
    return [["side", "price", "quantity", "orders", "sum", "own"],
      ...shown.map(({ side, ticks, quantity, orders, sum, own }) => [side, this.ticks.price(ticks), quantity, orders, sum, own])];
  }

  /** Own open lots by side and group. */
  ownSizes() {
    /** @type {Map<string, number>} */
    const sizes = new Map();
    for (const order of this.own) {
      const side = order.side === "buy" ? "bid" : "ask", key = `${side}${groupOf(this.ticks.of(order.price), side, this.group)}`;
      sizes.set(key, (sizes.get(key) ?? 0) + order.leaves_qty);
    }
    return sizes;
  }

  showMiddle() {
    this.middle.show(this.book, this.ticks, this.ticker, this.move);
  }

  /** @param {Line | null} line */
  point(line) {
    if (line === this.at) return;
    this.at = line;
    for (const other of this.lines.values()) mark(other.node, "to", line && other.side === line.side && other.rank <= line.rank ? "yes" : "no");
    if (line) this.tell();
    else say(this.said, t("ladder.hint"));
  }

  tell() {
    const { at, book, ticks, instrument } = this;
    if (!at?.step) {
      say(this.said, t("ladder.hint"));
      return;
    }
    const found = sumTo(at.side === "bid" ? book.bids : book.asks, at.side, at.step.ticks, ticks, instrument.lot_size);
    const said = { price: number(ticks.price(at.step.ticks)), lots: lotsText(found.quantity) };
    say(this.said, t("ladder.sum", { ...said, average: number(found.average), short: short(found.amount) }));
    this.said.title = t("ladder.sum_exact", { ...said, average: number(found.exact), money: money(found.amount) });
  }
}
