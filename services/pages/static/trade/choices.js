// What a person chose about this page: in the address where a view is meant, and remembered for the next visit.

import { read, write } from "../app/url_state.js";

export const RANGES = ["1m", "5m", "15m", "1h", "1d"];
export const GROUPS = [1, 5, 10, 50];
/** How far the depth chart reaches to either side of the middle, in per cent of it; 0: to the farthest order. */
export const REACHES = [0.25, 0.5, 1, 2, 5, 0];
/** The columns from left to right, each by its first panel. */
export const COLUMNS = ["list", "charts", "ladder", "order"];
export const SIDE_PANELS = ["list", "ladder", "depth", "tape"];
const PLACE = "trade.choices";

/** @type {{range: string, group: number, reach: number | null, tab: string, hidden: string[], columns: string[], favourites: string[]}} */
const chosen = { range: "5m", group: 1, reach: null, tab: "open", hidden: [], columns: COLUMNS, favourites: [], ...kept() };

function kept() {
  try {
    return JSON.parse(localStorage.getItem(PLACE) ?? "{}");
  } catch {
    return {};
  }
}

/** Only what was chosen here is written: other pages of this browser may have chosen the rest since. @param {Partial<typeof chosen>} choice */
function keep(choice) {
  Object.assign(chosen, choice);
  localStorage.setItem(PLACE, JSON.stringify({ ...kept(), ...choice }));
}

/** The candles' interval: that of the address, else the one chosen last. */
export function range() {
  const asked = read("range") ?? chosen.range;
  return RANGES.includes(asked) ? asked : "5m";
}

/** @param {string} interval */
export function chooseRange(interval) {
  keep({ range: interval });
  write({ range: interval });
}

/** Ticks in one row of the ladder. */
export const group = () => (GROUPS.includes(chosen.group) ? chosen.group : 1);

/** @param {number} ticks */
export function chooseGroup(ticks) {
  keep({ group: ticks });
}

/** The reach of the depth chart that was chosen, one of REACHES; null: none was. */
export const reach = () => REACHES.find((one) => one === chosen.reach) ?? null;

/** @param {number} percent */
export function chooseReach(percent) {
  keep({ reach: percent });
}

export const tab = () => chosen.tab;

/** @param {string} name */
export function chooseTab(name) {
  keep({ tab: name });
}

/** The chosen order of the columns. @returns {string[]} */
export const columns = () => ([...chosen.columns].sort().join() === [...COLUMNS].sort().join() ? chosen.columns : COLUMNS);

/** @param {string[]} order */
export function chooseColumns(order) {
  keep({ columns: order });
}

/** @param {string} panel */
export const isShown = (panel) => !chosen.hidden.includes(panel);

/** @param {string} panel @param {boolean} isWanted */
export function show(panel, isWanted) {
  const others = (kept().hidden ?? []).filter((/** @type {string} */ name) => name !== panel); // Another tab may have hidden some.
  keep({ hidden: [...others, ...(isWanted ? [] : [panel])] });
}

/** @param {string} symbol */
export const isFavourite = (symbol) => chosen.favourites.includes(symbol);

/** Makes an instrument a favourite, or no longer one. @param {string} symbol */
export function chooseFavourite(symbol) {
  const others = (kept().favourites ?? []).filter((/** @type {string} */ other) => other !== symbol);
  keep({ favourites: isFavourite(symbol) ? others : [...others, symbol] });
}
