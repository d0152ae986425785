// Which fields an order of each type has, and the body of POST /v1/orders from what was entered. Pure: the table is that of docs/api.md.

/** The times in force of an order that may rest. */
const RESTING = ["day", "gtc", "gtd"];

/** @type {Record<string, {prices: string[], times: string[]}>} by order type; the first time in force is the default */
export const FORMS = {
  limit: { prices: ["price"], times: [...RESTING, "ioc", "fok"] },
  market: { prices: [], times: ["ioc", "fok"] },
  stop: { prices: ["stop_price"], times: RESTING },
  stop_limit: { prices: ["stop_price", "price"], times: RESTING },
};

/** The API's names of the fields that such an order can have. @param {string} type @param {string} time in force */
export function fieldsOf(type, time) {
  const found = new Set(["time_in_force", "quantity", "self_trade_prevention", ...FORMS[type].prices]);
  if (time === "gtd") found.add("expire_time");
  if (type === "limit" && RESTING.includes(time)) found.add("post_only").add("display_quantity");
  return found;
}

/**
 * The order's body: what was entered and its type can have, without what is empty. What is no number goes as it is: the venue says why.
 * @param {{symbol: string, side: string, type: string, time: string, clientOrderId: string}} order
 * @param {Record<string, string | boolean>} entered by the API's names
 */
export function orderBody({ symbol, side, type, time, clientOrderId }, entered) {
  /** @type {Record<string, any>} */
  const body = { symbol, side, order_type: type, time_in_force: time, client_order_id: clientOrderId };
  for (const name of fieldsOf(type, time)) {
    const value = valueOf(name, entered[name]);
    if (name !== "time_in_force" && value !== "" && value !== false && value !== undefined) body[name] = value;
  }
  return body;
}

/** @param {string} name @param {string | boolean | undefined} entered */
function valueOf(name, entered) {
  if (typeof entered !== "string") return entered;
  const text = entered.trim();
  if (name === "quantity" || name === "display_quantity") return whole(text);
  if (name === "expire_time") return shanghaiTime(text);
  return name.endsWith("price") ? text.replaceAll(",", "") : text;
}

/** The integer of a text; a text that is none stays one. @param {string} text */
export function whole(text) {
  const plain = text.replaceAll(",", "");
  return /^-?\d{1,15}$/.test(plain) ? Number(plain) : text;
}

/** What a field for date and time has, which is meant in Shanghai's time, as RFC 3339. @param {string} text */
export const shanghaiTime = (text) => (/^\d{4}-\d\d-\d\dT\d\d:\d\d$/.test(text) ? `${text}:00+08:00` : text);

/** What a field for date and time shows of a moment, in Shanghai's time. @param {number} ms */
export const shanghaiField = (ms) => new Date(ms + 8 * 3_600_000).toISOString().slice(0, 16);
