// The net turnover by category, family, product, phase, account class or member: the parts add up to the whole.

import { Chart } from "../charts/chart.js";
import { forDrawing, units } from "../app/decimal.js";
import { fill, h } from "../app/dom.js";
import { money, PERCENT, percent, short } from "../app/format.js";
import { may } from "../app/session.js";
import { get, set } from "../app/store.js";
import { nameOf, t, term } from "../app/words.js";
import { numberColumn, shareColumn, yuanColumn } from "./amounts.js";
import { load } from "./documents.js";
import { parts } from "./panel.js";
import { saveChart, showTable } from "./table.js";
import { change, view } from "./view.js";

const KINDS = ["category", "family", "product", "phase", "class", "member"];
/** Those that the report of a past seq has. */
const OF_REPORT = /** @type {Record<string, string>} */ ({ category: "categories", family: "families", product: "products" });
const MOST_BARS = 12;

set("split_by", "category");
/** @type {Chart | undefined} */
let chart;
/** @type {{name: string, share: string}[]} */
let largest = [];
let seesMembers = false;
may("operate", "audit").then((seen) => { seesMembers = seen; });

/** @param {string} by */
function choose(by) {
  set("split_by", by);
  if (view.seq === null) load("split");
  if (by === "member" && seesMembers) load("members");
}

/** @param {any} line */
function nameOfLine(line) {
  const by = get("split_by");
  if (by === "product") return `${line.symbol ?? line.part} ${nameOf(line)}`;
  if (by === "member") return line.name ?? t("split.rank", { rank: line.part });
  if (by === "class") return t("split.class_of", { number: line.part });
  return term(by, line.part ?? line[by]);
}

/** @param {HTMLElement} host @param {Record<string, any>} docs */
export function showSplits(host, docs) {
  const at = parts(host, "choice", "chart", "table");
  const by = get("split_by"), isPast = view.seq !== null, isSided = by === "class" || by === "member";
  showChoice(at.choice, by);
  const doc = isPast ? docs.report : by === "member" && seesMembers ? get("members")?.doc : docs.split;
  const found = isPast ? docs.report[OF_REPORT[by]] : doc?.lines;
  if (isPast && !OF_REPORT[by]) return void choose("category");
  if (!found || (!isPast && doc.by !== undefined && doc.by !== by)) return; // another one is on its way
  const lines = found.toSorted((/** @type {any} */ a, /** @type {any} */ b) => Number(units(b.share) - units(a.share)));
  largest = lines.slice(0, MOST_BARS).map((/** @type {any} */ line) => ({ name: by === "product" ? line.symbol ?? line.part : nameOfLine(line), share: line.share }));
  showBars(at.chart);
  showTable(at.table, isSided ? sided(lines, doc) : single(lines, doc));
}

/** @param {HTMLElement} host @param {string} by */
function showChoice(host, by) {
  const kinds = KINDS.filter((kind) => view.seq === null || OF_REPORT[kind]);
  if (host.children[0]?.children.length !== kinds.length) {
    fill(host, h("div", { class: "tabs", role: "group", "aria-label": t("figure.splits") }, kinds.map((kind) =>
      h("button", { type: "button", data: { kind, testid: `split-${kind}` }, onclick: () => choose(kind) }, t(`split.${kind}`)))));
  }
  for (const button of host.querySelectorAll("button")) button.setAttribute("aria-pressed", String(button.dataset.kind === by));
}

/** @param {HTMLElement} host */
function showBars(host) {
  if (!chart) {
    chart = new Chart(host, {
      label: t("figure.splits"), x: "category", zero: true, height: 150, xName: t("figure.splits"),
      sentence: () => t("split.sentence", { name: largest[0]?.name ?? "–", share: percent(largest[0]?.share) }),
      xText: (/** @type {string} */ name) => name, yText: (y) => `${(y * 100).toFixed(0)}${PERCENT}`,
    });
    saveChart(host, "split-chart", chart);
  }
  chart.show([{ type: "bars", name: t("column.share"), data: largest.map(({ name, share }) => ({ x: name, y: forDrawing(share), text: percent(share) })) }]);
}

/** A product's name leads to its ladder. @param {any} line */
const namedCell = (line) => (get("split_by") === "product"
  ? h("a", { href: "#ladder", onclick: () => change({ product: line.symbol ?? line.part }, { push: true }) }, nameOfLine(line)) : nameOfLine(line));

/** @param {any[]} lines @param {any} seal @returns {import("./table.js").Table} */
const single = (lines, seal) => ({
  name: "split", label: t("figure.splits"), lines, seal, keyOf: (line) => line.part ?? line.symbol ?? line.family ?? line.category,
  columns: [
    { head: t(`split.${get("split_by")}`), names: true, cell: namedCell, csv: nameOfLine },
    yuanColumn(t("rung.net"), (line) => line.amount ?? line.net),
    shareColumn((line) => line.share),
    numberColumn(t("column.tonnes"), (line) => line.tonnes),
    numberColumn(t("column.trades"), (line) => line.trades),
  ],
});

/** @param {any[]} lines @param {any} seal @returns {import("./table.js").Table} */
const sided = (lines, seal) => ({
  name: "split", label: t("figure.splits"), lines, seal, keyOf: (line) => line.part,
  columns: [
    { head: t(`split.${get("split_by")}`), names: true, cell: namedCell, csv: nameOfLine },
    shareColumn((line) => line.share, t("column.share_both")),
    yuanColumn(t("column.bought"), (line) => line.bought.amount), shareColumn((line) => line.bought.share),
    yuanColumn(t("column.sold"), (line) => line.sold.amount), shareColumn((line) => line.sold.share),
    ...(lines[0]?.fees === undefined ? [] : [{ head: t("column.fees"), number: true, cell: (/** @type {any} */ line) => money(line.fees), title: (/** @type {any} */ line) => short(line.fees), csv: (/** @type {any} */ line) => line.fees }]),
  ],
});
