// What the page shows: year, seq and product. The address is the state; `seq` null is the present.

import { page } from "../app/page.js";
import { set } from "../app/store.js";
import * as url from "../app/url_state.js";

/** @typedef {{year: number, seq: number | null, product: string}} View */

/** The year of the current trading day. */
export const presentYear = Number(page.first.report?.year ?? (page.first.venue?.trading_date ?? "").slice(0, 4)) || new Date().getFullYear();

/** @returns {View} */
function fromAddress() {
  const seq = Number(url.read("seq"));
  return {
    year: url.year() ?? presentYear,
    seq: Number.isInteger(seq) && seq > 0 ? seq : null,
    product: url.read("product") ?? "",
  };
}

/** @type {View} */
export let view = fromAddress();

/** @param {View} next */
function turn(next) {
  view = next;
  document.documentElement.toggleAttribute("data-past", view.seq !== null);
  set("view", view);
}

/** Changes what is shown, and the address with it. @param {Partial<View>} changes @param {{push?: boolean}} [options] */
export function change(changes, options) {
  const next = { ...view, ...changes };
  if (next.year === view.year && next.seq === view.seq && next.product === view.product) return;
  url.write({ year: next.year === presentYear ? null : next.year, seq: next.seq, product: next.product || null }, options);
  turn(next);
}

let mayTravel = true;

/** Who may not read sees the present alone; the address keeps the seq for the time after a log-in. */
export function stayInThePresent() {
  mayTravel = false;
  turn({ ...view, seq: null });
}

url.onReturn(() => turn({ ...fromAddress(), ...(mayTravel ? {} : { seq: null }) }));
turn(view);
