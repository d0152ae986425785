// The book of an instrument, now or after a past command, and then its last trades up to that command.

import { Refused, read } from "../app/api.js";
import { feed } from "../app/feed.js";
import { get, set, watch } from "../app/store.js";
import { isOfView, known } from "./documents.js";
import { LEVELS, showMarket } from "./market_tables.js";
import { view } from "./view.js";

const FIRST = "PRND-OX";
const MOST = 20;
const PATIENCE_MS = 40_000;
/** The venue answers within 30 s, or says that it is still reading. */
const AGAIN_MS = 3_000;

/** @type {(() => void) | null} */
let unfollow = null;
let followed = "";
let asked = "";
let control = new AbortController();

const symbolOf = () => view.product || FIRST;

/** Follows the book of the present, or reads book and trades of the past moment. */
function follow() {
  const symbol = symbolOf(), wanted = view.seq === null ? symbol : "";
  if (wanted !== followed) {
    unfollow?.();
    unfollow = null;
    followed = wanted;
    set("book", null);
    if (wanted) unfollow = feed.follow({ channels: ["top"], symbols: [wanted], interval_ms: 1000 }, () => readBook(wanted));
  }
  const now = view.seq === null ? "" : `${symbol}/${view.seq}`;
  if (now === asked) return;
  asked = now;
  control.abort();
  set("book_then", null);
  if (view.seq !== null) readPastBook(symbol, view.seq, control = new AbortController());
}

/** @param {string} symbol */
async function readBook(symbol) {
  const found = await read(`/v1/market/${symbol}/depth`, { levels: LEVELS }).catch(() => null);
  if (found && followed === symbol) set("book", found);
}

/** The book after a command. While the venue is still reading its journal, it is asked again.
 * @param {string} symbol @param {number} seq @param {AbortController} own */
async function readPastBook(symbol, seq, own) {
  try {
    const found = await read(`/v1/reports/books/${symbol}`, { seq, levels: LEVELS }, own.signal, PATIENCE_MS);
    if (!own.signal.aborted) set("book_then", found);
  } catch (error) {
    if (own.signal.aborted) return;
    set("book_then", error instanceof Error ? error.message : String(error));
    const isReading = error instanceof Refused && error.status === 503;
    if (isReading) setTimeout(() => own.signal.aborted || readPastBook(symbol, seq, own), AGAIN_MS);
  }
}

/** @type {string} */
let tradesOf = "";

/** The trades with a seq up to the one that is shown; the report says the time of that command. */
async function readTrades() {
  const { doc } = known("report"), seq = view.seq, symbol = symbolOf();
  if (!doc || seq === null || !isOfView("report")) return;
  const now = `${symbol}/${seq}`;
  if (tradesOf === now) return;
  tradesOf = now;
  // A page of the past ends before `end`: the microsecond after the command.
  const end = new Date(Date.parse(doc.as_of) + 1).toISOString();
  try {
    const { trades } = await read(`/v1/market/${symbol}/trades`, { end, limit: 200 });
    if (tradesOf === now) set("trades_then", trades.filter((/** @type {any} */ trade) => trade.seq <= seq).slice(0, MOST));
  } catch (error) {
    tradesOf = "";
    set("trades_then", error instanceof Error ? error.message : String(error));
  }
}

/** Keeps the panel current. */
export function startMarket() {
  watch(["view"], follow);
  watch(["view", "report"], readTrades);
  watch(["view", "report", "book", "book_then", "trades_then"], () =>
    showMarket(symbolOf(), { book: get(view.seq === null ? "book" : "book_then"), trades: get("trades_then"), seq: view.seq }));
}
