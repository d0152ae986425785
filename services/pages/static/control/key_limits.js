// The rate limits of an API key: what holds for it, and the act that sets its own. Only its own stand in the form; a default is a hint.

import { readAll, send } from "../app/api.js";
import { h } from "../app/dom.js";
import { grouped } from "../app/format.js";
import { t } from "../app/words.js";
import { line, reasonField, valueOf } from "../operate/fields.js";

/** @typedef {{per_s: number, burst: number, own: boolean}} Rate `own`: set for the key; else the venue's default */

const CLASSES = ["orders", "cancels", "reads"];

/** The key as the venue has it now; undefined: it was revoked. @param {string} id @returns {Promise<any>} */
export const keyOf = async (id) => (await readAll("/v1/admin/keys", "keys")).find((/** @type {any} */ one) => one.key_id === id);

/** @param {{per_s: number, burst: number}} limit @returns {string} */
export const limitText = ({ per_s, burst }) => (per_s ? t("key_limits.value", { per_s: grouped(per_s), burst: grouped(burst) }) : t("none"));

/** @param {Rate} limit */
const rateText = (limit) => (limit.own ? limitText(limit) : t("key_limits.default", { limit: limitText(limit) }));

/** Two numbers of a class: neither, or both. @param {string} name @param {Rate} now */
function pair(name, now) {
  const number = (/** @type {"per_s" | "burst"} */ part, /** @type {string} */ pattern) =>
    line(t(`key_limits.${part}`), `${name}.${part}`, { [now.own ? "value" : "placeholder"]: now[part], inputmode: "numeric", pattern, title: t("acts.whole") });
  const node = h("fieldset", { class: "pair" }, h("legend", {}, t(`key_limits.${name}`)), number("per_s", "\\d{1,7}"), number("burst", "[1-9]\\d{0,6}"));
  const [per_s, burst] = node.querySelectorAll("input");
  node.addEventListener("input", () => {
    per_s.required = burst.value !== "";
    burst.required = per_s.value !== "";
  });
  return node;
}

/** @param {string} id @returns {import("../operate/acts.js").Act} */
export const keyLimitsAct = (id) => ({
  kinds: ["key_limits_set"],
  ask: async () => {
    const found = await keyOf(id);
    if (!found) throw new Error(t("acts.gone"));
    const { name, scopes, limits } = found;
    return {
      title: t("key_limits.ask", { name }),
      facts: [
        [t("keys.id"), id],
        [t("keys.scopes"), scopes.join(" ")],
        ...CLASSES.map((one) => /** @type {[string, string]} */ ([t(`key_limits.${one}`), rateText(limits[one])])),
      ],
      fields: [...CLASSES.map((one) => pair(one, limits[one])), reasonField()],
      consequence: t("key_limits.consequence"),
      act: t("key_limits.set"),
    };
  },
  run: async (given, key) => {
    const own = CLASSES.map((one) => [one, Number(valueOf(given, `${one}.per_s`)), Number(valueOf(given, `${one}.burst`))]).filter(([, , burst]) => burst);
    const limits = Object.fromEntries(own.map(([one, per_s, burst]) => [one, { per_s, burst }]));
    const { seq } = await send("PUT", `/v1/admin/keys/${id}/limits`, { ...limits, reason: valueOf(given, "reason") }, key);
    return { said: t("key_limits.done", { key: id }), seq };
  },
});
