// A question before an act: it names the parties, the amount and the consequence, and holds still while the page moves on.

import { h } from "./dom.js";
import { isLive } from "./line.js";
import { t } from "./words.js";

/**
 * @param {object} question
 * @param {string} question.title what will be done
 * @param {[string, string][]} question.facts names and values: parties, amount, …
 * @param {string | Node} question.consequence a node: it follows what is typed
 * @param {string} question.act the word on the button
 * @param {HTMLElement[]} [question.fields] inputs, for example of the reason
 * @param {boolean} [question.danger]
 * @param {string} [question.note] a further sentence, such as that a second person is needed
 * @returns {Promise<FormData | null>} the fields' values; null: the person declined
 */
export function confirm({ title, facts, consequence, act, fields = [], danger = false, note = "" }) {
  return new Promise((resolve) => {
    const form = /** @type {HTMLFormElement} */ (h("form", { method: "dialog" },
      h("h2", { id: "dialog-title" }, title),
      h("dl", {}, facts.map(([name, value]) => [h("dt", {}, name), h("dd", {}, value)]).flat()),
      note && h("p", { class: "note", data: { testid: "note" } }, note), h("p", { class: "consequence" }, consequence), ...fields,
      h("footer", {},
        h("button", { type: "button", class: "quiet", value: "no", onclick: () => dialog.close() }, t("go_back")),
        h("button", { type: "submit", class: danger ? "danger" : "primary", data: { acts: "", testid: "confirm" } }, act))));
    const dialog = /** @type {HTMLDialogElement} */ (h("dialog", { "aria-labelledby": "dialog-title", data: { testid: "dialog" } }, form));
    form.addEventListener("submit", (event) => {
      if (isLive()) resolve(new FormData(form));
      else event.preventDefault(); // Enter in a field, while the line is dead: what was typed stays
    });
    dialog.addEventListener("close", () => { resolve(null); dialog.remove(); });
    document.body.append(dialog);
    dialog.showModal();
  });
}
