// The API keys: for administrators, who issue and revoke them. An auditor reads the list; no list holds a secret.

import { read, send } from "../app/api.js";
import { h } from "../app/dom.js";
import { stamp } from "../app/format.js";
import { watch } from "../app/store.js";
import { t } from "../app/words.js";
import { choicesOf, knownAccounts } from "../operate/accounts.js";
import { actButton, outcomeLine } from "../operate/acts.js";
import { choice, field, line, valueOf } from "../operate/fields.js";
import { Listing, panel } from "../operate/listing.js";
import { keyLimitsAct } from "./key_limits.js";
import { showOnce } from "./once_shown.js";

const PAGE = 100;
const SCOPES = ["read", "trade", "operate", "admin", "audit"];

/** @param {import("../operate/access.js").Access} rights @returns {HTMLElement} */
export function keysPanel(rights) {
  const outcome = outcomeLine(),
    more = h("button", { type: "button", hidden: true, onclick: () => show(true) }, t("keys.more"));
  const listing = new Listing({
    id: "keys",
    label: t("keys"),
    keyOf: (one) => one.key_id,
    empty: t("keys.none"),
    rowKind: (one) => (one.is_expired ? "struck" : ""),
    columns: [
      { name: t("keys.id"), text: (one) => one.key_id, num: true },
      { name: t("keys.name"), text: (one) => one.name },
      { name: t("account"), text: (one) => one.account || "–", num: true },
      { name: t("keys.scopes"), text: (one) => one.scopes.join(" "), show: (one) => h("code", {}, one.scopes.join(" ")) },
      {
        name: t("keys.expires"),
        text: (one) => (one.expires ? `${stamp(one.expires)}${one.is_expired ? ` · ${t("keys.expired")}` : ""}` : t("keys.never")),
      },
      { name: t("keys.addresses"), text: (one) => one.addresses.join(" ") || t("trades.any") },
      {
        name: t("keys.last_used"),
        text: (one) => (one.last_used_at ? stamp(one.last_used_at) : "–"),
        title: () => t("keys.last_used_of_process"),
      },
      ...(rights.administers
        ? [
            {
              name: t("acts"),
              text: (/** @type {any} */ one) => one.key_id,
              unsaved: true,
              show: (/** @type {any} */ one) =>
                h(
                  "span",
                  { class: "acts" },
                  actButton(t("limits.act"), "key-limits", outcome, keyLimitsAct(one.key_id)),
                  actButton(t("keys.revoke_act"), "revoke-key", outcome, revokeAct(one), { danger: true }),
                ),
            },
          ]
        : []),
    ],
  });
  /** @type {string | null} */ let cursor = null;
  /** @param {boolean} isMore */
  async function show(isMore) {
    const page = await read("/v1/admin/keys", { limit: PAGE, cursor: isMore ? cursor : null });
    cursor = page.next_cursor;
    listing.show(isMore ? [...listing.items, ...page.keys] : page.keys);
    more.hidden = cursor === null;
  }
  watch(["acted"], () => {
    show(false).catch(() => {});
  });
  return panel(
    "keys-panel",
    t("keys"),
    [rights.administers && actButton(t("keys.issue_act"), "issue-key", outcome, issueAct()), listing.save],
    rights.administers && outcome,
    listing.node,
    h("p", { class: "body" }, more),
  );
}

/** @returns {import("../operate/acts.js").Act} */
const issueAct = () => ({
  ask: async () => ({
    title: t("keys.issue_ask"),
    facts: [],
    fields: [
      line(t("keys.name"), "name", { required: true, maxlength: 80, pattern: ".*\\S.*", title: t("acts.name_needed") }),
      h(
        "fieldset",
        { class: "scopes" },
        h("legend", {}, t("keys.scopes")),
        SCOPES.map((scope) =>
          h(
            "label",
            {},
            h("input", { type: "checkbox", name: "scopes", value: scope, checked: scope === "read", data: { testid: `scope-${scope}` } }),
            ` ${scope} · ${t(`scope.${scope}`)}`,
          ),
        ),
      ),
      choice(t("keys.account"), "account", [["0", t("none")], ...choicesOf(await knownAccounts())]),
      field(t("keys.expires"), h("input", { type: "datetime-local", name: "expires", step: 1 }), t("keys.expires_hint")),
      line(t("keys.addresses"), "addresses", {}, t("keys.addresses_hint")),
    ],
    consequence: t("keys.issue_consequence"),
    act: t("keys.issue_act"),
  }),
  run: async (given, key) => {
    const expires = valueOf(given, "expires"),
      addresses = valueOf(given, "addresses")
        .split(/[\s,]+/)
        .filter(Boolean);
    const issued = await send(
      "POST",
      "/v1/admin/keys",
      {
        name: valueOf(given, "name"),
        scopes: given.getAll("scopes"),
        account: Number(valueOf(given, "account")),
        addresses,
        ...(expires && { expires: `${expires.length === 16 ? `${expires}:00` : expires}+08:00` }),
      },
      key,
    );
    showOnce(t("keys.issued_title", { name: issued.name }), t("keys.issued_text"), issued.key);
    return { said: t("keys.issue_done", { name: issued.name, key: issued.key_id }), seq: issued.seq };
  },
});

/** @param {any} key @returns {import("../operate/acts.js").Act} */
const revokeAct = ({ key_id, name, account, scopes }) => ({
  ask: () => ({
    title: t("keys.revoke_ask", { name }),
    facts: [
      [t("keys.id"), key_id],
      [t("keys.name"), name],
      [t("account"), String(account || "–")],
      [t("keys.scopes"), scopes.join(" ")],
    ],
    consequence: t("keys.revoke_consequence"),
    act: t("keys.revoke_act"),
    danger: true,
  }),
  run: async (_, key) => {
    const { seq } = await send("DELETE", `/v1/admin/keys/${key_id}`, undefined, key);
    return { said: t("keys.revoke_done", { name, key: key_id }), seq };
  },
});
