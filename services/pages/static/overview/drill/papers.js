// The last steps of the way down, as lists of facts: trades, a trade, an order, a journal batch.

import { read } from "../../app/api.js";
import { h } from "../../app/dom.js";
import { text } from "../../app/decimal.js";
import { clock, grouped, minute, money, number, stamp } from "../../app/format.js";
import { may } from "../../app/session.js";
import { t, term } from "../../app/words.js";
import { sum } from "../data.js";
import { addressOf } from "./place.js";
import { tradesOf } from "./sources.js";

const NAMES = ["operate", "audit"];
/** The scopes that see the names of members. */

/** @typedef {{nodes: HTMLElement[], lines: () => unknown[][]}} Paper */

/** @param {[string, HTMLElement | string | null | false][]} facts @returns {HTMLElement} */
const listed = (facts) => h("dl", {}, facts.filter(([, value]) => value !== null && value !== false)
  .flatMap(([name, value]) => [h("dt", {}, name), h("dd", {}, value)]));

/** @param {[string, HTMLElement | string | null | false][]} facts */
const linesOf = (facts) => facts.map(([name, value]) => [name, value instanceof Node ? value.textContent : value]);

/** @param {string} href @param {string} words @param {string} testid */
const step = (href, words, testid) => h("a", { href, class: "button", data: { step: "", testid } }, words);

const needs = () => h("p", { class: "needs", data: { testid: "needs" } }, t("drill.needs"), " ", h("a", { href: `/log-in?next=${encodeURIComponent(location.pathname + location.search)}` }, t("log_in")));

/** @param {any[]} trades @returns {HTMLElement} */
const tradeTable = (trades) => h("table", { data: { testid: "drill-trades" } },
  h("thead", {}, h("tr", {}, ["trade.time", "product", "trade.price", "trade.quantity", "trade.amount"].map((key, index) => h("th", { scope: "col", class: index > 1 ? "num" : "" }, t(key))))),
  h("tbody", {}, trades.map((trade) => h("tr", { class: trade.busted || trade.counts === false ? "busted" : "", data: { trade: trade.trade_id } },
    h("td", { title: stamp(trade.time) }, clock(trade.time)),
    h("td", {}, h("a", { href: addressOf("trade", { trade: trade.trade_id }), data: { step: "" } }, trade.symbol ?? trade.product)),
    h("td", { class: "num" }, grouped(trade.price)), h("td", { class: "num" }, grouped(trade.quantity)), h("td", { class: "num" }, money(trade.amount))))));

/** The trades of some minutes. @param {{day: string, start: string, end: string, product: string | null}} place @returns {Promise<Paper>} */
export async function tradesPaper({ day, start, end, product }) {
  const { trades, isCut, most } = await tradesOf(day, start, end, product), counted = trades.filter(({ busted }) => !busted);
  const said = t("trades.sentence", { date: day, start: minute(start), end: minute(end), count: grouped(trades.length), amount: money(text(sum(counted.map(({ amount }) => amount)), 2)) });
  return {
    nodes: [h("p", { data: { testid: "drill-said" } }, said), ...(isCut ? [h("p", { class: "warn" }, t("trades.more", { count: most }))] : []), tradeTable(trades)],
    lines: () => [[t("trade.time"), t("product"), t("trade.price"), t("trade.quantity"), t("trade.amount")], ...trades.map((trade) => [trade.time, trade.symbol, trade.price, trade.quantity, trade.amount])],
  };
}

/** @param {any} trade @returns {[string, string][]} */
const factsOf = (trade) => [
  [t("product"), trade.product ?? trade.symbol], [t("trade.time"), stamp(trade.time)], ...(trade.trading_date ? [/** @type {[string, string]} */ ([t("trade.date"), trade.trading_date])] : []),
  [t("trade.price"), grouped(trade.price)], [t("trade.quantity"), grouped(trade.quantity)], [t("trade.amount"), money(trade.amount)],
];

/** A trade; who made it only for those who may know. @param {string} id @returns {Promise<Paper>} */
export async function tradePaper(id) {
  if (!(await may(...NAMES))) {
    const trade = await read(`/v1/market/trades/${id}`), aggressor = trade.taker_side ?? null;
    const facts = [...factsOf(trade), [t("trade.aggressor"), aggressor ? term("side", aggressor) : t("trade.none")], [t("trade.counts"), trade.busted ? t("trade.no", { why: term("why", "busted") }) : null]];
    return { nodes: [listed(/** @type {any} */ (facts)), needs()], lines: () => linesOf(/** @type {any} */ (facts)) };
  }
  const trade = await read(`/v1/reports/trades/${id}`);
  const side = (/** @type {any} */ { name, account, fee }) => t("trade.side", { name, account, fee: money(fee) });
  const reason = trade.bust?.reason ?? trade.exclusion?.reason;
  /** @type {[string, string][]} */
  const facts = [...factsOf(trade), [t("trade.phase"), term("phase", trade.phase)], [t("trade.aggressor"), trade.aggressor ? term("side", trade.aggressor) : t("trade.none")],
    [t("trade.buyer"), side(trade.buyer)], [t("trade.seller"), side(trade.seller)],
    [t("trade.counts"), trade.counts ? t("trade.yes") : t("trade.no", { why: [term("why", trade.why_not), reason].filter(Boolean).join(" · ") })]];
  return {
    nodes: [listed(facts), h("p", { class: "steps" },
      ...["buyer", "seller"].map((who) => step(addressOf("order", { order: trade[who].order_id }), `${t(`trade.${who}`)}: ${t("trade.to_order", { id: trade[who].order_id })}`, `to-${who}-order`)),
      step(addressOf("seq", { seq: trade.seq }), t("trade.to_journal"), "to-journal"))],
    lines: () => linesOf(facts),
  };
}

/** @param {string} address of the API: its last part is the sequence number */
const seqOf = (address) => address.split("?")[0].split("/").pop() ?? null;

/** An order with its trades. @param {string} id @returns {Promise<Paper>} */
export async function orderPaper(id) {
  if (!(await may(...NAMES))) return { nodes: [needs()], lines: () => [] };
  const order = await read(`/v1/reports/orders/${id}`);
  /** @type {[string, string][]} */
  const facts = [[t("order.who"), `${order.name} (${order.account})`], [t("product"), order.product], [t("order.side"), term("side", order.side)], [t("order.type"), `${term("type", order.order_type)} · ${order.time_in_force}`],
    [t("order.price"), number(order.price)], [t("order.quantity"), `${grouped(order.cum_qty)} / ${grouped(order.quantity)}`], [t("order.filled"), money(order.filled)],
    [t("order.state"), [term("state", order.state), order.reason && term("reason", order.reason)].filter(Boolean).join(" · ")], [t("order.created"), stamp(order.created_at)]];
  return {
    nodes: [listed(facts), h("p", { class: "steps" }, step(addressOf("seq", { seq: seqOf(order.links.journal) }), t("order.to_journal"), "to-journal"),
      order.links.last_change && step(addressOf("seq", { seq: seqOf(order.links.last_change) }), t("order.to_last"), "to-last-change")),
    h("h3", {}, t("order.trades")), tradeTable(order.trades)],
    lines: () => linesOf(facts),
  };
}

/** @param {Record<string, unknown>} fields */
const fieldTable = (fields) => h("table", {}, h("thead", {}, h("tr", {}, h("th", { scope: "col" }, t("row.field")), h("th", { scope: "col" }, t("row.value")))),
  h("tbody", {}, Object.entries(fields).filter(([name]) => name !== "links").map(([name, value]) => h("tr", {}, h("th", { scope: "row" }, name), h("td", {}, typeof value === "object" ? JSON.stringify(value) : String(value))))));

/** A command of the journal, and the batch that holds it. @param {string} seq @returns {Promise<Paper>} */
export async function journalPaper(seq) {
  if (!(await may(...NAMES))) return { nodes: [needs()], lines: () => [] };
  const found = await read(`/v1/reports/journal/${seq}`), { row, command, events, links } = found;
  /** @type {[string, HTMLElement | string][]} */
  const facts = [[t("row.seqs"), row.first_seq === row.last_seq ? grouped(row.first_seq) : `${grouped(row.first_seq)} – ${grouped(row.last_seq)}`], [t("row.time"), stamp(found.time)],
    [t("row.hash"), h("code", { data: { testid: "row-hash" } }, row.hash)], [t("row.previous"), h("code", {}, row.previous_hash)], [t("row.journal"), h("code", {}, row.journal_id)]];
  const way = (/** @type {string} */ name, /** @type {string} */ words) => links[name] && step(addressOf("seq", { seq: seqOf(links[name]) }), words, name);
  return {
    nodes: [h("h3", {}, t("row.title")), listed(facts), h("p", { class: "steps" }, way("previous_row", t("row.before")), way("next_row", t("row.after"))),
      h("h3", {}, t("row.command")), fieldTable(command), h("h3", {}, t("row.events")), ...events.map(fieldTable)],
    lines: () => linesOf(facts),
  };
}
