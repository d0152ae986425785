// From values to pixels and back, and where the ticks of an axis stand.

/** @typedef {import("./types.js").X} X */
/** @typedef {import("./types.js").Scale} Scale */

/** A straight scale. @param {number} from @param {number} to @param {number} start pixel of `from` @param {number} end pixel of `to` @returns {Scale} */
export function linear(from, to, start, end) {
  const span = to - from || 1, room = end - start || 1;
  return { from, to, at: (value) => start + ((value - from) / span) * room, back: (pixel) => from + ((pixel - start) / room) * span };
}

/** Round values within a range, in steps of 1, 2 or 5 times a power of ten. @param {number} from @param {number} to @param {number} most @returns {number[]} */
export function ticks(from, to, most) {
  const span = to - from;
  if (!(span > 0) || !Number.isFinite(span)) return [from];
  const rough = span / Math.max(1, most), power = 10 ** Math.floor(Math.log10(rough) + 1e-9);
  const step = power * (/** @type {number} */ ([1, 2, 5, 10].find((factor) => factor * power >= rough * (1 - 1e-9))));
  const found = [];
  for (let number = Math.ceil(from / step - 1e-9); number * step <= to + step * 1e-9; number++) {
    found.push(Number((number * step).toPrecision(12)));
  }
  return found;
}

/** The range that a y axis shows for these values: some room above and below, none below a zero line.
 * @param {number[]} values @param {boolean} zero @returns {[number, number]} */
export function roomy(values, zero) {
  let low = zero ? 0 : Infinity, high = zero ? 0 : -Infinity;
  for (const value of values) {
    if (value < low) low = value;
    if (value > high) high = value;
  }
  if (low > high) return [0, 1];
  if (low === high) return low === 0 ? [0, 1] : [low - Math.abs(low) * 0.01, high + Math.abs(high) * 0.01];
  const room = (high - low) * 0.06;
  return [zero && low === 0 ? 0 : low - room, zero && high === 0 ? 0 : high + room];
}

/**
 * An x axis: values to positions on a number line (a time or number itself; of categories and slots the index), and back.
 * @typedef {object} XAxis
 * @property {(x: X) => number} position
 * @property {(position: number) => X} value
 * @property {[number, number]} whole positions of all that there is
 * @property {number} step the least distance of neighbours
 */

/** @param {"time" | "slots" | "number" | "category"} kind @param {X[]} xs all, each once, in order @param {{from: X, to: X}} [domain] @param {boolean} [broad] bars need half a step of room @returns {XAxis} */
export function xAxis(kind, xs, domain, broad = false) {
  if (kind === "category") return named(xs);
  const numbers = /** @type {number[]} */ (xs);
  if (kind === "slots") return slots(numbers);
  let step = Infinity;
  for (let i = 1; i < numbers.length; i++) step = Math.min(step, numbers[i] - numbers[i - 1]);
  if (!Number.isFinite(step)) step = kind === "time" ? 60_000 : 1;
  const room = broad ? step / 2 : 0, first = numbers[0] ?? 0, last = numbers[numbers.length - 1] ?? 1;
  const whole = domain ? [Number(domain.from), Number(domain.to)] : [first - room, last + room];
  if (whole[0] === whole[1]) [whole[0], whole[1]] = [whole[0] - step / 2, whole[1] + step / 2];
  return { position: Number, value: (position) => position, whole: /** @type {[number, number]} */ (whole), step };
}

/** @param {X[]} keys @returns {XAxis} */
function named(keys) {
  const places = new Map(keys.map((key, index) => [key, index]));
  return {
    position: (x) => places.get(x) ?? -1,
    value: (position) => keys[Math.min(keys.length - 1, Math.max(0, Math.round(position)))],
    whole: [-0.5, Math.max(0.5, keys.length - 0.5)],
    step: 1,
  };
}

/** Times, each as far from the next: nights and lunch breaks take no room. @param {number[]} times @returns {XAxis} */
function slots(times) {
  return {
    position(x) {
      const index = firstFrom(times, Number(x)), before = times[index - 1], after = times[index];
      if (after === undefined || before === undefined || after === x) return Math.min(index, Math.max(0, times.length - 1));
      return index - 1 + (Number(x) - before) / (after - before);
    },
    value: (position) => times[Math.min(times.length - 1, Math.max(0, Math.round(position)))],
    whole: [-0.5, Math.max(0.5, times.length - 0.5)],
    step: 1,
  };
}

/** The index of the first of ascending numbers that is not below `wanted`. @param {number[]} numbers @param {number} wanted */
export function firstFrom(numbers, wanted) {
  let low = 0, high = numbers.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (numbers[middle] < wanted) low = middle + 1;
    else high = middle;
  }
  return low;
}
