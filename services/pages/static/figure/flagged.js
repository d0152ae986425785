// What the wash screen flagged and nobody has decided about: how much of the net turnover it is, and the year without it.

import { fill, h } from "../app/dom.js";
import { money, percent } from "../app/format.js";
import { t } from "../app/words.js";
import { signed, yuanColumn } from "./amounts.js";
import { parts } from "./panel.js";
import { showTable } from "./table.js";

/** @param {HTMLElement} host @param {any} flagged the answer of the API */
export function showFlagged(host, flagged) {
  const at = parts(host, "flagged-said", "flagged-table"), isWaiting = flagged.undecided_trades > 0;
  at["flagged-table"].hidden = !isWaiting;
  fill(at["flagged-said"], h("p", { class: isWaiting ? "" : "dim", data: { testid: "flagged-said" } }, sentence(flagged)));
  if (!isWaiting) return;
  showTable(at["flagged-table"], {
    name: "flagged", label: t("flagged.title"), lines: ["now", "without"].map((name) => ({ name, ...flagged[name] })), keyOf: ({ name }) => name, seal: flagged,
    columns: [
      { head: t("flagged.year"), names: true, cell: ({ name }) => t(`flagged.${name}`) },
      yuanColumn(t("rung.net"), ({ net }) => net),
      { head: t("column.ahead"), number: true, cell: ({ ahead }) => signed(ahead), csv: ({ ahead }) => ahead },
      yuanColumn(t("forecast.p50"), ({ p50 }) => p50),
      { head: t("forecast.reach"), number: true, cell: ({ reach }) => percent(reach), csv: ({ reach }) => reach ?? "" },
    ],
  });
}

/** @param {any} flagged */
function sentence({ parts: byState, undecided, undecided_trades, share, now, without }) {
  if (!undecided_trades) return t("flagged.none");
  const { findings } = byState.find((/** @type {any} */ one) => one.state === "waiting");
  const told = { findings, amount: money(undecided), share: percent(share) };
  if (now.reach === null || without.reach === null) return t("flagged.said", told);
  return t("flagged.said_chance", { ...told, now: percent(now.reach, 0), without: percent(without.reach, 0) });
}
