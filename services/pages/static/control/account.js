// The chosen account: balances, limits, goods, and the acts on it.

import { send } from "../app/api.js";
import { fill, h, say } from "../app/dom.js";
import { grouped, money, number } from "../app/format.js";
import { get, watch } from "../app/store.js";
import { t } from "../app/words.js";
import { actButton, outcomeLines } from "../operate/acts.js";
import { line, valueOf } from "../operate/fields.js";
import { Listing } from "../operate/listing.js";
import { cashAct, goodsAct } from "./account_admin.js";
import { chosenAccount } from "./accounts.js";
import { cancelAct } from "./cancel.js";

const outcomeOf = outcomeLines();

const LIMITS = ["max_order_quantity", "max_order_value", "max_open_orders", "max_day_turnover"];
/** Those in yuan; the others are whole numbers. */
const IN_YUAN = new Set(["max_order_value", "max_day_turnover"]);
const FACTS = ["cash", "reserved", "available", "day_turnover", "open_orders", "kill_switch", ...LIMITS];

/** @param {HTMLElement} body @param {import("../operate/access.js").Access} rights */
export function accountBody(body, rights) {
  let shown = 0;
  const holdings = new Listing({
    id: "holdings",
    label: t("account.holdings"),
    keyOf: (one) => one.symbol,
    empty: t("account.no_holdings"),
    columns: [
      { name: t("symbol"), text: (one) => one.symbol },
      { name: t("account.lots"), text: (one) => grouped(one.quantity), num: true },
      { name: t("account.reserved"), text: (one) => grouped(one.reserved), num: true },
      { name: t("account.available"), text: (one) => grouped(one.available), num: true },
    ],
  });
  watch(["accounts", "account", "acted"], () => {
    const account = chosenAccount();
    if (!account) return;
    if (account.account !== shown) fill(body, build(account, rights, holdings));
    shown = account.account;
    update(body, account);
    holdings.show(account.holdings);
  });
}

/** @param {any} account @param {import("../operate/access.js").Access} rights @param {Listing<any>} holdings */
function build(account, rights, holdings) {
  const outcome = outcomeOf(account.account),
    whose = { account: account.account, name: account.name };
  const acts = rights.acts
    ? [
        h(
          "div",
          { class: "acts", data: { testid: "account-acts" } },
          actButton(t("kill.turn_on"), "account-kill-on", outcome, killAct(whose, true), { danger: true }),
          actButton(t("kill.turn_off"), "account-kill-off", outcome, killAct(whose, false)),
          actButton(t("limits.act"), "account-limits", outcome, limitsAct(whose)),
          actButton(t("cancel_orders.act"), "account-cancel", outcome, cancelAct({ account: whose }), { danger: true }),
          ...(rights.administers
            ? [
                actButton(t("cash.act"), "account-cash", outcome, cashAct(whose)),
                actButton(t("goods.act"), "account-goods", outcome, goodsAct(whose)),
              ]
            : []),
        ),
        outcome,
      ]
    : [];
  return [
    h(
      "p",
      { class: "chosen" },
      h("b", { data: { testid: "account-chosen", account: account.account } }, `${account.account} · ${account.name}`),
      " ",
      h("a", { href: `/ui/surveillance?account=${account.account}` }, t("nav.surveillance")),
    ),
    ...acts,
    h(
      "dl",
      { class: "facts-list" },
      FACTS.flatMap((name) => [h("dt", {}, t(`account.${name}`)), h("dd", { data: { fact: name } })]),
    ),
    h("h3", {}, t("account.holdings"), " ", holdings.save),
    holdings.node,
  ];
}

/** @param {HTMLElement} body @param {any} account */
function update(body, account) {
  for (const name of FACTS) {
    const node = body.querySelector(`[data-fact="${name}"]`);
    if (node) say(node, factText(account, name));
  }
  body.querySelector('[data-fact="kill_switch"]')?.classList.toggle("danger", account.kill_switch);
  const [on, off] = ["account-kill-on", "account-kill-off"].map(
    (id) => /** @type {HTMLButtonElement | null} */ (body.querySelector(`[data-testid="${id}"]`)),
  );
  if (on) on.disabled = account.kill_switch;
  if (off) off.disabled = !account.kill_switch;
}

/** @param {any} account @param {string} name */
function factText(account, name) {
  if (name === "kill_switch") return account.kill_switch ? t("kill.is_on") : t("kill.is_off");
  if (LIMITS.includes(name)) return limitText(account, name);
  return name === "open_orders" ? grouped(account.open_orders) : money(account[name]);
}

/** @param {any} account @param {string} name */
const limitText = ({ limits }, name) =>
  limits[name] === null ? t("none") : IN_YUAN.has(name) ? money(limits[name]) : number(limits[name]);

/** @typedef {{account: number, name: string}} Whose */

/** @param {Whose} whose @param {boolean} isOn @returns {import("../operate/acts.js").Act} */
const killAct = ({ account, name }, isOn) => ({
  kinds: isOn ? [] : ["kill_switch_off"],
  ask: () => ({
    title: isOn ? t("kill.ask_account_on") : t("kill.ask_account_off"),
    facts: [
      [t("account"), `${account} · ${name}`],
      [t("account.open_orders"), grouped(chosenAccount().open_orders)],
    ],
    consequence: isOn ? t("kill.consequence_on") : t("kill.consequence_off"),
    act: isOn ? t("kill.turn_on") : t("kill.turn_off"),
    danger: isOn,
  }),
  run: async (_, key) => {
    const { seq } = await send("POST", `/v1/admin/accounts/${account}/kill_switch/${isOn ? "on" : "off"}`, undefined, key);
    return { said: t(isOn ? "kill.done_account_on" : "kill.done_account_off", { account, name }), seq };
  },
});

/** @param {Whose} whose @returns {import("../operate/acts.js").Act} */
const limitsAct = ({ account, name }) => ({
  kinds: ["set_order_limits", "set_turnover_limit"],
  ask: () => {
    const now = get("accounts").find((/** @type {any} */ one) => one.account === account);
    return {
      title: t("limits.ask"),
      facts: [
        [t("account"), `${account} · ${name}`],
        ...LIMITS.map((limit) => /** @type {[string, string]} */ ([t(`account.${limit}`), limitText(now, limit)])),
      ],
      fields: LIMITS.map((limit) =>
        line(t(`account.${limit}`), limit, {
          value: now.limits[limit] ?? "",
          inputmode: IN_YUAN.has(limit) ? "decimal" : "numeric",
          pattern: IN_YUAN.has(limit) ? "\\d{1,15}(\\.\\d{1,2})?" : "\\d{1,10}",
          title: t(IN_YUAN.has(limit) ? "acts.yuan" : "acts.whole"),
        }),
      ),
      consequence: t("limits.consequence"),
      act: t("limits.set"),
    };
  },
  run: async (given, key) => {
    const limits = Object.fromEntries(
      LIMITS.map((limit) => {
        const text = valueOf(given, limit);
        return [limit, text === "" ? null : IN_YUAN.has(limit) ? text : Number(text)];
      }),
    );
    const { seq } = await send("PUT", `/v1/admin/accounts/${account}/limits`, limits, key);
    return { said: t("limits.done", { account, name }), seq };
  },
});
