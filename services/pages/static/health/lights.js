// The lights: each a value, its bound, and what follows. Rules and their words stand together: words/health.json says each rule.

import { duration, number, PERCENT } from "../app/format.js";
import { t } from "../app/words.js";
import { histogramOf, quantile, since, sumOf } from "./metrics.js";

/**
 * `good`, `warn`, `bad`; `unknown`: the source does not answer; `none`: this venue has no such part.
 * @typedef {"good" | "warn" | "bad" | "unknown" | "none"} State
 *
 * @typedef {object} Light
 * @property {string} name its words: light.NAME, light.NAME.rule
 * @property {State} state
 * @property {string} value
 * @property {string} bound
 * @property {string[]} [more] sentences
 *
 * @typedef {import("./sources.js").Seen} Seen
 * @typedef {{state: State, value: string, bound?: string, more?: string[]}} Found
 */

const QUIET_S = 900;
const SILENT_S = 5;
const PROOF_S = 7_200;
const LATENCY_S = 0.1;
const LATENCY_BAD_S = 1;
const LINK_S = 3;
const TRIP_MS = 250;
const ERRORS = 0.01;

const UNKNOWN = () => /** @type {Found} */ ({ state: "unknown", value: t("light.unknown") });
/** @param {string} [why] */
const none = (why = t("light.none")) => /** @type {Found} */ ({ state: "none", value: why });
/** @param {number} value @param {number} warn @param {number} bad @returns {State} */
const above = (value, warn, bad) => (value > bad ? "bad" : value > warn ? "warn" : "good");
/** @param {any} value */
const isKnown = (value) => value !== null && value !== undefined;

/** @type {Record<string, (seen: Seen, phases: string[]) => Found>} */
const RULES = {
  ready: ({ ready }) => (!ready ? UNKNOWN() : ready.ready ? { state: "good", value: t("light.ready.yes") } : { state: "bad", value: t("light.ready.no"), more: [ready.detail] }),
  kill_switch: ({ health }) => (!health ? UNKNOWN() : health.kill_switch ? { state: "bad", value: t("on") } : { state: "good", value: t("off") }),
  line: ({ ping }) => (!ping ? UNKNOWN() : { state: above(ping.trip_ms, TRIP_MS, 4 * TRIP_MS), value: `${ping.trip_ms.toFixed(0)} ms`, bound: `${TRIP_MS} ms`, more: [t("light.line.clock", { ms: number(Math.round(ping.skew_ms) || 0).replace("-", "−") })] }),
  journal({ health, ping, quiet_s }, phases) {
    if (!health && !ping) return UNKNOWN();
    const isExact = isKnown(health?.command_age_s), age_s = isExact ? health.command_age_s : quiet_s;
    const value = t(isExact ? "light.journal.age" : "light.journal.at_least", { age: duration(age_s * 1000) }), more = [t("light.journal.seq", { seq: number(ping?.seq ?? health.seq) })];
    if (!phases.includes("continuous")) return { state: "good", value, bound: t("light.journal.closed"), more };
    return { state: above(age_s, QUIET_S / 3, QUIET_S), value, bound: duration(QUIET_S * 1000), more };
  },
  projector({ health }) {
    if (!isKnown(health?.read_database_lag)) return UNKNOWN();
    const silent_s = health.read_database_silent_s ?? 0;
    return { state: above(silent_s, SILENT_S / 2, SILENT_S), value: t("light.projector.value", { lag: number(health.read_database_lag), age: duration(silent_s * 1000) }), bound: duration(SILENT_S * 1000) };
  },
  proof({ health }) {
    if (!health || health.proof_agrees === undefined) return UNKNOWN();
    if (health.proof_agrees === null) return { state: "unknown", value: t("light.proof.first") };
    const age = duration(health.proof_age_s * 1000), more = isKnown(health.proven_seq) ? [t("light.proof.seq", { seq: number(health.proven_seq) })] : [];
    if (!health.proof_agrees) return { state: "bad", value: t("light.proof.no", { age }), more };
    return { state: above(health.proof_age_s, PROOF_S, 12 * PROOF_S), value: t("light.proof.yes", { age }), bound: duration(PROOF_S * 1000), more };
  },
  inbox({ metrics, before, isClosed }) {
    if (!metrics) return isClosed ? closed() : UNKNOWN();
    const waiting = sumOf(metrics, "rex_inbox_commands");
    if (waiting === null) return UNKNOWN();
    /** @param {Seen["before"]} samples */
    const refusedOf = (samples) => sumOf(samples ?? [], "rex_refused_requests_total", ({ code }) => code === "inbox_full") ?? 0;
    const all = refusedOf(metrics), old = refusedOf(before), refused = all < old ? all : all - old;
    const more = [t("light.inbox.largest", { count: number(sumOf(metrics, "rex_inbox_largest_share") ?? 0) }), t("light.inbox.refused", { count: number(refused) })];
    return { state: refused ? "bad" : "good", value: number(waiting), bound: t("light.no_bound"), more };
  },
  latency({ metrics, before, window_s, isClosed }) {
    if (!metrics) return isClosed ? closed() : UNKNOWN();
    const recent = since(histogramOf(metrics, "rex_request_seconds"), histogramOf(before ?? [], "rex_request_seconds"));
    const p99 = quantile(recent, 0.99), p50 = quantile(recent, 0.5);
    if (p99 === null) return none(t("light.latency.none"));
    return { state: above(p99, LATENCY_S, LATENCY_BAD_S), value: `p99 ≤ ${milliseconds(p99)}`, bound: milliseconds(LATENCY_S), more: [t("light.latency.window", { p50: milliseconds(p50 ?? 0), count: number(recent.at(-1)?.count ?? 0), window: duration(window_s * 1000) })] };
  },
  errors({ metrics, before, isClosed }) {
    if (!metrics) return isClosed ? closed() : UNKNOWN();
    /** @param {(status: string) => boolean} which */
    const grew = (which) => (sumOf(metrics, "rex_requests_total", ({ status }) => which(status)) ?? 0) - (sumOf(before ?? [], "rex_requests_total", ({ status }) => which(status)) ?? 0);
    const all = grew(() => true), failed = grew((status) => status >= "500");
    if (!all) return none(t("light.latency.none"));
    return { state: failed < 0 ? "unknown" : above(failed / all, 0, ERRORS), value: t("light.errors.value", { failed: number(failed), all: number(all) }), bound: `${ERRORS * 100}${PERCENT}` };
  },
  sockets({ health, metrics, isClosed }) {
    const open = health?.websockets ?? null, atBound = metrics && sumOf(metrics, "rex_keys_at_bound");
    if (!isKnown(open) || atBound === null) return isClosed ? closed() : UNKNOWN();
    const value = t("light.sockets.value", { sockets: number(open), sessions: number(health.sessions) });
    return { state: atBound ? "warn" : "good", value, bound: t("light.no_bound"), more: atBound ? [t("light.sockets.bound", { count: number(atBound) })] : [] };
  },
  warnings({ health }) {
    if (!health) return UNKNOWN();
    const said = health.warnings ?? [];
    return { state: said.some(isGrave) ? "bad" : said.length ? "warn" : "good", value: number(said.length), bound: "0", more: said.map(inWords) };
  },
  link({ health }) {
    if (!health) return UNKNOWN();
    if (!("link_age_s" in health)) return none(t("light.one_process"));
    if (health.link_age_s === null) return { state: "bad", value: t("light.link.no"), bound: `${LINK_S} s` };
    return { state: above(health.link_age_s, LINK_S / 2, LINK_S), value: duration(health.link_age_s * 1000), bound: `${LINK_S} s`, more: [t("light.link.epoch", { epoch: number(health.epoch) })] };
  },
  reader({ health }) {
    if (!health) return UNKNOWN();
    if (!isKnown(health.journal_lag)) return none(t("light.one_process"));
    return { state: above(health.journal_lag_s, 1, SILENT_S), value: t("light.projector.value", { lag: number(health.journal_lag), age: duration(health.journal_lag_s * 1000) }), bound: duration(SILENT_S * 1000) };
  },
  standby({ health }) {
    if (!health) return UNKNOWN();
    if (!isKnown(health.replicated)) return none(t("light.one_process"));
    return health.replicated ? { state: "good", value: t("light.standby.yes") } : { state: "bad", value: t("light.standby.no") };
  },
  redis({ health }) {
    if (!health) return UNKNOWN();
    const parts = [health.redis, health.limits_shared].filter(isKnown);
    if (!parts.length) return none(t("light.redis.none"));
    return parts.every(Boolean) ? { state: "good", value: t("light.redis.yes") } : { state: "bad", value: t("light.redis.no") };
  },
};

/** An open critical alert, or a proof that failed. @param {string} warning */
const isGrave = (warning) => /^Alert \d+ \(|^The proof of/.test(warning);
/** The warning that is an alert as well, in the words of the alert. @param {string} warning */
const inWords = (warning) => {
  const year = /^The trading days of (\d{4}) are assumed: /.exec(warning)?.[1];
  return year ? t("light.warnings.calendar", { year }) : warning;
};
const closed = () => /** @type {Found} */ ({ state: "unknown", value: t("light.closed") });

/** "2.5 ms", "1 s". @param {number} seconds */
export const milliseconds = (seconds) => (seconds === Infinity ? "∞" : seconds >= 1 ? `${seconds} s` : `${Number((seconds * 1000).toFixed(1))} ms`);

/** All lights, in the order of the page. @param {Seen} seen @param {string[]} phases that instruments are in @returns {Light[]} */
export const lightsOf = (seen, phases) =>
  Object.entries(RULES).map(([name, rule]) => ({ name, bound: "–", ...rule(seen, phases) }));

/** The worst of them: what the whole page says. @param {Light[]} lights @returns {State} */
export function worst(lights) {
  for (const state of /** @type {State[]} */ (["bad", "warn", "unknown"])) if (lights.some((light) => light.state === state)) return state;
  return "good";
}
