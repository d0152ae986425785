// What every page has: the venue's state in its head, who looks at it, language, theme and colours.

import "./alerts.js";
import { read } from "./api.js";
import { keepCarried } from "./carried.js";
import { fill, h } from "./dom.js";
import { feed } from "./feed.js";
import { duration, stamp } from "./format.js";
import "./line.js";
import { at, page } from "./page.js";
import { changePassword } from "./password.js";
import { enter, logOut, session } from "./session.js";
import { get, set, watch } from "./store.js";
import { nextChange } from "./timetable.js";
import { address, read as ofAddress } from "./url_state.js";
import { t, term } from "./words.js";

set("venue", page.first.venue ?? null);

feed.follow({ channels: ["status"] }, ({ type, data }) => {
  const known = type === "snapshot" ? new Map() : new Map(get("phases"));
  for (const { symbol, phase, auction_ends_at } of data.instruments) known.set(symbol, { phase, auction_ends_at });
  set("phases", known);
  set("venue", { ...get("venue"), trading_date: data.trading_date, kill_switch: data.kill_switch, next_changes: data.next_changes });
});

/** How many instruments are in each phase, the most first; delisted ones are not counted. @returns {[string, number][]} */
function counts() {
  const found = new Map();
  for (const { phase } of (get("phases") ?? new Map()).values()) found.set(phase, (found.get(phase) ?? 0) + 1);
  found.delete("delisted");
  return [...found].sort((a, b) => b[1] - a[1]);
}

function showFacts() {
  const venue = get("venue");
  if (!venue) return;
  const phases = counts(), coming = nextChange(venue, phases[0]?.[0]);
  // What differs from the others comes first: a head without room cuts the end.
  const said = phases.length === 1 ? term("phase", phases[0][0])
    : phases.toReversed().map(([phase, count]) => t("facts.some", { count, phase: term("phase", phase) })).join(" · ");
  fill(at("facts"),
    fact(t("facts.date"), venue.trading_date),
    phases.length > 0 && fact(t("facts.phase"), venue.kill_switch ? t("facts.kill_switch") : said, venue.kill_switch ? "danger" : ""),
    coming && nextFact(coming, venue.trading_date));
}

/** What the timetable does next: another phase, or only another trading date. @param {{time: string, phase: string, trading_date: string}} coming @param {string} date */
function nextFact(coming, date) {
  const time = duration(Date.parse(coming.time) - Date.now()), isRoll = coming.phase === "continuous" && coming.trading_date !== date;
  return isRoll ? fact(t("facts.next_day"), t("facts.roll", { date: coming.trading_date, time }), "", stamp(coming.time))
    : fact(t("facts.next"), t("facts.in", { phase: term("phase", coming.phase), time }), "", stamp(coming.time));
}

/** @param {string} name @param {string} value @param {string} [kind] @param {string} [title] */
const fact = (name, value, kind = "", title = value) => h("span", { title }, h("small", {}, name), h("b", { class: kind }, value));

async function showWho() {
  const who = await session;
  document.documentElement.dataset.role = who.role ?? "nobody";
  const here = location.pathname.startsWith("/ui/") ? `?next=${encodeURIComponent(location.pathname + location.search)}` : "";
  if (who.role !== null) {
    fill(at("who"), whoIs(who),
      h("button", { type: "button", class: "quiet", data: { testid: "log-out" }, onclick: logOut }, t("log_out")));
  } else {
    fill(at("who"), page.demo && h("span", { class: "demo" }, t("who.demo"), " ", ["trader", "operator"].map((role) =>
      h("button", { type: "button", data: { testid: `enter-${role}` }, onclick: enter, value: role }, term("role", role)))),
      h("a", { href: `/log-in${here}`, data: { testid: "log-in" } }, t("log_in")));
  }
}

/** Who is logged in: a button that changes the password, which the people of a demo do not have. @param {import("./session.js").Session} who */
function whoIs(who) {
  const said = `${who.name} · ${term("role", who.role ?? "")}`, data = { testid: "who-name" };
  if (page.demo && who.name === `demo ${who.role}`) return h("span", { data }, said);
  const button = h("button", { type: "button", class: "quiet own", title: t("password.act"), data: { acts: "", ...data }, onclick: () => changePassword(button, who) }, said);
  return button;
}

let wasLive = false;

// A restart of the venue ends sessions, and the line comes back all the same: as nobody's.
feed.addEventListener("state", async () => {
  if (feed.state !== "live" || !wasLive) {
    wasLive ||= feed.state === "live";
    return;
  }
  const before = await session;
  if (before.role !== null && (await read("/v1/session").catch(() => before)).role === null) feed.end("session_ended");
});

/** @param {string} name @param {string} value */
function keep(name, value) {
  document.cookie = `${name}=${value}; path=/; SameSite=Strict; max-age=31536000`;
}

at("language").addEventListener("click", () => {
  const lang = page.lang === "zh" ? "en" : "zh";
  keep("lang", lang);
  keepCarried();
  location.assign(address({ lang }));
});

at("theme").addEventListener("click", () => {
  const root = document.documentElement.dataset;
  const isDark = root.theme ? root.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
  root.theme = isDark ? "light" : "dark";
  localStorage.setItem("theme", root.theme);
  history.replaceState(null, "", address({ theme: null }));
});

at("colours").addEventListener("click", () => {
  const root = document.documentElement.dataset;
  root.colours = root.colours === "west" ? "cn" : "west";
  localStorage.setItem("colours", root.colours);
});

/** The links that were changed: as they were written, and as they are. @type {WeakMap<Element, {from: string, to: string}>} */
const changed = new WeakMap();

/** Language and theme of the address go along with who follows a link of the page. @param {MouseEvent} event */
function takeAlong({ target }) {
  const link = target instanceof Element ? target.closest("a") : null, now = link?.getAttribute("href") ?? "";
  const known = link && changed.get(link), from = known?.to === now ? known.from : now;
  if (!link || !/^\/(ui\/|log-in)/.test(from)) return;
  const to = new URL(from, location.origin);
  for (const name of ["lang", "theme"]) {
    const value = ofAddress(name);
    if (value && !to.searchParams.has(name)) to.searchParams.set(name, value);
  }
  changed.set(link, { from, to: to.pathname + to.search + to.hash });
  link.setAttribute("href", to.pathname + to.search + to.hash);
}

for (const kind of /** @type {const} */ (["click", "auxclick"])) addEventListener(kind, takeAlong, { capture: true });
watch(["venue", "phases"], showFacts);
setInterval(showFacts, 1_000);
showWho();
