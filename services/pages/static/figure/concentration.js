// How much of each side the largest members make.

import { fill, h } from "../app/dom.js";
import { number } from "../app/format.js";
import { text, units } from "../app/decimal.js";
import { t } from "../app/words.js";
import { shareColumn } from "./amounts.js";
import { parts, showNothing } from "./panel.js";
import { showTable } from "./table.js";

const SIDES = ["both", "bought", "sold"];

/** HHI in points, from 0 to 10,000. @param {string} hhi */
const points = (hhi) => number(text(units(hhi) * 10_000n, 0));

/** @param {HTMLElement} host @param {Record<string, any>} docs */
export function showConcentration(host, { concentration }) {
  const lines = concentration.markets.flatMap((/** @type {any} */ market) =>
    SIDES.filter((side) => market[side]).map((side) => ({ symbol: market.symbol, side, ...market[side] })));
  if (!lines.length) return showNothing(host, t("empty.trades"));
  const at = parts(host, "said", "table"), [all] = lines;
  fill(at.said, h("p", {}, t("concentration.sentence", { members: all.members, points: points(all.hhi), even: points(even(all.members)) })));
  showTable(at.table, {
    name: "concentration", label: t("figure.concentration"), lines, seal: concentration,
    keyOf: ({ symbol, side }) => `${symbol}/${side}`, kind: ({ side }) => (side === "both" ? "first" : ""),
    columns: [
      { head: t("product"), names: true, cell: ({ symbol, side }) => (side === "both" ? symbol ?? t("ladder.all") : ""), csv: ({ symbol }) => symbol ?? "" },
      { head: t("column.side"), cell: ({ side }) => t(`column.${side}`) },
      { head: t("column.members"), number: true, cell: ({ members }) => number(members) },
      shareColumn(({ top_5 }) => top_5, t("column.top_5")),
      shareColumn(({ top_10 }) => top_10, t("column.top_10")),
      { head: t("column.hhi"), number: true, cell: ({ hhi }) => points(hhi), title: ({ hhi }) => hhi, csv: ({ hhi }) => hhi },
    ],
  });
}

/** The HHI of so many equal members. @param {number} members */
const even = (members) => text(1_000_000n / BigInt(Math.max(1, members)), 6);
