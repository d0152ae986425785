// Which products and categories are behind their plan: those with a target of their own, the farthest behind first.

import { fill, h } from "../app/dom.js";
import { ratio, units } from "../app/decimal.js";
import { number, percent } from "../app/format.js";
import { targetName } from "../app/target_name.js";
import { amountOf, measureOf, scopeOf } from "../app/target_words.js";
import { t } from "../app/words.js";
import { signed, sum, tonnesSum } from "./amounts.js";
import { showTable } from "./table.js";

/** @param {any} line @param {string | null} amount */
export const shown = (line, amount) => (amount === null ? "–" : amountOf(line.metric, amount));

/** @param {any} line */
export const aheadOf = (line) => (line.metric === "tonnes" ? `${number(line.ahead)} t`.replace("-", "−") : signed(line.ahead));

/** @param {any} line */
const isBehind = ({ ahead }) => units(ahead) < 0n;

/** Those behind before the others, yuan before tonnes, then by the gap. @param {any} a @param {any} b */
function worstFirst(a, b) {
  const inOrder = Number(isBehind(b)) - Number(isBehind(a)) || Number(a.metric === "tonnes") - Number(b.metric === "tonnes");
  const gap = units(a.ahead) - units(b.ahead);
  return inOrder || (gap < 0n ? -1 : gap > 0n ? 1 : 0);
}

/** What was done until the last close: the present day is in neither column. @param {any} line */
const doneOf = (line) => (line.metric === "tonnes" ? tonnesSum : sum)(line.pace, line.ahead);

/** @param {HTMLElement} place of the sentence @param {HTMLElement} host of the table @param {any} targets the answer of the API */
export function showBehind(place, host, targets) {
  const lines = targets.targets.filter((/** @type {any} */ line) => line.scope !== "venue" && !["not_open", "not_begun"].includes(line.stage)).sort(worstFirst);
  host.hidden = !lines.length;
  fill(place, h("p", { class: lines.length ? "" : "dim", data: { testid: "behind-said" } }, sentence(lines)));
  if (host.hidden) return;
  showTable(host, {
    name: "behind", label: t("behind.title"), lines, keyOf: ({ seq }) => String(seq), seal: targets,
    columns: [
      { head: t("behind.of"), names: true, csv: ({ scope }) => scope,
        cell: (line) => [h("b", {}, scopeOf(line.scope)), h("small", { class: "meaning" }, `${measureOf(line)} · `, h("span", { translate: "no" }, targetName(line.name)))] },
      { head: t("behind.plan"), number: true, cell: (line) => shown(line, line.pace), csv: ({ pace }) => pace },
      { head: t("behind.done"), number: true, cell: (line) => shown(line, doneOf(line)), csv: doneOf },
      { head: t("behind.gap"), number: true, cell: (line) => h("span", { class: isBehind(line) ? "warn" : "" }, aheadOf(line)), csv: ({ ahead }) => ahead },
      { head: t("behind.share"), number: true, cell: ({ ahead, pace }) => percent(ratio(ahead, pace)), csv: ({ ahead, pace }) => ratio(ahead, pace) ?? "" },
    ],
  });
}

/** @param {any[]} lines */
function sentence(lines) {
  const all = lines.length, behind = lines.filter(isBehind).length;
  if (!all) return t("behind.none");
  return behind ? t("behind.said", { behind, all, name: scopeOf(lines[0].scope), gap: amountOf(lines[0].metric, lines[0].ahead.replace("-", "")) }) : t("behind.nobody", { all });
}
