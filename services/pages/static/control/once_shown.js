// A secret or a one-time link, in a dialog: it is shown once and stays nowhere on the page.

import { h } from "../app/dom.js";
import { t } from "../app/words.js";

/** @param {string} title @param {string} said @param {string} secret */
export function showOnce(title, said, secret) {
  const input = /** @type {HTMLInputElement} */ (
    h("input", {
      type: "text",
      readonly: true,
      value: secret,
      "aria-label": title,
      data: { testid: "secret" },
      onfocus: () => input.select(),
    })
  );
  const copied = h("span", { role: "status" });
  const dialog = /** @type {HTMLDialogElement} */ (
    h(
      "dialog",
      { "aria-labelledby": "once-title", data: { testid: "once" } },
      h("h2", { id: "once-title" }, title),
      h("p", {}, said),
      h("p", { class: "secret" }, input),
      h(
        "footer",
        {},
        copied,
        h(
          "button",
          {
            type: "button",
            onclick: async () => {
              await copy(input);
              copied.textContent = t("once.copied");
            },
          },
          t("once.copy"),
        ),
        h("button", { type: "button", class: "primary", data: { testid: "once-close" }, onclick: () => dialog.close() }, t("close")),
      ),
    )
  );
  dialog.addEventListener("close", () => dialog.remove());
  document.body.append(dialog);
  dialog.showModal();
}

/** @param {HTMLInputElement} input */
async function copy(input) {
  input.select();
  if (navigator.clipboard) await navigator.clipboard.writeText(input.value);
  else document.execCommand("copy");
}
