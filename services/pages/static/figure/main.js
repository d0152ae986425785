// The figure: what the year's turnover is made of, how it is proven, and how it stood after any command of the journal.

import "../app/frame.js";
import { fill, h, say } from "../app/dom.js";
import { money, number, short } from "../app/format.js";
import { at } from "../app/page.js";
import { session } from "../app/session.js";
import { watch } from "../app/store.js";
import { waysIn } from "../app/ways_in.js";
import { t } from "../app/words.js";
import { showCalendar } from "./calendar.js";
import { showSeal } from "./certificate.js";
import { showConcentration } from "./concentration.js";
import { isOfView, known, load, readAhead, want } from "./documents.js";
import { showEffects } from "./effects.js";
import { chooseBulletin, showFiles, showPeriods } from "./files.js";
import { showForecast } from "./forecast.js";
import { showLadder } from "./ladder.js";
import { chooseQuality, showIndex, showQuality } from "./market_panels.js";
import { startMarket } from "./market_then.js";
import { showContext, showFees, showTargets } from "./money_panels.js";
import { showMonths } from "./months.js";
import { keep, parts, renewView } from "./panel.js";
import { added, verdict } from "./said.js";
import { showSplits } from "./splits.js";
import { startTravel } from "./travel.js";
import { change, presentYear, stayInThePresent, view } from "./view.js";

/** @type {import("./panel.js").Panel[]} */
const PANELS = [
  { name: "ladder", openSources: ["report"], sources: ["ladder", "report"], pastSources: ["report"], show: showLadder, also: ["view"] },
  { name: "certificate", openSources: ["report"], sources: ["report"], pastSources: ["report"], show: showSeal },
  { name: "forecast", openSources: ["report"], sources: ["report", "flagged", "forecasts"], pastSources: ["report"], optional: ["flagged", "forecasts"], show: showForecast },
  { name: "splits", sources: ["split"], pastSources: ["report"], show: showSplits, also: ["view", "split_by", "members"] },
  { name: "concentration", sources: ["concentration"], show: showConcentration },
  { name: "effects", sources: ["effects"], show: showEffects },
  { name: "months", openSources: ["months"], sources: ["months"], show: showMonths },
  { name: "fees", sources: ["fees"], show: showFees },
  { name: "targets", sources: ["targets"], show: showTargets },
  { name: "calendar", openSources: ["calendar", "report"], sources: ["calendar", "report"], pastSources: ["calendar", "report"], show: showCalendar },
  { name: "context", sources: ["context"], show: showContext },
  { name: "index", sources: ["index"], show: showIndex },
  { name: "quality", sources: ["quality"], show: showQuality },
  { name: "files", sources: ["report", "bulletin"], pastSources: ["report", "bulletin"], optional: ["bulletin"], show: showFiles },
];

/** What is read only when its panel comes into view: each costs the venue more than the others. */
const ON_DEMAND = new Set(["quality", "bulletin", "flagged", "forecasts"]);

let mayChoose = false;

/** The head of the page, and the choices that depend on which days have begun. */
function showHead() {
  const { doc: report } = known("report");
  if (!report) return;
  say(at("verdict"), verdict(report));
  say(at("net"), money(report.net));
  at("net").title = short(report.net);
  say(at("year"), String(report.year));
  document.title = document.title.replace(/^.*? · /, `${t("title.figure")} ${report.year} · `);
  showYears();
  if (view.seq !== null || !report.days.some((/** @type {any} */ day) => day.net !== null)) return;
  if (!mayChoose) return;
  showPeriods(parts(at("files-body"), "year", "choice", "bulletin", "receipts", "closings").choice, report, chooseBulletin, { months: true });
  showPeriods(at("quality-choice"), report, chooseQuality, { months: false });
}

/** What changed since the trading day before; its title has the seq of the close, whose report has the same numbers. */
function showLastDay() {
  const { doc: lastDay, trouble } = known("last_day");
  if (trouble && !lastDay) say(at("last-day"), ""); // What stands there is of another moment.
  if (!lastDay || !isOfView("last_day")) return;
  say(at("last-day"), added(lastDay));
  at("last-day").title = lastDay.day ? t("seal", { seq: number(lastDay.day.close.seq) }) : "";
}

function showYears() {
  const host = at("years"), around = [view.year - 1, view.year, view.year + 1].filter((year) => year <= presentYear), now = around.join();
  if (host.dataset.of === now) return;
  host.dataset.of = now;
  fill(host, around.map((year) => h("button", { type: "button", class: "quiet", "aria-pressed": String(year === view.year), onclick: () => change({ year, seq: null }, { push: true }) }, String(year))));
}

/** Who may not read sees the panels that do without, and is told how to see the others. */
function tellNeeds() {
  const closed = PANELS.filter(({ openSources }) => !openSources).map(({ name }) => name);
  fill(at("market-body"), h("p", { class: "needs" }, t("needs.read")));
  for (const name of closed) {
    at(name).hidden = true;
    const link = document.querySelector(`.contents a[href="#${name}"]`);
    if (link instanceof HTMLElement) link.style.visibility = "hidden"; // Its place stays: the page does not move.
  }
  fill(at("travel-body"), h("p", { class: "needs", data: { testid: "needs" } }, t("needs.page")), waysIn("operator"));
}

/** @param {boolean} mayRead */
async function start(mayRead) {
  if (mayRead) {
    await startTravel();
    startMarket();
  } else [tellNeeds(), stayInThePresent()];
  mayChoose = mayRead;
  let before = view;
  watch(["report"], showHead);
  watch(["last_day"], showLastDay);
  watch(["view"], () => {
    if (view === before) return;
    const isNewYear = view.year !== before.year;
    before = view;
    if (!isOfView("last_day")) say(at("last-day"), ""); // until that of the view has come
    if (isNewYear) for (const name of ["files", "quality"]) forget(name);
    renewView(isNewYear);
  });
  for (const panel of PANELS) if (mayRead || panel.openSources) keep(panel, mayRead);
  want(["last_day"], true);
  await load("report");
  if (mayRead) await readAhead(PANELS.flatMap(({ sources }) => sources).filter((name) => !ON_DEMAND.has(name)));
}

/** Another year has other days to choose from. @param {string} name */
function forget(name) {
  const choice = name === "quality" ? at("quality-choice") : at("files-body").querySelector(".part-choice");
  if (choice instanceof HTMLElement) delete choice.dataset.of;
}

start((await session).scopes.includes("read"));
