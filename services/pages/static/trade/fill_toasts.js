// Own fills, told for some seconds: one toast for the fills that one order got at once.

import { text, units } from "../app/decimal.js";
import { money, number } from "../app/format.js";
import { toast } from "../app/toasts.js";
import { t } from "../app/words.js";

/** @param {any[]} fills of one command */
export function toastFills(fills) {
  for (const [, own] of Map.groupBy(fills, (fill) => fill.order_id)) {
    const [{ side, symbol, price }] = own, amount = own.reduce((sum, fill) => sum + units(fill.amount), 0n);
    const lots = own.reduce((sum, fill) => sum + fill.quantity, 0);
    const isOnePrice = own.every((fill) => fill.price === price);
    toast("fill", t(`fill.${side}`, { lots: number(lots), symbol, at: isOnePrice ? number(price) : t("fill.prices", { count: own.length }), amount: money(text(amount, 2)) }));
  }
}
