// Own fills, ended orders, ledger and holdings, as tables.

import { h, rows, say } from "../app/dom.js";
import { clock, money, number, stamp } from "../app/format.js";
import { get } from "../app/store.js";
import { nameOf, t } from "../app/words.js";
import { averageText, reasonText, typeText } from "./outcome.js";

/** @param {string} time */
const when = (time) => h("td", { class: "dim", title: stamp(time) }, clock(time));
/** @param {string | number | null} text @param {string} [title] */
const num = (text, title) => h("td", { class: "num", title }, text);
/** @param {string} side */
const sideCell = (side) => h("td", { class: "side" }, t(`act.${side}`));

/** @param {HTMLElement} body @param {HTMLElement} empty @param {any[]} fills newest first */
export function showFills(body, empty, fills) {
  empty.hidden = fills.length > 0;
  rows(body, fills, (fill) => `${fill.trade_id}/${fill.order_id}`, (fill) =>
    h("tr", { data: { side: fill.side, testid: "fill" } }, when(fill.time), h("td", {}, fill.symbol), sideCell(fill.side), num(number(fill.price)), num(number(fill.quantity)),
      num(number(fill.amount)), num(number(fill.fee)), h("td", {}, t(`liquidity.${fill.liquidity}`)), h("td", { class: "remark" })),
  (node, fill) => {
    node.dataset.busted = fill.busted ? "yes" : "no";
    say(/** @type {Element} */ (node.lastElementChild), fill.busted ? t("tape.busted") : "");
  });
}

/** @param {HTMLElement} body @param {HTMLElement} empty @param {any[]} orders newest first */
export function showEnded(body, empty, orders) {
  empty.hidden = orders.length > 0;
  rows(body, orders, (order) => `${order.order_id}/${order.seq}`, (order) =>
    h("tr", { data: { side: order.side, ended: order.order_id } }, when(order.updated_at), h("td", {}, order.symbol), sideCell(order.side), h("td", {}, typeText(order)),
      num(number(order.price)), num(number(order.quantity)), num(number(order.cum_qty)), num(averageText(order), number(order.avg_px)),
      h("td", { class: "why" }, h("b", { class: order.state === "rejected" ? "warn" : "" }, t(`state.${order.state}`)), order.reason ? ` · ${reasonText(order)}` : "")));
}

/** @param {HTMLElement} body @param {any[]} lines newest first */
export function showLedger(body, lines) {
  const keyed = lines.map((line, index) => ({ line, key: `${line.seq}/${line.cause}/${line.order_id}/${line.trade_id}/${lines.length - index}` }));
  rows(body, keyed, ({ key }) => key, ({ line }) =>
    h("tr", {}, when(line.time), h("td", {}, t(`cause.${line.cause}`)), h("td", {}, line.symbol ?? ""), num(signed(line.cash)), num(line.fee === "0.00" ? "" : number(line.fee)),
      num(signed(line.reserved)), num(signed(line.quantity)), num(signed(line.reserved_quantity)), num(number(line.balance.cash)), num(number(line.balance.quantity))));
}

/** A change with its sign; nothing where nothing changed. @param {string | number} change */
function signed(change) {
  const text = String(change);
  if (!/[1-9]/.test(text)) return "";
  return text.startsWith("-") ? number(text).replace("-", "−") : `+${number(text)}`;
}

/** @param {HTMLElement} body @param {any} balances */
export function showHoldings(body, balances) {
  const names = new Map(get("instruments").map((/** @type {any} */ listed) => [listed.symbol, nameOf(listed)]));
  const shown = [{ symbol: null, quantity: balances.cash, reserved: balances.reserved, available: balances.available }, ...balances.holdings];
  rows(body, shown, (holding) => holding.symbol ?? "cash", (holding) =>
    h("tr", { data: { holding: holding.symbol ?? "cash" } }, h("td", {}, holding.symbol ? h("a", { href: `/ui/trade/${holding.symbol}` }, holding.symbol) : t("balance.cash")),
      h("td", { class: "dim" }, holding.symbol ? names.get(holding.symbol) : t("balance.yuan")), num(""), num(""), num("")),
  (node, holding) => {
    const text = (/** @type {string | number} */ value) => (holding.symbol ? number(value) : money(String(value)));
    for (const [index, name] of ["quantity", "reserved", "available"].entries()) say(node.children[2 + index], text(holding[name]));
  });
}
