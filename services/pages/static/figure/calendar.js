// The year's calendar: which days trade, which of them are over, and whether they are published or assumed.

import { fill, h } from "../app/dom.js";
import { number } from "../app/format.js";
import { saveButton } from "../app/save.js";
import { t } from "../app/words.js";
import { toDay } from "./day.js";
import { letScroll } from "./table.js";
import { view } from "./view.js";

/** @type {any} */
let shown;
let before = "";

/** @param {string} date @param {Set<string>} trading @param {string} today */
const kindOf = (date, trading, today) =>
  !trading.has(date) ? "free" : date < today ? "over" : date === today ? "today" : "to_come";

/** @param {HTMLElement} host @param {Record<string, any>} docs */
export function showCalendar(host, { calendar, report }) {
  const today = report.trading_date || calendar.date, now = JSON.stringify([calendar.year, today, calendar.assumed, calendar.trading_days.length]);
  if (now === before && host.querySelector("table")) return;
  before = now;
  const trading = new Set(/** @type {string[]} */ (calendar.trading_days));
  shown = { ...calendar, days: allDays(calendar.year).map((date) => ({ date, kind: kindOf(date, trading, today) })) };
  fill(host,
    h("p", {}, t(calendar.assumed ? "calendar.assumed" : "calendar.published", { year: calendar.year, days: number(trading.size) })),
    h("div", { class: "scroll-x" }, h("table", { class: calendar.assumed ? "calendar assumed" : "calendar", "aria-label": t("figure.calendar"), data: { testid: "table-calendar" }, onclick: pick },
      h("tbody", {}, Array.from({ length: 12 }, (_, month) => h("tr", {},
        h("th", { scope: "row" }, `${calendar.year}-${String(month + 1).padStart(2, "0")}`),
        shown.days.filter((/** @type {any} */ one) => Number(one.date.slice(5, 7)) === month + 1).map(dayCell)))))),
    h("p", { class: "legend" }, ["over", "today", "to_come", "free"].map((kind) => h("span", {}, h("i", { class: `day ${kind}`, "aria-hidden": "true" }), t(`day.${kind}`))),
      calendar.assumed && h("span", {}, h("i", { class: "day to_come assumed", "aria-hidden": "true" }), t("day.assumed"))),
    h("p", { class: "dim" }, t("calendar.pick")));
  letScroll(/** @type {HTMLElement} */ (host.querySelector(".scroll-x")));
  const aside = host.closest(".panel")?.querySelector(".aside");
  if (aside && !aside.querySelector(".save")) aside.append(saveButton("calendar", lines));
}

/** @param {{date: string, kind: string}} day */
const dayCell = ({ date, kind }) => h("td", {},
  h("i", { class: `day ${kind}`, title: `${date} · ${t(`day.${kind}`)}`, data: kind === "over" ? { date } : {} }, String(Number(date.slice(8)))));

/** A day that is over leads to its end. @param {Event} event */
function pick({ target }) {
  const date = target instanceof HTMLElement ? target.dataset.date : undefined;
  if (date && Number(date.slice(0, 4)) === view.year) toDay(date);
}

/** @param {number} year */
function allDays(year) {
  const found = [];
  for (let at = Date.UTC(year, 0, 1); new Date(at).getUTCFullYear() === year; at += 86_400_000) found.push(new Date(at).toISOString().slice(0, 10));
  return found;
}

const lines = () => [
  [t("column.date"), t("column.kind"), t("calendar.source")],
  ...shown.days.map((/** @type {any} */ { date, kind }) => [date, t(`day.${kind}`), t(shown.assumed ? "day.assumed" : "day.published")]),
];
