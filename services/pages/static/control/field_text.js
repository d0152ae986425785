// A field of an act as people read it: the log of acts and the proposals show it the same way.

import { grouped, money, stamp } from "../app/format.js";
import { monthText, scopeOf } from "../app/target_words.js";
import { t, term } from "../app/words.js";
import { rate } from "../operate/fields.js";
import { limitText } from "./key_limits.js";

/** What is not here is shown as it is: a name, or a number that names something, such as a year. @type {Record<string, (value: any) => string>} */
const SHOWN = {
  act: (code) => term("action", code),
  amount: money,
  auction_seconds: grouped,
  band_rate: rate,
  cancels: limitText,
  category: (code) => term("category", code),
  collar_rate: rate,
  decision: (code) => term("decision", code),
  expires: stamp,
  lot_size: grouped,
  maker_rate: rate,
  max_day_turnover: money,
  max_open_orders: grouped,
  max_order_quantity: grouped,
  max_order_value: money,
  max_quantity: grouped,
  measure: (code) => term("measure", code),
  metric: (code) => term("metric", code),
  month: monthText,
  orders: limitText,
  outcome: (code) => term("outcome", code),
  phase: (code) => term("phase", code),
  quantity: grouped,
  rate,
  reads: limitText,
  reference_price: grouped,
  reference_price_source: (code) => term("price_source", code),
  role: (code) => term("role", code),
  scope: scopeOf,
  side: (code) => term("side", code),
  taker_rate: rate,
  tick_size: grouped,
  value: grouped,
};

/** One value, which is not a list. @param {string} field @param {any} value @returns {string} */
export const fieldText = (field, value) =>
  value === null || value === undefined || value === "" ? t("none") : (SHOWN[field] ?? String)(value);
