// What the lights look at: /healthz, /readyz, /metrics and the answer to a ping over the WebSocket. A source that does not answer
// is null from then on: its lights are not known.

import { feed } from "../app/feed.js";
import { set } from "../app/store.js";
import { parse } from "./metrics.js";

const EVERY_MS = 2_000;
const PATIENCE_MS = 4_000;
/** How far back the latency is looked at. */
const WINDOW_MS = 60_000;

/**
 * @typedef {object} Seen
 * @property {any | null} health /healthz
 * @property {{ready: boolean, detail: string} | null} ready /readyz
 * @property {import("./metrics.js").Sample[] | null} metrics
 * @property {import("./metrics.js").Sample[] | null} before those of a minute ago, or the first ones
 * @property {number} window_s how long ago that was
 * @property {boolean} isClosed whether /metrics is kept to certain addresses
 * @property {{seq: number, trip_ms: number, skew_ms: number} | null} ping
 * @property {number} quiet_s for how long this page has seen no new command
 * @property {number} at
 */

/** @type {{at: number, samples: import("./metrics.js").Sample[]}[]} */
let kept = [];
let lastSeq = 0;
let movedAt = performance.now();

/** @param {string} path @returns {Promise<Response | null>} */
const ask = (path) => fetch(path, { cache: "no-store", signal: AbortSignal.timeout(PATIENCE_MS) }).catch(() => null);

async function health() {
  const answer = await ask("/healthz");
  return answer?.ok ? answer.json().catch(() => null) : null;
}

async function ready() {
  const answer = await ask("/readyz");
  if (!answer || (answer.status !== 200 && answer.status !== 503)) return null;
  const said = await answer.json().catch(() => ({}));
  return { ready: answer.status === 200, detail: said.detail ?? "" };
}

async function metrics() {
  const answer = await ask("/metrics");
  if (!answer?.ok) return { samples: null, isClosed: answer?.status === 403 };
  return { samples: parse(await answer.text()), isClosed: false };
}

/** The venue's seq, and how long the answer took. @returns {Promise<Seen["ping"]>} */
function ping() {
  if (feed.state !== "live") return Promise.resolve(null);
  const begun = performance.now();
  return new Promise((resolve) => {
    const timer = setTimeout(() => resolve(null), PATIENCE_MS);
    feed.ask("ping", {}, ({ result }) => {
      clearTimeout(timer);
      const trip_ms = performance.now() - begun;
      resolve(result ? { seq: result.seq, trip_ms, skew_ms: Date.parse(result.time) + trip_ms / 2 - Date.now() } : null);
    });
  });
}

/** Looks at all sources once. */
async function look() {
  const [seenHealth, seenReady, { samples, isClosed }, seenPing] = await Promise.all([health(), ready(), metrics(), ping()]);
  const now = performance.now(), seq = seenPing?.seq ?? seenHealth?.seq ?? 0;
  if (seq > lastSeq) [lastSeq, movedAt] = [seq, now];
  if (samples) kept = [...kept.filter(({ at }) => now - at <= WINDOW_MS), { at: now, samples }];
  const [oldest] = kept;
  set("seen", /** @type {Seen} */ ({
    health: seenHealth, ready: seenReady, metrics: samples, isClosed, ping: seenPing, at: Date.now(),
    before: oldest?.samples ?? null, window_s: oldest ? (now - oldest.at) / 1000 : 0, quiet_s: (now - movedAt) / 1000,
  }));
}

/** Looks again and again while the page is in sight. */
export function start() {
  const again = async () => {
    if (!document.hidden) await look();
    setTimeout(again, EVERY_MS);
  };
  again();
}
