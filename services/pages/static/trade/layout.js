// The layout on a desk: which panels are put away, and the order of the columns, by dragging a panel's head or in a dialog. Both are
// remembered. A column whose panels are all put away takes no room. In every window the Tab key goes through the panels as one sees them.

import { h } from "../app/dom.js";
import { at } from "../app/page.js";
import { t } from "../app/words.js";
import { COLUMNS, SIDE_PANELS, chooseColumns, columns, isShown, show } from "./choices.js";

const DESK = matchMedia("(min-width: 1151px)"), PHONE = matchMedia("(max-width: 700px)");
/** The panels as trade.css places them in smaller windows: on a phone the ticket comes first. */
const ON_A_PHONE = ["quote", "order", "ladder", "charts", "own", "tape", "list"], IN_TWO_COLUMNS = ["quote", "charts", "order", "ladder", "tape", "list", "own"];
/** @type {Record<string, string>} */
const WIDTHS = { list: "206px", charts: "minmax(0, 1fr)", ladder: "300px", order: "304px" };
/** @type {Record<string, string>} */
const NAMES = { list: "panel.list", charts: "panel.chart", ladder: "panel.ladder", order: "panel.ticket" };

/** The columns and areas of the grid. The account's panel lies below the charts and whatever beside them has nothing below it.
 * @param {string[]} order of the columns @param {(panel: string) => boolean} has whether a panel is shown */
export function gridOf(order, has) {
  const found = order.filter((name) => (name === "list" ? has("list") : name !== "ladder" || has("ladder") || has("tape")));
  const middle = found.indexOf("charts"), book = found.indexOf("ladder"), top = [...found], bottom = [...found];
  bottom[middle] = "own";
  if (book >= 0 && has("tape")) bottom[book] = "tape";
  if (book >= 0 && !has("ladder")) top[book] = Math.abs(book - middle) === 1 ? "charts" : "tape";
  for (const way of [-1, 1]) {
    for (let next = middle + way; found[next] === "list" || (found[next] === "ladder" && !has("tape")); next += way) bottom[next] = "own";
  }
  return { widths: found.map((name) => WIDTHS[name]).join(" "), areas: [found.map(() => "quote"), top, bottom].map((row) => `"${row.join(" ")}"`).join(" ") };
}

/** The panels by lines, as they are seen on a desk. */
const onADesk = () => ["quote", ...columns(), ...columns().flatMap((name) => ({ charts: "own", ladder: "tape" })[name] ?? [])];

/** Puts the panels into the order in which they are seen, which is that of the Tab key. What has the focus keeps it. */
function arrange() {
  const page = at("trade"), held = document.activeElement;
  let next = page.firstElementChild;
  for (const name of PHONE.matches ? ON_A_PHONE : DESK.matches ? onADesk() : IN_TWO_COLUMNS) {
    const panel = /** @type {Element} */ (page.querySelector(`:scope > .${name}`));
    if (panel === next) next = next.nextElementSibling;
    else page.insertBefore(panel, next);
  }
  if (held !== document.activeElement && held instanceof HTMLElement) held.focus({ preventScroll: true });
}

function apply() {
  const page = at("trade"), { widths, areas } = gridOf(columns(), isShown);
  for (const name of SIDE_PANELS) {
    page.dataset[name] = isShown(name) ? "on" : "off";
    at(`toggle-${name}`).setAttribute("aria-pressed", String(isShown(name)));
  }
  page.style.setProperty("--columns", widths);
  page.style.setProperty("--areas", areas);
  arrange();
}

/** Moves a column to before or after another one. @param {string} name @param {string} other @param {boolean} isAfter */
function move(name, other, isAfter) {
  if (name === other) return;
  const rest = columns().filter((one) => one !== name);
  rest.splice(rest.indexOf(other) + Number(isAfter), 0, name);
  chooseColumns(rest);
  apply();
}

function reset() {
  chooseColumns([...COLUMNS]);
  for (const name of SIDE_PANELS) show(name, true);
  apply();
}

/** The column of a panel; the tape is in that of the book. @param {Element | null} panel */
const columnOf = (panel) => (panel?.classList.contains("tape") ? "ladder" : COLUMNS.find((name) => panel?.classList.contains(name)));

function listenToDrags() {
  const page = at("trade");
  /** @type {string | null} the column that is being dragged */
  let dragged = null;
  const unmark = () => { for (const panel of page.querySelectorAll("[data-drop]")) panel.removeAttribute("data-drop"); };
  const place = (/** @type {DragEvent} */ event) => {
    const panel = event.target instanceof Element ? event.target.closest("#trade > .panel") : null, column = columnOf(panel);
    if (!dragged || !column || !(panel instanceof HTMLElement)) return null;
    const { left, width } = panel.getBoundingClientRect();
    return { panel, column, isAfter: event.clientX > left + width / 2 };
  };
  for (const head of /** @type {NodeListOf<HTMLElement>} */ (page.querySelectorAll(":scope > .panel > header"))) {
    const column = columnOf(head.parentElement);
    if (!column) continue;
    head.draggable = true;
    head.addEventListener("dragstart", (event) => {
      if (!DESK.matches || event.target !== head) return event.preventDefault();
      event.dataTransfer?.setData("text/plain", column);
      dragged = column;
    });
    head.addEventListener("dragend", () => { dragged = null; unmark(); });
  }
  page.addEventListener("dragover", (event) => {
    const found = place(event);
    unmark();
    if (!found) return;
    event.preventDefault();
    found.panel.dataset.drop = found.isAfter ? "after" : "before";
  });
  page.addEventListener("drop", (event) => {
    const found = place(event);
    if (!found || !dragged) return;
    event.preventDefault();
    move(dragged, found.column, found.isAfter);
  });
}

/** The order of the columns, for the keyboard. */
function openDialog() {
  const list = h("ol", {});
  const by = (/** @type {string} */ name, /** @type {number} */ way) => {
    const order = columns(), other = order[order.indexOf(name) + way];
    if (other) move(name, other, way > 0);
    fillList();
    /** @type {HTMLElement | null} */ (list.querySelector(`[data-column=${name}] [data-way="${way}"]`))?.focus();
  };
  const button = (/** @type {string} */ name, /** @type {number} */ way) => h("button", {
    type: "button", "aria-label": t(way < 0 ? "layout.left" : "layout.right", { column: t(NAMES[name]) }), data: { way }, onclick: () => by(name, way),
  }, way < 0 ? "◂" : "▸");
  const fillList = () => list.replaceChildren(...columns().map((name) => h("li", { data: { column: name } }, h("span", {}, t(NAMES[name])), button(name, -1), button(name, 1))));
  const dialog = /** @type {HTMLDialogElement} */ (h("dialog", { class: "layout", "aria-labelledby": "layout-title", data: { testid: "layout" } },
    h("h2", { id: "layout-title" }, t("layout.title")), h("p", { class: "dim" }, t("layout.how")), list,
    h("footer", {},
      h("button", { type: "button", data: { testid: "layout-reset" }, onclick: () => { reset(); fillList(); } }, t("layout.reset")),
      h("button", { type: "button", class: "primary", onclick: () => dialog.close() }, t("close")))));
  fillList();
  dialog.addEventListener("close", () => dialog.remove());
  document.body.append(dialog);
  dialog.showModal();
}

export function startLayout() {
  for (const name of SIDE_PANELS) {
    at(`toggle-${name}`).addEventListener("click", () => {
      show(name, !isShown(name));
      apply();
    });
  }
  at("show-layout").addEventListener("click", openDialog);
  listenToDrags();
  for (const size of [DESK, PHONE]) size.addEventListener("change", arrange);
  apply();
}
