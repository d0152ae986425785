// The pre-check: what the venue would say to the order in the ticket, and what it would cost. Asked when what was entered rests a moment,
// over the WebSocket: a price that is half typed is refused, and to a browser every refusal over HTTP is an error of the page.

import { Refused } from "../app/api.js";
import { say } from "../app/dom.js";
import { units } from "../app/decimal.js";
import { feed } from "../app/feed.js";
import { money, number, short } from "../app/format.js";
import { isLive } from "../app/line.js";
import { at } from "../app/page.js";
import { t } from "../app/words.js";
import { mark } from "./pace.js";
import { FORMS } from "./order_form.js";
import { reasonText } from "./outcome.js";
import { refusalText, saidOf } from "./ticket.js";

const REST_MS = 250;
const ROWS = ["notional", "reserve", "fee", "available"];

export class Check {
  /** @param {import("./ticket.js").Ticket} ticket @param {import("./account.js").Account} account */
  constructor(ticket, account) {
    this.ticket = ticket;
    this.account = account;
    this.asked = 0;
    /** What the most depends on, of what is shown. */
    this.terms = "";
    this.side = "";
    this.timer = 0;
    /** The most lots that the account could buy or sell at this price, as far as known. @type {number | null} */
    this.most = null;
    for (const button of document.querySelectorAll("[data-share]")) {
      button.addEventListener("click", () => this.takeShare(Number(button.getAttribute("data-share"))));
    }
    at("ticket-max").addEventListener("click", () => this.takeShare(100));
  }

  /** What would be sent has changed: no answer to what was entered before is taken, and what is shown of one is dimmed. */
  changed() {
    const { client_order_id, quantity, display_quantity, ...rest } = this.ticket.body(), terms = JSON.stringify(rest);
    this.asked++;
    if (terms !== this.terms) this.showMost(null);
    if (rest.side !== this.side) this.showNothing(t("check.asks"));
    this.terms = terms;
    this.side = rest.side;
    this.setStale(true);
    this.later();
  }

  /** Asks in a moment. */
  later() {
    clearTimeout(this.timer);
    this.timer = window.setTimeout(() => this.ask(), REST_MS);
  }

  async ask() {
    const body = this.ticket.body(), isPriced = FORMS[this.ticket.type].prices.every((name) => name in body), isWhole = "quantity" in body;
    const number = ++this.asked;
    if (!isPriced || !isLive()) {
      this.showMost(null);
      this.showNothing(t(isPriced ? "check.no_line" : "check.enter"));
      return;
    }
    try {
      const tested = await feed.request("test_order", isWhole ? body : { ...body, quantity: 1, display_quantity: undefined });
      if (number !== this.asked) return;
      this.ticket.showErrors(new Map());
      if (tested.verdict === "repeated") this.account.ask(`/v1/orders/${tested.repeats}`, {}, (order) => this.ticket.hear(order));
      if ((tested.reason === "account_kill_switch") !== Boolean(this.account.facts?.kill_switch)) this.account.refreshFacts();
      this.showMost(this.mostOf(tested, isWhole ? body.quantity : 1));
      if (isWhole) this.show(tested);
      else this.showNothing(t("check.enter"));
    } catch (error) {
      if (number === this.asked) this.showRefusal(error);
    }
  }

  /** @param {unknown} error */
  showRefusal(error) {
    this.showMost(null);
    if (!(error instanceof Refused)) {
      this.showNothing(t("check.no_answer"));
      return;
    }
    this.ticket.showErrors(saidOf(error));
    this.showNothing(t("check.refused", { why: refusalText(error) }), "refused");
  }

  /** @param {any} tested the venue's answer */
  show(tested) {
    const { side } = this.ticket, isShort = side === "buy" ? tested.available_after.startsWith("-") : tested.available_quantity_after < 0;
    this.row("notional", short(tested.notional), money(tested.notional));
    this.row("fee", tested.fee_as_taker === tested.fee_as_maker ? money(tested.fee_as_taker) : t("check.fee_both", { taker: money(tested.fee_as_taker), maker: money(tested.fee_as_maker) }), t("check.fees", { taker: money(tested.fee_as_taker), maker: money(tested.fee_as_maker) }));
    if (side === "buy") this.row("reserve", short(tested.reserve), money(tested.reserve));
    else this.row("reserve", t("check.lots", { lots: number(tested.reserve_quantity) }), "");
    if (side === "buy") this.row("available", short(tested.available_after), money(tested.available_after));
    else this.row("available", t("check.lots", { lots: number(tested.available_quantity_after).replace("-", "−") }), "");
    mark(at("check"), "short", isShort ? "yes" : "no");
    const kind = tested.verdict === "accepted" ? "accepted" : "refused";
    this.tell(t(`check.${tested.verdict}`, { why: reasonText(tested), order: tested.repeats }), kind);
  }

  /** @param {string} name @param {string} value @param {string} exact */
  row(name, value, exact) {
    const node = at(`check-${name}`);
    say(node, value);
    node.title = exact;
    node.dataset.exact = exact;
  }

  /** @param {string} said @param {string} [kind] */
  showNothing(said, kind = "none") {
    for (const name of ROWS) this.row(name, "–", "");
    mark(at("check"), "short", "no");
    this.tell(said, kind);
  }

  /** @param {boolean} isStale whether it is the answer to something else than what is entered now */
  setStale(isStale) {
    mark(at("check"), "stale", isStale ? "yes" : "no");
    mark(at("verdict"), "stale", isStale ? "yes" : "no");
  }

  /** @param {string} said @param {string} kind */
  tell(said, kind) {
    const verdict = at("verdict");
    this.setStale(false);
    mark(verdict, "kind", kind);
    say(verdict, said);
  }

  /** The most lots for what is available, from what a number of them needs. @param {any} tested @param {number} lots */
  mostOf(tested, lots) {
    const { max_quantity } = this.ticket.instrument, limit = this.account.facts?.limits.max_order_quantity ?? max_quantity;
    const isBuy = this.ticket.side === "buy";
    const needed = isBuy ? units(tested.reserve) : BigInt(tested.reserve_quantity);
    const available = needed + (isBuy ? units(tested.available_after) : BigInt(tested.available_quantity_after));
    if (needed <= 0n) return null;
    return Math.max(0, Math.min(Number((available * BigInt(lots)) / needed), max_quantity, limit));
  }

  /** @param {number | null} most */
  showMost(most) {
    this.most = most;
    say(at("ticket-max"), most === null ? "–" : number(most));
    for (const button of document.querySelectorAll("[data-share]")) /** @type {HTMLButtonElement} */ (button).disabled = most === null;
  }

  /** @param {number} percent of the most */
  takeShare(percent) {
    if (this.most !== null) this.ticket.takeQuantity(Math.floor((this.most * percent) / 100));
  }
}
