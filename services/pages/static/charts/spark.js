// A small line without axes, beside a number that says the value.

import { px, s } from "./svg.js";

const WIDTH = 84, HEIGHT = 20, EDGE = 2;

/**
 * Shows numbers as a small line in `host`, in place of the one before.
 * @param {Element} host @param {number[]} numbers @param {{label: string, className?: string, width?: number, height?: number}} options
 */
export function spark(host, numbers, { label, className = "", width = WIDTH, height = HEIGHT }) {
  const low = Math.min(...numbers), span = Math.max(...numbers) - low, step = (width - 2 * EDGE) / Math.max(1, numbers.length - 1);
  const points = numbers.map((number, index) =>
    `${px(EDGE + index * step)} ${px(span ? height - EDGE - ((number - low) / span) * (height - 2 * EDGE) : height / 2)}`);
  const last = points[points.length - 1]?.split(" ");
  host.replaceChildren(s("svg", { class: `spark ${className}`, viewBox: `0 0 ${width} ${height}`, width, height, role: "img", "aria-label": label },
    ...(points.length > 1 ? [s("path", { d: `M${points.join("L")}` })] : []),
    ...(last ? [s("circle", { cx: last[0], cy: last[1], r: 1.8 })] : [])));
}
