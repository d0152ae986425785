// How numbers and times are shown. A short form always stands beside, or has as its title, the exact one.

import { text, units } from "./decimal.js";
import { page } from "./page.js";
import { t } from "./words.js";

const ZONE = "Asia/Shanghai";

/** "1234567.00" → "1,234,567.00". @param {string | number} decimal */
export const grouped = (decimal) => String(decimal).replace(/\B(?<!\.\d*)(?=(\d{3})+(?!\d))/g, ",");

/** A number, or a dash where there is none. @param {string | number | null | undefined} decimal */
export const number = (decimal) => (decimal === null || decimal === undefined ? "–" : grouped(decimal));

/** Exact yuan: "¥ 1,234,567.00". @param {string | null | undefined} yuan */
export const money = (yuan) => (yuan === null || yuan === undefined ? "–" : `¥ ${grouped(yuan)}`.replace("¥ -", "−¥ "));

const SHORT = page.lang === "zh"
  ? [[10n ** 8n, "亿"], [10n ** 4n, "万"]]
  : [[10n ** 9n, "bn"], [10n ** 6n, "m"], [10n ** 3n, "k"]];

/** Short yuan with three digits or more: "¥ 6.40 bn", "¥ 64.0 亿". @param {string | null | undefined} yuan */
export function short(yuan) {
  if (yuan === null || yuan === undefined) return "–";
  const value = units(yuan), size = value < 0n ? -value : value, sign = value < 0n ? "−" : "";
  for (const [factor, name] of /** @type {[bigint, string][]} */ (SHORT)) {
    if (size < factor * 1_000_000n) continue;
    const scaled = size / factor, places = scaled < 10_000_000n ? 2 : scaled < 100_000_000n ? 1 : 0;
    return `${sign}¥ ${grouped(text(scaled, places))} ${name}`;
  }
  return `${sign}¥ ${grouped(text(size, 0))}`;
}

/** Behind a number: "27.8 %", in Chinese "27.8%". */
export const PERCENT = page.lang === "zh" ? "%" : " %";

/** "0.2783" → "27.8 %". @param {string | null | undefined} share @param {number} [places] */
export const percent = (share, places = 1) =>
  share === null || share === undefined ? "–" : `${grouped(text(units(share) * 100n, places)).replace("-", "−")}${PERCENT}`;

/** @param {Intl.DateTimeFormatOptions} options */
const zoned = (options) => new Intl.DateTimeFormat("en-GB", { timeZone: ZONE, hourCycle: "h23", ...options });
const CLOCK = zoned({ hour: "2-digit", minute: "2-digit", second: "2-digit" });
const MINUTE = zoned({ hour: "2-digit", minute: "2-digit" });
const DAY = new Intl.DateTimeFormat("en-CA", { timeZone: ZONE, year: "numeric", month: "2-digit", day: "2-digit" });

/** "14:03:07" in Asia/Shanghai. @param {string | number} at an ISO time or milliseconds */
export const clock = (at) => CLOCK.format(new Date(at));
/** "14:03". @param {string | number} at */
export const minute = (at) => MINUTE.format(new Date(at));
/** "2026-11-27" in Asia/Shanghai. @param {string | number} at */
export const day = (at) => DAY.format(new Date(at));
/** "2026-11-27 14:03:07 UTC+8". @param {string | number} at */
export const stamp = (at) => `${day(at)} ${clock(at)} UTC+8`;

/** When a date begins in Asia/Shanghai, in milliseconds. @param {string} date */
export const midnight = (date) => Date.parse(`${date}T00:00:00+08:00`);

/** A trading date on an axis of time: its noon in Asia/Shanghai. @param {string} date */
export const noon = (date) => Date.parse(`${date}T12:00:00+08:00`);

/** "15 h 19 min", "4 min 07 s", "12 s". @param {number} ms */
export function duration(ms) {
  const s = Math.max(0, Math.round(ms / 1000)), two = (/** @type {number} */ n) => String(n).padStart(2, "0");
  if (s >= 86_400) return t("duration.days", { days: Math.floor(s / 86_400), hours: Math.floor((s % 86_400) / 3600) });
  if (s >= 3600) return t("duration.hours", { hours: Math.floor(s / 3600), minutes: two(Math.floor((s % 3600) / 60)) });
  if (s >= 60) return t("duration.minutes", { minutes: Math.floor(s / 60), seconds: two(s % 60) });
  return t("duration.seconds", { seconds: s });
}
