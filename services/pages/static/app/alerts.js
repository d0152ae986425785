// The open alerts, for those who may read them, and in the head of every page the count of those that nobody has acknowledged.

import { read } from "./api.js";
import { fill } from "./dom.js";
import { feed } from "./feed.js";
import { at } from "./page.js";
import { may } from "./session.js";
import { get, set, watch } from "./store.js";
import { t } from "./words.js";

const EVERY_MS = 10_000;

/** The open alerts, oldest first: an operator is pushed them, an auditor asks. */
async function follow() {
  if (await may("operate")) {
    feed.follow({ channels: ["alerts"] }, ({ type, data }) => {
      const open = type === "snapshot" ? new Map() : new Map(get("alerts"));
      for (const alert of data.alerts) {
        if (alert.state === "open") open.set(alert.alert_id, alert);
        else open.delete(alert.alert_id);
      }
      set("alerts", open);
    });
  } else if (await may("audit")) {
    ask();
    setInterval(ask, EVERY_MS);
  }
}

async function ask() {
  if (document.visibilityState !== "visible") return;
  const { alerts } = await read("/v1/alerts", { limit: 500 }).catch(() => ({ alerts: null }));
  if (alerts) set("alerts", new Map(alerts.reverse().map((/** @type {any} */ alert) => [alert.alert_id, alert])));
}

function showCount() {
  /** @type {any[]} */ const unseen = [...(get("alerts")?.values() ?? [])].filter(({ acknowledged }) => !acknowledged),
    isCritical = unseen.some(({ severity }) => severity === "critical"), node = at("unseen"), count = unseen.length;
  node.hidden = !count;
  node.className = `count ${isCritical ? "danger" : "warn"}`;
  node.title = t("alerts.unseen_count", { count });
  node.ariaLabel = node.title;
  fill(node, isCritical ? String(count) : `△${count}`); // the class "danger" has a sign of its own
}

watch(["alerts"], showCount);
follow();
