// What a target is about and its amount, in words.

import { money, number } from "./format.js";
import { t, term } from "./words.js";

/** @typedef {{scope: string, metric: string, month: number}} About */

/** Yuan, or tonnes. @param {string} metric @param {string} amount */
export const amountOf = (metric, amount) => (metric === "tonnes" ? `${number(amount)} t` : money(amount));

/** "the whole venue", a category, a product. @param {string} scope */
export function scopeOf(scope) {
  const [kind, name] = scope.split(":");
  return kind === "venue" ? t("target.venue") : kind === "category" ? term("category", name) : name;
}

/** @param {number} month 0: the whole year */
export const monthText = (month) => (month ? t("target.month", { month }) : t("target.year"));

/** "net turnover · the year": what a target is measured in, and when. @param {Pick<About, "metric" | "month">} target */
export const measureOf = ({ metric, month }) => `${term("metric", metric)} · ${monthText(month)}`;

/** "the whole venue · net turnover · the year". @param {About} target */
export const aboutOf = (target) => `${scopeOf(target.scope)} · ${measureOf(target)}`;
