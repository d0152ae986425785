// "Prove it now": four computations of the year's turnover, side by side. The answer takes seconds; the page says how far the proof is.

import { read, Refused } from "../app/api.js";
import { ratio } from "../app/decimal.js";
import { fill, h, say } from "../app/dom.js";
import { duration, money, number, percent, stamp } from "../app/format.js";
import { t } from "../app/words.js";

const PATIENCE_MS = 600_000;
/** How often the page looks how far the proof is. */
const LOOK_MS = 500;

export const COMPUTATIONS = ["engine_counter", "sql_sum", "journal_replay", "independent_decoder"];
const EXCLUSIONS = ["excluded_sql_sum", "excluded_independent_decoder"];

/**
 * Asks for a proof or a certificate, and shows how long it has waited and how far the proof is.
 * @param {HTMLElement} host @param {string} path @param {HTMLButtonElement[]} buttons locked until the answer @returns {Promise<any>}
 */
export async function waitFor(host, path, buttons) {
  const begun = performance.now(), ended = new AbortController();
  // Without a value it says that something is under way, not how far it is.
  const bar = /** @type {HTMLProgressElement} */ (h("progress", { max: 1, "aria-label": t("proof.under_way"), data: { testid: "proof-bar" } }));
  const clock = h("b", {}), reached = h("p", { data: { testid: "proof-reached" } }, t("proof.begins"));
  fill(host, h("div", { class: "waiting", data: { testid: "proof-waits" } }, h("p", { role: "status" }, t("proof.under_way"), " ", clock), bar, reached, h("p", { class: "dim" }, t("proof.waits"))));
  const tell = () => say(clock, duration(performance.now() - begun));
  tell();
  const timer = setInterval(() => {
    tell();
    showProgress(bar, reached, ended.signal);
  }, LOOK_MS);
  for (const button of buttons) button.disabled = true;
  try {
    return { ...(await read(path, {}, undefined, PATIENCE_MS)), took_ms: performance.now() - begun };
  } finally {
    clearInterval(timer);
    ended.abort();
    for (const button of buttons) button.disabled = false;
  }
}

/** How far the venue's proof is, as its health says. @param {HTMLProgressElement} bar @param {HTMLElement} said @param {AbortSignal} ended */
async function showProgress(bar, said, ended) {
  const { proof_reached_seq: reached, proof_to_seq: last } = await read("/healthz", {}, ended).catch(() => ({}));
  if (ended.aborted || !reached) return;
  bar.value = reached / last;
  say(said, t("proof.reached", { reached: number(reached), last: number(last), share: percent(ratio(String(reached), String(last)), 0) }));
}

/** The outcome of a proof. @param {HTMLElement} host @param {any} proof */
export function showProof(host, proof) {
  const { figure } = proof;
  const said = proof.agree ? h("p", { class: "agrees", data: { testid: "proof-agrees" } }, h("b", {}, t("proof.agrees", { seq: number(proof.seq) })))
    : h("p", { class: "disagrees", role: "alert", data: { testid: "proof-disagrees" } }, h("b", { class: "danger" }, t(figure ? "proof.disagrees" : "proof.failed", { seq: number(proof.seq) })));
  fill(host, h("div", { class: proof.agree ? "outcome" : "outcome bad" }, said,
    h("p", { class: "dim" }, t("proof.when", { at: stamp(proof.proven_at), took: duration(proof.took_ms) })),
    proof.trouble && h("p", { class: "danger" }, proof.trouble),
    figure && [sums(figure, COMPUTATIONS), figure.excluded_sql_sum === "0.00" && figure.excluded_independent_decoder === "0.00" ? null : sums(figure, EXCLUSIONS), facts(figure), differences(figure)]));
}

/** The sums side by side; one that differs from the others is told. @param {any} figure @param {string[]} names */
function sums(figure, names) {
  const known = names.filter((name) => figure[name] !== null), common = mostCommon(known.map((name) => figure[name]));
  return h("table", { class: "sums", "aria-label": t("proof.sums") }, h("tbody", {}, names.map((name) => {
    const differs = figure[name] !== null && figure[name] !== common;
    return h("tr", { class: differs ? "differs" : "" }, h("th", { scope: "row" }, t(`sum.${name}`), h("small", { class: "meaning" }, t(`sum.${name}.how`))),
      h("td", { class: "num", data: { sum: name } }, figure[name] === null ? t("sum.none") : money(figure[name]), differs && h("b", { class: "danger" }, ` ${t("proof.differs")}`)));
  })));
}

/** @param {string[]} values */
function mostCommon(values) {
  /** @param {string} value */
  const count = (value) => values.filter((one) => one === value).length;
  return values.toSorted((a, b) => count(b) - count(a))[0];
}

/** @param {any} figure */
const facts = (figure) => h("dl", {},
  h("dt", {}, t("cert.net")), h("dd", {}, money(figure.net)),
  h("dt", {}, t("cert.trades")), h("dd", {}, t("cert.trades_of", { all: number(figure.trades), busted: number(figure.busted_trades), excluded: number(figure.excluded_trades) })),
  h("dt", {}, t("cert.hash")), h("dd", {}, h("code", {}, figure.row_hash)),
  h("dt", {}, t("cert.decoder")), h("dd", {}, h("code", {}, figure.decoder_sha256)));

/** What differs, a sentence each. @param {any} figure */
function differences(figure) {
  const all = [...figure.decoder_disagreements, ...figure.differences];
  return all.length ? h("ul", { class: "danger", lang: "en", data: { testid: "differences" } }, all.map((sentence) => h("li", {}, sentence))) : null;
}

/** A certificate, with the line that redoes it. @param {HTMLElement} host @param {any} certificate */
export function showCertificate(host, certificate) {
  fill(host, h("div", { class: "outcome" },
    h("p", { class: "agrees", data: { testid: "certified" } }, h("b", {}, t("cert.made", { net: money(certificate.net), seq: number(certificate.seq) }))),
    h("p", { class: "dim" }, t("proof.when", { at: stamp(certificate.made_at), took: duration(certificate.took_ms) })),
    certificate.lacks ? h("p", { class: "warn", data: { testid: "lacks" } }, t("cert.lacks", { year: certificate.year, seq: certificate.seq })) : null,
    sums(certificate, COMPUTATIONS), facts({ ...certificate, trades: certificate.all_trades }),
    h("h3", {}, t("cert.redo")), h("pre", { data: { testid: "redo" }, tabindex: "0" }, certificate.redo),
    h("button", { type: "button", onclick: () => navigator.clipboard.writeText(certificate.redo) }, t("cert.copy")),
    h("p", { class: "dim" }, t("cert.redo_how"))));
}

/** Why there is none. @param {HTMLElement} host @param {unknown} error */
export function showRefusal(host, error) {
  const isNone = error instanceof Refused && error.code === "not_certified";
  fill(host, h("div", { class: "outcome bad", role: "alert" }, h("p", {}, h("b", { class: "danger" }, t(isNone ? "cert.none" : "proof.no_answer"))),
    h("p", { lang: "en" }, error instanceof Error ? error.message : String(error))));
}
