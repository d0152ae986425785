// Keys: a ticket is one key away. They are listed under `?`. While something is typed, only Escape counts, and in the ticket's numbers b and s.

import { h } from "../app/dom.js";
import { at } from "../app/page.js";
import { t } from "../app/words.js";
import { isNumberField } from "./number_fields.js";

/** Key and what it does. */
const LISTED = [["b", "keys.buy"], ["s", "keys.sell"], ["/", "keys.search"], ["Enter", "keys.enter"], ["Esc", "keys.escape"], ["↑ ↓", "keys.arrows"], ["?", "keys.help"]];

/** @param {EventTarget | null} node */
const isTyped = (node) => node instanceof HTMLElement && (node.matches("input:not([type=checkbox]), textarea, select") || node.isContentEditable);

/** @param {(side: string) => void} enter goes to the ticket */
export function startKeys(enter) {
  addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
    if (document.querySelector("dialog[open]")) return;
    if (event.key === "Escape") {
      if (document.activeElement instanceof HTMLElement) document.activeElement.blur();
      return;
    }
    const isSide = event.key === "b" || event.key === "s";
    if (isTyped(event.target) && !(isSide && isNumberField(event.target) && at("ticket").contains(event.target))) return;
    if (isSide) enter(event.key === "b" ? "buy" : "sell");
    else if (event.key === "/") search();
    else if (event.key === "?") showKeys();
    else return;
    event.preventDefault();
  });
  at("show-keys").addEventListener("click", showKeys);
}

function search() {
  const input = /** @type {HTMLInputElement} */ (at("search"));
  if (!input.offsetParent) at("toggle-list").click();
  input.focus();
  input.select();
}

function showKeys() {
  const dialog = /** @type {HTMLDialogElement} */ (h("dialog", { "aria-labelledby": "keys-title", data: { testid: "keys" } },
    h("h2", { id: "keys-title" }, t("keys.title")),
    h("dl", {}, LISTED.map(([key, said]) => [h("dt", {}, h("kbd", {}, key)), h("dd", {}, t(said))]).flat()),
    h("footer", {}, h("button", { type: "button", onclick: () => dialog.close() }, t("close")))));
  dialog.addEventListener("close", () => dialog.remove());
  document.body.append(dialog);
  dialog.showModal();
}
