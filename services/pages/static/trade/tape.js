// The tape: the last trades of the instrument, newest on top. Its rows are made once; their texts move down, not the rows.

import { read } from "../app/api.js";
import { h, say } from "../app/dom.js";
import { clock, day, grouped, minute, money, short } from "../app/format.js";
import { at } from "../app/page.js";
import { t } from "../app/words.js";
import { Cell, mark } from "./pace.js";

/** So many trades are shown. */
export const KEPT = 40;

/** So many of the past are read to find one that was not busted. */
const PAST = 20;

export class Tape {
  /** @param {HTMLElement} body @param {string} symbol */
  constructor(body, symbol) {
    this.symbol = symbol;
    /** @type {any[]} newest first */
    this.trades = [];
    this.lines = Array.from({ length: KEPT }, () => {
      const cells = { time: new Cell(), price: new Cell(), quantity: new Cell(), amount: new Cell() };
      const node = h("tr", { data: { side: "none" } }, h("td", { class: "dim" }, cells.time.node), h("td", { class: "num side" }, cells.price.node),
        h("td", { class: "num" }, cells.quantity.node), h("td", { class: "num" }, cells.amount.node));
      return { node, cells, trade: /** @type {any} */ (null) };
    });
    body.replaceChildren(...this.lines.map((line) => line.node));
    body.addEventListener("pointerover", (event) => {
      const found = this.lines.find((line) => line.node.contains(/** @type {Node} */ (event.target)));
      if (found) found.node.title = found.trade ? this.said(found.trade) : "";
    });
  }

  /** @param {import("../app/feed.js").Push} push */
  take({ type, data }) {
    if (type === "snapshot" && !data.trades.length) this.tellLast().catch(() => {}); // the sentence without it stays
    const fresh = data.trades.slice().reverse();
    this.trades = [...fresh, ...(type === "snapshot" ? [] : this.trades)].slice(0, KEPT);
    const busted = new Set(data.busted);
    if (busted.size) this.trades = this.trades.map((trade) => (busted.has(trade.trade_id) ? { ...trade, busted: true } : trade));
  }

  /** Says, beside that today has no trade yet, when and at what price the last one was. */
  async tellLast() {
    say(at("tape-empty"), t("tape.empty"));
    const { trades } = await read(`/v1/market/${this.symbol}/trades`, { end: new Date().toISOString(), limit: PAST });
    const last = trades.find((/** @type {any} */ trade) => !trade.busted);
    if (last) say(at("tape-empty"), t("tape.empty_since", { price: grouped(last.price), time: `${day(last.time)} ${minute(last.time)}` }));
  }

  show() {
    at("tape-empty").hidden = this.trades.length > 0;
    for (const [number, line] of this.lines.entries()) {
      const trade = this.trades[number] ?? null;
      if (line.trade === trade) continue;
      line.trade = trade;
      mark(line.node, "side", trade ? trade.taker_side ?? "auction" : "none");
      mark(line.node, "busted", trade?.busted ? "yes" : "no");
      line.cells.time.show(trade ? clock(trade.time) : "");
      line.cells.price.show(trade ? grouped(trade.price) : "");
      line.cells.quantity.show(trade ? grouped(trade.quantity) : "");
      line.cells.amount.show(trade ? short(trade.amount) : "");
    }
  }

  /** @param {any} trade */
  said(trade) {
    const side = trade.busted ? t("tape.busted") : trade.taker_side ? t(`tape.${trade.taker_side}`) : t("tape.auction");
    return t("tape.title", { id: trade.trade_id, amount: money(trade.amount), side });
  }

  csv() {
    const head = ["time", "trade_id", "price", "quantity", "amount", "taker_side", "busted"];
    return [head, ...this.trades.map((trade) => head.map((name) => trade[name]))];
  }
}
