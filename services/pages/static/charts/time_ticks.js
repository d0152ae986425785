// Ticks of a time axis, by second, minute, hour, day, month and year of Asia/Shanghai.

const ZONE_MS = 8 * 3_600_000; // UTC+8 all year since 1991
const SECOND = 1_000, MINUTE = 60 * SECOND, HOUR = 60 * MINUTE, DAY = 24 * HOUR, MONTH = 30.4 * DAY, YEAR = 365 * DAY;

/** Whether an axis is one of times, which names their zone. @param {import("./types.js").ChartOptions["x"]} kind */
export const isOfTimes = (kind) => kind === "time" || kind === "slots";

/** @type {[number, "clock" | "day" | "month", number][]} about so many ms, the unit, and how many of it */
const STEPS = [
  ...[1, 5, 15, 30].map((count) => step(count * SECOND, "clock", count * SECOND)),
  ...[1, 2, 5, 10, 15, 30].map((count) => step(count * MINUTE, "clock", count * MINUTE)),
  ...[1, 2, 3, 6, 12].map((count) => step(count * HOUR, "clock", count * HOUR)),
  ...[1, 2, 7, 14].map((count) => step(count * DAY, "day", count)),
  ...[1, 2, 3, 6].map((count) => step(count * MONTH, "month", count)),
  ...[1, 2, 5, 10].map((count) => step(count * YEAR, "month", 12 * count)),
];

/** @param {number} about @param {"clock" | "day" | "month"} unit @param {number} count @returns {[number, "clock" | "day" | "month", number]} */
function step(about, unit, count) {
  return [about, unit, count];
}

/** The words of a tick, in the page's language. */
const lang = document.documentElement.lang || "en";
/** @param {Intl.DateTimeFormatOptions} options */
const words = (options) => new Intl.DateTimeFormat(lang === "en" ? "en-GB" : lang, { timeZone: "UTC", ...options });
const DATE = words({ day: "numeric", month: "short" }), MONTH_NAME = words({ month: "short" }), YEAR_NAME = words({ year: "numeric" });
const CLOCK = words({ hour: "2-digit", minute: "2-digit", hourCycle: "h23" }), SECONDS = words({ hour: "2-digit", minute: "2-digit", second: "2-digit", hourCycle: "h23" });

/** @typedef {{at: number, text: string, day?: string, about: number}} Tick `day` stands beside a clock's time where another day begins
 * on the axis; `about`: the size of the step, ms */

/** The tick of a clock's time: midnight is named by its day. @param {number} at ms @param {number} about @returns {Tick} */
export function clockTick(at, about) {
  const local = at + ZONE_MS, day = DATE.format(local);
  return { at, about, day, text: local % DAY === 0 ? day : (about < MINUTE ? SECONDS : CLOCK).format(local) };
}

/**
 * @param {number} from ms @param {number} to ms @param {number} most about so many ticks fit
 * @returns {Tick[]}
 */
export function timeTicks(from, to, most) {
  const [about, unit, count] = STEPS.find(([size]) => (to - from) / size <= most) ?? STEPS[STEPS.length - 1];
  const found = unit === "month" ? months(from, to, count) : even(from, to, unit === "day" ? count * DAY : count);
  return found.map((local) => (unit === "clock" ? clockTick(local - ZONE_MS, about) : { at: local - ZONE_MS, about, text: named(local, unit) }));
}

/** Moments of the zone's clock, written as if they were UTC. @param {number} from @param {number} to @param {number} size */
function even(from, to, size) {
  const found = [];
  for (let local = Math.ceil((from + ZONE_MS) / size) * size; local <= to + ZONE_MS; local += size) found.push(local);
  return found;
}

/** @param {number} from @param {number} to @param {number} count */
function months(from, to, count) {
  const start = new Date(from + ZONE_MS), found = [];
  for (let month = Math.floor((start.getUTCFullYear() * 12 + start.getUTCMonth()) / count) * count; ; month += count) {
    const local = Date.UTC(Math.floor(month / 12), month % 12, 1);
    if (local > to + ZONE_MS) return found;
    if (local >= from + ZONE_MS) found.push(local);
  }
}

/** @param {number} local @param {"day" | "month"} unit */
function named(local, unit) {
  if (unit === "month") return local === Date.UTC(new Date(local).getUTCFullYear(), 0, 1) ? YEAR_NAME.format(local) : MONTH_NAME.format(local);
  return DATE.format(local);
}
