// The chosen trade: its parties, what became of it, and its bust.

import { read, send } from "../app/api.js";
import { fill, h, say } from "../app/dom.js";
import { grouped, money, stamp } from "../app/format.js";
import { get, watch } from "../app/store.js";
import { t, term } from "../app/words.js";
import { actButton, outcomeLines } from "../operate/acts.js";
import { reasonField, valueOf } from "../operate/fields.js";
import { facts } from "../operate/listing.js";
import { whoActed } from "./log.js";

/** @param {HTMLElement} body @param {import("../operate/access.js").Access} rights @param {(id: string, seq: number) => Promise<void>} again reads it anew, after that command */
export function tradeBody(body, rights, again) {
  const outcomeOf = outcomeLines();
  watch(["trade"], () => {
    const trade = get("trade");
    if (!trade) return fill(body, h("p", { class: "empty" }, t("trade.none_chosen")));
    const outcome = outcomeOf(trade.trade_id);
    fill(
      body,
      h("p", { class: "chosen" }, h("b", { data: { testid: "trade-chosen", trade: trade.trade_id } }, trade.trade_id), " ", trade.product),
      rights.acts && acts(trade, outcome),
      rights.acts && outcome,
      facts(factsOf(trade)),
    );
  });
  watch(["acted"], () => {
    if (get("trade") && get("acted")) again(get("trade").trade_id, get("acted")).catch(() => {});
  });
}

/** @param {any} trade @param {HTMLElement} outcome */
function acts(trade, outcome) {
  if (trade.why_not === "busted") return h("p", { class: "dim" }, t("bust.was"));
  if (trade.trading_date !== get("venue")?.trading_date)
    return h("p", { class: "dim", data: { testid: "settled" } }, t("bust.settled", { date: trade.trading_date }));
  return h("div", { class: "acts" }, actButton(t("bust.act"), "bust", outcome, bustAct(trade.trade_id), { danger: true }));
}

/** @param {number} count */
const lotsText = (count) => t("lots", { count: grouped(count) });

/** @param {any} side */
export const party = (side) => `${side.account} · ${side.name}`;

/** @param {any} trade @returns {[string, Node | string][]} */
function factsOf(trade) {
  /** @type {[string, Node | string][]} */
  const found = [
    [t("log.time"), stamp(trade.time)],
    [t("trades.day"), trade.trading_date],
    [t("trades.price"), grouped(trade.price)],
    [t("trades.lots"), grouped(trade.quantity)],
    [t("trades.amount"), money(trade.amount)],
    [t("trades.buyer"), party(trade.buyer)],
    [t("trades.seller"), party(trade.seller)],
    [t("trade.fees"), `${money(trade.buyer.fee)} · ${money(trade.seller.fee)}`],
    [t("trade.orders"), `${trade.buyer.order_id} · ${trade.seller.order_id}`],
    [t("facts.phase"), term("phase", trade.phase)],
    [t("trade.journal"), grouped(trade.seq)],
    [t("trades.state"), trade.counts ? t("trades.counts") : term("why_not", trade.why_not)],
  ];
  const end = trade.bust ?? trade.exclusion;
  if (end)
    found.push(
      [t("trade.why"), end.reason],
      [t("trade.by"), end.name ?? buster(end)],
      [t("trade.when"), `${stamp(end.time)} · ${t("command", { seq: end.seq })}`],
    );
  return found;
}

/** Who busted a trade, as the log names them; the key where the log cannot be read. @param {any} bust @returns {HTMLElement} */
function buster({ time, seq, key_id }) {
  const node = h("span", { data: { testid: "busted-by" } }),
    second_ms = Math.floor(Date.parse(time) / 1000) * 1000;
  read("/v1/admin/log", { kind: "bust_trade", start: new Date(second_ms).toISOString(), end: new Date(second_ms + 1000).toISOString() })
    .then(({ actions }) => actions.find((/** @type {any} */ one) => one.seq === seq))
    .catch(() => undefined)
    .then((action) => say(node, action ? whoActed(action) : t("trade.key", { key: key_id })));
  return node;
}

/** What a bust of a trade, as it is now, gives back to whom. @param {string} id @returns {Promise<{facts: [string, string][], consequence: string}>} */
export async function bustFacts(id) {
  const trade = await read(`/v1/reports/trades/${id}`),
    amount = money(trade.amount),
    lots = lotsText(trade.quantity);
  return {
    facts: [
      [t("trade"), `${trade.product} · ${lots} × ${grouped(trade.price)}`],
      [t("trades.amount"), amount],
      [t("bust.buyer"), `${party(trade.buyer)}: ${t("bust.gets_money", { money: amount, fee: money(trade.buyer.fee) })}`],
      [t("bust.seller"), `${party(trade.seller)}: ${t("bust.gets_lots", { lots, fee: money(trade.seller.fee) })}`],
    ],
    consequence: t("bust.consequence", { money: amount }),
  };
}

/** @param {string} id @returns {import("../operate/acts.js").Act} */
const bustAct = (id) => ({
  kinds: ["bust_trade"],
  ask: async () => ({ title: t("bust.ask", { id }), ...(await bustFacts(id)), fields: [reasonField()], act: t("bust.act"), danger: true }),
  run: async (given, key) => {
    const { seq } = await send("POST", `/v1/admin/trades/${id}/bust`, { reason: valueOf(given, "reason") }, key);
    return { said: t("bust.done", { id }), seq };
  },
});
