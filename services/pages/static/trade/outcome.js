// What became of an order, in one sentence.

import { placesOf, text, units } from "../app/decimal.js";
import { number } from "../app/format.js";
import { instrumentOf } from "../app/instruments.js";
import { page } from "../app/page.js";
import { t, term } from "../app/words.js";

/** Why the venue declined or ended an order. The venue's sentence has the numbers, in English. @param {any} order a code and its sentence */
export function reasonText({ reason, reason_text }) {
  if (!reason) return "";
  return page.lang === "en" && reason_text ? reason_text.replace(/\.$/, "") : term("reason", reason);
}

/** "Buy 3 PRND-OX". @param {any} order */
export const nameOfOrder = (order) =>
  t("order.name", { side: t(`act.${order.side}`), quantity: number(order.quantity), symbol: order.symbol });

/** @param {any} order as the venue answered */
export const outcomeOf = (order) => t("order.outcome", { order: nameOfOrder(order), state: stateText(order) });

/** @param {any} order */
function stateText(order) {
  const values = {
    price: number(order.price), stop: number(order.stop_price), average: averageText(order), size: lotsText(order.quantity), lots: number(order.quantity),
    filled: number(order.cum_qty), reason: reasonText(order),
  };
  if (order.triggered === false && order.state === "new") return t("order.waits", values);
  const hasTraded = order.cum_qty > 0 && order.state !== "filled";
  return t(`order.${order.state}${hasTraded && order.state !== "partially_filled" ? "_part" : ""}`, values);
}

/** "1 lot", "1,200 lots". @param {number} lots */
export const lotsText = (lots) => t("lots", { count: number(lots) });

/** The average price with the decimals of the tick; "≈" where it has more. @param {any} order */
export function averageText({ symbol, avg_px }) {
  const tick = instrumentOf(symbol)?.tick_size;
  if (!avg_px || !tick) return number(avg_px);
  const short = text(units(avg_px), placesOf(tick));
  return units(short) === units(avg_px) ? number(short) : `≈ ${number(short)}`;
}

/** The type of an order with its time in force: "stop-limit GTC". @param {any} order */
export const typeText = (order) => `${t(`type.${order.order_type}`)} ${t(`time.${order.time_in_force}`)}`;
