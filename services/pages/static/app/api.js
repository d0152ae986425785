// Requests to the public REST API. A refusal, and an answer that never came, are errors that say what to do.

import { t } from "./words.js";

const PATIENCE_MS = 15_000;
const PROPOSED = 202;
/** Of the entries of a page. */
const MOST = 500;
const OPEN = new Set(["outcome_unknown", "internal_error"]);
/** Codes after which a change may have been carried out; the same holds for what a proxy says that has lost the venue. */

/** The venue refused: nothing was changed. */
export class Refused extends Error {
  /** @param {any} problem application/problem+json, or the error of a reply over the WebSocket @param {Response} [answer] */
  constructor(problem, answer) {
    super(problem.detail ?? answer?.statusText);
    this.status = answer?.status ?? problem.status;
    this.code = problem.code ?? String(this.status);
    /** @type {{field: string, message: string}[]} */
    this.fields = problem.errors ?? [];
    this.nextStep = problem.next_step ?? null;
    this.retryAfter_s = Number(answer?.headers.get("Retry-After") ?? Math.ceil((problem.retry_after_ms ?? 0) / 1_000));
  }
}

/** Nothing was changed yet: a second person has to confirm it. */
export class Proposed extends Error {
  /** @param {{proposal: number}} answer */
  constructor({ proposal }) {
    super(`proposal ${proposal}`);
    this.proposal = proposal;
  }
}

/** No answer came, or one that leaves it open: it may have been carried out. */
export class OutcomeUnknown extends Error {
  constructor() {
    super(t("error.outcome_unknown"));
  }
}

/** The text of a query: names whose value is null or empty are left out. @param {Record<string, any>} [query] */
export function queryText(query = {}) {
  const given = Object.entries(query).filter(([, value]) => value !== null && value !== undefined && value !== "");
  return given.length ? `?${new URLSearchParams(given.map(([name, value]) => [name, String(value)]))}` : "";
}

/** Reads. @param {string} path @param {Record<string, any>} [query] @param {AbortSignal} [signal]
 * @param {number} [patience_ms] how long the answer may take */
export async function read(path, query, signal, patience_ms) {
  return (await answerTo("GET", path + queryText(query), undefined, {}, signal, patience_ms)).json();
}

/** Reads a list, all its pages. @param {string} path @param {string} name of the list in an answer
 * @param {Record<string, any>} [query] @returns {Promise<any[]>} */
export async function readAll(path, name, query) {
  const all = [];
  let cursor = null;
  do {
    const page = await read(path, { ...query, limit: MOST, cursor });
    all.push(...page[name]);
    cursor = page.next_cursor;
  } while (cursor);
  return all;
}

/** @typedef {{key: string, why?: string}} Sending how an administrative command is sent: its key makes a repetition harmless */

/**
 * Changes something.
 * @param {string} method @param {string} path @param {any} [body] @param {Sending} [sending]
 */
export async function send(method, path, body, sending) {
  /** @type {Record<string, string>} */ const headers = sending ? { "Idempotency-Key": sending.key } : {};
  if (sending?.why) headers["Rex-Why"] = encodeURIComponent(sending.why);
  const answer = await answerTo(method, path, body, headers);
  let said;
  try {
    said = await answer.json();
  } catch {
    throw new OutcomeUnknown(); // The answer was cut: it was carried out, but how it ended is not known.
  }
  if (answer.status === PROPOSED) throw new Proposed(said);
  return said;
}

/** @param {string} method @param {string} path @param {any} body @param {Record<string, string>} headers @param {AbortSignal} [signal]
 * @param {number} [patience_ms] */
async function answerTo(method, path, body, headers, signal, patience_ms = PATIENCE_MS) {
  const patience = AbortSignal.timeout(patience_ms);
  const given = body === undefined ? {} : { body: JSON.stringify(body), headers: { "Content-Type": "application/json", ...headers } };
  let answer;
  try {
    answer = await fetch(path, {
      method, headers, credentials: "same-origin", cache: "no-store", ...given,
      signal: signal ? AbortSignal.any([signal, patience]) : patience,
    });
  } catch (error) {
    if (signal?.aborted) throw error;
    throw method === "GET" ? new Error(t("error.no_answer")) : new OutcomeUnknown();
  }
  if (answer.ok) return answer;
  const problem = await answer.json().catch(() => ({}));
  const isOpen = OPEN.has(problem.code) || (answer.status >= 500 && problem.code === undefined);
  if (method !== "GET" && isOpen) throw new OutcomeUnknown();
  throw new Refused(problem, answer);
}
