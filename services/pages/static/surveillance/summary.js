// The year in four numbers: findings, their part of the net turnover, alerts, measures.

import { text, units } from "../app/decimal.js";
import { fill, h } from "../app/dom.js";
import { grouped, money, percent, short } from "../app/format.js";
import { get, watch } from "../app/store.js";
import { t } from "../app/words.js";

/** @returns {HTMLElement} */
export function summary() {
  const node = h("div", { class: "summary", data: { testid: "summary" } }, ...figures()); // Now: what lies below would move.
  watch(["findings", "hands", "alerts", "abnormal"], () => fill(node, figures()));
  return node;
}

function figures() {
  const findings = get("findings")?.findings,
    hands = get("hands"),
    alerts = [...(get("alerts")?.values() ?? [])],
    measures = get("abnormal")?.measures;
  const sum = (findings ?? []).reduce((/** @type {bigint} */ total, /** @type {any} */ one) => total + units(one.amount), 0n);
  const net = hands ? units(hands.net) : 0n,
    open = (findings ?? []).filter((/** @type {any} */ one) => !one.decided).length;
  const isCritical = alerts.some((one) => one.severity === "critical"),
    inForce = (measures ?? []).filter((/** @type {any} */ one) => !one.lifted);
  return [
    figure(
      t("findings"),
      findings ? grouped(findings.length) : "–",
      findings ? t("summary.undecided", { count: open }) : "",
      open ? "warn" : "",
    ),
    figure(
      t("summary.in_findings"),
      findings ? short(text(sum, 2)) : "–",
      net ? t("summary.of_net", { share: percent(text((sum * 1_000_000n) / net, 6), 2) }) : "",
      "",
      money(text(sum, 2)),
    ),
    figure(t("hands.title"), percent(hands?.share), hands ? t("summary.of_net_traded", { net: short(hands.net) }) : ""),
    figure(
      t("alerts"),
      get("alerts") ? grouped(alerts.length) : "–",
      isCritical ? t("summary.critical", { count: alerts.filter((one) => one.severity === "critical").length }) : t("summary.no_critical"),
      isCritical ? "danger" : "",
    ),
    figure(
      t("summary.measures"),
      measures ? grouped(inForce.length) : "–",
      t("summary.bans", { count: inForce.filter((/** @type {any} */ one) => one.measure === "opening_ban").length }),
    ),
  ];
}

/** @param {string} name @param {string} value @param {string} said @param {string} [kind] @param {string} [title] */
const figure = (name, value, said, kind = "", title = value) =>
  h("div", { class: "panel figure" }, h("span", { class: "dim" }, name), h("b", { title }, value), h("small", { class: kind }, said));
