// Every table and chart saves what it shows, as CSV.

import { h } from "./dom.js";
import { t } from "./words.js";

/** @param {unknown} value */
const cell = (value) => {
  const text = String(value ?? "");
  return /[",\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
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
