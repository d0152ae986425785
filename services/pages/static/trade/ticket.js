// The ticket. It does not judge what was entered: the venue does, before (check.js) and when it is sent; what it says stands beside the field.

import { once, newId } from "../app/act.js";
import { OutcomeUnknown, Refused, send } from "../app/api.js";
import { carry } from "../app/carried.js";
import { fill, h, say } from "../app/dom.js";
import { number } from "../app/format.js";
import { at, page } from "../app/page.js";
import { toast } from "../app/toasts.js";
import { t, term } from "../app/words.js";
import { isNumberField } from "./number_fields.js";
import { FORMS, fieldsOf, orderBody, shanghaiField, whole } from "./order_form.js";
import { nameOfOrder, outcomeOf, reasonText } from "./outcome.js";

/** A second click or Enter this soon after the first one means the first one. */
const TWICE_MS = 500;

/** The code of a refusal: an order with this id is there already, with another body. */
const USED_UP = "client_order_id_reused";

const FIELDS = ["stop_price", "price", "quantity", "time_in_force", "expire_time", "post_only", "display_quantity", "self_trade_prevention"];

export class Ticket {
  /** @param {any} instrument @param {() => void} changed called when what would be sent has changed */
  constructor(instrument, changed) {
    this.instrument = instrument;
    this.changed = changed;
    this.side = "buy";
    this.type = "limit";
    /** Of the order that this form will send: a new one only after an answer. */
    this.id = newId();
    /** Whether an order with this id was sent, and nobody knows what became of it. */
    this.isUnknown = false;
    /** What that order was. */
    this.sentName = "";
    /** The last order with this id of which a push told, which may come before the answer is given up. @type {any} */
    this.heard = null;
    this.sentAt = -Infinity;
    this.form = /** @type {HTMLFormElement} */ (at("ticket"));
    this.form.addEventListener("submit", (event) => { event.preventDefault(); this.submit(); });
    this.form.addEventListener("input", () => this.show());
    this.form.addEventListener("keydown", (event) => {
      if (event.key === "Enter" && event.repeat) event.preventDefault();
    });
    for (const button of this.form.querySelectorAll("[data-choose-side]")) button.addEventListener("click", () => this.chooseSide(button.getAttribute("data-choose-side") ?? ""));
    for (const button of this.form.querySelectorAll("[data-choose-type]")) button.addEventListener("click", () => this.chooseType(button.getAttribute("data-choose-type") ?? ""));
    this.field("expire_time").value = shanghaiField(Math.ceil(Date.now() / 3_600_000) * 3_600_000 + 3_600_000);
    this.chooseType("limit");
    this.restore(carry("ticket", () => this.typed()));
  }

  /** All that a person has set, and which order it is. */
  typed() {
    const { side, type, id, isUnknown, sentName } = this;
    return { side, type, id, isUnknown, sentName, fields: FIELDS.map((name) => (this.field(name).type === "checkbox" ? this.field(name).checked : this.field(name).value)) };
  }

  /** @param {ReturnType<Ticket["typed"]> | undefined} typed before the language was changed */
  restore(typed) {
    if (!typed) return;
    const { fields, type, ...rest } = typed;
    Object.assign(this, rest);
    this.chooseType(type);
    for (const [index, name] of FIELDS.entries()) {
      const field = this.field(name), value = fields[index];
      if (typeof value === "boolean") field.checked = value;
      else field.value = value;
    }
    this.show();
  }

  /** @param {string} name of the API @returns {HTMLInputElement} */
  field(name) {
    return /** @type {HTMLInputElement} */ (this.form.elements.namedItem(name));
  }

  /** @param {string} side */
  chooseSide(side) {
    this.side = side;
    this.show();
  }

  /** @param {string} type */
  chooseType(type) {
    this.type = type;
    const select = /** @type {HTMLSelectElement} */ (/** @type {unknown} */ (this.field("time_in_force"))), before = select.value, { times } = FORMS[type];
    fill(select, times.map((time) => h("option", { value: time }, t(`time.${time}.long`))));
    select.value = times.includes(before) ? before : times[0];
    this.show();
  }

  /** Takes a price into the form, from the ladder or the chart. @param {string} price */
  takePrice(price) {
    const name = FORMS[this.type].prices.at(-1);
    if (!name) return;
    this.field(name).value = price;
    this.show();
  }

  /** @param {number} lots */
  takeQuantity(lots) {
    this.field("quantity").value = String(lots);
    this.show();
  }

  /** The keys b and s: the side and, from elsewhere, the first field that is empty. @param {string} side */
  enter(side) {
    this.chooseSide(side);
    if (isNumberField(document.activeElement) && this.form.contains(document.activeElement)) return;
    const field = this.field(this.firstEmpty() ?? "quantity");
    field.focus();
    field.select();
  }

  /** The first field that an order needs and nobody has filled. @returns {string | undefined} */
  firstEmpty() {
    return [...FORMS[this.type].prices, "quantity"].find((name) => !this.field(name).value.trim());
  }

  /** What would be sent now. */
  body() {
    const time = this.field("time_in_force").value;
    const entered = Object.fromEntries(FIELDS.map((name) => {
      const field = this.field(name);
      return [name, field.type === "checkbox" ? field.checked : field.value];
    }));
    return orderBody({ symbol: this.instrument.symbol, side: this.side, type: this.type, time, clientOrderId: this.id }, entered);
  }

  /** Shows the fields that the chosen type has, and what the button will do. */
  show() {
    const time = this.field("time_in_force").value, wanted = fieldsOf(this.type, time);
    for (const name of FIELDS) {
      const row = this.field(name).closest(".field");
      if (row instanceof HTMLElement) row.hidden = !wanted.has(name);
    }
    for (const button of this.form.querySelectorAll("[data-choose-side]")) button.setAttribute("aria-pressed", String(button.getAttribute("data-choose-side") === this.side));
    for (const button of this.form.querySelectorAll("[data-choose-type]")) button.setAttribute("aria-pressed", String(button.getAttribute("data-choose-type") === this.type));
    this.form.dataset.side = this.side;
    say(at("ticket-hint"), t(`type.${this.type}.hint`));
    say(at("ticket-time-hint"), t(`time.${time}.hint`));
    say(at("ticket-options-said"), this.optionsSaid(wanted));
    at("ticket-unknown").hidden = !this.isUnknown;
    say(at("ticket-unknown"), this.isUnknown ? t("ticket.unknown", { order: this.sentName }) : "");
    const lots = this.field("quantity").value.trim();
    say(at("ticket-send"), t(lots ? "ticket.send" : "ticket.send_empty", { side: t(`act.${this.side}`), quantity: number(lots), symbol: this.instrument.symbol }));
    this.changed();
  }

  /** The options behind the summary that are not as usual. @param {Set<string>} wanted */
  optionsSaid(wanted) {
    const shown = this.field("display_quantity").value.trim();
    return [
      wanted.has("post_only") && this.field("post_only").checked && t("option.post_only"),
      wanted.has("display_quantity") && shown && t("option.iceberg", { shown }),
      t("option.self_trade", { what: t(`self_trade.${this.field("self_trade_prevention").value}`) }),
    ].filter(Boolean).join(" · ");
  }

  async submit() {
    const now = performance.now();
    if (now - this.sentAt < TWICE_MS) return;
    this.sentAt = now;
    const empty = this.firstEmpty();
    if (empty) {
      this.showErrors(new Map([[empty, t("ticket.empty")]]));
      this.field(empty).focus();
      return;
    }
    const had = this.form.contains(document.activeElement);
    const isDone = await once(this.form, () => this.place());
    this.settle();
    if (isDone) this.field("quantity").value = "";
    if (isDone && had) this.field("quantity").focus();
    this.show();
  }

  /** Sends the order. A rejected one is an answer, too. @returns {Promise<string>} */
  async place() {
    this.showErrors(new Map());
    const body = this.body();
    if (!this.isUnknown) this.sentName = nameOfOrder(body);
    let order;
    try {
      order = await send("POST", "/v1/orders", body);
    } catch (error) {
      // A refusal of a repetition says nothing about the first one, except that its id is used up.
      if (error instanceof OutcomeUnknown) this.isUnknown = true;
      else if (!this.isUnknown || (error instanceof Refused && error.code === USED_UP)) this.begin();
      if (error instanceof Refused) this.showErrors(saidOf(error));
      throw error;
    }
    this.begin();
    if (order.state === "rejected") throw new Error(t("order.outcome", { order: nameOfOrder(order), state: reasonText(order) }));
    return outcomeOf(order);
  }

  /** Begins another order: what became of the last one is known. */
  begin() {
    this.id = newId();
    this.isUnknown = false;
  }

  /** An order of the account has changed: if it is the one whose outcome was unknown, that is known now. @param {any} order */
  hear(order) {
    if (order.client_order_id !== this.id) return;
    this.heard = order;
    this.settle();
  }

  settle() {
    if (!this.isUnknown || this.heard?.client_order_id !== this.id) return;
    this.begin();
    toast("done", t("ticket.known_now", { outcome: outcomeOf(this.heard) }));
    const field = this.field("quantity");
    if (whole(field.value.trim()) === this.heard.quantity) field.value = ""; // as after any order that was placed
    this.show();
  }

  /** What is wrong with fields, beside them. @param {Map<string, string>} messages by name */
  showErrors(messages) {
    for (const name of FIELDS) {
      const field = this.field(name), said = document.getElementById(`why-${name}`);
      field.setAttribute("aria-invalid", String(messages.has(name)));
      if (said) say(said, messages.get(name) ?? "");
    }
  }

  /** Today's terms beside the fields. @param {any} ticker */
  showTerms(ticker) {
    const { tick_size, max_quantity } = this.instrument;
    this.field("price").placeholder = number(ticker.last ?? ticker.reference_price);
    const terms = t("ticket.price_terms", { low: number(ticker.lower_limit), high: number(ticker.upper_limit), tick: number(tick_size) });
    say(at("terms-price"), terms);
    say(at("terms-quantity"), t("ticket.quantity_terms", { most: number(max_quantity) }));
  }
}

/** Why a field was refused. The venue's sentence, which has the numbers, is English. @param {Refused} refusal @param {string} message */
const whyText = (refusal, message) => (page.lang === "zh" ? term("problem", refusal.code) : message);

/** What the venue says about fields. @param {Refused} refusal @returns {Map<string, string>} */
export const saidOf = (refusal) => new Map(refusal.fields.map(({ field, message }) => [field, whyText(refusal, message)]));

/** A refusal in one line. @param {Refused} refusal */
export function refusalText(refusal) {
  const [field] = refusal.fields;
  if (field) return t("check.field", { field: term("field", field.field), why: whyText(refusal, field.message) });
  return page.lang === "zh" ? term("problem", refusal.code) : `${term("problem", refusal.code)}: ${refusal.message}`;
}
