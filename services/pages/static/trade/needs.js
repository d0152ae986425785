// What a visitor would need to trade here, and to see the market of a venue that does not show it to everybody.

import { fill, h, say } from "../app/dom.js";
import { at } from "../app/page.js";
import { session } from "../app/session.js";
import { waysIn } from "../app/ways_in.js";
import { t, term } from "../app/words.js";
import { needsLogIn } from "./instrument.js";
import { mark } from "./pace.js";

/** Where the ticket and the account would be. @param {import("../app/session.js").Session} who @param {string} [forNobody] what somebody lacks who is not logged in */
export function showNeeds(who, forNobody = t("needs.nobody")) {
  const isSomebody = who.role !== null;
  fill(at("ticket-needs"),
    h("p", { data: { testid: "read-only" } }, isSomebody ? t("needs.other", { name: who.name, role: term("role", who.role ?? "") }) : forNobody),
    h("p", {}, t("needs.then")),
    !isSomebody && waysIn("trader"));
  at("ticket-needs").hidden = false;
  at("own-needs").hidden = false;
  at("own").dataset.for = at("order").dataset.for = "visitor";
}

/** Why the page has no market to show. @param {unknown} error */
export async function showNoMarket(error) {
  const why = needsLogIn(error) ? t("needs.market") : error instanceof Error ? error.message : String(error);
  say(at("phase-said"), why);
  mark(at("phase-line"), "phase", "unknown");
  mark(at("order"), "for", "visitor");
  if (needsLogIn(error)) showNeeds(await session, why);
}
