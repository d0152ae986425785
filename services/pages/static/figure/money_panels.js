// Fees, targets and the figures from outside: three small tables.

import { fill, h } from "../app/dom.js";
import { money, number, percent, stamp } from "../app/format.js";
import { targetName } from "../app/target_name.js";
import { aboutOf } from "../app/target_words.js";
import { t, term } from "../app/words.js";
import { shareColumn, yuanColumn } from "./amounts.js";
import { aheadOf, showBehind, shown } from "./behind.js";
import { parts, showNothing } from "./panel.js";
import { said } from "./said.js";
import { showTable } from "./table.js";

/** @param {HTMLElement} host @param {Record<string, any>} docs */
export function showFees(host, { fees }) {
  const at = parts(host, "sums", "classes", "products", "note");
  fill(at.sums, h("dl", {},
    h("dt", {}, t("fees.paid")), h("dd", { data: { testid: "fees" } }, money(fees.fees)),
    h("dt", {}, t("fees.without_vat", { percent: fees.vat_percent })), h("dd", {}, money(fees.without_vat)),
    h("dt", {}, t("fees.vat")), h("dd", {}, money(fees.vat))));
  /** @param {HTMLElement} place @param {string} name @param {any[]} lines @param {(line: any) => string} nameOf */
  const table = (place, name, lines, nameOf) => showTable(place, {
    name, label: t(`fees.${name}`), lines, keyOf: ({ part }) => part, seal: fees,
    columns: [{ head: t(`fees.${name}`), names: true, cell: nameOf }, yuanColumn(t("column.fees"), (line) => line.fees), shareColumn((line) => line.share)],
  });
  table(at.classes, "fees-classes", fees.classes, ({ part }) => t("split.class_of", { number: part }));
  table(at.products, "fees-products", fees.products, ({ part }) => part);
  fill(at.note, fees.assumptions.map((/** @type {string} */ sentence) => said(sentence)));
}

/** @param {HTMLElement} host @param {Record<string, any>} docs */
export function showTargets(host, { targets }) {
  if (!targets.targets.length) return showNothing(host, t("targets.none"));
  const at = parts(host, "behind-said", "behind", "all");
  showBehind(at["behind-said"], at.behind, targets);
  showTable(at.all, {
    name: "targets", label: t("figure.targets"), lines: targets.targets, keyOf: ({ seq }) => String(seq), seal: targets,
    columns: [
      { head: t("column.target"), names: true, csv: ({ name }) => name,
        cell: ({ name, scope, metric, month }) => [h("b", { translate: "no" }, targetName(name)), h("small", { class: "meaning" }, aboutOf({ scope, metric, month }))] },
      { head: t("column.stage"), cell: ({ stage }) => h("span", { class: stage === "missed" ? "danger" : "" }, term("stage", stage)), csv: ({ stage }) => stage },
      { head: t("column.done"), number: true, cell: (line) => shown(line, line.done), csv: ({ done }) => done },
      { head: t("column.owed"), number: true, cell: (line) => shown(line, line.target), csv: ({ target }) => target },
      { head: t("column.share"), number: true, csv: ({ share }) => share,
        cell: ({ share }) => [h("progress", { max: 1, value: Math.min(1, Number(share)), "aria-hidden": "true" }), ` ${percent(share)}`] },
      { head: t("column.ahead"), number: true, cell: aheadOf, csv: ({ ahead }) => ahead },
      { head: t("column.required"), number: true, cell: (line) => shown(line, line.required_per_day), csv: ({ required_per_day }) => required_per_day },
      { head: t("column.days_left"), number: true, cell: ({ days_left, days_total }) => `${days_left} / ${days_total}` },
      { head: t("column.set_by"), number: true, cell: ({ seq }) => number(seq), csv: ({ seq }) => seq },
    ],
  });
}

/** @param {HTMLElement} host @param {Record<string, any>} docs */
export function showContext(host, { context }) {
  const at = parts(host, "notice", "table");
  fill(at.notice, said(context.notice));
  if (!context.figures.length) return showNothing(at.table, t("context.none", { year: context.year }));
  showTable(at.table, {
    name: "context", label: t("figure.context"), lines: context.figures, keyOf: ({ figure }) => figure, seal: context,
    columns: [
      { head: t("context.figure"), names: true, cell: ({ figure }) => h("span", { translate: "no" }, figure), csv: ({ figure }) => figure },
      { head: t("context.value"), number: true, cell: ({ value, unit }) => `${number(value)} ${unit}`, csv: ({ value }) => value },
      { head: t("context.source"), cell: ({ source }) => h("span", { translate: "no" }, source), csv: ({ source }) => source },
      { head: t("context.who"), cell: ({ name, time }) => h("span", { translate: "no" }, `${name} · ${stamp(time)}`), csv: ({ name }) => name },
      { head: t("seq"), number: true, cell: ({ seq }) => number(seq), csv: ({ seq }) => seq },
    ],
  });
}
