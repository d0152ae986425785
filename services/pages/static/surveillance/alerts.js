// The alerts: the open ones, and the history; an operator acknowledges one with a note.

import { read, send } from "../app/api.js";
import { h } from "../app/dom.js";
import { day, minute, stamp } from "../app/format.js";
import { page } from "../app/page.js";
import { get, watch } from "../app/store.js";
import { toast } from "../app/toasts.js";
import { sentences, t, term } from "../app/words.js";
import { actButton, outcomeLine } from "../operate/acts.js";
import { reasonField, valueOf } from "../operate/fields.js";
import { Listing, panel } from "../operate/listing.js";

const PAGE = 50;
const SIGNS = /** @type {Record<string, string>} */ ({ critical: "⚠", warning: "△" });

/** @param {any} alert */
export const sentenceOf = (alert) => (page.lang === "zh" ? alert.sentence_zh : alert.sentence);

/** @param {import("../operate/access.js").Access} rights @returns {HTMLElement} */
export function alertsPanel(rights) {
  const outcome = outcomeLine();
  /** @param {any} alert @param {() => any} now */
  const button = (alert, now) =>
    alert.acknowledged || alert.state === "cleared"
      ? ""
      : actButton(t("alerts.acknowledge"), "acknowledge", outcome, acknowledgeAct(now, rights));
  const listing = new Listing({
    id: "alerts",
    label: t("alerts"),
    keyOf: (one) => one.alert_id,
    empty: t("alerts.none"),
    rowKind: (one) => (one.state === "cleared" ? "past" : ""),
    columns: [
      {
        name: t("alerts.about"),
        text: (one) => `${SIGNS[one.severity]} ${term("alert", one.kind)} · ${term("severity", one.severity)}`,
        kind: (one) => (one.state === "cleared" ? "wide dim" : one.severity === "critical" ? "wide danger" : "wide warn"),
      },
      { name: t("alerts.sentence"), text: sentenceOf, kind: () => "wide main" },
      {
        name: t("alerts.raised"),
        text: (one) => `${day(one.raised_at)} ${minute(one.raised_at)}`,
        title: (one) => stamp(one.raised_at),
        kind: () => "wide",
      },
      { name: t("alerts.state"), text: stateText, kind: () => "wide" },
      ...(rights.acts
        ? [
            {
              name: t("acts"),
              text: (/** @type {any} */ one) => (one.acknowledged || one.state === "cleared" ? "" : one.alert_id),
              unsaved: true,
              show: button,
            },
          ]
        : []),
    ],
  });
  const all = h("button", { type: "button", "aria-pressed": "false", data: { testid: "alerts-all" } }, t("alerts.history"));
  const more = h("button", { type: "button", hidden: true }, t("more"));
  /** @type {any[] | null} */ let history = null;
  /** @type {string | null} */ let cursor = null;
  const show = () => listing.show(history ?? [...(get("alerts")?.values() ?? [])].reverse());
  const readHistory = async (isMore = false) => {
    try {
      const answer = await read("/v1/alerts", { state: "all", limit: PAGE, cursor: isMore ? cursor : null });
      history = isMore && history ? [...history, ...answer.alerts] : answer.alerts;
      cursor = answer.next_cursor;
    } catch (error) {
      toast("refused", error instanceof Error ? error.message : String(error));
    }
    more.hidden = !history || cursor === null;
    show();
  };
  all.addEventListener("click", () => {
    const isPressed = all.getAttribute("aria-pressed") !== "true";
    all.setAttribute("aria-pressed", String(isPressed));
    history = null;
    more.hidden = true;
    if (isPressed) readHistory();
    else show();
  });
  more.addEventListener("click", () => readHistory(true));
  watch(["alerts"], () => (history ? readHistory() : show()));
  return panel("alerts-panel", t("alerts"), [all, listing.save], rights.acts && outcome, listing.node, h("p", { class: "body" }, more));
}

/** @param {any} alert */
function stateText({ state, cleared_at, acknowledged }) {
  const seen = acknowledged
    ? t("alerts.seen", { name: acknowledged.name, time: stamp(acknowledged.at), note: acknowledged.note || "–" })
    : t("alerts.unseen");
  return sentences([state === "cleared" ? t("alerts.cleared", { time: stamp(cleared_at) }) : "", seen]);
}

/**
 * @param {() => any} now the alert when the question is asked @param {import("../operate/access.js").Access} rights
 * @param {Partial<import("../operate/acts.js").Question>} [words] in place of the question's own @returns {import("../operate/acts.js").Act}
 */
export function acknowledgeAct(now, rights, words = {}) {
  return {
    ask: () => {
      const alert = now();
      return {
        known: alert,
        title: t("alerts.ask"),
        facts: [
          [t("alerts.about"), term("alert", alert.kind)],
          [t("alerts.sentence"), sentenceOf(alert)],
          [t("acts.recorded_as"), rights.name ?? ""],
        ],
        fields: [reasonField(t("alerts.note"), "note")],
        consequence: t("alerts.consequence"),
        act: t("alerts.acknowledge"),
        ...words,
      };
    },
    run: async (given, key, alert) => {
      const body = { name: rights.name, note: valueOf(given, "note") };
      const { seq } = await send("POST", `/v1/alerts/${alert.alert_id}/acknowledge`, body, key);
      return { said: t("alerts.done"), seq };
    },
  };
}
