// The row between the sides of the ladder: the last price, the spread and the middle. Where there is no spread, why.

import { units } from "../app/decimal.js";
import { h } from "../app/dom.js";
import { number } from "../app/format.js";
import { t } from "../app/words.js";
import { between } from "./levels.js";
import { Cell, mark } from "./pace.js";
import { indication } from "./phases.js";

/** @typedef {"up" | "down" | "flat"} Move */
const ARROWS = { up: "▲", down: "▼", flat: "" };

/** Whether the last price is above or below the one before it that differs. @param {{price: string, busted: boolean}[]} trades newest first @returns {Move} */
export function moveOf(trades) {
  const [last, ...rest] = trades.filter(({ busted }) => !busted), before = rest.find(({ price }) => price !== last.price);
  return !before ? "flat" : units(last.price) > units(before.price) ? "up" : "down";
}

export class Middle {
  constructor() {
    this.arrow = new Cell();
    this.last = new Cell();
    this.kind = new Cell();
    this.first = new Cell();
    this.second = new Cell();
    this.price = h("b", {}, h("i", {}, this.arrow.node), " ", h("span", { data: { testid: "ladder-last" } }, this.last.node));
    this.spread = h("span", { data: { testid: "ladder-spread" } }, this.first.node);
    this.node = h("td", { colspan: 5, data: { testid: "ladder-middle" } },
      h("div", {}, this.price, this.spread, h("small", {}, this.kind.node), h("span", { data: { testid: "ladder-mid" } }, this.second.node)));
  }

  /** @param {import("../app/book.js").Book} book @param {import("./ticks.js").Ticks} ticks @param {any} ticker @param {Move} move */
  show({ bids: [bid], asks: [ask] }, ticks, ticker, move) {
    if (ticker) this.showLast(ticker, ticker.last ? move : "flat");
    if (ticker?.phase === "call_auction") this.say(...auctionTexts(ticker));
    else if (!bid || !ask) this.say(t(bid ? "ladder.no_asks" : ask ? "ladder.no_bids" : "ladder.empty"), t("ladder.no_middle"));
    else if (ticks.of(bid.price) >= ticks.of(ask.price)) this.say(t("ladder.crossed"), t("ladder.no_middle"));
    else {
      const { spread, share, middle } = between(bid.price, ask.price, ticks);
      this.say(t("ladder.spread", { ticks: number(spread), share: number(share) }), t("ladder.mid", { price: number(middle) }), t("ladder.spread_exact", { spread: number(ticks.price(spread)) }));
    }
  }

  /** @param {any} ticker @param {Move} move */
  showLast(ticker, move) {
    this.arrow.show(ARROWS[move]);
    this.last.show(number(ticker.last ?? ticker.reference_price));
    this.kind.show(t(ticker.last ? "ladder.last" : "quote.untraded"));
    mark(this.node, "direction", move);
    mark(this.node, "traded", ticker.last ? "yes" : "no");
    entitle(this.price, ticker.last ? t(`ladder.last_${move}`) : "");
  }

  /** @param {string} first @param {string} second @param {string} [title] of the first */
  say(first, second, title = "") {
    this.first.show(first);
    this.second.show(second);
    entitle(this.spread, title);
  }
}

/** @param {HTMLElement} node @param {string} title */
function entitle(node, title) {
  if (node.title !== title) node.title = title;
}

/** What the auction would do, and what it would leave over. @param {any} ticker @returns {[string, string]} */
function auctionTexts(ticker) {
  const { price, volume, imbalance, who } = indication(ticker);
  if (ticker.indicative_price === null) return [t("ladder.auction_none"), t("ladder.no_middle")];
  return [t("ladder.auction", { price, volume }), t(who ? "ladder.left" : "ladder.left_none", { lots: imbalance, who })];
}
