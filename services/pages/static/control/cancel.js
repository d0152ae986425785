// A mass cancel: of every account or one, in every instrument or one, of both sides or one.

import { queryText, read, readAll, send } from "../app/api.js";
import { grouped } from "../app/format.js";
import { t, term } from "../app/words.js";
import { choice, valueOf } from "../operate/fields.js";

/** @param {{account?: {account: number, name: string}, symbol?: string}} whose @returns {import("../operate/acts.js").Act} */
export const cancelAct = ({ account, symbol = "*" }) => ({
  ask: async () => {
    const count = symbol === "*" ? await openOrders(account?.account) : null;
    return {
      title: t("cancel_orders.ask"),
      facts: [
        [t("account"), account ? `${account.account} · ${account.name}` : t("everybody")],
        [t("instrument"), symbol === "*" ? t("every_instrument") : symbol],
        ...(count === null ? [] : /** @type {[string, string][]} */ ([[t("cancel_orders.now"), grouped(count)]])),
      ],
      fields: [
        choice(t("side"), "side", [
          ["", t("cancel_orders.both")],
          ["buy", term("side", "buy")],
          ["sell", term("side", "sell")],
        ]),
      ],
      consequence: t("cancel_orders.consequence"),
      act: t("cancel_orders.act"),
      danger: true,
    };
  },
  run: async (given) => {
    const { canceled, seq } = await send(
      "DELETE",
      `/v1/orders${queryText({ symbol, account: account?.account, side: valueOf(given, "side") })}`,
    );
    return { said: t("cancel_orders.done", { count: grouped(canceled) }), seq };
  },
  lookAt: t("cancel_orders.look_at"), // this route takes no key: a repetition also ends orders that were placed since
});

/** How many orders are open now. @param {number} [account] none: of all */
async function openOrders(account) {
  const all = account ? [await read("/v1/account", { account })] : await readAll("/v1/admin/accounts", "accounts");
  return all.reduce((/** @type {number} */ sum, /** @type {any} */ one) => sum + one.open_orders, 0);
}
