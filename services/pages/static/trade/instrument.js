// The instrument of this page, its ticks, and every instrument's ticker.

import { Refused } from "../app/api.js";
import { instrumentOf, readInstruments } from "../app/instruments.js";
import { page } from "../app/page.js";
import { t } from "../app/words.js";
import { Ticks } from "./ticks.js";

const AGAIN_MS = 5_000;

export const symbol = page.symbol;

/** The listing of the instrument of this page: the server knows it, or answers 404. @type {any} */
export let instrument = instrumentOf(symbol) ?? null;

/** Whether the market is shown to others only. @param {unknown} error */
export const needsLogIn = (error) => error instanceof Refused && (error.status === 401 || error.status === 403);

/** The listing; where the first paint lacks it, the API is asked until it answers. @param {(error: unknown) => void} tell is told why it is not known yet */
export async function known(tell) {
  while (!instrument) {
    try {
      await readInstruments();
      instrument = instrumentOf(symbol) ?? null;
      if (!instrument) throw new Error(t("needs.listed"));
    } catch (error) {
      tell(error);
      if (needsLogIn(error)) await new Promise(() => {}); // The page is loaded anew by who logs in.
      await new Promise((resolve) => setTimeout(resolve, AGAIN_MS));
    }
  }
  return instrument;
}

/** @type {Map<string, any>} by symbol */
export const tickers = new Map((page.first.tickers ?? []).map((/** @type {any} */ ticker) => [ticker.symbol, ticker]));

/** @type {Ticks | null} */
let ticks = null;
export const ticksHere = () => (ticks ??= new Ticks(instrument.tick_size));
