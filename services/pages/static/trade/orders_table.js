// Own open orders. Price, quantity and what else can be changed are amended in their row; what was typed there outlives what happens around it.

import { once } from "../app/act.js";
import { send } from "../app/api.js";
import { confirm } from "../app/dialog.js";
import { h, rows, say } from "../app/dom.js";
import { clock, number, stamp } from "../app/format.js";
import { t } from "../app/words.js";
import { whole } from "./order_form.js";
import { nameOfOrder, outcomeOf, reasonText, typeText } from "./outcome.js";

const FIELDS = ["stop_price", "price", "display_quantity", "quantity"];

/** What an amend may change of an order, with the present values. @param {any} order @returns {Record<string, string>} */
export function amendable(order) {
  /** @type {Record<string, string>} */
  const found = { quantity: String(order.quantity) };
  if (order.triggered === false) found.stop_price = order.stop_price;
  else found.display_quantity = String(order.display_quantity ?? "");
  if (order.price !== null) found.price = order.price;
  return found;
}

export class OrdersTable {
  /** @param {HTMLElement} body @param {HTMLElement} empty shown while there is none */
  constructor(body, empty) {
    this.body = body;
    this.empty = empty;
    /** @type {Set<string>} orders that are being amended */
    this.editing = new Set();
    /** @type {any[]} newest first */
    this.orders = [];
  }

  /** @param {any[]} orders newest first @param {any[]} ended what is known of others */
  show(orders, ended) {
    this.orders = orders;
    this.empty.hidden = orders.length > 0;
    for (const id of this.editing) if (!orders.some((order) => order.order_id === id)) this.editing.delete(id);
    rows(this.body, orders, (order) => order.order_id, (order) => this.row(order), (node, order) => this.update(node, order));
    // A row that is held under the pointer or the focus outlives its order.
    for (const node of /** @type {Iterable<HTMLElement>} */ (this.body.children)) {
      const id = node.dataset.order;
      if (!orders.some((order) => order.order_id === id)) this.end(node, ended.find((order) => order.order_id === id));
    }
  }

  /** Says what became of the order of a row that is still there. @param {HTMLElement} row @param {any} order undefined: not known yet */
  end(row, order) {
    const inputs = row.querySelectorAll("input");
    for (const input of inputs) input.readOnly = true; // the focus stays
    if (order && !inputs.length) this.update(row, order);
    row.dataset.ended = "";
    const said = /** @type {HTMLElement} */ (row.querySelector(".became"));
    say(said, t(order ? `state.${order.state}` : "state.ended"));
    said.title = order ? reasonText(order) : "";
    for (const button of row.querySelectorAll("button")) button.setAttribute("aria-disabled", "true");
  }

  /** @param {any} order */
  row(order) {
    const id = order.order_id, present = () => this.orders.find((found) => found.order_id === id) ?? order;
    const row = h("tr", { data: { order: id, side: order.side, testid: "open-order" } },
      h("td", { class: "dim", title: stamp(order.created_at) }, clock(order.created_at)), h("td", {}, order.symbol),
      h("td", { class: "side" }, t(`act.${order.side}`)), h("td", { class: "kind" }, typeText(order), " ", h("span", { class: "tags" })),
      FIELDS.slice(0, 3).map((name) => h("td", { class: "num", data: { field: name } })),
      h("td", { class: "num", data: { field: "leaves_qty" } }), h("td", { class: "num", data: { field: "quantity" } }),
      h("td", { class: "acts" },
        button("amend", t("amend"), () => this.edit(row, present())), button("save", t("amend.send"), () => this.amend(row, present())),
        button("keep", t("amend.keep"), () => this.keep(row, present())), button("cancel", t("order.cancel"), () => { if (row.dataset.ended === undefined) cancelOrder(row, present()); }), h("b", { class: "became" })));
    row.addEventListener("keydown", (event) => {
      if (!this.editing.has(id) || !(event.target instanceof HTMLInputElement)) return;
      if (event.key === "Enter" && !event.repeat) this.amend(row, present());
      else if (event.key === "Escape") this.keep(row, present());
      else return;
      event.preventDefault();
      event.stopPropagation();
    });
    row.addEventListener("dblclick", (event) => {
      if (event.target instanceof HTMLTableCellElement && event.target.dataset.field) this.edit(row, present());
    });
    return row;
  }

  /** @param {HTMLElement} row @param {any} order */
  update(row, order) {
    const isEdited = this.editing.has(order.order_id), fields = isEdited ? amendable(order) : {};
    row.toggleAttribute("data-editing", isEdited);
    const shown = order.triggered === false ? t("order.waiting") : number(Math.min(order.display_quantity ?? order.leaves_qty, order.leaves_qty));
    const texts = { stop_price: order.stop_price ? number(order.stop_price) : "", price: number(order.price), display_quantity: shown, leaves_qty: number(order.leaves_qty), quantity: number(order.quantity) };
    for (const [name, text] of Object.entries(texts)) {
      const cell = /** @type {HTMLElement} */ (row.querySelector(`[data-field=${name}]`));
      if (!(name in fields)) {
        cell.querySelector("input")?.remove();
        say(cell, text);
      }
      else if (cell.querySelector("input")) follow(/** @type {HTMLInputElement} */ (cell.querySelector("input")), fields[name]);
      else cell.replaceChildren(h("input", { name, value: fields[name], data: { begun: fields[name] }, inputmode: "decimal", autocomplete: "off", "aria-label": t(`field.${name}`), placeholder: name === "display_quantity" ? t("order.all") : null }));
    }
    const tags = [order.triggered && t("tag.triggered"), order.display_quantity && t("tag.iceberg"), order.post_only && t("tag.post_only"), order.expire_time && t("tag.until", { time: stamp(order.expire_time) })];
    say(/** @type {Element} */ (row.querySelector(".tags")), tags.filter(Boolean).join(" · "));
  }

  /** @param {HTMLElement} row @param {any} order */
  edit(row, order) {
    if (row.dataset.ended !== undefined) return;
    this.editing.add(order.order_id);
    this.update(row, order);
    const input = /** @type {HTMLInputElement} */ (row.querySelector("input[name=price]") ?? row.querySelector("input"));
    input.focus();
    input.select();
  }

  /** @param {HTMLElement} row @param {any} order */
  keep(row, order) {
    if (row.dataset.ended !== undefined) return;
    this.editing.delete(order.order_id);
    this.update(row, order);
    /** @type {HTMLElement} */ (row.querySelector("[data-do=amend]")).focus();
  }

  /** @param {HTMLElement} row @param {any} order */
  async amend(row, order) {
    if (row.dataset.ended !== undefined) return;
    const changes = changesOf(row.querySelectorAll("input"));
    const isDone = Object.keys(changes).length === 0 || await once(row, () => amendOrder(order, changes));
    if (isDone) this.keep(row, this.orders.find((found) => found.order_id === order.order_id) ?? order);
  }
}

/** @param {string} name @param {string} text @param {() => void} act */
const button = (name, text, act) => h("button", { type: "button", onclick: act, data: { do: name, acts: "" } }, text);

/** An input that nobody has touched shows what its order has now. @param {HTMLInputElement} input @param {string} present */
function follow(input, present) {
  if (input === document.activeElement || input.value !== input.dataset.begun) return;
  input.value = input.dataset.begun = present;
}

/** What was typed, and nothing else: the order may have changed since its row was opened. @param {Iterable<HTMLInputElement>} inputs */
function changesOf(inputs) {
  /** @type {Record<string, any>} */
  const changes = {};
  for (const { name, value, dataset } of inputs) {
    const text = value.trim().replaceAll(",", "");
    if (text !== dataset.begun) changes[name] = name.endsWith("quantity") ? whole(text || "0") : text;
  }
  return changes;
}

/** @param {any} order @param {Record<string, any>} changes @returns {Promise<string>} what to say */
export async function amendOrder(order, changes) {
  return t("amend.done", { outcome: outcomeOf(await send("PATCH", `/v1/orders/${order.order_id}`, changes)) });
}

/** @param {HTMLElement} node @param {any} order */
const cancelOrder = (node, order) => once(node, async () => t("cancel.done", { order: nameOfOrder(await send("DELETE", `/v1/orders/${order.order_id}`)) }));

/** Cancels all of the account's open orders, of one instrument or (`*`) of all, after a question. @param {HTMLElement} node @param {string} symbol @param {any[]} orders */
export async function cancelAll(node, symbol, orders) {
  const name = symbol === "*" ? t("cancel_all.everywhere") : symbol;
  const agreed = await confirm({
    title: t("cancel_all.title"), act: t("cancel_all.act"), danger: true, consequence: t("cancel_all.consequence"),
    facts: [[t("field.symbol"), name], [t("cancel_all.orders"), number(orders.length)]],
  });
  if (agreed) await once(node, async () => t("cancel_all.done", { count: (await send("DELETE", `/v1/orders?symbol=${encodeURIComponent(symbol)}`)).canceled }));
}
