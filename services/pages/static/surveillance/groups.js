// Declared control: accounts of different owners that are under one control.

import { send } from "../app/api.js";
import { stamp } from "../app/format.js";
import { get, watch } from "../app/store.js";
import { listed, t } from "../app/words.js";
import { actButton, outcomeLine } from "../operate/acts.js";
import { reasonField, valueOf } from "../operate/fields.js";
import { Listing, panel } from "../operate/listing.js";
import { accountsLine, numbersOf } from "./ladder.js";
import { account, accountText } from "./state.js";

/** @param {import("../operate/access.js").Access} rights @returns {HTMLElement} */
export function groupsPanel(rights) {
  const outcome = outcomeLine();
  const listing = new Listing({
    id: "groups",
    label: t("groups"),
    keyOf: (one) => one.control_group,
    empty: t("groups.none"),
    rowKind: (one) => (one.ended ? "past" : ""),
    columns: [
      { name: t("measures.id"), text: (one) => one.control_group, num: true },
      { name: t("filters.account"), text: (one) => listed(one.accounts.map(accountText)), kind: () => "wide" },
      { name: t("acts.reason"), text: (one) => one.reason, kind: () => "wide" },
      { name: t("decisions.who"), text: (one) => `${one.name}, ${stamp(one.time)}` },
      {
        name: t("groups.ended"),
        text: (one) => (one.ended ? `${one.ended.name}, ${stamp(one.ended.time)}: ${one.ended.reason}` : t("measures.in_force")),
        kind: () => "wide",
      },
      ...(rights.acts
        ? [
            {
              name: t("acts"),
              text: (/** @type {any} */ one) => (one.ended ? "" : one.control_group),
              unsaved: true,
              show: (/** @type {any} */ one, /** @type {() => any} */ now) =>
                one.ended ? "" : actButton(t("groups.end"), "end-group", outcome, endAct(rights, now)),
            },
          ]
        : []),
    ],
  });
  watch(["groups", "accounts", "filter"], () =>
    listing.show((get("groups") ?? []).filter((/** @type {any} */ one) => !account() || one.accounts.includes(account()))),
  );
  return panel(
    "groups-panel",
    t("groups"),
    [rights.acts && actButton(t("groups.declare"), "declare-group", outcome, declareAct(rights)), listing.save],
    rights.acts && outcome,
    listing.node,
  );
}

/** @param {import("../operate/access.js").Access} rights @returns {import("../operate/acts.js").Act} */
const declareAct = (rights) => ({
  kinds: ["control_declared"],
  ask: () => ({
    title: t("groups.ask"),
    facts: [[t("acts.recorded_as"), rights.name ?? ""]],
    fields: [accountsLine(account() ? [account()] : [], 2), reasonField()],
    consequence: t("groups.consequence"),
    act: t("groups.declare"),
  }),
  run: async (given, key) => {
    const accounts = numbersOf(valueOf(given, "accounts"));
    const { seq } = await send("POST", "/v1/admin/control_groups", { accounts, reason: valueOf(given, "reason"), name: rights.name }, key);
    return { said: t("groups.done", { accounts: listed(accounts.map(String)) }), seq };
  },
});

/** @param {import("../operate/access.js").Access} rights @param {() => any} now @returns {import("../operate/acts.js").Act} */
function endAct(rights, now) {
  return {
    kinds: ["control_ended"],
    ask: () => {
      const group = now();
      return {
        known: group,
        title: t("groups.ask_end"),
        facts: [
          [t("filters.account"), listed(group.accounts.map(accountText))],
          [t("acts.reason"), group.reason],
          [t("acts.recorded_as"), rights.name ?? ""],
        ],
        fields: [reasonField()],
        consequence: t("groups.consequence_end"),
        act: t("groups.end"),
      };
    },
    run: async (given, key, group) => {
      const body = { reason: valueOf(given, "reason"), name: rights.name };
      const { seq } = await send("POST", `/v1/admin/control_groups/${group.control_group}/end`, body, key);
      return { said: t("groups.done_end", { id: group.control_group }), seq };
    },
  };
}
