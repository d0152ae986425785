// The targets that are in force this year, and the act that sets one.

import { readAll, send } from "../app/api.js";
import { get } from "../app/store.js";
import { targetName } from "../app/target_name.js";
import { aboutOf, amountOf, monthText } from "../app/target_words.js";
import { t, term } from "../app/words.js";
import { choice, line, reasonField, valueOf } from "../operate/fields.js";
import { instrumentText, valuesOf } from "./market.js";

/** @typedef {import("../app/target_words.js").About & {amount: string, seq: number, name: string, in_force: boolean}} Target */

const METRICS = ["net_traded", "changed_hands", "delivered", "tonnes"];
const MONTHS = Array.from({ length: 13 }, (_, month) => month);

export const thisYear = () => Number(get("venue").trading_date.slice(0, 4));

/** @returns {Promise<Target[]>} */
export async function targetsInForce() {
  const seq = get("acted"), found = await readAll(`/v1/reports/targets/${thisYear()}`, "targets", seq ? { at_least_seq: seq } : {});
  return found.filter((/** @type {Target} */ one) => one.in_force);
}

/** @returns {[string, string][]} */
const scopes = () => [
  ["venue", t("target.venue")],
  ...valuesOf("category").map((name) => /** @type {[string, string]} */ ([`category:${name}`, term("category", name)])),
  ...get("instruments").map((/** @type {any} */ one) => [`product:${one.symbol}`, instrumentText(one)]),
];

/** @returns {import("../operate/acts.js").Act} */
export function targetAct() {
  return {
    kinds: ["target_set"],
    ask: async () => {
      const year = thisYear(),
        targets = await targetsInForce();
      return {
        known: { year, targets },
        title: t("target.ask", { year }),
        facts: targets.map((one) => [aboutOf(one), `${amountOf(one.metric, one.amount)} · ${targetName(one.name)}`]),
        fields: [
          choice(t("target.scope"), "scope", scopes()),
          choice(t("target.metric"), "metric", METRICS.map((metric) => [metric, term("metric", metric)])),
          choice(t("target.time"), "month", MONTHS.map((month) => [String(month), monthText(month)])),
          line(t("target.amount"), "amount", { required: true, inputmode: "decimal", pattern: "\\d{1,15}(\\.\\d{1,3})?", title: t("target.amount_hint") }, t("target.amount_hint")),
          line(t("target.name"), "name", { required: true, maxlength: 80, pattern: ".*\\S.*", title: t("acts.name_needed") }),
          reasonField(),
        ],
        consequence: t("target.consequence"),
        act: t("target.set"),
      };
    },
    run: async (given, key, { year, targets }) => {
      const scope = valueOf(given, "scope"), metric = valueOf(given, "metric"), month = Number(valueOf(given, "month"));
      const older = targets.find((/** @type {Target} */ one) => one.scope === scope && one.metric === metric && one.month === month);
      const body = { scope, metric, month, year, amount: valueOf(given, "amount"), name: valueOf(given, "name"),
        why: valueOf(given, "reason"), replaces: older?.seq ?? null };
      const { seq } = await send("POST", "/v1/admin/targets", body, key);
      return { said: t("target.done", { about: aboutOf(body), amount: amountOf(body.metric, body.amount) }), seq };
    },
  };
}
