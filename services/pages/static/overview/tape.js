// The newest trades of all instruments. The rows stay where they are and take other trades; while the pointer or the focus is on
// them, nothing changes.

import { h, say } from "../app/dom.js";
import { clock, grouped, money, short, stamp } from "../app/format.js";
import { instrumentOf } from "../app/instruments.js";
import { at } from "../app/page.js";
import { saveButton } from "../app/save.js";
import { get, watch } from "../app/store.js";
import { address } from "../app/url_state.js";
import { nameOf, t, term } from "../app/words.js";

const body = at("tape");
let isHeld = false;

const row = () => h("tr", {}, h("td"), h("td", {}, h("a", { data: { step: "" } }), " ", h("span", { class: "dim unit" })), h("td"), h("td", { class: "num" }), h("td", { class: "num" }));

/** @param {any} trade */
const way = ({ taker_side }) => (taker_side === "buy" ? "up" : taker_side === "sell" ? "down" : "");

/** @param {HTMLElement} node @param {any} trade */
function fill(node, trade) {
  const kind = trade.busted ? "busted" : "";
  if (node.className !== kind) node.className = kind;
  if (node.dataset.trade === trade.trade_id) return;
  node.dataset.trade = trade.trade_id;
  const [time, product, price, lots, amount] = /** @type {HTMLElement[]} */ ([...node.children]), [link, unit] = /** @type {HTMLElement[]} */ ([...product.children]);
  say(time, clock(trade.time));
  time.title = stamp(trade.time);
  say(link, trade.symbol);
  link.setAttribute("href", address({ trade: trade.trade_id }));
  const instrument = instrumentOf(trade.symbol);
  say(unit, instrument ? `/${instrument.unit}` : "");
  product.title = instrument ? nameOf(instrument) : "";
  say(price, grouped(trade.price));
  price.className = `num ${way(trade)}`;
  price.title = trade.taker_side ? term("side", trade.taker_side) : t("tape.auction");
  say(lots, grouped(trade.quantity));
  say(amount, short(trade.amount));
  amount.title = money(trade.amount);
}

function show() {
  if (isHeld) return;
  const known = get("tape"), trades = known ?? [];
  while (body.children.length < trades.length) body.append(row());
  while (body.children.length > trades.length) body.lastElementChild?.remove();
  trades.forEach((/** @type {any} */ trade, /** @type {number} */ index) => fill(/** @type {HTMLElement} */ (body.children[index]), trade));
  at("tape-empty").hidden = !known || trades.length > 0;
}

/** Holds the rows while somebody is on them, and shows the newest when they have left. */
function hold() {
  isHeld = body.matches(":hover") || body.contains(document.activeElement);
  body.toggleAttribute("data-held", isHeld);
  if (!isHeld) show();
}

for (const event of ["pointerenter", "pointerleave", "focusin", "focusout"]) body.addEventListener(event, () => requestAnimationFrame(hold));
watch(["tape"], show);

at("tape-tools").append(saveButton("trades", () => [
  [t("tape.time"), t("product"), t("tape.price"), t("tape.lots"), t("tape.amount"), ""],
  ...(get("tape") ?? []).map((/** @type {any} */ trade) => [trade.time, trade.symbol, trade.price, trade.quantity, trade.amount, trade.busted ? t("tape.busted") : ""]),
]));
