// Year, account and product: they are the page's address.

import { fill, h } from "../app/dom.js";
import { page } from "../app/page.js";
import { get, set, watch } from "../app/store.js";
import * as url from "../app/url_state.js";
import { nameOf, t } from "../app/words.js";
import { choice } from "../operate/fields.js";
import { account, presentYear, product, year } from "./state.js";

const YEARS_BACK = 3;

/** @param {() => void} reload @returns {HTMLElement} */
export function filters(reload) {
  const newest = Math.max(presentYear(), year()),
    oldest = Math.min(presentYear() - YEARS_BACK, year());
  const years = Array.from({ length: newest - oldest + 1 }, (_, back) => String(newest - back));
  const form = h(
    "form",
    { class: "filters", role: "search", "aria-label": t("filters"), onsubmit: (/** @type {Event} */ event) => event.preventDefault() },
    choice(
      t("filters.year"),
      "year",
      years.map((one) => [one, one]),
      String(year()),
    ),
    choice(
      t("filters.account"),
      "account",
      [["", t("filters.all")], ...(account() ? /** @type {[string, string][]} */ ([[String(account()), String(account())]]) : [])],
      String(account() || ""),
    ),
    choice(
      t("filters.product"),
      "product",
      [
        ["", t("filters.all")],
        ...(page.first.instruments ?? []).map(
          (/** @type {any} */ one) => /** @type {[string, string]} */ ([one.symbol, `${one.symbol} · ${nameOf(one)}`]),
        ),
      ],
      product(),
    ),
  );
  const accounts = /** @type {HTMLSelectElement} */ (form.querySelector("[name=account]"));
  watch(["accounts"], () => {
    const all = get("accounts") ?? [];
    if (!all.length || accounts.options.length === all.length + 1) return;
    fill(
      accounts,
      h("option", { value: "" }, t("filters.all")),
      all.map((/** @type {any} */ one) => h("option", { value: one.account }, `${one.account} · ${one.name}`)),
    );
    accounts.value = String(account() || "");
  });
  form.addEventListener("change", (event) => {
    const { name, value } = /** @type {HTMLSelectElement} */ (event.target);
    url.write({ [name]: value || null }, { push: true });
    set("filter", `${name}=${value}`);
    if (name === "year") reload();
  });
  url.onReturn(() => {
    for (const [name, value] of Object.entries({ year: String(year()), account: String(account() || ""), product: product() ?? "" }))
      /** @type {HTMLSelectElement} */ (form.querySelector(`[name=${name}]`)).value = value;
    set("filter", location.search);
  });
  return form;
}
