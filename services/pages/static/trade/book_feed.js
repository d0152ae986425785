// The book of this page, kept from pushes. From the first push on the page is live only while the book is proven.

import { Book } from "../app/book.js";
import { feed } from "../app/feed.js";
import { needsProof, refresh } from "../app/line.js";

const RETRY_MS = 1_000;

/** Follows the book of an instrument. @param {string} symbol @param {() => void} changed @returns {Book} */
export function followBook(symbol, changed) {
  const book = new Book();
  let isProven = false, hasBegun = false, askedAt = -Infinity, timer = 0;
  /** @param {import("../app/feed.js").Push} push */
  const take = (push) => {
    isProven = book.take(push);
    hasBegun = true;
    if (isProven) changed();
    else again();
    refresh();
  };
  // Until the snapshot comes, updates go on, and none of them fits: it is asked for once in a while.
  const again = () => {
    timer ||= window.setTimeout(() => {
      timer = 0;
      if (isProven || feed.socket?.readyState !== WebSocket.OPEN) return; // A new line begins with a snapshot.
      askedAt = performance.now();
      feed.again(take);
    }, Math.max(0, askedAt + RETRY_MS - performance.now()));
  };
  feed.follow({ channels: ["depth"], symbols: [symbol], interval_ms: 100 }, take);
  feed.addEventListener("state", () => {
    if (feed.state === "dead") isProven = false;
  });
  needsProof(() => isProven || !hasBegun);
  return book;
}
