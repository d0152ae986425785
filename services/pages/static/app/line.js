// The state of the line on the page: figures dim with their age, and nothing that acts can be used while the line is dead.
//
// <html data-line> is `live`, `connecting`, `dead` or `verifying` (books that came back are not proven yet); the stylesheet dims by
// it. `[data-acts]` marks what acts: buttons, fieldsets. What was typed stays.

import { say } from "./dom.js";
import { feed } from "./feed.js";
import { duration } from "./format.js";
import { at } from "./page.js";
import { t } from "./words.js";

const QUIET_MS = 1_500;
/** So long after the page's start it does not say that it is connecting. */

/** @type {Set<() => boolean>} */
const proofs = new Set();

/** The line is shown as live only when `isProven` holds, too: for a book, that its checksum is right. @param {() => boolean} isProven */
export const needsProof = (isProven) => void proofs.add(isProven);

/** Whether the page may act now. */
export const isLive = () => document.documentElement.dataset.line === "live";

/** Called by whoever a proof belongs to, after each push. */
export function refresh() {
  const state = feed.state === "live" && ![...proofs].every((isProven) => isProven()) ? "verifying" : feed.state;
  const root = document.documentElement;
  if (root.dataset.line === state) return;
  root.dataset.line = state;
  lock(state !== "live");
  tell();
}

/** @param {boolean} isLocked */
function lock(isLocked) {
  for (const node of document.querySelectorAll("[data-acts]")) {
    node.toggleAttribute("data-line-locked", isLocked);
    node.toggleAttribute("inert", isLocked);
  }
}

// What is added to the page later is locked as well.
new MutationObserver(() => { if (!isLive()) lock(true); }).observe(document.body, { childList: true, subtree: true });

function tell() {
  const { line } = document.documentElement.dataset, age = duration(performance.now() - feed.heardAt);
  at("line").hidden = line === "live" || (line === "connecting" && performance.now() < QUIET_MS);
  if (line === "dead") say(at("line-said"), feed.ended ? t(`line.${feed.ended}`) : t("line.dead", { age }));
  else if (line === "verifying") say(at("line-said"), t("line.verifying"));
  else say(at("line-said"), t("line.connecting"));
}

feed.addEventListener("state", refresh);
setInterval(() => { if (!isLive()) tell(); }, 1_000);
refresh();
