// The open alerts, for those who may read them, and in the head of every page the count of those that nobody has acknowledged.

import { fill } from "./dom.js";
import { feed } from "./feed.js";
import { at } from "./page.js";
import { may } from "./session.js";
import { get, set, watch } from "./store.js";
import { t } from "./words.js";

/** Follows the open alerts, oldest first. */
async function follow() {
  if (!(await may("operate", "audit"))) return;
  feed.follow({ channels: ["alerts"] }, ({ type, data }) => {
    const open = type === "snapshot" ? new Map() : new Map(get("alerts"));
    for (const alert of data.alerts) {
      if (alert.state === "open") open.set(alert.alert_id, alert);
      else open.delete(alert.alert_id);
    }
    set("alerts", open);
  });
}

function showCount() {
  /** @type {any[]} */ const unseen = [...(get("alerts")?.values() ?? [])].filter(({ acknowledged }) => !acknowledged),
    isCritical = unseen.some(({ severity }) => severity === "critical"), node = at("unseen"), count = unseen.length;
  node.hidden = !count;
  node.className = `unseen ${isCritical ? "danger" : "warn"}`;
  node.title = t("alerts.unseen_count", { count });
  node.ariaLabel = node.title;
  fill(node, isCritical ? String(count) : `△${count}`); // the class "danger" has a sign of its own
}

watch(["alerts"], showCount);
follow();
