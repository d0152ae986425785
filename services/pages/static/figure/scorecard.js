// The scorecard of the forecast: what it said at the end of each month, and once the year has ended whether that held.

import { fill, h } from "../app/dom.js";
import { money, number, percent, short } from "../app/format.js";
import { address } from "../app/url_state.js";
import { t } from "../app/words.js";
import { parts } from "./panel.js";
import { showTable } from "./table.js";

/** @param {HTMLElement} host @param {any} found the answer of the API */
export function showScorecard(host, found) {
  const { forecasts: lines } = found, at = parts(host, "score-said", "score-table");
  fill(at["score-said"], h("p", { class: "dim", data: { testid: "score-said" } }, sentence(found)));
  at["score-table"].hidden = !lines.length;
  if (!lines.length) return;
  showTable(at["score-table"], {
    name: "scorecard", label: t("score.title"), lines, keyOf: ({ month }) => month, seal: found,
    columns: [
      { head: t("column.month"), names: true, cell: ({ month, seq }) => h("a", { href: address({ seq }) }, month), title: ({ seq }) => t("score.then", { seq: number(seq) }), csv: ({ month }) => month },
      shortColumn(t("rung.net"), ({ net }) => net),
      ...["p10", "p50", "p90"].map((name) => shortColumn(t(`forecast.${name}`), (line) => line[name])),
      { head: t("forecast.reach"), number: true, cell: ({ too_early, reach }) => (too_early ? t("score.early") : percent(reach)), csv: ({ reach }) => reach ?? "" },
      ...(found.has_ended ? [{ head: t("score.held"), cell: (/** @type {any} */ { held }) => (held === null ? "–" : t(held ? "yes" : "score.no")) }] : []),
    ],
  });
}

/** Yuan for the eye; the exact amount is its title, and is saved. @param {string} head @param {(line: any) => string | null} of
 * @returns {import("./table.js").Column} */
const shortColumn = (head, of) => ({ head, number: true, cell: (line) => short(of(line)), title: (line) => money(of(line)), csv: of });

/** @param {any} found */
function sentence({ forecasts, has_ended, net }) {
  if (!forecasts.length) return t("score.none");
  const held = forecasts.filter((/** @type {any} */ one) => one.held).length;
  return has_ended ? t("score.ended", { amount: money(net), count: forecasts.length, held }) : t("score.running");
}
