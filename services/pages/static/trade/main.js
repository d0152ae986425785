// The trade page of one instrument: follows its market, shows it, and, for who may trade, opens the ticket and the account's panel.

import "../app/frame.js";
import { feed } from "../app/feed.js";
import { at } from "../app/page.js";
import { saveButton } from "../app/save.js";
import { watch } from "../app/store.js";
import { Account } from "./account.js";
import { followBook } from "./book_feed.js";
import { GROUPS, chooseGroup, group } from "./choices.js";
import { DepthChart } from "./depth_chart.js";
import { known, symbol, tickers, ticksHere } from "./instrument.js";
import { startKeys } from "./keys.js";
import { Ladder } from "./ladder.js";
import { startLayout } from "./layout.js";
import { listCsv, showList, startList } from "./list.js";
import { moveOf } from "./middle.js";
import { showNoMarket } from "./needs.js";
import { guardNumberFields } from "./number_fields.js";
import { paced } from "./pace.js";
import { PriceChart } from "./price_chart.js";
import { showListing, showPhase, showQuote, showTitle } from "./quote.js";
import { KEPT, Tape } from "./tape.js";
import { openTicketPanel } from "./ticket_panel.js";

const LADDER_MS = 0; // the venue sends the book ten times a second at most
const QUOTE_MS = 100;
const TAPE_MS = 200;
const LIST_MS = 250;

const instrument = await known(showNoMarket), ticks = ticksHere();
const account = new Account(), showLadder = paced(LADDER_MS, () => ladder.show());
const book = followBook(symbol, () => {
  showLadder();
  depthChart.later();
});
/** What who may trade has on the page; null for who only looks. @type {import("./ticket_panel.js").TicketPanel | null} */
let ticketPanel = null;

at("trade").append(at("toasts")); // over one of its panels
showListing(instrument);
startLayout();
startList();
const ladder = new Ladder({
  body: /** @type {HTMLTableSectionElement} */ (at("ladder-body")), said: at("ladder-said"), book, ticks, instrument, pick: (price) => ticketPanel?.ticket.takePrice(price),
});
const tape = new Tape(at("tape-body"), symbol);
const depthChart = new DepthChart(book, ticks, symbol), priceChart = new PriceChart(instrument, ticks, account);

followOwn();
followTrades();
followTickers();
chooseGroups();
at("list-acts").append(saveButton("instruments", listCsv));
at("ladder-acts").append(saveButton("book", () => ladder.csv()));
at("tape-acts").append(saveButton("tape", () => tape.csv()));
setInterval(() => { if (tickers.has(symbol)) showPhase(tickers.get(symbol)); }, 1_000);
guardNumberFields();
startKeys((side) => (ticketPanel ? ticketPanel.ticket.enter(side) : at("ticket-needs").querySelector("a")?.focus()));
openTicketPanel(instrument, account).then((opened) => {
  ticketPanel = opened;
  opened?.hearTicker(tickers.get(symbol));
});

/** Own orders and fills stand on ladder and chart. */
function followOwn() {
  watch(["orders"], () => {
    ladder.own = account.inBook(symbol);
    showLadder();
    priceChart.later();
  });
  watch(["fills"], priceChart.later);
}

function followTrades() {
  const show = paced(TAPE_MS, () => {
    tape.show();
    ladder.showMiddle();
  });
  feed.follow({ channels: ["trades"], symbols: [symbol], latest: KEPT }, (push) => {
    tape.take(push);
    ladder.move = moveOf(tape.trades);
    show();
  });
}

function followTickers() {
  /** @type {Set<string>} */
  const changed = new Set();
  const show = paced(LIST_MS, () => {
    showList(changed);
    changed.clear();
  });
  const showHere = paced(QUOTE_MS, () => {
    ladder.ticker = tickers.get(symbol);
    showQuote(ladder.ticker);
    showTitle(ladder.ticker, symbol);
    ladder.showMiddle();
    ticketPanel?.hearTicker(ladder.ticker);
  });
  feed.follow({ channels: ["ticker"], symbols: ["*"] }, ({ data }) => {
    tickers.set(data.symbol, data);
    changed.add(data.symbol);
    show();
    if (data.symbol === symbol) showHere();
  });
  if (tickers.has(symbol)) showHere();
}

function chooseGroups() {
  const show = (/** @type {number} */ ticksInRow) => {
    ladder.group = ticksInRow;
    for (const button of document.querySelectorAll("[data-group]")) button.setAttribute("aria-pressed", String(Number(button.getAttribute("data-group")) === ticksInRow));
    ladder.show();
  };
  for (const ticksInRow of GROUPS) document.querySelector(`[data-group="${ticksInRow}"]`)?.addEventListener("click", () => { chooseGroup(ticksInRow); show(ticksInRow); });
  show(group());
}
