// A chart: axes, layers, crosshair, zoom, and the same in words. However often it is told something, it draws once a frame.

import { fill, h, say } from "../app/dom.js";
import { sentences, t } from "../app/words.js";
import { xAxisNodes, yAxes } from "./axes.js";
import { Crosshair, valuesAt } from "./crosshair.js";
import { listen, selection } from "./gestures.js";
import { KINDS } from "./layers/kinds.js";
import { keyOf } from "./layers/rule.js";
import { planOf } from "./plan.js";
import { firstFrom, xAxis } from "./scales.js";
import { specimen } from "./specimen.js";
import { s } from "./svg.js";
import { inWords, linesOf, showTable } from "./table.js";

/** @typedef {import("./types.js").X} X */
/** @typedef {import("./types.js").Layer} Layer */

const BROAD = new Set(["bars", "candles", "waterfall"]);
let charts = 0;

export class Chart {
  /** @param {HTMLElement} host @param {import("./types.js").ChartOptions} options */
  constructor(host, options) {
    this.options = options;
    this.width = 0;
    this.height = options.height ?? 260;
    /** How often it has drawn. */ this.redraws = 0;
    /** Whether it was told what to show: before that, nobody knows that there is nothing. */ this.isKnown = false;
    /** @type {import("./plan.js").Known[]} */ this.layers = [];
    /** @type {X[]} */ this.xs = [];
    /** @type {number[]} */ this.positions = [];
    this.axis = xAxis(options.x, []);
    /** What part of the axis is shown; null: all. @type {[number, number] | null} */ this.view = null;
    this.plan = planOf([], [0, 1], { width: 100, height: this.height }, options);
    /** The index of the x that the crosshair is at. @type {number | null} */ this.at = null;
    /** @type {{key: string, y: number} | null} */ this.dragged = null;
    this.isAsked = false;

    const id = `chart-${++charts}`;
    this.svg = /** @type {SVGSVGElement} */ (s("svg", { height: this.height, "aria-hidden": "true" }));
    this.drawn = s("g");
    this.chosen = s("g");
    this.crosshair = new Crosshair();
    this.svg.append(this.drawn, this.chosen, this.crosshair.node);
    this.legend = h("div", { class: "chart-legend" });
    this.tableButton = h("button", { type: "button", class: "quiet", title: t("chart.table_title"), data: { testid: "chart-as-table" }, onclick: () => this.showTable() }, t("chart.table"));
    this.said = h("p", { class: "chart-said", id });
    this.live = h("p", { class: "chart-said", "aria-live": "polite" });
    this.root = h("div", { class: "chart-area", tabindex: "0", role: "group", "aria-label": options.label, "aria-describedby": id }, this.crosshair.tip);
    this.root.prepend(this.svg);
    host.append(h("div", { class: "chart" }, h("div", { class: "chart-head", hidden: options.legend === false }, this.legend, this.tableButton), this.root, this.said, this.live));
    listen(this);
    this.observer = new ResizeObserver(([{ contentRect }]) => {
      if (Math.round(contentRect.width) !== this.width) this.width = Math.round(contentRect.width);
      this.ask();
    });
    this.observer.observe(this.root);
  }

  /** Shows these layers instead of the ones before. @param {Layer[]} layers */
  show(layers) {
    this.isKnown = true;
    const xs = new Set(), isNamed = this.options.x === "category";
    for (const { data = [], type } of layers) if (type !== "marks" || isNamed) for (const { x } of data) xs.add(x);
    this.xs = isNamed ? [...xs] : [...xs].sort((a, b) => a - b);
    const isBroad = layers.some(({ type }) => BROAD.has(type));
    this.axis = xAxis(this.options.x, this.xs, this.options.domain, isBroad);
    this.positions = this.xs.map(this.axis.position);
    this.layers = layers.map((layer) => {
      const data = layer.data ?? [];
      return { layer, data, positions: data.map(({ x }) => this.axis.position(x)), byX: new Map(data.map((point) => [point.x, point])) };
    });
    fill(this.legend, layers.filter(({ name, type }) => name && type !== "rule").map((layer) => h("span", {}, specimen(layer), layer.name)));
    this.ask();
  }

  /** What the axis shows of the layer's values. @param {Layer} layer */
  textOf = ({ axis }) => (axis === "right" && this.options.rightText) || (axis === "below" && this.options.belowText) || this.options.yText;

  ask() {
    if (this.isAsked) return;
    this.isAsked = true;
    requestAnimationFrame(() => {
      this.isAsked = false;
      this.draw();
    });
  }

  draw() {
    if (!this.width) return;
    this.redraws++;
    const size = { width: this.width, height: this.height }, view = this.view ?? this.axis.whole;
    const plan = planOf(this.layers, view, size, this.options), step = this.axis.step * Math.abs(plan.x.at(1) - plan.x.at(0));
    this.plan = plan;
    const held = document.activeElement instanceof SVGElement && this.drawn.contains(document.activeElement) ? document.activeElement.dataset.rule : undefined;
    this.svg.setAttribute("width", String(size.width));
    this.svg.setAttribute("viewBox", `0 0 ${size.width} ${size.height}`);
    const hasAxes = this.xs.length > 0 || this.options.domain !== undefined;
    this.drawn.replaceChildren(...(hasAxes ? [...yAxes(plan), ...xAxisNodes(this.options.x, this.axis, plan, this.options.xText, this.xs)] : []), ...plan.panes.map((pane) => {
      const place = { ruleNames: [], at: (/** @type {X} */ x) => plan.x.at(this.axis.position(x)), y: pane.y, step, width: plan.width, height: pane.height, yText: pane.yText, dragged: this.dragged };
      return s("svg", { x: plan.left, y: pane.top, width: plan.width, height: pane.height, class: "pane" },
        ...pane.shown.flatMap(({ known, data }) => KINDS[known.layer.type].draw(known.layer, data, place)));
    }));
    if (this.isKnown && !this.xs.length && this.options.empty) this.drawn.append(s("text", { class: "empty", x: size.width / 2, y: size.height / 2, "text-anchor": "middle" }, this.options.empty));
    if (held !== undefined) /** @type {SVGElement | null} */ (this.drawn.querySelector(`[data-rule="${CSS.escape(held)}"]`))?.focus();
    say(this.said, sentences([inWords(this.options), t("chart.keys")]));
    if (this.at !== null) this.showCrosshair(null);
  }

  /** Shows only a range of x; null: all. @param {{from: X, to: X} | null} range */
  zoom(range) {
    const half = this.options.x === "category" || this.options.x === "slots" ? 0.5 : 0;
    this.setView(range && [this.axis.position(range.from) - half, this.axis.position(range.to) + half]);
  }

  /** @param {[number, number] | null} view */
  setView(view) {
    const [first, last] = this.axis.whole;
    if (view) {
      const size = Math.max(Math.min(view[1] - view[0], last - first), this.axis.step * 2);
      const from = Math.max(first, Math.min(view[0], last - size));
      view = size >= last - first ? null : [from, from + size];
    }
    this.view = view;
    this.ask();
  }

  /** Makes the shown range longer or shorter, around a pixel or the crosshair. @param {number} factor @param {number} [pixel] */
  scale(factor, pixel) {
    const [from, to] = this.view ?? this.axis.whole;
    const middle = pixel !== undefined ? this.plan.x.back(pixel) : this.at !== null ? this.positions[this.at] : (from + to) / 2;
    this.setView([middle - (middle - from) * factor, middle + (to - middle) * factor]);
  }

  /** @param {number} share of what is shown */
  pan(share) {
    const [from, to] = this.view ?? this.axis.whole, way = (to - from) * share;
    if (this.view) this.setView([from + way, to + way]);
  }

  /** The index of the x nearest to a pixel; null where there is none. @param {number} pixel */
  nearest(pixel) {
    if (!this.positions.length) return null;
    const wanted = this.plan.x.back(pixel), after = firstFrom(this.positions, wanted);
    const isBefore = after > 0 && (after === this.positions.length || wanted - this.positions[after - 1] < this.positions[after] - wanted);
    return isBefore ? after - 1 : after;
  }

  /** Moves the crosshair to the pointer. @param {number | null} pixel @param {number} [height] */
  point(pixel, height) {
    const at = pixel === null || pixel < -8 || pixel > this.plan.width + 8 ? null : this.nearest(pixel);
    this.at = at;
    if (at === null) this.crosshair.hide();
    else this.showCrosshair(height ?? null);
  }

  /** Moves the crosshair by the keyboard, and says what stands there. @param {number} by */
  step(by) {
    const [from, to] = this.view ?? this.axis.whole, first = firstFrom(this.positions, from), last = firstFrom(this.positions, to + this.axis.step * 1e-6) - 1;
    if (last < first) return;
    const start = this.at ?? (by > 0 ? first - 1 : last + 1);
    this.at = Math.max(first, Math.min(last, start + by));
    this.showCrosshair(null);
    const x = this.xs[this.at];
    say(this.live, [this.options.xText(x), ...this.values(x).map(([name, value]) => `${name} ${value}`)].join("; "));
  }

  /** @param {X} x */
  values(x) {
    return valuesAt(this.layers, x, this.axis.position(x), this.textOf);
  }

  /** @param {number | null} height */
  showCrosshair(height) {
    const x = this.xs[this.at ?? -1];
    if (x === undefined) return this.crosshair.hide();
    this.crosshair.show(this.plan, this.plan.x.at(this.axis.position(x)), height, this.options.xText(x), this.values(x));
  }

  /** @param {[number, number] | null} range pixels */
  select(range) {
    this.chosen.replaceChildren(...(range ? [selection(this.plan, range)] : []));
  }

  /** Tells of a range that was chosen. @param {number} start pixel @param {number} end pixel */
  range(start, end) {
    const [from, to] = [Math.min(start, end), Math.max(start, end)].map((pixel) => this.plan.x.back(Math.max(0, Math.min(this.plan.width, pixel))));
    this.options.onRange?.({ from: this.axis.value(from), to: this.axis.value(to) });
  }

  /** @param {number} pixel */
  pick(pixel) {
    const at = this.nearest(pixel);
    if (at !== null) this.options.onPick?.(this.xs[at]);
  }

  /** Enter: what a click on the crosshair's point does; without that, what a drag over the shown range does. */
  enter() {
    if (this.at !== null && this.options.onPick) this.options.onPick(this.xs[this.at]);
    else if (this.view) this.options.onRange?.({ from: this.axis.value(this.view[0]), to: this.axis.value(this.view[1]) });
  }

  /** @param {string} key */
  ruleOf = (key) => this.layers.find(({ layer }) => layer.type === "rule" && keyOf(layer) === key)?.layer;

  /** @param {string} key @param {number} height pixel */
  dragRule(key, height) {
    const rule = this.ruleOf(key), pane = this.plan.panes.find(({ axis }) => axis === (rule?.axis ?? "left"));
    if (!rule || !pane) return;
    const y = pane.y.back(Math.max(0, Math.min(pane.height, height - pane.top)));
    this.dragged = { key, y: rule.grain ? Math.round(y / rule.grain) * rule.grain : y };
    this.ask();
  }

  /** @param {string} key @param {number} grains */
  moveRule(key, grains) {
    const rule = this.ruleOf(key), { from, to } = this.plan.panes[0].y;
    if (!rule) return;
    const y = this.dragged?.key === key ? this.dragged.y : Number(rule.y);
    this.dragged = { key, y: y + grains * (rule.grain ?? (to - from) / 100) };
    this.ask();
  }

  dropRule() {
    const { dragged } = this;
    this.keepRule();
    if (dragged) this.ruleOf(dragged.key)?.onDrag?.(dragged.y);
  }

  keepRule() {
    this.dragged = null;
    this.ask();
  }

  /** Rows of text of what is shown, the head first: for a CSV and the table. @returns {string[][]} */
  lines() {
    const [from, to] = this.view ?? this.axis.whole;
    return linesOf(this.layers, this.xs.filter((_, index) => this.positions[index] >= from && this.positions[index] <= to), this.options, this.textOf);
  }

  /** The chart leaves the page. */
  close() {
    this.observer.disconnect();
  }

  showTable() {
    showTable(this.options.label, inWords(this.options), this.lines());
  }
}
