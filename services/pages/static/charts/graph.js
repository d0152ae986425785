// A small graph: who traded with whom. Nodes on a ring, arrows as broad as their weight; the same as a sentence and a table.

import { h } from "../app/dom.js";
import { t } from "../app/words.js";
import { Labels } from "./labels.js";
import { breadthOf } from "./svg.js";
import { px, s } from "./svg.js";
import { showTable } from "./table.js";

/**
 * @typedef {{id: string, label: string, size?: number, className?: string}} Node
 * @typedef {{from: string, to: string, weight?: number, label?: string, className?: string}} Edge
 * @typedef {{x: number, y: number, radius: number, node: Node}} Spot
 * @typedef {{x: number, y: number}} Point
 * @typedef {{a: Point, middle: Point, b: Point, angle: number}} Way from `a` to `b`, bent towards `middle`
 */

const LEAST_R = 7, MOST_R = 16, HEAD = 7, LOOP_R = 9;
/** Where on its way the text of an arrow may stand, the best place first, how far above or below, and how far beside it. */
const SHARES = [0.5, 0.38, 0.62, 0.28, 0.72, 0.18, 0.82], ASIDE = [-7, 17, -15, 25, -23, 33], BESIDE = 8;
/** Between the points of a line that texts avoid: less than a letter is high. */
const INK_PX = 4;

/**
 * Shows a graph in `host`, in place of the one before.
 * @param {Element} host @param {{nodes: Node[], edges: Edge[]}} what
 * @param {{label: string, sentence: () => string, width?: number, height?: number}} options
 */
export function graph(host, { nodes, edges }, { label, sentence, width = 360, height = 220 }) {
  const spots = placed(nodes, width, height), heaviest = Math.max(1e-9, ...edges.map(({ weight = 1 }) => weight));
  const broadOf = (/** @type {Edge} */ { weight = 1 }) => 1 + (4 * weight) / heaviest;
  const inked = edges.flatMap((edge) => inkOf(wayOf(edge, spots), broadOf(edge)));
  const rounds = [...spots.values()].map(({ x, y, radius }) => ({ x, y, width: 2 * radius, height: 2 * radius }));
  const loops = edges.filter(({ from, to }) => from === to).flatMap(({ from }) => spots.get(from) ?? []).map((spot) => ({ ...loopOf(spot), width: 2 * LOOP_R, height: 2 * LOOP_R }));
  const labels = new Labels(width, height, [...rounds, ...loops], inked);
  const circles = [...spots.values()].flatMap((spot) => circle(spot, labels));
  const drawn = edges.flatMap((edge) => arrow(edge, spots, broadOf(edge), labels));
  // Texts last: no line runs over them.
  const [texts, lines] = [[...drawn, ...circles].filter(({ tagName }) => tagName === "text"), [...drawn, ...circles].filter(({ tagName }) => tagName !== "text")];
  const svg = s("svg", { class: "graph", viewBox: `0 0 ${width} ${height}`, width, height, role: "img", "aria-label": `${label}. ${sentence()}` },
    ...lines, ...texts);
  const named = new Map(nodes.map((node) => [node.id, node.label]));
  const rows = [[t("graph.from"), t("graph.to"), t("graph.what")], ...edges.map(({ from, to, label: said, weight }) => [named.get(from) ?? from, named.get(to) ?? to, said ?? String(weight ?? "")])];
  const asTable = h("button", { type: "button", class: "quiet", title: t("chart.table_title"), data: { testid: "chart-as-table" }, onclick: () => showTable(label, sentence(), rows) }, t("chart.table"));
  host.replaceChildren(h("div", { class: "graph-area" }, svg, asTable));
}

/** Places on a ring that fills the picture, the first on the left. @param {Node[]} nodes @param {number} width @param {number} height @returns {Map<string, Spot>} */
function placed(nodes, width, height) {
  const largest = Math.max(1e-9, ...nodes.map(({ size = 1 }) => size)), names = Math.max(0, ...nodes.map(({ label }) => breadthOf(label)));
  const room = Math.max(MOST_R + 4, Math.min(width / 4, names / 2 + 4));
  const angles = nodes.map((_, index) => Math.PI + (2 * Math.PI * index) / nodes.length);
  const across = spread(angles.map(Math.cos), room, width - room), down = spread(angles.map(Math.sin), 34, height - 34);
  return new Map(nodes.map((node, index) => {
    return [node.id, {
      x: across[index], y: down[index],
      radius: LEAST_R + (MOST_R - LEAST_R) * Math.sqrt((node.size ?? 1) / largest), node,
    }];
  }));
}

/** Spreads numbers over a range; those that are all the same stand in its middle. @param {number[]} numbers @param {number} from @param {number} to */
function spread(numbers, from, to) {
  const low = Math.min(...numbers), span = Math.max(...numbers) - low;
  return numbers.map((number) => (span < 1e-6 ? (from + to) / 2 : from + ((number - low) / span) * (to - from)));
}

/** @param {Spot} spot @param {Labels} labels */
function circle({ x, y, radius, node }, labels) {
  const half = breadthOf(node.label) / 2, beside = radius + BESIDE + half;
  const bases = [0, 8, 16, 24].flatMap((away) => [y + radius + 13 + away, y - radius - 5 - away]);
  const name = labels.place(node.label, [
    ...bases.flatMap((base) => [0, -0.5, 0.5].map((share) => ({ x: x + share * half, y: base }))),
    ...[4, -11, 19].flatMap((base) => [beside, -beside].map((aside) => ({ x: x + aside, y: y + base }))),
  ]);
  return [
    s("circle", { class: `node ${node.className ?? ""}`, cx: px(x), cy: px(y), r: px(radius) }, s("title", {}, node.label)),
    s("text", { class: "node-name", x: px(name.x), y: px(name.y), "text-anchor": "middle" }, node.label),
  ];
}

/** The middle of the loop of an arrow that leads to its own node. @param {Spot} spot @returns {Point} */
const loopOf = ({ x, y, radius }) => ({ x, y: y - radius - 7 });

/** A bent arrow, so that the way back is another line; one that leads to its own node is a loop.
 * @param {Edge} edge @param {Map<string, Spot>} spots @param {number} broad @param {Labels} labels @returns {SVGElement[]} */
function arrow({ from, to, label, className = "" }, spots, broad, labels) {
  const start = spots.get(from), way = wayOf({ from, to }, spots);
  if (!start || !spots.has(to)) return [];
  if (!way) return [s("circle", { class: `edge ${className}`, cx: px(start.x), cy: px(loopOf(start).y), r: LOOP_R, "stroke-width": px(broad) })];
  const { a, middle, b, angle } = way;
  const wing = (/** @type {number} */ turn) => `${px(b.x + HEAD * 0.75 * Math.cos(angle + turn))} ${px(b.y + HEAD * 0.75 * Math.sin(angle + turn))}`;
  return [
    s("path", { class: `edge ${className}`, d: `M${px(a.x)} ${px(a.y)}Q${px(middle.x)} ${px(middle.y)} ${px(b.x)} ${px(b.y)}`, "stroke-width": px(broad) }, ...(label ? [s("title", {}, label)] : [])),
    s("path", { class: `head ${className}`, d: `M${px(b.x + HEAD * Math.cos(angle))} ${px(b.y + HEAD * Math.sin(angle))}L${wing(2)}L${wing(-2)}Z` }),
    ...(label ? [edgeName(label, way, labels)] : []),
  ];
}

/** The bent way of an arrow; null of one that leads nowhere else. @param {Edge} edge @param {Map<string, Spot>} spots @returns {Way | null} */
function wayOf({ from, to }, spots) {
  const start = spots.get(from), end = spots.get(to);
  if (!start || !end || start === end) return null;
  const dx = end.x - start.x, dy = end.y - start.y, far = Math.hypot(dx, dy) || 1, bend = Math.min(34, far / 5);
  const middle = { x: (start.x + end.x) / 2 + (dy / far) * bend, y: (start.y + end.y) / 2 - (dx / far) * bend };
  return { a: edgeOf(start, middle, 1), middle, b: edgeOf(end, middle, HEAD + 1), angle: Math.atan2(end.y - middle.y, end.x - middle.x) };
}

/** A point of a way. @param {Way} way @param {number} share of the way */
function pointOf({ a, middle, b }, share) {
  const [first, second, third] = [(1 - share) ** 2, 2 * share * (1 - share), share ** 2];
  return { x: first * a.x + second * middle.x + third * b.x, y: first * a.y + second * middle.y + third * b.y };
}

/** What an arrow covers: its line and its head. @param {Way | null} way @param {number} broad @returns {import("./labels.js").Ink[]} */
function inkOf(way, broad) {
  if (!way) return [];
  const { a, middle, b } = way, count = Math.ceil((Math.hypot(middle.x - a.x, middle.y - a.y) + Math.hypot(b.x - middle.x, b.y - middle.y)) / INK_PX);
  return [...Array.from({ length: count + 1 }, (_, index) => ({ ...pointOf(way, index / count), half: broad / 2 })), { ...b, half: HEAD }];
}

/** The text of an arrow, on its way or beside it. @param {string} label @param {Way} way @param {Labels} labels */
function edgeName(label, way, labels) {
  const points = SHARES.map((share) => pointOf(way, share)), beside = BESIDE + breadthOf(label) / 2;
  const { x, y } = labels.place(label, [
    ...ASIDE.flatMap((aside) => points.map((point) => ({ x: point.x, y: point.y + aside }))),
    ...[1, -1].flatMap((side) => points.map((point) => ({ x: point.x + side * beside, y: point.y + 4 }))),
  ]);
  return s("text", { class: "edge-name", x: px(x), y: px(y), "text-anchor": "middle" }, label);
}

/** The point beside a spot towards another point. @param {Spot} spot @param {{x: number, y: number}} to @param {number} more */
function edgeOf(spot, to, more) {
  const far = Math.hypot(to.x - spot.x, to.y - spot.y) || 1, out = spot.radius + more;
  return { x: spot.x + ((to.x - spot.x) / far) * out, y: spot.y + ((to.y - spot.y) / far) * out };
}
