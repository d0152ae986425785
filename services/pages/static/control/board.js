// The board: the phase of every instrument at a glance. Choosing one shows its facts and acts beside; nothing here acts.

import { fill, h, rows, say } from "../app/dom.js";
import { duration, grouped } from "../app/format.js";
import { saveButton } from "../app/save.js";
import { get, watch } from "../app/store.js";
import { nameOf, t, term } from "../app/words.js";
import { choose, chosenInstrument, stateOf } from "./market.js";

/** A sign of each phase, so that colour is not alone. @type {Record<string, string>} */
export const SIGNS = { continuous: "●", closed: "○", halted: "■", call_auction: "◑", auction_matching: "◆", delisted: "✕" };

/** The phase in words with its sign. @param {string} phase */
export const phaseText = (phase) => `${SIGNS[phase] ?? "?"} ${term("phase", phase)}`;

/** @param {HTMLElement} board the list @param {HTMLElement} summary */
export function showBoard(board, summary) {
  const show = () => {
    const all = get("instruments") ?? [];
    rows(board, all, (one) => one.symbol, tile, update);
    fill(summary, counts(all), saveButton("phases", lines));
  };
  watch(["instruments", "phases", "auctions", "product"], show);
  setInterval(() => hasEnds() && show(), 1_000);
  board.addEventListener("click", (event) => {
    const button = event.target instanceof Element && event.target.closest("button");
    if (button) choose(button.dataset.symbol ?? "");
  });
}

const hasEnds = () => [...(get("phases") ?? new Map()).values()].some(({ auction_ends_at }) => auction_ends_at);

/** @param {any} instrument */
const tile = (instrument) =>
  h(
    "li",
    {},
    h(
      "button",
      { type: "button", class: "tile", title: nameOf(instrument), data: { symbol: instrument.symbol, testid: "tile" } },
      h("b", {}, instrument.symbol),
      h("span", { class: "name" }, nameOf(instrument)),
      h("span", { class: "phase" }),
      h("span", { class: "extra" }),
    ),
  );

/** @param {HTMLElement} node @param {any} instrument */
function update(node, instrument) {
  const button = /** @type {HTMLElement} */ (node.firstElementChild),
    [, , phase, extra] = button.children;
  const { phase: now } = stateOf(instrument.symbol);
  button.dataset.phase = now;
  button.setAttribute("aria-pressed", String(instrument.symbol === chosenInstrument()?.symbol));
  say(phase, phaseText(now));
  say(extra, auctionText(instrument.symbol));
}

/** What a running auction would give, and when it ends; empty without one. @param {string} symbol */
export function auctionText(symbol) {
  const { phase, auction_ends_at } = stateOf(symbol),
    auction = get("auctions")?.get(symbol);
  if (phase !== "call_auction") return "";
  const result = auction?.indicative_price
    ? `${grouped(auction.indicative_price)} × ${grouped(auction.indicative_volume)}`
    : t("auction.nothing_yet");
  return auction_ends_at ? `${duration(Date.parse(auction_ends_at) - Date.now())} · ${result}` : result;
}

/** @param {any[]} all */
function counts(all) {
  /** @type {Map<string, number>} */ const found = new Map();
  for (const { symbol } of all) {
    const { phase } = stateOf(symbol);
    found.set(phase, (found.get(phase) ?? 0) + 1);
  }
  return [...found]
    .sort((a, b) => b[1] - a[1])
    .map(([phase, count]) => h("span", { class: "count", data: { phase } }, `${count} ${phaseText(phase)}`));
}

const lines = () => [
  [t("symbol"), t("facts.phase"), t("auction.ends_at"), t("auction.price"), t("auction.volume"), t("auction.imbalance")],
  ...get("instruments").map((/** @type {any} */ { symbol }) => {
    const { phase, auction_ends_at } = stateOf(symbol),
      auction = phase === "call_auction" ? get("auctions")?.get(symbol) : null;
    return [symbol, phase, auction_ends_at, auction?.indicative_price, auction?.indicative_volume, auction?.indicative_imbalance];
  }),
];
