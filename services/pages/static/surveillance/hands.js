// What changed hands beside the net turnover, day by day: wash trading raises the one and hardly moves the other.

import { Chart } from "../charts/chart.js";
import { forDrawing } from "../app/decimal.js";
import { fill, h } from "../app/dom.js";
import { day, money, noon, percent, short } from "../app/format.js";
import { saveButton } from "../app/save.js";
import { get, watch } from "../app/store.js";
import { t } from "../app/words.js";
import { panel } from "../operate/listing.js";
import { year } from "./state.js";

/** @returns {HTMLElement} */
export function handsPanel() {
  const said = h("p", { class: "said", data: { testid: "hands-said" } }),
    host = h("div", { class: "chart-host" });
  const node = panel(
    "hands-panel",
    t("hands.title"),
    [saveButton("changed-hands", lines)],
    h("div", { class: "body" }, said, host, h("p", { class: "dim" }, t("hands.explained"))),
  );
  const chart = new Chart(host, {
    label: t("hands.title"),
    sentence,
    x: "slots",
    xName: t("hands.day"),
    xText: (/** @type {number | string} */ x) => day(x),
    yText: (/** @type {number} */ y) => short(y.toFixed(0)),
    height: 220,
    zero: true,
    empty: t("hands.empty"),
    onRange: (/** @type {any} */ range) => chart.zoom(range),
  });
  watch(["hands", "hands.trouble", "venue"], () => {
    const hands = get("hands");
    fill(said, hands ? sentence() : (get("hands.trouble") ?? t("loading")));
    if (!hands) return;
    chart.show([
      { type: "bars", name: t("hands.net"), className: "before", data: points("net") },
      { type: "line", name: t("hands.title"), className: "actual", data: points("changed_hands") },
    ]);
  });
  return node;
}

/** The days that are over: a part of a day is no day beside the others. */
const wholeDays = () => {
  const today = get("venue")?.trading_date ?? "";
  return (get("hands")?.days ?? []).filter((/** @type {any} */ one) => !today || one.date < today);
};

/** @param {string} name of the field */
const points = (name) =>
  wholeDays().map((/** @type {any} */ one) => ({ x: noon(one.date), y: forDrawing(one[name]), text: money(one[name]) }));

function sentence() {
  const hands = get("hands");
  if (hands && !hands.days.length) return t("hands.none", { year: year() });
  return hands
    ? t("hands.sentence", {
        year: year(),
        changed: short(hands.changed_hands),
        net: short(hands.net),
        share: percent(hands.share),
        recent_changed: short(hands.recent_changed_hands),
        recent_net: short(hands.recent_net),
      })
    : t("loading");
}

const lines = () => [
  [t("hands.day"), t("hands.net"), t("hands.title")],
  ...wholeDays().map((/** @type {any} */ one) => [one.date, one.net, one.changed_hands]),
];
