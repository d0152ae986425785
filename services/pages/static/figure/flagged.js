// What the wash screen flagged and nobody has decided about: how much of the net turnover it is, and the year without it.

import { fill, h } from "../app/dom.js";
import { money, percent } from "../app/format.js";
import { t } from "../app/words.js";
import { signed, yuanColumn } from "./amounts.js";
import { parts } from "./panel.js";
import { showTable } from "./table.js";

/** @param {HTMLElement} host @param {any} flagged the answer of the API; null while it is not there, undefined for who may not read it */
export function showFlagged(host, flagged) {
  host.hidden = flagged === undefined;
  if (!flagged) return;
  const at = parts(host, "flagged-said", "flagged-table"), waiting = flagged.parts.find((/** @type {any} */ one) => one.state === "waiting");
  at["flagged-table"].hidden = !waiting.findings;
  fill(at["flagged-said"], h("p", { class: waiting.findings ? "" : "dim", data: { testid: "flagged-said" } }, sentence(flagged, waiting.findings)));
  if (!waiting.findings) return;
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

/** @param {any} flagged @param {number} findings that wait */
function sentence({ undecided, share, now, without }, findings) {
  if (!findings) return t("flagged.none");
  const told = { findings, amount: money(undecided), share: percent(share) };
  if (now.reach === null || without.reach === null) return t("flagged.said", told);
  return t("flagged.said_chance", { ...told, now: percent(now.reach, 0), without: percent(without.reach, 0) });
}
