// Decisions about a finding's trades: that they no longer count, or that they count again.

import { read, send } from "../app/api.js";
import { grouped, money } from "../app/format.js";
import { page } from "../app/page.js";
import { listed, t } from "../app/words.js";
import { reasonField, valueOf } from "../operate/fields.js";

const PAGE = 500;

/** The trades of a finding that a decision would change, and what they are worth. @param {any} finding @param {"yes" | "excluded"} counted */
async function concerned(finding, counted) {
  const ids = [];
  let address = `${finding.links.trades}&counted=${counted}&limit=${PAGE}`,
    sum = null;
  while (address) {
    const answer = await read(address);
    sum ??= answer.sum;
    ids.push(...answer.trades.map((/** @type {any} */ one) => one.trade_id));
    address = answer.links.next ?? "";
  }
  return { ids, amount: sum?.[counted === "yes" ? "net" : "excluded"] ?? "0.00" };
}

/** @param {() => any} now the finding when the question is asked @param {import("../operate/access.js").Access} rights @param {"exclude" | "include"} decision @returns {import("../operate/acts.js").Act} */
function decideAct(now, rights, decision) {
  return {
    kinds: ["trades_decided"],
    ask: async () => {
      const finding = now(),
        { ids, amount } = await concerned(finding, decision === "exclude" ? "yes" : "excluded");
      if (!ids.length) throw new Error(t("decide.nothing"));
      return {
        known: { trade_ids: ids, finding: finding.finding },
        title: t(`decide.ask_${decision}`),
        facts: [
          [t("findings.members"), listed(finding.members)],
          [t("findings.trades"), grouped(ids.length)],
          [t("findings.amount"), money(amount)],
          [t("findings.sentence"), page.lang === "zh" ? finding.sentence_zh : finding.sentence],
          [t("acts.recorded_as"), rights.name ?? ""],
        ],
        fields: [reasonField()],
        consequence: t(`decide.consequence_${decision}`, { amount: money(amount) }),
        act: t(`decide.${decision}`),
        danger: decision === "exclude",
      };
    },
    run: async (given, key, { trade_ids, finding }) => {
      const body = { decision, trade_ids, finding, reason: valueOf(given, "reason"), name: rights.name };
      const { seq, trades } = await send("POST", "/v1/admin/decisions", body, key);
      return { said: t(`decide.done_${decision}`, { count: grouped(trades) }), seq };
    },
  };
}

/** @param {() => any} now @param {import("../operate/access.js").Access} rights */
export const excludeAct = (now, rights) => decideAct(now, rights, "exclude");
/** @param {() => any} now @param {import("../operate/access.js").Access} rights */
export const countAgainAct = (now, rights) => decideAct(now, rights, "include");
