// The day's timetable: a bar with the present moment, the changes as a list, and a countdown to the next one.

import { read } from "../app/api.js";
import { fill, h, say } from "../app/dom.js";
import { day, duration, midnight, minute } from "../app/format.js";
import { get, set, watch } from "../app/store.js";
import { sentences, t, term } from "../app/words.js";

const MINUTE_MS = 60_000;
const MARGIN_MS = 30 * MINUTE_MS;
const DAY_MS = 1_440 * MINUTE_MS;

/** @typedef {{time: string, phase: string, trading_date: string}} Change */

/** @param {HTMLElement} host */
export function showTimeline(host) {
  const coming = h("p", { class: "coming", data: { testid: "countdown" } }),
    bar = h("div", { class: "day", "aria-hidden": "true" });
  const list = h("ol", { class: "changes", data: { testid: "timetable" } }),
    note = h("p", { class: "dim" });
  fill(host, coming, bar, list, note);
  watch(["calendar"], () => {
    const calendar = get("calendar");
    if (!calendar) return;
    draw(bar, calendar);
    fill(
      list,
      calendar.changes_today.map((/** @type {Change} */ change, /** @type {number} */ number) =>
        h("li", { data: { time: Date.parse(change.time) } }, h("b", {}, minute(change.time)), " ", words(change, before(calendar, number))),
      ),
    );
    say(
      note,
      sentences([
        t("timeline.zone", { date: calendar.date }),
        calendar.changes_today.length ? "" : t("timeline.no_trading"),
        calendar.schedule === "always" ? t("timeline.always") : "",
        calendar.assumed ? t("timeline.assumed") : "",
      ]),
    );
    move(bar, list);
  });
  let next = "";
  const tick = () => {
    const [change] = get("venue")?.next_changes ?? [];
    say(
      coming,
      change
        ? t("timeline.next", {
            change: words(change, get("venue").trading_date),
            time: minute(change.time),
            day: day(change.time) === day(Date.now()) ? t("timeline.today") : day(change.time),
            left: duration(Date.parse(change.time) - Date.now()),
          })
        : t("timeline.none"),
    );
    if (change && change.time !== next) readCalendar();
    next = change?.time ?? next;
    move(bar, list);
  };
  watch(["venue"], tick);
  setInterval(tick, 1_000);
}

async function readCalendar() {
  try {
    set("calendar", await read("/v1/calendar"));
  } catch {
    /* the next change asks again */
  }
}

/** The trading date before a change of the day. @param {any} calendar @param {number} number */
const before = (calendar, number) => (number ? calendar.changes_today[number - 1].trading_date : calendar.date);

/** @param {Change} change @param {string} date the trading date before it */
const words = (change, date) =>
  change.trading_date === date ? term("phase", change.phase) : t("timeline.roll", { date: change.trading_date });

/** From when to when the bar goes. @param {any} calendar @returns {[number, number]} */
function span({ date, schedule, changes_today }) {
  if (schedule === "always" || !changes_today.length) return [midnight(date), midnight(date) + DAY_MS];
  return [Date.parse(changes_today[0].time) - MARGIN_MS, Date.parse(changes_today.at(-1).time) + MARGIN_MS];
}

/** @param {HTMLElement} bar @param {any} calendar */
function draw(bar, calendar) {
  const [from, to] = span(calendar);
  let since = from,
    phase = calendar.schedule === "always" ? "continuous" : "closed";
  const parts = [];
  for (const change of [...calendar.changes_today, { time: new Date(to).toISOString(), phase: "" }]) {
    const until = Date.parse(change.time),
      part = h(
        "span",
        { class: "part", data: { phase }, title: `${minute(since)}–${minute(until)} ${term("phase", phase)}` },
        until - since > (to - from) / 12 && term("phase", phase),
      );
    part.style.setProperty("flex-grow", String(until - since));
    parts.push(part);
    [since, phase] = [until, change.phase];
  }
  bar.dataset.from = String(from);
  bar.dataset.to = String(to);
  fill(bar, parts, h("i", { class: "now" }));
}

/** The mark of now, and which changes have passed. @param {HTMLElement} bar @param {HTMLElement} list */
function move(bar, list) {
  const now = Date.now(),
    from = Number(bar.dataset.from),
    to = Number(bar.dataset.to),
    mark = /** @type {HTMLElement | null} */ (bar.querySelector(".now"));
  if (mark) {
    mark.hidden = now < from || now > to;
    mark.style.setProperty("left", `${Math.max(0, Math.min(100, ((now - from) / (to - from)) * 100))}%`);
  }
  let isNext = true;
  for (const item of /** @type {Iterable<HTMLElement>} */ (list.children)) {
    const isPast = Number(item.dataset.time) <= now;
    item.classList.toggle("past", isPast);
    item.classList.toggle("next", !isPast && isNext);
    if (!isPast) isNext = false;
  }
}
