// The certificate: rule, seq and row hash of the figure that is shown; proof and certificate for those who may ask for them.

import { fill, h } from "../app/dom.js";
import { money, number, stamp } from "../app/format.js";
import { page } from "../app/page.js";
import { session } from "../app/session.js";
import { t } from "../app/words.js";
import { parts } from "./panel.js";
import { showCertificate, showProof, showRefusal, waitFor } from "./proof.js";
import { view } from "./view.js";

/** @param {HTMLElement} host @param {Record<string, any>} docs */
export function showSeal(host, { report }) {
  const at = parts(host, "seal", "acts", "outcome");
  fill(at.seal, h("dl", { class: "seal-facts" },
    ...fact("net", money(report.net), "net"), ...fact("seq", number(report.seq), "seq"), ...fact("as_of", stamp(report.as_of)), ...fact("trading_date", report.trading_date || "–"),
    ...fact("hash", h("code", { data: { testid: "row-hash" } }, report.row_hash)), ...fact("journal", h("code", {}, report.journal_id))),
    h("details", { open: at.seal.querySelector("details")?.open ?? true }, h("summary", {}, t("cert.rule")), h("p", {}, page.lang === "zh" ? t("counting_rule") : report.counting_rule)));
  at.outcome.hidden = (at.outcome.dataset.year ?? String(view.year)) !== String(view.year);
  if (!at.acts.hasChildNodes()) showActs(at.acts, at.outcome);
}

/** @param {string} name @param {string | HTMLElement} value @param {string} [testid] */
const fact = (name, value, testid) => [h("dt", {}, t(`cert.${name}`)), h("dd", { data: testid ? { testid: `cert-${testid}` } : {} }, value)];

/** @param {HTMLElement} host @param {HTMLElement} outcome */
async function showActs(host, outcome) {
  fill(host, h("p", { class: "dim" }, "…"));
  const { scopes } = await session;
  if (!scopes.includes("operate") && !scopes.includes("audit")) return fill(host, h("p", { class: "needs", data: { testid: "proof-needs" } }, t("needs.operate")));
  const prove = button("proof.now", "prove", () => ask("proof", showProof)), certify = button("cert.make", "certify", () => ask("certificate", showCertificate));
  const pdf = /** @type {HTMLAnchorElement} */ (h("a", { class: "button", download: "", data: { testid: "certificate-pdf" } }, t("cert.pdf")));
  const aim = () => pdf.setAttribute("href", `/v1/reports/turnover/${view.year}/certificate?format=pdf`);
  pdf.addEventListener("pointerenter", aim);
  pdf.addEventListener("focus", aim);
  aim();
  fill(host, prove, " ", certify, " ", pdf, h("p", { class: "dim" }, t("proof.about")), h("p", { class: "of-present warn", data: { testid: "of-present" } }, t("cert.of_present")));

  /** @param {"proof" | "certificate"} what @param {(host: HTMLElement, answer: any) => void} show */
  async function ask(what, show) {
    outcome.dataset.year = String(view.year);
    outcome.hidden = false;
    try {
      show(outcome, await waitFor(outcome, `/v1/reports/turnover/${view.year}/${what}`, [prove, certify]));
    } catch (error) {
      showRefusal(outcome, error);
    }
  }
}

/** @param {string} word @param {string} testid @param {() => void} onclick */
const button = (word, testid, onclick) =>
  /** @type {HTMLButtonElement} */ (h("button", { type: "button", class: testid === "prove" ? "primary" : "", data: { acts: "", testid }, onclick }, t(word)));
