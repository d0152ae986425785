// Where the reader is on the way from the year to the journal. The address says it, so a copied link leads there.

import { set } from "../../app/store.js";
import { address, onReturn, read } from "../../app/url_state.js";
import { shownYear } from "../data.js";

/** From the broadest to the narrowest: the names in the address that lead there. */
export const STEPS = /** @type {const} */ (["year", "days", "day", "minutes", "trade", "order", "seq"]);
/** @type {Record<string, string[]>} */
const NAMES = { days: ["from", "to"], day: ["day"], minutes: ["start", "end"], trade: ["trade"], order: ["order"], seq: ["seq"] };

/** @typedef {typeof STEPS[number]} Step */

/** What the address names. */
export function placeNow() {
  const day = read("day"), from = read("from"), to = read("to");
  return {
    year: shownYear(), product: read("product"), from, to: to ?? from, day, start: read("start"), end: read("end"),
    trade: read("trade"), order: read("order"), seq: read("seq"),
  };
}

/** The narrowest step that the address names. @returns {Step} */
export function stepNow() {
  const place = placeNow();
  if (place.seq) return "seq";
  if (place.order) return "order";
  if (place.trade) return "trade";
  if (place.day && place.start && place.end) return "minutes";
  if (place.day) return "day";
  return place.from ? "days" : "year";
}

/** The address of a step, without all that is narrower. @param {Step} step @param {Record<string, string | number | null>} [changes] */
export function addressOf(step, changes = {}) {
  const narrower = STEPS.slice(STEPS.indexOf(step) + 1).flatMap((name) => NAMES[name] ?? []);
  return address({ ...Object.fromEntries(narrower.map((name) => [name, null])), ...changes });
}

/** Goes to an address of this page: Back leads to the one before. @param {string} to */
export function go(to) {
  history.pushState(null, "", to);
  set("address", location.search);
}

onReturn(() => set("address", location.search));
document.addEventListener("click", (event) => {
  const link = event.target instanceof Element ? event.target.closest("a[data-step]") : null;
  if (!(link instanceof HTMLAnchorElement) || event.button !== 0 || event.ctrlKey || event.metaKey || event.shiftKey) return;
  event.preventDefault();
  go(link.getAttribute("href") ?? "");
  document.querySelector(".drill")?.scrollIntoView({ block: "nearest" });
});
set("address", location.search);
