// Tables from documents: one node for each line, kept while the line is there, and a button that saves what is shown.

import { fill, h, rows, say } from "../app/dom.js";
import { saveButton } from "../app/save.js";

/**
 * @typedef {import("../app/dom.js").Child} Child
 *
 * @typedef {object} Column
 * @property {string} head
 * @property {(line: any) => Child | Child[]} cell
 * @property {boolean} [number]
 * @property {boolean} [names] its cells are the heads of their rows
 * @property {(line: any) => string | null} [title]
 * @property {(line: any) => unknown} [csv] the exact value; without it the cell's text
 *
 * @typedef {object} Table
 * @property {string} name of its saved file, and `data-testid`
 * @property {string} label
 * @property {Column[]} columns
 * @property {any[]} lines
 * @property {(line: any) => string} keyOf
 * @property {(line: any) => string} [kind] the class of a row
 * @property {any} [seal] the document that says at which seq it is exact
 */

/** @type {WeakMap<HTMLElement, {heads: string, shown: Table, body: HTMLElement}>} */
const made = new WeakMap();

/** Shows a table in `host`, in place of the one before. @param {HTMLElement} host @param {Table} table */
export function showTable(host, table) {
  const heads = JSON.stringify([table.name, ...table.columns.map(({ head }) => head)]);
  let known = made.get(host);
  if (known?.heads !== heads || !host.contains(known.body)) {
    const body = h("tbody");
    known = { heads, shown: table, body };
    made.set(host, known);
    fill(host, headOf(host, table), h("table", { "aria-label": table.label, data: { testid: `table-${table.name}` } },
      h("thead", {}, h("tr", {}, table.columns.map(({ head, number }) => h("th", { scope: "col", class: number && "num" }, head)))), body));
  }
  known.shown = table;
  rows(known.body, table.lines, table.keyOf, () => makeRow(table), (node, line) => updateRow(node, line, table));
  letScroll(host);
}

/** Lets the keyboard scroll a node, while there is something to scroll. @param {HTMLElement} node */
export function letScroll(node) {
  const isLarger = node.scrollWidth > node.clientWidth + 1 || (node.scrollHeight > node.clientHeight + 1 && getComputedStyle(node).overflowY === "auto");
  if (isLarger) node.tabIndex = 0;
  else node.removeAttribute("tabindex");
}

/** @param {Table} table */
const makeRow = ({ columns }) => h("tr", {}, columns.map(({ number, names }) =>
  h(names ? "th" : "td", { scope: names && "row", class: number && "num" })));

/** @param {HTMLElement} row @param {any} line @param {Table} table */
function updateRow(row, line, { columns, kind }) {
  if (kind) row.className = kind(line);
  columns.forEach(({ cell, title }, index) => {
    const node = row.children[index], content = cell(line), hint = title?.(line) ?? null;
    if (typeof content === "string" || typeof content === "number") say(node, content);
    else fill(node, ...[content].flat());
    if (node.getAttribute("title") !== hint) hint === null ? node.removeAttribute("title") : node.setAttribute("title", hint);
  });
}

/** The line above a table, with the button that saves it. @param {HTMLElement} host @param {Table} table */
const headOf = (host, { name, label }) =>
  h("div", { class: "table-head" }, h("span", {}, label), saveButton(name, () => csvOf(host)));

/** Puts the button that saves a chart beside its others. @param {HTMLElement} host @param {string} name @param {import("../charts/chart.js").Chart} chart */
export const saveChart = (host, name, chart) => host.querySelector(".chart-head")?.append(saveButton(name, () => chart.lines()));

/** What the table in `host` shows, as rows of texts; the last two say where it is exact. @param {HTMLElement} host */
export function csvOf(host) {
  const { shown, body } = /** @type {NonNullable<ReturnType<typeof made.get>>} */ (made.get(host));
  const lines = shown.lines.map((line, number) => shown.columns.map(({ csv }, column) =>
    csv ? csv(line) : body.children[number]?.children[column]?.textContent ?? ""));
  const seal = shown.seal?.seq ? [["seq", shown.seal.seq], ["row_hash", shown.seal.row_hash ?? ""]] : [];
  return [shown.columns.map(({ head }) => head), ...lines, ...seal];
}
