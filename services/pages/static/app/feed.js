// The page's one WebSocket: pushes to those who follow them, and whether the line is alive. It connects again by itself.
//
// A line is dead when it is closed, or when the venue does not answer a ping in time: at most 1.8 s after the last message. Streams
// that the venue can resume continue where they were cut; the others begin with a snapshot (docs/websocket.md).

import { Refused } from "./api.js";
import { t } from "./words.js";

const LOOK_MS = 200;
const SILENCE_MS = 400;
/** After so much silence a ping is sent. */
const ANSWER_MS = 1_000;
/** How long the venue may take to answer it. */
const CONNECT_MS = 5_000;
/** How long a connection may take: a line without an answer would wait for minutes. */
const RETRIES_MS = [250, 500, 1_000, 2_000, 4_000];
/** The close codes after which connecting again would lead to the same (docs/websocket.md). @type {Record<number, "session_ended" | "no_key">} */
const FINAL = { 4001: "session_ended", 4003: "no_key" };
const RESUMED = new Set(["orders", "fills", "balances", "trades", "status", "drop_copy"]);

/**
 * @typedef {object} Push
 * @property {string} channel
 * @property {"snapshot" | "update" | "resumed"} type
 * @property {string | null} symbol
 * @property {number} seq
 * @property {number | null} prev_seq
 * @property {string} incarnation
 * @property {any} data
 *
 * @typedef {object} Following
 * @property {Record<string, any>} subscription the parameters of `subscribe`: one channel, its symbols and options
 * @property {(push: Push) => void} take
 * @property {(refusal: any) => void} [refused]
 * @property {{incarnation: string, seq: number} | null} last
 */

/** `live`: pushes come. `connecting`: not yet, at the page's start. `dead`: they came, and do not now. */
export class Feed extends EventTarget {
  /** @param {string} path of the WebSocket */
  constructor(path = "/v1/ws") {
    super();
    this.url = `${location.protocol === "https:" ? "wss" : "ws"}://${location.host}${path}`;
    /** @type {"connecting" | "live" | "dead"} */
    this.state = "connecting";
    /** When the last message came, by performance.now(). */
    this.heardAt = performance.now();
    /** Why a dead line will not come back by itself, or null. @type {"session_ended" | "no_key" | null} */
    this.ended = null;
    /** @type {Set<Following>} */ this.following = new Set();
    /** @type {Map<number, (reply: any) => void>} */ this.waiting = new Map();
    /** @type {WebSocket | null} */ this.socket = null;
    this.asked = 0;
    this.tries = 0;
    /** The timer of the next try after a loss. @type {ReturnType<typeof setTimeout> | undefined} */ this.next = undefined;
    /** When the ping was sent that is not answered; 0: none. */ this.pingedAt = 0;
    this.connect();
    setInterval(() => this.look(), LOOK_MS);
  }

  /**
   * Follows one stream until the returned function is called. `take` gets each push; a snapshot replaces all before it. Followers
   * of the same channel and symbol share one stream: they ask for the same `levels` and `interval_ms`.
   * @param {Record<string, any>} subscription for example `{channels: ["depth"], symbols: ["PRND-OX"]}`: one channel
   * @param {(push: Push) => void} take
   * @param {(refusal: any) => void} [refused] gets the problem of a subscription that the venue refuses
   */
  follow(subscription, take, refused) {
    const stream = { subscription, take, refused, last: null };
    this.following.add(stream);
    if (this.socket?.readyState === WebSocket.OPEN) this.subscribe(stream);
    return () => {
      this.following.delete(stream);
      this.unsubscribe(subscription);
    };
  }

  /** Ends what nobody follows any more. @param {Record<string, any>} subscription */
  unsubscribe({ channels, symbols, interval }) {
    const others = [...this.following].map((stream) => stream.subscription)
      .filter((other) => other.channels[0] === channels[0] && other.interval === interval);
    const held = new Set(others.flatMap((other) => other.symbols ?? ["*"]));
    const left = symbols?.filter((/** @type {string} */ symbol) => !held.has(symbol));
    if (held.has("*") || (symbols && !left.length) || this.socket?.readyState !== WebSocket.OPEN) return;
    this.ask("unsubscribe", { channels, ...(symbols && { symbols: left }), ...(interval && { interval }) });
  }

  /** Ends the line for good. @param {"session_ended"} reason */
  end(reason) {
    this.leave();
    this.ended = reason;
    this.say("dead");
  }

  /** Connects anew, with the session that the browser has now. */
  begin() {
    this.leave();
    this.ended = null;
    this.connect();
  }

  /** Closes the connection, if there is one, and plans no other. */
  leave() {
    clearTimeout(this.next);
    const { socket } = this;
    this.socket = null;
    socket?.close();
    this.waiting.clear();
    this.pingedAt = 0;
  }

  /** Begins a stream anew, with a snapshot. @param {(push: Push) => void} take */
  again(take) {
    for (const stream of this.following) {
      if (stream.take !== take) continue;
      stream.last = null;
      this.subscribe(stream);
    }
  }

  /** @param {Following} stream */
  subscribe(stream) {
    if (!this.following.has(stream) || this.socket?.readyState !== WebSocket.OPEN) return; // The next connection does it.
    const resume = stream.last && RESUMED.has(stream.subscription.channels[0]) ? { resume: stream.last } : {};
    this.ask("subscribe", { ...stream.subscription, ...resume }, (reply) => {
      if (!reply.error) return;
      if (reply.error.status === 503 || reply.error.status === 429) setTimeout(() => this.subscribe(stream), 1_000);
      else if (stream.last) {
        stream.last = null; // Too old, or another venue: a snapshot.
        this.subscribe(stream);
      } else stream.refused?.(reply.error);
    });
  }

  /** @param {string} method @param {Record<string, any>} params @param {(reply: any) => void} [answered] */
  ask(method, params, answered) {
    const number = ++this.asked;
    if (answered) this.waiting.set(number, answered);
    this.socket?.send(JSON.stringify({ method, params, req_id: number }));
  }

  /** Asks, and returns the result. Throws Refused where the venue refuses, and an error where the line is lost before the reply.
   * @param {string} method that changes nothing @param {Record<string, any>} params @returns {Promise<any>} */
  request(method, params) {
    if (this.socket?.readyState !== WebSocket.OPEN) return Promise.reject(new Error(t("error.no_answer")));
    return new Promise((resolve, reject) => {
      const lost = () => reject(new Error(t("error.no_answer")));
      this.addEventListener("state", lost, { once: true }); // a line that is lost says so; until then its state stays
      this.ask(method, params, ({ result, error }) => {
        this.removeEventListener("state", lost);
        if (error) reject(new Refused(error));
        else resolve(result);
      });
    });
  }

  connect() {
    const socket = new WebSocket(this.url);
    this.socket = socket;
    setTimeout(() => { if (socket.readyState === WebSocket.CONNECTING) this.lost(socket, 0); }, CONNECT_MS);
    socket.onopen = () => {
      if (socket !== this.socket) return;
      for (const stream of this.following) this.subscribe(stream);
      this.ask("ping", {}, () => this.say("live"));
    };
    socket.onmessage = (event) => {
      if (socket !== this.socket) return; // what was under way when it was left
      this.heardAt = performance.now();
      this.pingedAt = 0;
      this.take(JSON.parse(event.data));
    };
    socket.onclose = (event) => this.lost(socket, event.code);
  }

  /** @param {any} message */
  take(message) {
    if (message.channel === undefined) {
      const answered = this.waiting.get(message.req_id);
      this.waiting.delete(message.req_id);
      answered?.(message);
      return;
    }
    for (const stream of this.following) {
      const { channels, symbols, interval } = stream.subscription;
      if (!channels.includes(message.channel)) continue;
      if (message.symbol !== null && symbols && symbols[0] !== "*" && !symbols.includes(message.symbol)) continue;
      if (interval && message.data.interval !== interval) continue;
      stream.last = message.data.more ? null : { incarnation: message.incarnation, seq: message.seq }; // a part of a snapshot: not to be resumed
      stream.take(message);
    }
  }

  look() {
    if (this.socket?.readyState !== WebSocket.OPEN) return;
    const now = performance.now();
    if (this.pingedAt && now - this.pingedAt > ANSWER_MS) this.lost(this.socket, 0);
    else if (!this.pingedAt && now - this.heardAt > SILENCE_MS) {
      this.ask("ping", {});
      this.pingedAt = now;
    }
  }

  /** @param {WebSocket} socket @param {number} code */
  lost(socket, code) {
    if (socket !== this.socket) return;
    this.leave();
    this.ended = FINAL[code] ?? null;
    this.say("dead");
    if (this.ended) return;
    this.next = setTimeout(() => this.connect(), RETRIES_MS[Math.min(this.tries++, RETRIES_MS.length - 1)]);
  }

  /** @param {"live" | "dead"} state */
  say(state) {
    if (state === "live") this.tries = 0;
    this.state = state;
    this.dispatchEvent(new Event("state"));
  }
}

/** The feed of this page. */
export const feed = new Feed();
