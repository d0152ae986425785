// Health: lights with their rules, the latency as a histogram, and where the numbers come from.

import "../app/frame.js";
import { Chart } from "../charts/chart.js";
import { fill, h, rows, say } from "../app/dom.js";
import { clock, number } from "../app/format.js";
import { at } from "../app/page.js";
import { saveButton } from "../app/save.js";
import { get, watch } from "../app/store.js";
import { t } from "../app/words.js";
import { lightsOf, milliseconds, worst } from "./lights.js";
import { buckets, histogramOf, since } from "./metrics.js";
import { start } from "./sources.js";

const SIGNS = { good: "●", warn: "▲", bad: "✕", unknown: "?", none: "–" };

/** @type {import("./lights.js").Light[]} */
let lights = [];
/** @type {Chart | undefined} */
let chart;

/** @param {HTMLElement} node @param {import("./lights.js").Light} light */
function updateLight(node, { state, value, bound, more = [] }) {
  node.dataset.state = state;
  /** @param {string} selector @param {string} text */
  const set = (selector, text) => say(/** @type {Element} */ (node.querySelector(selector)), text);
  set(".lamp", SIGNS[state]);
  set(".word", t(`state.${state}`));
  set(".value b", value);
  set(".value small", bound === "–" ? "" : bound === t("light.no_bound") ? bound : t("light.bound", { bound }));
  const list = /** @type {HTMLElement} */ (node.querySelector(".more"));
  rows(list, more, (sentence) => sentence.replace(/\d[\d,.]*/g, "#"), () => h("li"), say);
}

function show() {
  const seen = get("seen"), phases = [.../** @type {Map<string, {phase: string}>} */ (get("phases") ?? new Map()).values()].map(({ phase }) => phase);
  if (!seen) return;
  lights = lightsOf(seen, phases);
  const state = worst(lights), count = (/** @type {string} */ which) => lights.filter((light) => light.state === which).length;
  at("summary").dataset.state = state;
  say(at("summary-said"), t(`health.${state}`, { bad: count("bad"), warn: count("warn"), unknown: count("unknown"), good: count("good") }));
  say(at("looked"), t("health.looked", { at: clock(seen.at) }));
  for (const light of lights) updateLight(/** @type {HTMLElement} */ (at("lights").querySelector(`[data-key="${light.name}"]`)), light);
  showHistogram(seen);
}

/** @param {import("./sources.js").Seen} seen */
function showHistogram({ metrics, before, isClosed }) {
  const host = at("histogram-body");
  if (!metrics) return void (chart || fill(host, h("p", { class: "empty" }, t(isClosed ? "light.closed" : "light.unknown"))));
  const all = histogramOf(metrics, "rex_request_seconds"), recent = since(all, histogramOf(before ?? [], "rex_request_seconds"));
  if (!chart) {
    host.replaceChildren();
    chart = new Chart(host, {
      label: t("health.histogram"), x: "category", zero: true, height: 220, xName: t("health.up_to"),
      sentence: () => t("health.histogram.sentence", { count: number(all.at(-1)?.count ?? 0) }),
      xText: (/** @type {string} */ name) => name, yText: (y) => number(Math.round(y)), belowText: (y) => number(Math.round(y)),
    });
    const made = chart;
    host.querySelector(".chart-head")?.append(saveButton("latency", () => made.lines()));
  }
  /** @param {import("./metrics.js").Histogram} histogram */
  const bars = (histogram) => buckets(histogram).map(({ le, count }) => ({ x: le === Infinity ? `> ${milliseconds(all.at(-2)?.le ?? 0)}` : `≤ ${milliseconds(le)}`, y: count, text: number(count) }));
  chart.show([
    { type: "bars", name: t("health.recent"), className: "actual", data: bars(recent) },
    { type: "bars", name: t("health.since_start"), className: "before", axis: "below", data: bars(all) },
  ]);
}

at("lights-aside").append(saveButton("lights", () => [
  [t("column.light"), t("column.state"), t("column.value"), t("column.bound"), t("column.rule")],
  ...lights.map(({ name, state, value, bound }) => [t(`light.${name}`), t(`state.${state}`), value, bound, t(`light.${name}.rule`)]),
]));
at("grafana").setAttribute("href", `${location.protocol}//${location.hostname}:3000/d/rex`);
watch(["seen", "phases"], show);
start();
