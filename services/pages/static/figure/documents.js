// The documents that the panels show: what is read, where from and how often. Each is a named value of the store.
//
// A document is read when a panel that needs it is in view, and again every so often: of the present, and of the past what could
// not be read. An answer that comes after the view has changed is dropped.

import { read } from "../app/api.js";
import { isLive } from "../app/line.js";
import { get, set } from "../app/store.js";
import { view } from "./view.js";

/**
 * @typedef {object} Source
 * @property {(year: number) => string} path
 * @property {() => Record<string, any>} [query]
 * @property {number} every_s how often it is read again
 * @property {boolean} [past] whether the API tells it of a past seq, too
 * @property {() => boolean} [isChosen] whether it is known which one; without it, always
 *
 * @typedef {object} Known
 * @property {any} doc the answer; null: none yet
 * @property {string | null} trouble why there is none, or no newer one
 * @property {string} of path and query of `doc`
 * @property {number} readAt when `doc` was read, in milliseconds
 */

const REPORTS = "/v1/reports";
/** @param {string} name @param {number} every_s @returns {Source} */
const ofTurnover = (name, every_s) => ({ path: (year) => `${REPORTS}/turnover/${year}${name}`, every_s });

/** @type {Record<string, Source>} */
export const SOURCES = {
  report: { ...ofTurnover("", 5), query: () => ({ seq: view.seq }), past: true },
  last_day: { ...ofTurnover("/last_day", 60), query: () => ({ seq: view.seq }), past: true },
  ladder: ofTurnover("/ladder", 5),
  split: { ...ofTurnover("/splits", 10), query: () => ({ by: get("split_by") }) },
  members: ofTurnover("/members", 10),
  concentration: ofTurnover("/concentration", 30),
  effects: ofTurnover("/effects", 30),
  months: ofTurnover("/months", 30),
  flagged: ofTurnover("/flagged", 300),
  forecasts: ofTurnover("/forecasts", 300),
  fees: ofTurnover("/fees", 30),
  targets: { path: (year) => `${REPORTS}/targets/${year}/progress`, every_s: 30 },
  calendar: { path: () => "/v1/calendar", query: () => ({ year: view.year }), every_s: 3600 },
  context: { path: (year) => `${REPORTS}/context/${year}`, every_s: 60 },
  index: { path: () => `${REPORTS}/index`, query: () => ({ year: view.year }), every_s: 60 },
  bulletin: { path: () => `${REPORTS}/bulletins/${get("bulletin_period")}`, isChosen: () => Boolean(get("bulletin_period")), every_s: 60 },
  quality: { path: () => `${REPORTS}/quality/${get("quality_date")}`, isChosen: () => Boolean(get("quality_date")), every_s: 60 },
};

/** @type {Map<string, number>} When each was asked for, by performance.now(). */
const askedAt = new Map();
/** @type {Map<string, {control: AbortController, of: string}>} */
const underWay = new Map();
/** @type {Map<string, number>} How many panels in view need it. */
const wanted = new Map();

/** @param {string} name @returns {Known} */
export const known = (name) => get(name) ?? { doc: null, trouble: null, of: "", readAt: 0 };

/** Where a document of the present view is. @param {string} name */
const addressOf = (name) => SOURCES[name].path(view.year) + JSON.stringify(SOURCES[name].query?.() ?? {});

/** Whether what is known is of the view that is shown, and not of one before it. @param {string} name */
export const isOfView = (name) => known(name).of === addressOf(name);

/** Reads a document now. @param {string} name */
export async function load(name) {
  const { path, query, isChosen } = SOURCES[name];
  if (isChosen && !isChosen()) return;
  const at = path(view.year), asked = query?.() ?? {}, of = addressOf(name);
  if (underWay.get(name)?.of === of) return;
  underWay.get(name)?.control.abort();
  const control = new AbortController(), before = known(name);
  underWay.set(name, { control, of });
  askedAt.set(name, performance.now());
  try {
    const doc = await read(at, asked, control.signal);
    if (!control.signal.aborted) set(name, { doc, trouble: null, of, readAt: Date.now() });
  } catch (error) {
    if (control.signal.aborted) return;
    const trouble = error instanceof Error ? error.message : String(error), { doc, readAt } = before.of === of ? before : known("");
    set(name, { doc, trouble, of, readAt });
  } finally {
    if (underWay.get(name)?.control === control) underWay.delete(name);
  }
}

/** A panel that needs these documents came into view, or left it. @param {string[]} names @param {boolean} isInView */
export function want(names, isInView) {
  for (const name of names) {
    wanted.set(name, Math.max(0, (wanted.get(name) ?? 0) + (isInView ? 1 : -1)));
    if (isInView && !askedAt.has(name)) load(name);
  }
}

/** Reads what no panel has needed yet, one after the other, so that paper has it as well. @param {string[]} names */
export async function readAhead(names) {
  for (const name of names) if (!askedAt.has(name)) await load(name);
}

/** The view changed: what was read is of another one. Documents in view are read now, the others when they come into view.
 * @param {string[]} names */
export function renew(names) {
  for (const name of names) {
    if (wanted.get(name)) load(name);
    else {
      askedAt.delete(name);
      underWay.get(name)?.control.abort();
    }
  }
}

setInterval(() => {
  if (document.hidden || !isLive()) return;
  for (const [name, count] of wanted) {
    const age_s = (performance.now() - (askedAt.get(name) ?? -Infinity)) / 1000, mayChange = view.seq === null || known(name).trouble !== null;
    if (count && mayChange && !underWay.has(name) && age_s >= SOURCES[name].every_s) load(name);
  }
}, 1_000);
