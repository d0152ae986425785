// Pointer, wheel and keyboard on a chart. A wheel without Alt, and a pinch, are the page's.

import { s } from "./svg.js";

/** @typedef {import("./chart.js").Chart} Chart */

const CLICK_PX = 5;

/** @param {Chart} chart */
export function listen(chart) {
  const { svg, root } = chart;
  /** @type {{start: number, now: number, rule: string | null} | null} */
  let drag = null;
  const place = (/** @type {MouseEvent} */ event) => {
    const box = svg.getBoundingClientRect();
    return { x: event.clientX - box.left - chart.plan.left, y: event.clientY - box.top };
  };

  svg.addEventListener("pointerdown", (event) => {
    if (event.button !== 0) return;
    const { x } = place(event), grip = event.target instanceof Element ? event.target.closest("[data-rule]") : null;
    drag = { start: x, now: x, rule: grip instanceof SVGElement ? grip.dataset.rule ?? null : null };
    svg.setPointerCapture(event.pointerId);
  });
  svg.addEventListener("pointermove", (event) => {
    const { x, y } = place(event);
    if (drag?.rule) chart.dragRule(drag.rule, y);
    else chart.point(x, y);
    if (!drag) return;
    drag.now = x;
    if (!drag.rule && chart.options.onRange) chart.select(Math.abs(x - drag.start) > CLICK_PX ? [drag.start, x] : null);
  });
  svg.addEventListener("pointerup", (event) => {
    const ended = drag, { x } = place(event);
    drag = null;
    chart.select(null);
    if (!ended) return;
    if (ended.rule) chart.dropRule();
    else if (Math.abs(x - ended.start) > CLICK_PX) chart.range(ended.start, x);
    else chart.pick(x);
  });
  svg.addEventListener("pointercancel", () => {
    drag = null;
    chart.select(null);
    chart.keepRule();
  });
  svg.addEventListener("pointerleave", () => chart.point(null));
  svg.addEventListener("wheel", (event) => {
    if (!event.altKey) return;
    event.preventDefault();
    chart.scale(event.deltaY > 0 ? 1.25 : 0.8, place(event).x);
  }, { passive: false });
  root.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const grip = event.target instanceof SVGElement ? event.target.dataset.rule : undefined;
    if (grip === undefined && event.target !== root) return;
    if (grip === undefined ? chartKey(chart, event) : ruleKey(chart, grip, event)) event.preventDefault();
  });
  root.addEventListener("blur", () => chart.point(null));
}

/** @param {Chart} chart @param {KeyboardEvent} event @returns {boolean} whether the key meant something */
function chartKey(chart, { key, shiftKey }) {
  if (key === "ArrowLeft" || key === "ArrowRight") {
    const way = key === "ArrowLeft" ? -1 : 1;
    if (shiftKey) chart.pan(way * 0.2);
    else chart.step(way);
  } else if (key === "Home") chart.step(-Infinity);
  else if (key === "End") chart.step(Infinity);
  else if (key === "+" || key === "=") chart.scale(0.5);
  else if (key === "-" || key === "_") chart.scale(2);
  else if (key === "0" || key === "Escape") chart.zoom(null);
  else if (key === "Enter") chart.enter();
  else return false;
  return true;
}

/** @param {Chart} chart @param {string} rule @param {KeyboardEvent} event @returns {boolean} */
function ruleKey(chart, rule, { key, shiftKey }) {
  if (key === "ArrowUp") chart.moveRule(rule, shiftKey ? 10 : 1);
  else if (key === "ArrowDown") chart.moveRule(rule, shiftKey ? -10 : -1);
  else if (key === "Enter") chart.dropRule();
  else if (key === "Escape") chart.keepRule();
  else return false;
  return true;
}

/** The part of the x axis that is being chosen. @param {import("./plan.js").Plan} plan @param {[number, number]} range @returns {SVGElement} */
export function selection({ left, width, panes, bottom }, range) {
  const [from, to] = [Math.min(...range), Math.max(...range)].map((x) => left + Math.max(0, Math.min(width, x)));
  return s("rect", { class: "selection", x: from, y: panes[0].top, width: to - from, height: bottom - panes[0].top });
}
