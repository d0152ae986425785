// The control page: what the venue does now, for everybody; and an operator's acts, each asked for, sent once and told.

import "../app/frame.js";
import { fill, h } from "../app/dom.js";
import { at, page } from "../app/page.js";
import { set, watch } from "../app/store.js";
import { t } from "../app/words.js";
import { access, tellAccess } from "../operate/access.js";
import { accountsPanel } from "./accounts.js";
import { showBoard } from "./board.js";
import { instrumentPanel } from "./instrument.js";
import { keysPanel } from "./keys.js";
import { logPanel } from "./log.js";
import { followMarket } from "./market.js";
import { peoplePanel } from "./people.js";
import { proposalsPanel } from "./proposals.js";
import { showTimeline } from "./timeline.js";
import { tradesPanel } from "./trades.js";
import { venueActs } from "./venue.js";

set("tickers", new Map((page.first.tickers ?? []).map((/** @type {any} */ ticker) => [ticker.symbol, ticker])));
followMarket();
showTimeline(at("timeline"));
showBoard(at("board"), at("board-facts"));

const rights = await access();
tellAccess(at("access"), rights);
at("venue-acts").replaceWith(venueActs(rights));
fill(at("instrument"), instrumentPanel(rights));
if (rights.reads) {
  const parts = [proposalsPanel(rights), accountsPanel(rights), tradesPanel(rights), logPanel()];
  if (rights.readsPeople) parts.push(h("div", { class: "people" }, peoplePanel(rights), keysPanel(rights)));
  fill(at("operators"), parts);
}
const sections = /** @type {HTMLElement[]} */ ([...document.querySelectorAll("main section[id]")]);
const links = sections.map((section) => h("a", { href: `#${section.id}` }, section.querySelector("h2")?.textContent ?? section.id));
fill(at("sections"), links);
watch(["proposals", "proposals_unread"], () => links.forEach((link, number) => (link.hidden = sections[number].hidden)));
document.documentElement.dataset.ready = "";
if (location.hash) document.querySelector(location.hash)?.scrollIntoView();
at("sections").setAttribute("aria-label", t("control.sections"));
