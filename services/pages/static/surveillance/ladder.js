// Abnormal trading: the days on which a count reached its limit, the measure that the ladder provides, and the measures imposed.

import { send } from "../app/api.js";
import { h } from "../app/dom.js";
import { grouped, stamp } from "../app/format.js";
import { get, watch } from "../app/store.js";
import { listed, t, term } from "../app/words.js";
import { knownAccounts } from "../operate/accounts.js";
import { actButton, outcomeLine } from "../operate/acts.js";
import { choice, field, line, reasonField, valueOf } from "../operate/fields.js";
import { Listing, panel } from "../operate/listing.js";
import { account, accountText, accountsOf, isAsked, product, year } from "./state.js";

const MEASURES = ["warning", "watch_list", "opening_ban"];

/** @param {any} breach */
const breachText = ({ symbol, behaviour, count, limit }) =>
  t("ladder.breach", { symbol, behaviour: term("behaviour", behaviour), count: grouped(count), limit: grouped(limit) });

/** @param {import("../operate/access.js").Access} rights @returns {HTMLElement} */
export function ladderPanel(rights) {
  const outcome = outcomeLine();
  const listing = new Listing({
    id: "ladder",
    label: t("ladder"),
    keyOf: (one) => `${one.trading_date} ${one.members.join("+")}`,
    empty: t("ladder.none"),
    columns: [
      { name: t("trades.day"), text: (one) => one.trading_date },
      { name: t("findings.members"), text: (one) => listed(one.members), kind: () => "wide" },
      { name: t("ladder.what"), text: (one) => one.breaches.map(breachText).join("; "), kind: () => "wide" },
      { name: t("ladder.provided"), text: (one) => term("measure", one.provided) },
      { name: t("ladder.imposed"), text: (one) => listed(one.imposed) || t("ladder.nothing") },
      ...(rights.acts
        ? [
            {
              name: t("acts"),
              text: (/** @type {any} */ one) => `${one.trading_date} ${one.members.join("+")}`,
              unsaved: true,
              show: (/** @type {any} */ _, /** @type {() => any} */ now) => actButton(t("ladder.impose"), "impose", outcome, imposeAct(rights, now)),
            },
          ]
        : []),
    ],
  });
  watch(["abnormal", "accounts", "filter"], () =>
    listing.show(
      (get("abnormal")?.steps ?? []).filter(
        (/** @type {any} */ one) =>
          (!account() || one.members.some(isAsked)) &&
          (!product() || one.breaches.some((/** @type {any} */ breach) => breach.symbol === product())),
      ),
    ),
  );
  return panel(
    "ladder-panel",
    t("ladder"),
    [h("span", { class: "dim" }, t("ladder.said")), listing.save],
    rights.acts && outcome,
    listing.node,
  );
}

/** @param {import("../operate/access.js").Access} rights @returns {HTMLElement} */
export function measuresPanel(rights) {
  const outcome = outcomeLine();
  const listing = new Listing({
    id: "measures",
    label: t("measures"),
    keyOf: (one) => one.measure_id,
    empty: t("measures.none"),
    rowKind: (one) => (one.lifted ? "past" : ""),
    columns: [
      { name: t("measures.id"), text: (one) => one.measure_id, num: true },
      {
        name: t("measures.what"),
        text: (one) => term("measure", one.measure),
        kind: (one) => (one.measure === "opening_ban" && !one.lifted ? "danger" : ""),
      },
      { name: t("trades.day"), text: (one) => one.trading_date },
      { name: t("filters.account"), text: (one) => listed(one.accounts.map(accountText)), kind: () => "wide" },
      { name: t("acts.reason"), text: (one) => one.reason, kind: () => "wide" },
      { name: t("decisions.who"), text: (one) => `${one.name}, ${stamp(one.time)}` },
      {
        name: t("measures.lifted"),
        text: (one) => (one.lifted ? `${one.lifted.name}, ${stamp(one.lifted.time)}: ${one.lifted.reason}` : t("measures.in_force")),
        kind: () => "wide",
      },
      ...(rights.acts
        ? [
            {
              name: t("acts"),
              text: (/** @type {any} */ one) => (one.lifted ? "" : one.measure_id),
              unsaved: true,
              show: (/** @type {any} */ one, /** @type {() => any} */ now) =>
                one.lifted ? "" : actButton(t("measures.lift"), "lift", outcome, liftAct(rights, now)),
            },
          ]
        : []),
    ],
  });
  watch(["abnormal", "accounts", "filter"], () =>
    listing.show((get("abnormal")?.measures ?? []).filter((/** @type {any} */ one) => !account() || one.accounts.includes(account()))),
  );
  return panel(
    "measures-panel",
    t("measures"),
    [rights.acts && actButton(t("ladder.impose"), "impose-any", outcome, imposeAct(rights)), listing.save],
    rights.acts && outcome,
    listing.node,
  );
}

/** The numbers in a text: "4, 7". @param {string} text */
export const numbersOf = (text) =>
  text
    .split(/[\s,，、]+/)
    .filter(Boolean)
    .map(Number);

/** A line for account numbers. @param {number[]} accounts @param {number} least */
export const accountsLine = (accounts, least) =>
  line(
    t("accounts.numbers"),
    "accounts",
    { value: accounts.join(", "), required: true, pattern: `\\d+([\\s,，、]+\\d+){${least - 1},99}`, title: t("accounts.numbers_hint") },
    t("accounts.numbers_hint"),
  );

/** @param {import("../operate/access.js").Access} rights @param {() => any} [now] the day that it answers @returns {import("../operate/acts.js").Act} */
const imposeAct = (rights, now) => ({
  ask: async () => {
    await knownAccounts();
    const step = now?.();
    return {
      title: t("measures.ask"),
      facts: [
        ...(step
          ? /** @type {[string, string][]} */ ([
              [t("findings.members"), listed(step.members)],
              [t("ladder.what"), step.breaches.map(breachText).join("; ")],
            ])
          : []),
        [t("acts.recorded_as"), rights.name ?? ""],
      ],
      fields: [
        choice(
          t("measures.what"),
          "measure",
          MEASURES.map((one) => [one, term("measure", one)]),
          step?.provided ?? "warning",
        ),
        accountsLine(step ? step.members.flatMap(accountsOf) : account() ? [account()] : [], 1),
        field(
          t("measures.day"),
          h("input", {
            type: "date",
            name: "trading_date",
            required: true,
            value: step?.trading_date ?? (String(year()) === get("venue")?.trading_date.slice(0, 4) ? get("venue").trading_date : ""),
          }),
        ),
        reasonField(),
      ],
      consequence: t("measures.consequence"),
      act: t("ladder.impose"),
      danger: true,
    };
  },
  run: async (given, key) => {
    const measure = valueOf(given, "measure");
    const body = {
      accounts: numbersOf(valueOf(given, "accounts")),
      measure,
      trading_date: valueOf(given, "trading_date"),
      reason: valueOf(given, "reason"),
      name: rights.name,
    };
    const { seq } = await send("POST", "/v1/admin/measures", body, key);
    return { said: t("measures.done", { measure: term("measure", measure), accounts: listed(body.accounts.map(String)) }), seq };
  },
});

/** @param {import("../operate/access.js").Access} rights @param {() => any} now @returns {import("../operate/acts.js").Act} */
function liftAct(rights, now) {
  return {
    kinds: ["measure_lifted"],
    either: ["measure_lifted", "kill_switch_off"], // a ban may hold switches
    ask: () => {
      const measure = now();
      return {
        known: measure,
        title: t("measures.ask_lift"),
        facts: [
          [t("measures.what"), term("measure", measure.measure)],
          [t("filters.account"), listed(measure.accounts.map(accountText))],
          [t("acts.reason"), measure.reason],
          [t("acts.recorded_as"), rights.name ?? ""],
        ],
        fields: [reasonField()],
        consequence: t(measure.measure === "opening_ban" ? "measures.consequence_lift_ban" : "measures.consequence_lift"),
        act: t("measures.lift"),
      };
    },
    run: async (given, key, measure) => {
      const body = { reason: valueOf(given, "reason"), name: rights.name };
      const { seq } = await send("POST", `/v1/admin/measures/${measure.measure_id}/lift`, body, key);
      return { said: t("measures.done_lift", { id: measure.measure_id }), seq };
    },
  };
}
