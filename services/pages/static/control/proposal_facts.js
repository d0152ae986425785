// What a proposal asks for: whom its path names and the fields of its body, in one line; for its dialogs with what holds now.

import { read, readAll } from "../app/api.js";
import { grouped, money, stamp } from "../app/format.js";
import { instrumentOf, readInstruments } from "../app/instruments.js";
import { get } from "../app/store.js";
import { targetName } from "../app/target_name.js";
import { amountOf } from "../app/target_words.js";
import { listed, t, term } from "../app/words.js";
import { knownAccounts } from "../operate/accounts.js";
import { rate } from "../operate/fields.js";
import { fieldText } from "./field_text.js";
import { TERMS } from "./instrument_terms.js";
import { keyOf } from "./key_limits.js";
import { instrumentText, stateOf } from "./market.js";
import { consequenceOf, figuresOf } from "./outside.js";
import { bustFacts, party } from "./trade.js";

/** @typedef {[string, string]} Fact */

/** The words of what follows, by act; they are those of its own dialog. @type {Record<string, string>} */
const CONSEQUENCES = {
  deposit: "cash.consequence",
  withdraw: "cash.consequence",
  receive: "goods.consequence",
  release: "goods.consequence",
  set_order_limits: "limits.consequence",
  kill_switch_off: "kill.consequence_off",
  resume: "resume.consequence",
  set_phase: "phase_act.consequence",
  set_collar: "collar.consequence",
  set_volatility_band: "band.consequence",
  list_instrument: "listing.consequence",
  change_instrument: "terms.consequence",
  delist_instrument: "delisting.consequence",
  open_account: "open.consequence",
  set_fees: "fees.consequence",
  target_set: "target.consequence",
  key_limits_set: "key_limits.consequence",
};
const LIMITS = ["max_order_quantity", "max_order_value", "max_open_orders", "max_day_turnover"];
const RATE_CLASSES = ["orders", "cancels", "reads"];
/** What the lack of a value means, where it is not just none. @type {Record<string, string>} */
const EMPTY = { orders: "eyes.default", cancels: "eyes.default", reads: "eyes.default", value: "outside.empty" };
/** The fields of bodies that say why: the first that is there is shown as the why. The `note` of an instrument is for members. */
const REASONS = ["reason", "why", "note"];
/** So many trades of a decision are read one by one, and named with parties and amounts. */
const NAMED_TRADES = 20;
const IN_A_LINE = 5;

/** The parts of the path: what kind of thing, and which. @param {string} path */
const target = (path) => {
  const [, kind, name] = /\/(accounts|trades|instruments|fees|measures|control_groups|keys)\/([^/]+)/.exec(path) ?? [];
  return { kind, name: name === undefined ? "" : decodeURIComponent(name) };
};

/** @param {any} number */
const accountOf = (number) => get("accounts")?.find((/** @type {any} */ one) => String(one.account) === String(number));

/** @param {any} number */
const accountText = (number) => {
  const found = accountOf(number);
  return found ? `${number} · ${found.name}` : String(number);
};

/** What was asked for, in one line. @param {any} proposal @returns {string} */
export const inOneLine = (proposal) =>
  [...whom(proposal), ...asked(proposal, {}, IN_A_LINE)].map(([name, value]) => `${name} ${value}`).join(" · ");

/** @param {any} proposal @returns {Fact[]} */
function whom({ path }) {
  const { kind, name } = target(path);
  if (kind === "accounts") return [[t("account"), accountText(name)]];
  if (kind === "trades") return [[t("trade"), name]];
  if (kind === "instruments") {
    const found = instrumentOf(name);
    return [[t("instrument"), found ? instrumentText(found) : name]];
  }
  if (/\/(kill_switch\/off|resume)$/.test(path)) return [[t("eyes.for"), t("log.venue")]];
  return kind ? [[t("eyes.number"), name]] : [];
}

/** The fields of the body, all of them; beside each what holds `now`.
 * @param {any} proposal @param {Record<string, string>} now @param {number} [most] of a list @returns {Fact[]} */
function asked(proposal, now, most = Infinity) {
  const fields = whole(proposal),
    said = REASONS.find((field) => fields[field]);
  return Object.entries(fields)
    .filter(([field]) => field !== said)
    .map(([field, value]) => {
      const text = field === "amount" && proposal.act === "target_set" ? amountOf(proposal.body.metric, proposal.body.amount) : valueText(field, value, most);
      const label = field === "name" && said ? t("eyes.signed_by") : term("field", field); // beside a reason it is a person's
      return [label, field in now ? t("eyes.now", { value: text, now: now[field] }) : text];
    });
}

/** Limits are replaced as a whole: those that the body does not name, too. What a change of an instrument lacks stays.
 * @param {any} proposal @returns {Record<string, any>} */
function whole({ act, path, body }) {
  if (act === "change_instrument") return Object.fromEntries(Object.entries(body).filter(([, value]) => value !== null));
  const kind = path.endsWith("/limits") ? target(path).kind : "";
  const replaced = kind === "accounts" ? LIMITS : kind === "keys" ? RATE_CLASSES : [];
  return { ...Object.fromEntries(replaced.map((field) => [field, null])), ...body };
}

/** @param {string} field @param {any} value @param {number} [most] @returns {string} */
function valueText(field, value, most = Infinity) {
  if ((value === null || value === undefined || value === "") && field in EMPTY) return t(EMPTY[field]);
  if (Array.isArray(value)) {
    const shown = value.slice(0, most).map((one) => (field === "accounts" ? accountText(one) : fieldText(field, one)));
    return value.length > most ? `${listed(shown)} … (${value.length})` : listed(shown);
  }
  return (field === "owner" || field === "account") && value ? accountText(value) : fieldText(field, value);
}

/** What its dialogs name. Raises what a reading raises: nobody confirms what could not be shown.
 * @param {any} proposal @returns {Promise<{facts: Fact[], consequence: string}>} */
export async function named(proposal) {
  const { act, proposed_by, proposed_at, why } = proposal;
  await knownAccounts();
  const told = await more(proposal);
  /** @type {Fact[]} */
  const facts = [
    [t("eyes.proposed_by"), `${proposed_by.name ?? proposed_by.key_id}, ${stamp(proposed_at)}`],
    [t("log.what"), term("action", act)],
    ...whom(proposal),
    ...asked(proposal, told.now ?? {}),
    ...(told.facts ?? []),
  ];
  if (why) facts.push([t("log.why"), why]);
  return { facts, consequence: told.consequence ?? t(CONSEQUENCES[act] ?? "eyes.consequence") };
}

/** @typedef {{now?: Record<string, string>, facts?: Fact[], consequence?: string}} Told what holds now, by field; and what else there is to know */

/** What must be read for it. @param {any} proposal @returns {Promise<Told>} */
async function more({ path, body }) {
  const { kind, name } = target(path);
  if (kind === "trades") return bustFacts(name);
  if (kind === "accounts") return { now: ofAccount(name, path, body) };
  if (kind === "instruments") return { now: await ofInstrument(name, path) };
  if (kind === "keys") return ofKey(name);
  if (kind === "fees") return { now: await ofFees(name) };
  if (kind === "measures") return { facts: await ofMeasure(name) };
  if (kind === "control_groups") return { facts: await ofGroup(name) };
  if (path.endsWith("/decisions")) return { facts: await ofTrades(body.trade_ids) };
  if (path.endsWith("/targets")) return { now: await ofTarget(body) };
  if (path.endsWith("/context")) return { now: await ofContext(body), consequence: consequenceOf(body.value) };
  return {};
}

/** @param {string} number @param {string} path @param {any} body @returns {Record<string, string>} */
function ofAccount(number, path, body) {
  const account = accountOf(number);
  if (!account) return {};
  if (path.endsWith("/cash")) return { amount: money(account.available) };
  if (path.endsWith("/inventory")) {
    const holding = account.holdings.find((/** @type {any} */ one) => one.symbol === body.symbol);
    return { quantity: grouped(holding?.available ?? 0) };
  }
  return path.endsWith("/limits") ? Object.fromEntries(LIMITS.map((limit) => [limit, valueText(limit, account.limits[limit])])) : {};
}

/** Others may have listed or changed it since the page last read. @param {string} symbol @param {string} path @returns {Promise<Record<string, string>>} */
async function ofInstrument(symbol, path) {
  await readInstruments();
  const now = instrumentOf(symbol);
  if (!now) throw new Error(t("acts.gone"));
  if (path.endsWith("/collar")) return { rate: rate(now.collar_rate) };
  if (path.endsWith("/phase")) return { phase: term("phase", stateOf(symbol).phase) };
  return path.endsWith("/volatility_band")
    ? { rate: rate(now.volatility_rate), auction_seconds: valueText("auction_seconds", now.auction_seconds) }
    : Object.fromEntries(TERMS.map((field) => [field, valueText(field, now[field])]));
}

/** @param {string} number @returns {Promise<Record<string, string>>} */
async function ofFees(number) {
  const classes = await read("/v1/admin/fees");
  const now = classes.find((/** @type {any} */ one) => String(one.account_class) === number);
  return { maker_rate: rate(now?.maker_rate ?? null), taker_rate: rate(now?.taker_rate ?? null) };
}

/** @param {string} id @returns {Promise<Told>} */
async function ofKey(id) {
  const key = await keyOf(id);
  if (!key) return {};
  const now = Object.entries(key.limits).map(([name, { per_s, burst }]) => [name, valueText(name, { per_s, burst })]);
  return { facts: [[t("field.key_id"), key.name]], now: Object.fromEntries(now) };
}

/** @param {string} seq @returns {Promise<Fact[]>} */
async function ofMeasure(seq) {
  const imposed = (await readAll("/v1/admin/log", "actions", { kind: "measure_imposed" })).find((/** @type {any} */ one) => String(one.seq) === seq)?.fields;
  if (!imposed) return [];
  return [
    [t("field.measure"), term("measure", imposed.measure)],
    [t("field.accounts"), valueText("accounts", imposed.accounts)],
    [t("eyes.imposed_why"), imposed.reason],
  ];
}

/** @param {string} seq @returns {Promise<Fact[]>} */
async function ofGroup(seq) {
  const group = (await readAll("/v1/reports/control_groups", "control_groups")).find((/** @type {any} */ one) => one.control_group === seq);
  if (!group) return [];
  return [
    [t("field.accounts"), valueText("accounts", group.accounts)],
    [t("eyes.declared_why"), group.reason],
  ];
}

/** @param {string[]} ids @returns {Promise<Fact[]>} */
async function ofTrades(ids) {
  const found = await Promise.all(ids.slice(0, NAMED_TRADES).map((id) => read(`/v1/reports/trades/${id}`)));
  return found.map((trade) => [
    `${t("trade")} ${trade.trade_id}`,
    `${trade.product} · ${grouped(trade.quantity)} × ${grouped(trade.price)} = ${money(trade.amount)} · ${party(trade.buyer)} ← ${party(trade.seller)}`,
  ]);
}

/** @param {any} body @returns {Promise<Record<string, string>>} */
async function ofTarget({ year, replaces }) {
  if (!replaces) return {};
  const older = (await readAll(`/v1/reports/targets/${year}`, "targets")).find((/** @type {any} */ one) => one.seq === replaces);
  return older ? { amount: amountOf(older.metric, older.amount), name: targetName(older.name) } : {};
}

/** @param {any} body @returns {Promise<Record<string, string>>} */
async function ofContext({ year, figure }) {
  const older = (await figuresOf(year)).find((one) => one.figure === figure);
  if (!older) return { value: t("none") };
  return Object.fromEntries(["value", "unit", "source"].map((field) => [field, valueText(field, older[field])]));
}
