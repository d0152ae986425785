// The ladder: from all trades down to the goods that left the warehouse, of the venue or of one product.

import { Chart } from "../charts/chart.js";
import { forDrawing, ratio } from "../app/decimal.js";
import { fill, h } from "../app/dom.js";
import { money, number, percent, short } from "../app/format.js";
import { nameOf, t } from "../app/words.js";
import { part, sum, tonnesSum, yuanColumn } from "./amounts.js";
import { parts } from "./panel.js";
import { saveChart, showTable } from "./table.js";
import { change, view } from "./view.js";

/** @typedef {{name: string, kind: "total" | "minus", amount: string | null, tonnes: string | null, trades: number | null}} Rung */

/** @type {Chart | undefined} */
let chart;
/** @type {Rung[]} */
let shown = [];

/** The rungs of the report, which the API tells of every seq. @param {any} report @returns {Rung[]} */
export function rungsOfReport(report) {
  const product = view.product ? report.products.find((/** @type {any} */ one) => one.symbol === view.product) : null;
  const of = view.product ? product ?? { net: "0.00", busted: "0.00", excluded: "0.00", trades: 0, busted_trades: 0, excluded_trades: 0, tonnes: "0.000" } : report;
  const all = of.trades + of.busted_trades + of.excluded_trades;
  return [
    { name: "gross", kind: "total", amount: view.product ? sum(of.net, of.busted, of.excluded) : of.gross, tonnes: null, trades: all },
    { name: "busted", kind: "minus", amount: of.busted, tonnes: null, trades: of.busted_trades },
    { name: "excluded", kind: "minus", amount: of.excluded, tonnes: null, trades: of.excluded_trades },
    { name: "net", kind: "total", amount: of.net, tonnes: of.tonnes ?? tonnesSum(...report.categories.map((/** @type {any} */ one) => one.tonnes)), trades: of.trades },
    ...["changed_hands", "delivered", "taken_out"].map((name) => (/** @type {Rung} */ ({ name, kind: "total", amount: null, tonnes: null, trades: null }))),
  ];
}

/** @param {any} line a ladder of the API @returns {Rung[]} */
function rungsOf(line) {
  /** @param {string} name @param {"total" | "minus"} kind @returns {Rung} */
  const rung = (name, kind) => ({ name, kind, amount: line[name].amount, tonnes: line[name].tonnes, trades: line[name].trades ?? null });
  return [
    rung("gross", "total"), rung("busted", "minus"), rung("excluded", "minus"), rung("net", "total"),
    { name: "changed_hands", kind: "total", amount: line.changed_hands, tonnes: null, trades: null },
    rung("delivered", "total"), rung("taken_out", "total"),
  ];
}

/** @param {HTMLElement} host @param {Record<string, any>} docs */
export function showLadder(host, { report, ladder }) {
  const line = !ladder ? null : view.product ? ladder.products.find((/** @type {any} */ one) => one.symbol === view.product) : ladder.ladder;
  shown = line ? rungsOf(line) : rungsOfReport(report);
  const at = parts(host, "choice", "chart", "table", "periods", "note");
  showChoice(at.choice, report ?? ladder);
  at.chart.hidden = shown[0].amount === "0.00";
  showChart(at.chart);
  showRungs(at.table, ladder ?? report);
  showPeriods(at.periods, ladder);
  fill(at.note, view.seq !== null ? h("p", { class: "dim" }, t("ladder.past"), " ", h("code", {}, `rex report ${view.year} --breakdown --seq ${view.seq}`)) : !ladder ? h("p", { class: "dim" }, t("needs.rungs"))
    : line && h("p", {}, line.churn === null ? t("ladder.no_churn") : t("ladder.churn", { churn: number(line.churn) }),
      line.taken_out.unsettled !== "0.00" && ` ${t("ladder.unsettled", { amount: money(line.taken_out.unsettled) })}`));
}

/** @param {HTMLElement} host @param {any} doc with the products */
function showChoice(host, doc) {
  const products = doc.products ?? [], listed = products.map((/** @type {any} */ one) => one.symbol).join();
  const old = host.querySelector("select");
  if (old && old.dataset.listed === listed) {
    old.value = view.product;
    return;
  }
  const select = /** @type {HTMLSelectElement} */ (h("select", { id: "product", data: { listed, testid: "product" }, onchange: () => change({ product: select.value }, { push: true }) },
    h("option", { value: "" }, t("ladder.all")),
    products.map((/** @type {any} */ one) => h("option", { value: one.symbol }, `${one.symbol} ${nameOf(one)}`))));
  if (view.product && !products.some((/** @type {any} */ one) => one.symbol === view.product)) select.append(h("option", { value: view.product }, view.product));
  select.value = view.product;
  fill(host, h("label", { for: "product" }, t("product")), select);
}

/** @param {HTMLElement} host */
function showChart(host) {
  if (!chart) {
    chart = new Chart(host, {
      label: t("figure.ladder"), x: "category", zero: true, height: 230, sentence,
      xText: (/** @type {string} */ name) => t(`rung.${name}.short`), yText: (y) => short(y.toFixed(0)), xName: t("column.rung"),
    });
    saveChart(host, "waterfall", chart);
  }
  chart.show([{
    type: "waterfall", data: shown.filter(({ amount }) => amount !== null).map(({ name, kind, amount }) =>
      ({ x: name, y: forDrawing(amount), kind, text: money(amount), title: short(amount), className: name })),
  }]);
}

/** The ladder in words. */
function sentence() {
  const [gross, , , net, hands] = shown;
  return t(hands.amount === null ? "ladder.sentence.past" : "ladder.sentence", {
    year: view.year, gross: short(gross.amount), net: short(net.amount), hands: short(hands.amount),
    share: percent(hands.amount === null || net.amount === null ? null : ratio(hands.amount, net.amount)),
  });
}

/** @param {HTMLElement} host @param {any} seal */
function showRungs(host, seal) {
  const gross = shown[0].amount ?? "0.00";
  showTable(host, {
    name: "ladder", label: t("figure.ladder"), lines: shown, keyOf: ({ name }) => name, seal,
    kind: ({ name, kind }) => `rung ${name} ${kind}`,
    columns: [
      { head: t("column.rung"), names: true, csv: ({ name }) => t(`rung.${name}`),
        cell: ({ name, kind }) => [h("b", {}, `${kind === "minus" ? "− " : ""}${t(`rung.${name}`)}`), h("small", { class: "meaning" }, t(`rung.${name}.rule`))] },
      { ...yuanColumn(t("column.yuan"), ({ amount }) => amount), cell: ({ name, amount }) => h("span", { data: { rung: name } }, money(amount)) },
      { head: t("column.of_gross"), number: true, cell: ({ amount }) => (amount === null ? "–" : part(ratio(amount, gross))) },
      { head: t("column.tonnes"), number: true, cell: ({ tonnes }) => number(tonnes), csv: ({ tonnes }) => tonnes },
      { head: t("column.trades"), number: true, cell: ({ trades }) => number(trades), csv: ({ trades }) => trades },
    ],
  });
}

/** What changed hands, in periods, beside the net turnover of the same days. @param {HTMLElement} host @param {any} ladder */
function showPeriods(host, ladder) {
  const lines = !ladder || view.product ? [] : ["day", "recent", "whole_year"].map((name) => ({ name, ...ladder[name] })).filter(({ net }) => net !== undefined);
  host.hidden = !lines.length;
  if (host.hidden) return;
  showTable(host, {
    name: "changed-hands", label: t("hands.title"), lines, keyOf: ({ name }) => name, seal: ladder,
    columns: [
      { head: t("hands.title"), names: true, cell: ({ name, first_date, last_date }) => `${t(`hands.${name}`)} · ${first_date === last_date ? last_date : `${first_date} – ${last_date}`}` },
      yuanColumn(t("rung.net"), ({ net }) => net),
      yuanColumn(t("rung.changed_hands"), ({ changed_hands }) => changed_hands),
      { head: t("hands.share"), number: true, cell: ({ share }) => percent(share), csv: ({ share }) => share },
    ],
  });
}

