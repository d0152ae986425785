// Every table and chart saves what it shows, as CSV.

import { h } from "./dom.js";
import { t } from "./words.js";

// As services/reporting/exports/csv_file.py: no cell that a spreadsheet makes of a text begins a formula. A number is none.
const BEGINS_FORMULA = /(?<![^,;\t\r\n])(?='*[=+\-@\t\r\n])/g, NUMBER = /^[+-]?\d+(\.\d+)?$/;

/** @param {unknown} value */
const cell = (value) => {
  const text = String(value ?? "");
  if (NUMBER.test(text)) return text;
  const neutral = text.replace(BEGINS_FORMULA, "'");
  return neutral !== text || /[",;\t\r\n]/.test(text) ? `"${neutral.replaceAll('"', '""')}"` : text;
};

/** @param {string} name of the file @param {unknown[][]} lines the first is the head */
export function saveCsv(name, lines) {
  const data = new Blob([lines.map((line) => `${line.map(cell).join(",")}\r\n`).join("")], { type: "text/csv;charset=utf-8" });
  const address = URL.createObjectURL(data);
  h("a", { href: address, download: `${name}.csv` }).click();
  setTimeout(() => URL.revokeObjectURL(address), 1_000);
}

/** A small button that saves what `lines` returns. @param {string} name @param {() => unknown[][]} lines */
export const saveButton = (name, lines) =>
  h("button", { type: "button", class: "quiet save", title: t("save.title"), data: { testid: `save-${name}` }, onclick: () => saveCsv(name, lines()) }, t("save"));
