// The months of the year: net turnover, plan, last year.

import { h, rows, say } from "../app/dom.js";
import { forDrawing, ratio } from "../app/decimal.js";
import { money, percent, short } from "../app/format.js";
import { at } from "../app/page.js";
import { saveButton } from "../app/save.js";
import { get, watch } from "../app/store.js";
import { address } from "../app/url_state.js";
import { t } from "../app/words.js";
import { s } from "../charts/svg.js";

const PLAN_AT = 80; // of 100: where the bar of a month stands that is exactly on its plan

/** @param {any} month */
const line = ({ month }) => h("tr", {},
  h("th", { scope: "row" }, h("a", { href: address({ from: `${month}-01`, to: `${month}-31` }), data: { step: "" } }, month)),
  h("td", { class: "num" }), h("td", { class: "num" }),
  h("td", {}, s("svg", { class: "share", viewBox: "0 0 100 10", preserveAspectRatio: "none", "aria-hidden": "true" },
    s("rect", { class: "rail", width: 100, height: 10 }), s("rect", { class: "done", width: 0, height: 10 }), s("rect", { class: "mark", x: PLAN_AT - 0.5, width: 1.2, height: 10 })), " ", h("span", {})),
  h("td", { class: "num" }));

/** @param {HTMLElement} cell @param {string | null} yuan */
function put(cell, yuan) {
  say(cell, short(yuan));
  cell.title = money(yuan);
}

/** @param {HTMLElement} node @param {any} month */
function update(node, { actual, plan, last_year }) {
  const [, actually, planned, shared, before] = /** @type {HTMLElement[]} */ ([...node.children]);
  put(actually, actual);
  put(planned, plan);
  put(before, last_year);
  const share = actual === null ? null : ratio(actual, plan);
  say(/** @type {Element} */ (shared.querySelector("span")), percent(share, 0));
  shared.querySelector(".done")?.setAttribute("width", String(Math.min(100, PLAN_AT * forDrawing(share ?? 0))));
}

/** The months' links keep the page's other choices, the product and the language. */
function show() {
  const months = get("months")?.months ?? [];
  rows(at("months"), months, ({ month }) => month, line, update);
  for (const link of at("months").querySelectorAll("a")) {
    const month = link.textContent;
    link.dataset.step = "";
    link.setAttribute("href", address({ from: `${month}-01`, to: `${month}-31`, day: null, start: null, end: null, trade: null, order: null, seq: null }));
  }
}

watch(["months", "address"], show);

at("months-tools").append(saveButton("months", () => [
  [t("months.month"), t("months.actual"), t("months.plan"), t("months.last_year")],
  ...(get("months")?.months ?? []).map((/** @type {any} */ { month, actual, plan, last_year }) => [month, actual, plan, last_year]),
]));
