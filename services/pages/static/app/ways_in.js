// How who is not logged in gets at what a page keeps for people: in a demo at once as one of its people, else by logging in.

import { h } from "./dom.js";
import { page } from "./page.js";
import { enter } from "./session.js";
import { t } from "./words.js";

/** @param {"trader" | "operator"} role whose page it is */
export function waysIn(role) {
  const here = encodeURIComponent(location.pathname + location.search);
  return h("div", { class: "ways" },
    page.demo && h("button", { type: "button", class: "primary", value: role, data: { testid: "enter-here" }, onclick: enter }, t(`enter.${role}`)),
    h("a", { class: "button", href: `/log-in?next=${here}`, data: { testid: "log-in-here" } }, t("log_in")));
}
