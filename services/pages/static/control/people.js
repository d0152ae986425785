// The people who log in, with their roles: for administrators. An auditor reads the list.

import { readAll, send } from "../app/api.js";
import { h } from "../app/dom.js";
import { watch } from "../app/store.js";
import { sentences, t, term } from "../app/words.js";
import { choicesOf, knownAccounts } from "../operate/accounts.js";
import { actButton, outcomeLine } from "../operate/acts.js";
import { choice, line, valueOf } from "../operate/fields.js";
import { Listing, panel } from "../operate/listing.js";
import { showOnce } from "./once_shown.js";

const ROLES = ["visitor", "trader", "operator", "auditor", "admin"];

/** @param {import("../operate/access.js").Access} rights @returns {HTMLElement} */
export function peoplePanel(rights) {
  const outcome = outcomeLine();
  const listing = new Listing({
    id: "people",
    label: t("people"),
    keyOf: (one) => one.user_id,
    empty: t("people.none"),
    columns: [
      { name: t("people.name"), text: (one) => one.name },
      { name: t("people.role"), text: (one) => term("role", one.role) },
      { name: t("account"), text: (one) => one.account || "–", num: true },
      { name: t("people.password"), text: (one) => (one.has_password ? t("people.has_password") : t("people.no_password")) },
      { name: t("people.sessions"), text: (one) => one.sessions, num: true },
      ...(rights.administers
        ? [
            {
              name: t("acts"),
              text: (/** @type {any} */ one) => one.user_id,
              unsaved: true,
              show: (/** @type {any} */ { user_id }) =>
                h(
                  "span",
                  { class: "acts" },
                  actButton(t("people.role_act"), "set-role", outcome, roleAct(user_id)),
                  actButton(t("people.link_act"), "make-link", outcome, linkAct(user_id)),
                  actButton(t("people.remove_act"), "remove-user", outcome, removeAct(user_id), { danger: true }),
                ),
            },
          ]
        : []),
    ],
  });
  const show = async () => listing.show(await readAll("/v1/admin/users", "users"));
  watch(["acted"], () => {
    show().catch(() => {});
  });
  return panel(
    "people-panel",
    t("people"),
    [rights.administers && actButton(t("people.add_act"), "add-user", outcome, addAct()), listing.save],
    rights.administers && outcome,
    listing.node,
  );
}

/** The choice of a role and, for traders, of the account. @param {string} role @param {number} account */
const roleFields = async (role, account) => [
  choice(
    t("people.role"),
    "role",
    ROLES.map((one) => [one, term("role", one)]),
    role,
  ),
  choice(t("people.account_of_trader"), "account", [["0", "–"], ...choicesOf(await knownAccounts())], String(account)),
];

/** @param {FormData} given */
const roleOf = (given) => {
  const role = valueOf(given, "role");
  return { role, account: role === "trader" ? Number(valueOf(given, "account")) : 0 };
};

// Requests about users take no idempotency key: after an answer that did not come the list says what is so.

/** @returns {import("../operate/acts.js").Act} */
const addAct = () => ({
  ask: async () => ({
    title: t("people.add_ask"),
    facts: [],
    fields: [
      line(t("people.name"), "name", { required: true, maxlength: 80, pattern: ".*\\S.*", title: t("acts.name_needed") }),
      ...(await roleFields("trader", 0)),
    ],
    consequence: t("people.add_consequence"),
    act: t("people.add_act"),
  }),
  run: async (given) => {
    const user = await send("POST", "/v1/admin/users", { name: valueOf(given, "name"), ...roleOf(given) });
    const added = t("people.add_done", { name: user.name, role: term("role", user.role) });
    try {
      await offerLink(user);
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error);
      return { said: sentences([added, t("people.add_no_link", { why, act: t("people.link_act") })]) };
    }
    return { said: added };
  },
  lookAt: t("people.look_at"),
});

/** @param {any} user */
async function offerLink({ user_id, name }) {
  const { path, valid_seconds } = await send("POST", `/v1/admin/users/${user_id}/link`);
  showOnce(
    t("people.link_title", { name }),
    t("people.link_text", { hours: Math.round(valid_seconds / 3600) }),
    new URL(path, location.href).href,
  );
}

/** @param {any} user @returns {[string, string][]} */
const named = (user) => [
  [t("people.name"), user.name],
  [t("people.role"), term("role", user.role)],
  [t("people.sessions"), String(user.sessions)],
];

/**
 * An act on a person as the venue has it when the question is asked: another administrator may have changed it since.
 * @param {string} id @param {(user: any) => import("../operate/acts.js").Question | Promise<import("../operate/acts.js").Question>} ask
 * @param {(user: any, given: FormData) => Promise<import("../operate/acts.js").Done>} run @returns {import("../operate/acts.js").Act}
 */
function actOn(id, ask, run) {
  return {
    ask: async () => {
      const user = (await readAll("/v1/admin/users", "users")).find((/** @type {any} */ one) => one.user_id === id);
      if (!user) throw new Error(t("acts.gone"));
      return { ...(await ask(user)), known: user };
    },
    run: (given, _, user) => run(user, given),
    lookAt: t("people.look_at"),
  };
}

/** @param {string} id */
const roleAct = (id) =>
  actOn(
    id,
    async (user) => ({
      title: t("people.role_ask", { name: user.name }),
      facts: named(user),
      fields: await roleFields(user.role, user.account),
      consequence: t("people.role_consequence"),
      act: t("people.role_act"),
    }),
    async (user, given) => {
      const asked = roleOf(given),
        { seq } = await send("PUT", `/v1/admin/users/${user.user_id}/role`, asked);
      return { said: t("people.role_done", { name: user.name, role: term("role", asked.role) }), seq };
    },
  );

/** @param {string} id */
const linkAct = (id) =>
  actOn(
    id,
    (user) => ({
      title: t("people.link_ask", { name: user.name }),
      facts: named(user),
      consequence: t("people.link_consequence"),
      act: t("people.link_act"),
    }),
    async (user) => {
      await offerLink(user);
      return { said: t("people.link_done", { name: user.name }) };
    },
  );

/** @param {string} id */
const removeAct = (id) =>
  actOn(
    id,
    (user) => ({
      title: t("people.remove_ask", { name: user.name }),
      facts: named(user),
      consequence: t("people.remove_consequence"),
      act: t("people.remove_act"),
      danger: true,
    }),
    async (user) => {
      const { seq } = await send("DELETE", `/v1/admin/users/${user.user_id}`);
      return { said: t("people.remove_done", { name: user.name }), seq };
    },
  );
