// Prometheus' text format: samples by name, and what follows from a histogram between two readings.

/**
 * @typedef {{name: string, labels: Record<string, string>, value: number}} Sample
 * @typedef {{le: number, count: number}[]} Histogram cumulative counts, by rising bound in seconds; the last is infinite
 */

const LINE = /^([a-zA-Z_:][\w:]*)(?:\{(.*)\})? (\S+)/;
const LABEL = /([a-zA-Z_]\w*)="((?:[^"\\]|\\.)*)"/g;
const ESCAPES = /** @type {Record<string, string>} */ ({ n: "\n", "\\": "\\", '"': '"' });

/** @param {string} text @returns {Sample[]} */
export function parse(text) {
  const found = [];
  for (const line of text.split("\n")) {
    const match = line.startsWith("#") ? null : LINE.exec(line);
    if (!match) continue;
    const labels = /** @type {Record<string, string>} */ ({});
    for (const [, name, value] of (match[2] ?? "").matchAll(LABEL)) labels[name] = value.replace(/\\(.)/g, (_, sign) => ESCAPES[sign] ?? sign);
    found.push({ name: match[1], labels, value: numberOf(match[3]) });
  }
  return found;
}

/** @param {string} text */
const numberOf = (text) => (text === "+Inf" ? Infinity : text === "-Inf" ? -Infinity : Number(text));

/** The sum of all samples of a name, of those with these labels; null: there is none.
 * @param {Sample[]} samples @param {string} name @param {(labels: Record<string, string>) => boolean} [which] */
export function sumOf(samples, name, which = () => true) {
  const found = samples.filter((sample) => sample.name === name && which(sample.labels));
  return found.length ? found.reduce((sum, { value }) => sum + value, 0) : null;
}

/** @param {Sample[]} samples @param {string} name without `_bucket` @returns {Histogram} */
export const histogramOf = (samples, name) =>
  samples.filter((sample) => sample.name === `${name}_bucket`).map(({ labels, value }) => ({ le: numberOf(labels.le), count: value })).sort((a, b) => a.le - b.le);

/** What came after `before`; all of `now` where the process has begun anew. @param {Histogram} now @param {Histogram} before @returns {Histogram} */
export function since(now, before) {
  if (before.length !== now.length || (before.at(-1)?.count ?? 0) > (now.at(-1)?.count ?? 0)) return now;
  return now.map(({ le, count }, index) => ({ le, count: count - before[index].count }));
}

/** The bound below which this part of the observations lies, in seconds; null without any.
 * @param {Histogram} histogram @param {number} part for example 0.99 */
export function quantile(histogram, part) {
  const all = histogram.at(-1)?.count ?? 0;
  if (!all) return null;
  return histogram.find(({ count }) => count >= all * part)?.le ?? Infinity;
}

/** Observations of each bucket alone. @param {Histogram} histogram */
export const buckets = (histogram) =>
  histogram.map(({ le, count }, index) => ({ le, count: count - (histogram[index - 1]?.count ?? 0) }));
