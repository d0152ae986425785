// A table of items by columns: keyed rows, a sentence where there is none, and a button that saves what is shown.

import { fill, h, rows, say } from "../app/dom.js";
import { saveButton } from "../app/save.js";
import { t } from "../app/words.js";

/**
 * @template Item
 * @typedef {object} Column
 * @property {string} name
 * @property {(item: Item) => string | number | null} text what is shown, and saved
 * @property {(item: Item, now: () => Item) => Node | string} [show] shown in place of the text; made anew only when the text changes: what is
 *   asked later takes the item as it is `now`, which fails when it is gone
 * @property {boolean} [num]
 * @property {(item: Item) => string} [title]
 * @property {(item: Item) => string} [kind] a class of the cell
 * @property {boolean} [unsaved] not in the file
 */

/** @template Item */
export class Listing {
  /**
   * @param {object} options
   * @param {string} options.id test id, and the name of the file
   * @param {string} options.label
   * @param {Column<Item>[]} options.columns
   * @param {(item: Item) => string} options.keyOf
   * @param {string} options.empty what an empty table says
   * @param {(item: Item) => string} [options.rowKind] a class of the row
   */
  constructor({ id, label, columns, keyOf, empty, rowKind }) {
    this.columns = columns;
    this.keyOf = keyOf;
    this.rowKind = rowKind;
    /** @type {Item[]} */ this.items = [];
    this.body = h("tbody", {});
    this.none = h("p", { class: "empty", hidden: true }, empty);
    this.table = h(
      "table",
      { "aria-label": label, data: { testid: id } },
      h(
        "thead",
        {},
        h(
          "tr",
          {},
          columns.map((column) => h("th", { scope: "col", class: column.num ? "num" : null }, column.name)),
        ),
      ),
      this.body,
    );
    this.node = h(
      "div",
      { class: "scrolled", tabindex: 0, role: "region", "aria-label": label, data: { freeze: "" } },
      this.table,
      this.none,
    );
    this.save = saveButton(id, () => this.lines());
  }

  /** @param {Item[]} items */
  show(items) {
    this.items = items;
    this.table.hidden = !items.length;
    this.none.hidden = items.length > 0;
    rows(
      this.body,
      items,
      this.keyOf,
      () => this.make(),
      (node, item) => this.update(node, item),
    );
  }

  make() {
    return h(
      "tr",
      {},
      this.columns.map(({ name, num }) => h("td", { class: num ? "num" : null, data: { name } })),
    );
  }

  /** @param {HTMLElement} row @param {Item} item */
  update(row, item) {
    if (this.rowKind) row.className = this.rowKind(item);
    this.columns.forEach(({ text, show, num, title, kind }, number) => {
      const cell = /** @type {HTMLElement} */ (row.children[number]),
        shown = String(text(item) ?? "–");
      if (title) cell.title = title(item);
      if (kind) cell.className = `${num ? "num " : ""}${kind(item)}`;
      if (!show) say(cell, shown);
      else if (cell.dataset.shown !== shown) {
        cell.dataset.shown = shown;
        const key = this.keyOf(item);
        fill(
          cell,
          show(item, () => this.now(key)),
        );
      }
    });
  }

  /** The item of a row as it was last shown. @param {string} key @returns {Item} */
  now(key) {
    const item = this.items.find((one) => this.keyOf(one) === key);
    if (!item) throw new Error(t("acts.gone"));
    return item;
  }

  /** @returns {unknown[][]} */
  lines() {
    const columns = this.columns.filter((column) => !column.unsaved);
    return [columns.map((column) => column.name), ...this.items.map((item) => columns.map((column) => column.text(item)))];
  }
}

/** A panel: its head with what stands aside, and its body. @param {string} id @param {string} title @param {(Node | string | false)[]} aside @param {...(Node | string | false)} body */
export const panel = (id, title, aside, ...body) =>
  h(
    "section",
    { class: "panel", id, "aria-labelledby": `${id}-title` },
    h("header", {}, h("h2", { id: `${id}-title` }, title), aside.length > 0 && h("div", { class: "aside" }, ...aside)),
    ...body,
  );

/** A list of facts. @param {[string, Node | string][]} facts */
export const facts = (facts) =>
  h(
    "dl",
    { class: "facts-list" },
    facts.flatMap(([name, value]) => [h("dt", {}, name), h("dd", {}, value)]),
  );
