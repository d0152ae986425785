// The venue's own files of the year and its bulletins, each with the seq and the hash at which it is exact.

import { fill, h } from "../app/dom.js";
import { money, number, stamp } from "../app/format.js";
import { queryText } from "../app/api.js";
import { get, set } from "../app/store.js";
import { t } from "../app/words.js";
import { renew } from "./documents.js";
import { parts } from "./panel.js";
import { showReceipts } from "./receipts.js";
import { showTable } from "./table.js";

const FORMATS = ["pdf", "xlsx", "csv", "json"];

/** @param {string} path @param {Record<string, any>} query @param {string} name */
const links = (path, query, name) => h("span", { class: "links" }, FORMATS.map((format) =>
  h("a", { class: "button", href: path + queryText({ ...query, format: format === "json" ? null : format }), download: format === "json" ? `${name}.json` : "", data: { testid: `${name}-${format}` } }, format.toUpperCase())));

/** @param {any} doc */
const seal = (doc) => h("small", { class: "hash", title: t("seal", { seq: number(doc.seq) }) }, t("files.seal", { at: stamp(doc.as_of) }), h("br"), h("code", {}, doc.row_hash));

/** The year's report as files: those of exactly the seq that is shown. @param {HTMLElement} host @param {Record<string, any>} docs */
export function showFiles(host, { report, bulletin }) {
  const at = parts(host, "year", "choice", "bulletin", "receipts", "closings");
  const address = `${report.year}/${report.seq}`;
  if (at.year.dataset.of !== address) {
    at.year.dataset.of = address;
    fill(at.year, h("h3", {}, t("files.year", { year: report.year })), links(`/v1/reports/turnover/${report.year}`, { seq: report.seq }, "year"), seal(report));
  }
  if (bulletin && (bulletin.date ?? bulletin.month) === get("bulletin_period")) {
    showBulletin(at.bulletin, at.closings, bulletin);
    showReceipts(at.receipts, bulletin);
  }
}

/** @param {string} period a day or a month */
export function chooseBulletin(period) {
  set("bulletin_period", period);
  renew(["bulletin"]);
}

/** @param {HTMLElement} host @param {HTMLElement} closings @param {any} bulletin */
function showBulletin(host, closings, bulletin) {
  const period = bulletin.date ?? bulletin.month, sums = bulletin.total;
  const address = `${period}/${bulletin.seq}`;
  if (host.dataset.of !== address) {
    host.dataset.of = address;
    fill(host, h("h3", {}, t(bulletin.date ? "files.day" : "files.month", { period })),
      links(`/v1/reports/bulletins/${period}`, {}, "bulletin"),
      h("p", { data: { testid: "bulletin-sum" } }, t("files.sum", { turnover: money(sums.turnover), tonnes: number(sums.volume_tonnes), trades: number(sums.trades) }), " ",
        !bulletin.complete && h("b", { class: "warn" }, t("files.running"))),
      seal(bulletin));
  }
  closings.hidden = !bulletin.closings?.length;
  if (closings.hidden) return;
  showTable(closings, {
    name: "closings", label: t("closings"), lines: bulletin.closings, keyOf: ({ revision }) => String(revision), seal: bulletin,
    columns: [
      { head: t("closings"), names: true, cell: ({ revision }) => t("closings.revision", { revision }), csv: ({ revision }) => revision },
      { head: t("closings.at"), cell: ({ closed_at }) => stamp(closed_at), csv: ({ closed_at }) => closed_at },
      { head: t("seq"), number: true, cell: ({ at_seq }) => number(at_seq), csv: ({ at_seq }) => at_seq },
      { head: "SHA-256", cell: ({ sha256 }) => h("code", {}, sha256), csv: ({ sha256 }) => sha256 },
    ],
  });
}

/** A choice of a day and of a month that have begun. @param {HTMLElement} host @param {any} report @param {(period: string) => void} chosen
 * @param {{months: boolean}} options */
export function showPeriods(host, report, chosen, { months }) {
  const days = report.days.filter((/** @type {any} */ day) => day.net !== null).map((/** @type {any} */ day) => day.date);
  const begun = months ? [...new Set(days.map((/** @type {string} */ day) => day.slice(0, 7)))] : [];
  const listed = `${days[0]}/${days.at(-1)}`;
  if (host.dataset.of === listed) return;
  host.dataset.of = listed;
  const select = /** @type {HTMLSelectElement} */ (h("select", { "aria-label": t("files.period"), onchange: () => chosen(select.value) },
    begun.toReversed().map((month) => h("option", { value: String(month) }, t("files.month", { period: month }))),
    days.toReversed().map((/** @type {string} */ day) => h("option", { value: day }, day))));
  // The last day that is over, or the first one.
  const over = days.filter((/** @type {string} */ day) => day < report.trading_date).at(-1) ?? days.at(-1);
  fill(host, select);
  if (over) {
    select.value = over;
    chosen(over);
  }
}

