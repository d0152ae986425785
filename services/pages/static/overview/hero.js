// The figure: net turnover against its target, live.

import { fill, say } from "../app/dom.js";
import { doubts } from "../app/doubts.js";
import { forDrawing, ratio, text, units } from "../app/decimal.js";
import { grouped, money, number, percent, short, stamp } from "../app/format.js";
import { at, page } from "../app/page.js";
import { get, watch } from "../app/store.js";
import { targetName } from "../app/target_name.js";
import { t } from "../app/words.js";
import { isPresent } from "./data.js";

/** @param {string} key @param {string} value @param {string} [title] */
function put(key, value, title) {
  for (const node of document.querySelectorAll(`[data-key="${key}"]`)) {
    say(node, value);
    if (title !== undefined) /** @type {HTMLElement} */ (node.closest("[title]") ?? node).title = title;
  }
}

/** How far the completed days are ahead or behind, and at which close: the figure beside it has the present day, too. @param {any} report */
function paceSaid({ outcome, days, days_before_opening, days_total, days_completed, ahead }) {
  if (!days_total || outcome === "not_begun") return "";
  if (!days_completed) return t("headline.no_day");
  const { date } = days[days_before_opening + days_completed - 1];
  return t(ahead.startsWith("-") ? "headline.behind" : "headline.ahead", { amount: short(ahead.replace("-", "")), date });
}

/** @param {any} report @param {string} today */
function showKeys(report, today) {
  const { required_per_day, required_ratio, recent_mean, days_completed, days_left, forecast, trades } = report;
  put("today", short(today), money(today));
  put("required", short(required_per_day), money(required_per_day));
  put("required-more", required_ratio ? t("key.times", { times: text(units(required_ratio), 2) }) : "");
  put("recent", short(recent_mean), money(recent_mean));
  put("days", `${days_completed} / ${days_left}`);
  const fan = forecast && !forecast.too_early ? forecast : null;
  put("forecast", fan ? short(fan.p50_rounded) : forecast ? t("headline.too_early") : "–");
  put("forecast-more", fan ? `${short(fan.p10_rounded)} – ${short(fan.p90_rounded)}` : "");
  put("trades", number(trades));
}

/** @param {any} report */
function showSimulated({ simulated }) {
  const isDemo = get("venue")?.demo ?? false, node = at("simulated");
  node.hidden = !simulated && !isDemo;
  say(node, t(simulated && isDemo ? "simulated.all" : simulated ? "simulated.history" : "simulated.traders"));
}

/** Only where they change: a reader reads out what is put there. @param {HTMLElement[]} found */
function showDoubts(found) {
  const node = at("doubts");
  if (node.textContent !== found.map((doubt) => doubt.textContent).join("")) fill(node, found);
}

/** Of what command the figure is. A push of the feed has no time: then the time is that of the report, and is named so.
 * @param {any} report @param {any} told */
function asOf({ seq, as_of }, told) {
  return told && told.seq > seq ? t("as_of.told", { seq: grouped(told.seq), time: stamp(as_of) }) : t("as_of", { seq: grouped(seq), time: stamp(as_of) });
}

function show() {
  const report = get("report"), told = isPresent() ? get("turnover") : null;
  if (!report) return;
  const net = told?.year ?? report.net, share = ratio(net, report.target), due = ratio(report.pace, report.target);
  say(at("year"), report.year);
  put("net-short", short(net));
  put("of", t("headline.of", { target: short(report.target) }));
  put("net", money(net));
  put("of-exact", t("headline.of_exact", { target: money(report.target), share: percent(share, 2) }), targetName(report.target_name));
  put("pace-said", paceSaid(report), money(report.ahead));
  put("outcome", t(`outcome.${report.outcome}`, { percent: percent(report.forecast?.reach, 0) }), page.lang === "zh" ? report.verdict_zh : report.verdict);
  at("headline").querySelector("[data-outcome]")?.setAttribute("data-outcome", report.outcome);
  document.querySelector(".overview")?.setAttribute("data-stage", report.outcome);
  put("track-said", due === null || !report.days_total ? "" : t("track.said", { share: percent(share, 1), pace: short(report.pace), pace_share: percent(due, 1) }));
  at("track-done").setAttribute("width", String(Math.min(1000, 1000 * forDrawing(share ?? 0))));
  at("track-mark").setAttribute("x", String(Math.min(997, 1000 * forDrawing(due ?? 0))));
  put("as-of", asOf(report, told));
  showKeys(report, told?.day ?? report.today);
  showSimulated(report);
  showDoubts(doubts(report));
}

watch(["report", "turnover", "venue"], show);
