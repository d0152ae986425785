// Acts of administrators on accounts: open one, book cash and goods in or out.

import { send } from "../app/api.js";
import { get } from "../app/store.js";
import { grouped, money } from "../app/format.js";
import { t } from "../app/words.js";
import { choice, line, valueOf } from "../operate/fields.js";
import { classLine } from "./fees.js";
import { instrumentText } from "./market.js";

/** @typedef {import("./account.js").Whose} Whose */

/** @returns {import("../operate/acts.js").Act} */
export const openAct = () => ({
  kinds: ["open_account"],
  ask: () => ({
    title: t("open.ask"),
    facts: [],
    fields: [
      line(t("account.name"), "name", { required: true, maxlength: 80, pattern: ".*\\S.*", title: t("acts.name_needed") }),
      line(
        t("open.owner"),
        "owner",
        { value: 0, required: true, inputmode: "numeric", pattern: "\\d{1,9}", title: t("acts.whole") },
        t("open.owner_hint"),
      ),
      classLine(),
    ],
    consequence: t("open.consequence"),
    act: t("open.act"),
  }),
  run: async (given, key) => {
    const { account, name, seq } = await send(
      "POST",
      "/v1/admin/accounts",
      { name: valueOf(given, "name"), owner: Number(valueOf(given, "owner")), account_class: Number(valueOf(given, "account_class")) },
      key,
    );
    return { said: t("open.done", { account, name }), seq };
  },
});

/** @param {number} account */
const accountOf = (account) => get("accounts").find((/** @type {any} */ one) => one.account === account);

/** In or out, as a choice. @param {string} into @param {string} out */
const direction = (into, out) =>
  choice(t("direction"), "sign", [
    ["", into],
    ["-", out],
  ]);

/** @param {Whose} whose @returns {import("../operate/acts.js").Act} */
export const cashAct = ({ account, name }) => ({
  either: ["deposit", "withdraw"],
  ask: () => ({
    title: t("cash.ask"),
    facts: [
      [t("account"), `${account} · ${name}`],
      [t("account.available"), money(accountOf(account).available)],
    ],
    fields: [
      direction(t("cash.in"), t("cash.out")),
      line(t("cash.amount"), "amount", {
        required: true,
        inputmode: "decimal",
        pattern: "\\d{1,15}(\\.\\d{1,2})?",
        title: t("cash.amount"),
      }),
    ],
    consequence: t("cash.consequence"),
    act: t("cash.act"),
  }),
  run: async (given, key) => {
    const amount = valueOf(given, "sign") + valueOf(given, "amount");
    const { seq } = await send("POST", `/v1/admin/accounts/${account}/cash`, { amount }, key);
    return { said: t("cash.done", { account, name, amount: money(amount) }), seq };
  },
});

/** @param {Whose} whose @returns {import("../operate/acts.js").Act} */
export const goodsAct = ({ account, name }) => ({
  either: ["receive", "release"],
  ask: () => ({
    title: t("goods.ask"),
    facts: [[t("account"), `${account} · ${name}`]],
    fields: [
      direction(t("goods.in"), t("goods.out")),
      choice(
        t("symbol"),
        "symbol",
        get("instruments").map((/** @type {any} */ one) => /** @type {[string, string]} */ ([one.symbol, instrumentText(one)])),
      ),
      line(t("account.lots"), "quantity", { required: true, inputmode: "numeric", pattern: "[1-9]\\d{0,8}", title: t("acts.whole") }),
    ],
    consequence: t("goods.consequence"),
    act: t("goods.act"),
  }),
  run: async (given, key) => {
    const symbol = valueOf(given, "symbol"),
      quantity = Number(valueOf(given, "sign") + valueOf(given, "quantity"));
    const { seq } = await send("POST", `/v1/admin/accounts/${account}/inventory`, { symbol, quantity }, key);
    return { said: t("goods.done", { account, name, symbol, quantity: grouped(quantity) }), seq };
  },
});
