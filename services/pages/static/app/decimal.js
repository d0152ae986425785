// Exact arithmetic on the API's decimal texts: no amount passes through a float.

const SCALE = 6;
const UNIT = 10n ** BigInt(SCALE);

/** Millionths. @param {string | number} text a decimal text with at most six decimals, or an integer */
export function units(text) {
  const [, sign, whole, rest = ""] = /^(-?)(\d+)(?:\.(\d{1,6}))?$/.exec(String(text)) ?? fail(text);
  const size = BigInt(whole) * UNIT + BigInt(rest.padEnd(SCALE, "0"));
  return sign ? -size : size;
}

/** @param {unknown} text @returns {never} */
function fail(text) {
  throw new RangeError(`not a decimal: ${text}`);
}

/** A decimal text with `places` decimals, rounded half away from zero. @param {bigint} millionths @param {number} places */
export function text(millionths, places) {
  const step = 10n ** BigInt(SCALE - places), size = millionths < 0n ? -millionths : millionths;
  const digits = String((size + step / 2n) / step).padStart(places + 1, "0");
  const whole = digits.slice(0, digits.length - places), sign = millionths < 0n && /[1-9]/.test(digits) ? "-" : "";
  return sign + whole + (places ? `.${digits.slice(-places)}` : "");
}

/** a ÷ b, rounded half away from zero. @param {bigint} a @param {bigint} b */
function quotient(a, b) {
  const [over, under] = [a < 0n ? -a : a, b < 0n ? -b : b], size = (2n * over + under) / (2n * under);
  return a < 0n === b < 0n ? size : -size;
}

/** a ÷ b as a share with six decimals, rounded as the API rounds; null where b is 0. @param {string} a @param {string} b */
export function ratio(a, b) {
  const below = units(b);
  return below ? text(quotient(units(a) * UNIT, below), SCALE) : null;
}

/** The change from a reference as a share of it, "0.012300"; null without a price or a reference.
 * @param {string | null | undefined} price @param {string | null | undefined} reference */
export function changeOf(price, reference) {
  const base = reference ? units(reference) : 0n;
  return price && base ? text(quotient((units(price) - base) * UNIT, base), SCALE) : null;
}

/** How many decimals a decimal text has. @param {string} decimal */
export const placesOf = (decimal) => (decimal.split(".")[1] ?? "").length;

/** Price × quantity × lot, exact, in millionths. @param {string} price @param {number} quantity */
export const times = (price, quantity) => units(price) * BigInt(quantity);

/** A number for drawing only: pixels need no exactness. @param {string | number | null | undefined} decimal */
export const forDrawing = (decimal) => Number(decimal);
