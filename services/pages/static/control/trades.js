// Trades found by search: by their id, or by trading day, member, product and time. What was found holds still until the next search.

import { Refused, read } from "../app/api.js";
import { fill, h, say } from "../app/dom.js";
import { clock, day, grouped, money } from "../app/format.js";
import { get, set, watch } from "../app/store.js";
import * as url from "../app/url_state.js";
import { nameOf, t, term } from "../app/words.js";
import { choice, field, line } from "../operate/fields.js";
import { Listing, panel } from "../operate/listing.js";
import { reveal } from "./market.js";
import { tradeBody } from "./trade.js";
import { find } from "./trade_search.js";

const NAMES = ["trade", "date", "member", "symbol", "from", "to"];

/** @param {import("../operate/access.js").Access} rights @returns {HTMLElement} */
export function tradesPanel(rights) {
  const listing = new Listing({
    id: "found-trades",
    label: t("trades.found"),
    keyOf: (one) => one.trade_id,
    empty: t("trades.none"),
    rowKind: (one) => `${one.trade_id === get("trade")?.trade_id ? "chosen " : ""}${one.counts ? "" : "struck"}`,
    columns: [
      { name: t("trades.time"), text: (one) => `${day(one.time)} ${clock(one.time)}` },
      { name: t("trades.id"), text: (one) => one.trade_id, show: picker },
      { name: t("symbol"), text: (one) => one.product },
      { name: t("trades.price"), text: (one) => grouped(one.price), num: true },
      { name: t("trades.lots"), text: (one) => grouped(one.quantity), num: true },
      { name: t("trades.amount"), text: (one) => money(one.amount), num: true },
      { name: t("trades.buyer"), text: (one) => `${one.buyer.account} · ${one.buyer.name}` },
      { name: t("trades.seller"), text: (one) => `${one.seller.account} · ${one.seller.name}` },
      {
        name: t("trades.state"),
        text: (one) => (one.counts ? t("trades.counts") : term("why_not", one.why_not)),
        kind: (one) => (one.counts ? "dim" : "danger"),
      },
    ],
  });
  const said = h("p", { class: "outcome", role: "status", data: { testid: "search-said" } }),
    form = searchForm();
  const more = h("button", { type: "button", hidden: true, data: { testid: "more-trades" } }, t("trades.more"));
  /** @type {string | null} */ let cursor = null;
  let searches = 0;
  /** Shows what is found, unless another search has begun meanwhile. @param {boolean} isMore */
  const search = async (isMore) => {
    const own = ++searches;
    const asked = Object.fromEntries(NAMES.map((name) => [name, String(new FormData(form).get(name) ?? "").trim()]));
    say(said, t("trades.searching"));
    try {
      const found = await find(asked, isMore ? cursor : null);
      if (own !== searches) return;
      const trades = isMore ? [...listing.items, ...found.trades] : found.trades;
      cursor = found.next;
      listing.show(trades);
      set("found", trades);
      more.hidden = cursor === null;
      say(said, t("trades.count", { count: grouped(trades.length), order: t(found.isNewest ? "trades.newest" : "trades.oldest") }));
      if (found.trades.length === 1 && !isMore) choose(trades[0]);
      else set("trade", trades.find((/** @type {any} */ one) => one.trade_id === get("trade")?.trade_id) ?? get("trade"));
    } catch (error) {
      if (own !== searches) return;
      if (error instanceof Refused && error.status === 404) {
        listing.show([]);
        say(said, t("trades.none"));
      } else say(said, error instanceof Error ? error.message : String(error));
    }
  };
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    search(false);
  });
  more.addEventListener("click", () => search(true));
  watch(["trade"], () => {
    if (listing.items.length) listing.show(listing.items);
  });
  const asked = url.read("trade");
  if (asked) {
    /** @type {HTMLInputElement} */ (form.elements.namedItem("trade")).value = asked;
    search(false);
  }
  const body = h("div", { class: "body", id: "trade", data: { testid: "trade" } });
  tradeBody(body, rights, async (id, seq) => {
    const trade = await read(`/v1/reports/trades/${id}`, { at_least_seq: seq });
    listing.show(listing.items.map((one) => (one.trade_id === id ? trade : one)));
    set("trade", trade);
  });
  return h(
    "div",
    { class: "beside" },
    panel("trades-panel", t("trades"), [listing.save], form, said, listing.node, h("p", { class: "body" }, more)),
    h("aside", { class: "panel", "aria-label": t("trade") }, h("header", {}, h("h2", {}, t("trade"))), body),
  );
}

/** @param {any} trade */
const picker = (trade) =>
  h(
    "button",
    { type: "button", class: "pick", data: { trade: trade.trade_id, testid: "pick-trade" }, onclick: () => choose(trade) },
    trade.trade_id,
  );

/** @param {any} trade */
function choose(trade) {
  url.write({ trade: trade.trade_id });
  set("trade", trade);
  reveal("trade");
}

function searchForm() {
  const members = choice(t("trades.member"), "member", [["", t("trades.any")]]),
    products = choice(t("symbol"), "symbol", [["", t("trades.any")]]);
  const select = /** @type {HTMLSelectElement} */ (members.querySelector("select"));
  const symbols = /** @type {HTMLSelectElement} */ (products.querySelector("select"));
  /** @param {any} one */
  const option = (one) => h("option", { value: one.symbol }, `${one.symbol} · ${nameOf(one)}`);
  // The venue adds to the end of its list, and takes none away: what is chosen stays.
  watch(["instruments"], () => symbols.append(...get("instruments").slice(symbols.options.length - 1).map(option)));
  watch(["accounts"], () => {
    const all = get("accounts") ?? [];
    if (select.options.length === all.length + 1) return;
    const { value } = select;
    fill(
      select,
      h("option", { value: "" }, t("trades.any")),
      all.map((/** @type {any} */ one) => h("option", { value: one.account }, `${one.account} · ${one.name}`)),
    );
    select.value = value;
  });
  const date = get("venue")?.trading_date ?? "";
  return /** @type {HTMLFormElement} */ (
    h(
      "form",
      { class: "search", role: "search", "aria-label": t("trades"), data: { testid: "trade-search" } },
      line(t("trades.id"), "trade", { inputmode: "numeric", pattern: "\\d{1,19}", maxlength: 19, title: t("acts.whole") }),
      h("span", { class: "or" }, t("trades.or")),
      field(t("trades.day"), h("input", { type: "date", name: "date", value: date, data: { testid: "field-date" } })),
      members,
      products,
      field(t("trades.from"), h("input", { type: "datetime-local", name: "from", step: 1, data: { testid: "field-from" } })),
      field(t("trades.to"), h("input", { type: "datetime-local", name: "to", step: 1, data: { testid: "field-to" } })),
      h("button", { type: "submit", class: "primary", data: { testid: "search" } }, t("trades.search")),
    )
  );
}
