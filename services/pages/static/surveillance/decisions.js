// Who decided about which trades, and why: newest first.

import { read } from "../app/api.js";
import { h } from "../app/dom.js";
import { day, grouped, money, stamp } from "../app/format.js";
import { get, set, watch } from "../app/store.js";
import { toast } from "../app/toasts.js";
import { address } from "../app/url_state.js";
import { t, term } from "../app/words.js";
import { Listing, panel } from "../operate/listing.js";
import { year } from "./state.js";

const PAGE = 50;

/** The command, as a link to the log of what was decided that day. Members are not told who decided, and have no log.
 * @param {any} decision @returns {Node | string} */
const ofLog = ({ seq, name, time }) =>
  name === null
    ? grouped(seq)
    : h("a", { href: `${address({ kind: "trades_decided", day: day(time) }, "/ui/control")}#log-panel` }, grouped(seq));

/** @returns {HTMLElement} */
export function decisionsPanel() {
  const listing = new Listing({
    id: "decisions",
    label: t("decisions"),
    keyOf: (one) => String(one.seq),
    empty: t("decisions.none"),
    columns: [
      { name: t("log.command"), text: (one) => grouped(one.seq), show: ofLog, num: true },
      { name: t("trades.time"), text: (one) => stamp(one.time) },
      { name: t("decisions.what"), text: (one) => term("decision", one.decision) },
      { name: t("findings.trades"), text: (one) => grouped(one.trade_ids.length), num: true },
      { name: t("trades.amount"), text: (one) => money(one.amount), num: true },
      { name: t("decisions.still"), text: (one) => grouped(one.trades_excluded_by_it), num: true },
      { name: t("findings.id"), text: (one) => one.finding || "–" },
      { name: t("decisions.who"), text: (one) => one.name ?? "–" }, // Members are not told.
      { name: t("acts.reason"), text: (one) => one.reason ?? "–", kind: () => "wide" },
    ],
  });
  const more = h("button", { type: "button", hidden: true }, t("more"));
  more.addEventListener("click", async () => {
    try {
      const older = await read("/v1/reports/decisions", { year: year(), limit: PAGE, before_seq: listing.items.at(-1)?.seq });
      more.dataset.over = String(older.length < PAGE);
      set("decisions", [...listing.items, ...older]);
    } catch (error) {
      toast("refused", error instanceof Error ? error.message : String(error));
    }
  });
  watch(["decisions"], () => {
    const all = get("decisions") ?? [];
    listing.show(all);
    more.hidden = all.length < PAGE || more.dataset.over === "true";
  });
  return panel(
    "decisions-panel",
    t("decisions"),
    [h("span", { class: "dim" }, t("decisions.said")), listing.save],
    listing.node,
    h("p", { class: "body" }, more),
  );
}
