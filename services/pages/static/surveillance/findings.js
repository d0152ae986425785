// The wash screen's findings of a year, each as a small graph with its sentence, its trades and the decision about them.

import { graph } from "../charts/graph.js";
import { forDrawing } from "../app/decimal.js";
import { h, rows, say } from "../app/dom.js";
import { grouped, money, PERCENT, short } from "../app/format.js";
import { saveButton } from "../app/save.js";
import { get, watch } from "../app/store.js";
import { listed, t, term } from "../app/words.js";
import { actButton, outcomeLine } from "../operate/acts.js";
import { facts, panel } from "../operate/listing.js";
import { acknowledgeAct, sentenceOf } from "./alerts.js";
import { countAgainAct, excludeAct } from "./finding_acts.js";
import { tradesOf } from "./finding_trades.js";
import { account, accountsOf, isAsked, year } from "./state.js";

/** The findings of the members that were asked for. @returns {any[]} */
const shown = () => (get("findings")?.findings ?? []).filter((/** @type {any} */ one) => !account() || one.members.some(isAsked));

/** @param {import("../operate/access.js").Access} rights @returns {HTMLElement} */
export function findingsPanel(rights) {
  const list = h("div", { class: "findings", data: { testid: "findings", freeze: "" } }),
    none = h("p", { class: "empty" });
  watch(["findings", "findings.trouble", "filter", "accounts", "alerts"], () => {
    const found = shown();
    rows(
      list,
      found,
      (one) => one.finding,
      (one) => card(one, rights),
      (node, one) => update(node, one),
    );
    say(
      none,
      get("findings.trouble") ??
        (!get("findings") ? t("loading") : account() ? t("findings.none_of_account") : t("findings.none", { year: year() })),
    );
    none.hidden = found.length > 0;
  });
  return panel(
    "findings-panel",
    t("findings"),
    [h("span", { class: "dim" }, t("findings.question")), saveButton("findings", lines)],
    list,
    none,
  );
}

/** @param {any} finding @param {import("../operate/access.js").Access} rights */
function card(finding, rights) {
  const host = h("div", { class: "graph-host" }),
    outcome = outcomeLine(),
    details = tradesOf(finding);
  const node = h(
    "article",
    { class: "finding", "aria-label": listed(finding.members), data: { testid: "finding", finding: finding.finding } },
    host,
    h(
      "div",
      { class: "about" },
      h("p", { class: "said" }, sentenceOf(finding)),
      facts([
        [t("findings.id"), finding.finding],
        [t("findings.kind"), term("finding", finding.kind)],
        [t("findings.days"), `${finding.first_date} – ${finding.last_date}`],
        [t("findings.amount"), h("span", { title: money(finding.amount) }, `${short(finding.amount)} · ${money(finding.amount)}`)],
        [t("findings.trades"), grouped(finding.trades)],
        [t("findings.lift"), t("findings.times", { lift: finding.lift.toFixed(1) })],
        [t("findings.inside"), inPercent(finding.inside_share)],
        [t("findings.net"), inPercent(finding.net_share)],
      ]),
      h("p", { class: "decided", data: { testid: "decided" } }),
      rights.acts &&
        h(
          "div",
          { class: "acts" },
          actButton(t("decide.exclude"), "exclude", outcome, excludeAct(() => latest(finding), rights), { danger: true }),
          h("span", { class: "keep" }),
          actButton(t("decide.include"), "include", outcome, countAgainAct(() => latest(finding), rights)),
        ),
      rights.acts && outcome,
    ),
    details,
  );
  graph(
    host,
    {
      nodes: finding.members.map((/** @type {string} */ name) => ({ id: name, label: name, size: traded(finding, name) })),
      edges: finding.edges.map((/** @type {any} */ edge) => ({
        from: edge.seller,
        to: edge.buyer,
        weight: forDrawing(edge.amount),
        label: `${short(edge.amount)} · ${edge.trades}`,
      })),
    },
    { label: t("findings.graph"), sentence: () => sentenceOf(finding) },
  );
  if (rights.acts) node.querySelector(".keep")?.replaceWith(keepButton(finding, rights, outcome));
  return node;
}

/** The venue keeps the alert of a finding; to keep its trades is to acknowledge that alert with the reason.
 * @param {any} finding @param {import("../operate/access.js").Access} rights @param {HTMLElement} outcome */
function keepButton(finding, rights, outcome) {
  return actButton(
    t("decide.keep"),
    "keep",
    outcome,
    acknowledgeAct(() => openAlertOf(latest(finding)), rights, {
      title: t("decide.ask_keep"),
      consequence: t("decide.consequence_keep"),
      act: t("decide.keep"),
    }),
    { title: t("decide.keep_title") },
  );
}

/** A finding as it was last read. @param {any} finding */
function latest({ finding }) {
  const found = shown().find((one) => one.finding === finding);
  if (!found) throw new Error(t("acts.gone"));
  return found;
}

/** @param {any} finding */
function openAlertOf(finding) {
  const alert = alertOf(finding);
  if (!alert || alert.acknowledged) throw new Error(t("decide.no_alert"));
  return alert;
}

/** The open alert about a finding's members. @param {any} finding */
const alertOf = (finding) => {
  const members = finding.members
    .map((/** @type {string} */ name) => accountsOf(name)[0])
    .sort((/** @type {number} */ a, /** @type {number} */ b) => a - b)
    .join("+");
  return [...(get("alerts")?.values() ?? [])].find(
    (one) => one.kind === "wash_finding" && (one.subject === `${members}:${year()}` || one.sentence === finding.sentence),
  );
};

/** @param {HTMLElement} node @param {any} finding */
function update(node, finding) {
  const { decided } = finding,
    alert = alertOf(finding);
  const said = /** @type {HTMLElement} */ (node.querySelector("[data-testid=decided]"));
  say(
    said,
    decided
      ? t(`decided.${decided.decision}`, { seq: decided.seq })
      : alert?.acknowledged
        ? t("decided.kept", { name: alert.acknowledged.name, note: alert.acknowledged.note })
        : t("decided.open"),
  );
  said.dataset.decision = decided?.decision ?? (alert?.acknowledged ? "kept" : "open");
  /** @param {string} id @param {boolean} isDisabled */
  const set = (id, isDisabled) => {
    const button = /** @type {HTMLButtonElement | null} */ (node.querySelector(`[data-testid=${id}]`));
    if (button) button.disabled = isDisabled;
  };
  set("exclude", decided?.decision === "exclude");
  set("include", !decided || decided.decision === "include");
  set("keep", decided?.decision === "exclude" || !alert || alert.acknowledged !== null);
}

/** What a member traded within a finding: the size of its node. @param {any} finding @param {string} name */
const traded = (finding, name) =>
  finding.edges
    .filter((/** @type {any} */ edge) => edge.seller === name || edge.buyer === name)
    .reduce((/** @type {number} */ sum, /** @type {any} */ edge) => sum + forDrawing(edge.amount), 0);

/** A ratio that the API gives as a number for people. @param {number} ratio */
const inPercent = (ratio) => `${(ratio * 100).toFixed(1)}${PERCENT}`;

const lines = () => [
  [
    t("findings.id"),
    t("findings.kind"),
    t("findings.members"),
    t("findings.first"),
    t("findings.last"),
    t("findings.amount"),
    t("findings.trades"),
    t("findings.lift"),
    t("findings.sentence"),
  ],
  ...shown().map((one) => [
    one.finding,
    one.kind,
    one.members.join(" + "),
    one.first_date,
    one.last_date,
    one.amount,
    one.trades,
    one.lift,
    sentenceOf(one),
  ]),
];
