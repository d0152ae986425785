// The instruments of the venue: those that the page came with, and those listed since, which the status stream names first.

import { read } from "./api.js";
import { page } from "./page.js";
import { get, set, watch } from "./store.js";

const AGAIN_MS = 2_000;

set("instruments", page.first.instruments ?? []);

/** Reads all of them again. Raises what the reading raises. */
export async function readInstruments() {
  set("instruments", await read("/v1/instruments"));
}

/** One of them as last read; undefined where the page does not know it. @param {string} symbol @returns {any} */
export const instrumentOf = (symbol) => get("instruments").find((/** @type {any} */ one) => one.symbol === symbol);

let isUnderWay = false;

/** Whether the stream has named one that the page does not know. */
function isBehind() {
  const known = new Set(get("instruments").map((/** @type {any} */ one) => one.symbol));
  return [...(get("phases") ?? new Map()).keys()].some((symbol) => !known.has(symbol));
}

/** Reads until none is unknown: an answer may not come, or be older than the stream. */
async function learn() {
  if (isUnderWay) return;
  isUnderWay = true;
  while (isBehind()) {
    await readInstruments().catch(() => {}); // the line says that the venue does not answer
    if (isBehind()) await new Promise((resolve) => setTimeout(resolve, AGAIN_MS));
  }
  isUnderWay = false;
}

watch(["phases"], learn);
