// The trades of a finding, read when they are opened.

import { read } from "../app/api.js";
import { h } from "../app/dom.js";
import { clock, day, grouped, money } from "../app/format.js";
import { watch } from "../app/store.js";
import { toast } from "../app/toasts.js";
import { t, term } from "../app/words.js";
import { Listing } from "../operate/listing.js";
import { product } from "./state.js";

/** @param {any} finding @returns {HTMLElement} */
export function tradesOf(finding) {
  const listing = new Listing({
    id: `finding-${finding.finding}`,
    label: t("findings.trades"),
    keyOf: (one) => one.trade_id,
    empty: t("findings.no_trades"),
    rowKind: (one) => (one.counts ? "" : "struck"),
    columns: [
      { name: t("trades.time"), text: (one) => `${day(one.time)} ${clock(one.time)}` },
      {
        name: t("trades.id"),
        text: (one) => one.trade_id,
        show: (one) => h("a", { href: `/ui/control?trade=${one.trade_id}#trades-panel` }, one.trade_id),
      },
      { name: t("symbol"), text: (one) => one.product },
      { name: t("trades.price"), text: (one) => grouped(one.price), num: true },
      { name: t("trades.lots"), text: (one) => grouped(one.quantity), num: true },
      { name: t("trades.amount"), text: (one) => money(one.amount), num: true },
      { name: t("trades.seller"), text: (one) => one.seller.name },
      { name: t("trades.buyer"), text: (one) => one.buyer.name },
      {
        name: t("trades.state"),
        text: (one) => (one.counts ? t("trades.counts") : term("why_not", one.why_not)),
        kind: (one) => (one.counts ? "dim" : "danger"),
      },
    ],
  });
  const more = h("button", { type: "button", hidden: true, onclick: () => next() }, t("more"));
  const details = /** @type {HTMLDetailsElement} */ (
    h(
      "details",
      { class: "trades", data: { testid: "finding-trades" } },
      h("summary", {}, t("findings.show_trades", { count: grouped(finding.trades) })),
      h("p", { class: "aside" }, listing.save),
      listing.node,
      more,
    )
  );
  /** @type {string | null} */ let address = null;
  const next = async () => {
    if (!address) return;
    try {
      const page = await read(address);
      listing.show([...listing.items, ...page.trades]);
      address = page.links.next ?? null;
      more.hidden = !address;
    } catch (error) {
      toast("refused", error instanceof Error ? error.message : String(error));
    }
  };
  const begin = () => {
    address = `${finding.links.trades}&sum=false${product() ? `&product=${encodeURIComponent(product() ?? "")}` : ""}`;
    listing.items = [];
    next();
  };
  // While it is open it follows the filter; closed, or taken off the page with its card, it is forgotten.
  let stop = () => {};
  details.addEventListener("toggle", () => {
    stop();
    if (details.open) stop = watch(["filter", "findings"], () => (details.isConnected ? begin() : stop()));
  });
  return details;
}
