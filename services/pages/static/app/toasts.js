// What became of an act, told for some seconds; a refusal and an unknown outcome stay until they are closed. Two are seen, the rest is a count.

import { h, say } from "./dom.js";
import { clock } from "./format.js";
import { at } from "./page.js";
import { t } from "./words.js";

const DONE_MS = 6_000;
/** So many passing ones are kept. */
const MOST = 5;
/** So many are seen before somebody asks for the others. */
const SEEN = 2;

let isOpen = false;
const more = h("button", { type: "button", class: "more", "aria-expanded": "false", hidden: true, data: { testid: "toasts-more" }, onclick: () => { isOpen = !isOpen; fold(); } });

/** @param {"done" | "fill" | "refused" | "unknown"} kind @param {string} said @param {string | null} [next] what to do */
export function toast(kind, said, next = null) {
  const node = h("div", { class: `toast ${kind}`, data: { testid: "toast" } },
    h("b", {}, t(`toast.${kind}`)), " ", h("span", {}, said), next && h("p", {}, next),
    h("small", {}, clock(Date.now())),
    h("button", { type: "button", class: "quiet", "aria-label": t("close"), onclick: () => close(node) }, "×"));
  const list = at("toasts");
  if (!more.isConnected) list.append(more);
  list.prepend(node);
  const passing = list.querySelectorAll(".done, .fill");
  for (const old of [...passing].slice(MOST)) old.remove();
  fold();
  if (kind === "done" || kind === "fill") setTimeout(() => close(node), DONE_MS);
}

/** @param {HTMLElement} node */
function close(node) {
  node.remove();
  fold();
}

/** Shows the newest ones and how many others there are. */
function fold() {
  const all = /** @type {NodeListOf<HTMLElement>} */ (at("toasts").querySelectorAll(".toast")), others = all.length - SEEN;
  isOpen &&= others > 0;
  for (const [index, node] of all.entries()) node.hidden = !isOpen && index >= SEEN;
  more.hidden = others <= 0;
  more.setAttribute("aria-expanded", String(isOpen));
  say(more, isOpen ? t("toast.fewer") : t("toast.more", { count: others }));
}
