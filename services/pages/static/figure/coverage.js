// How often the year ended within P10 and P90, in percent of 1,000 simulated years, as docs/forecast.md has it (the mean of the
// seeds 1, 2 and 3). A test compares these numbers with that page.

export const DAYS = [20, 60, 121, 182, 220];

/** @typedef {{generator: "base" | "hard" | "broken", past: number, percent: (number | null)[]}} Measured */

/** @type {Measured[]} */
export const MEASURED = [
  { generator: "base", past: 0, percent: [75, 85, 83, 83, 86] },
  { generator: "base", past: 1, percent: [79, 79, 82, 83, 85] },
  { generator: "base", past: 3, percent: [83, 84, 84, 84, 85] },
  { generator: "hard", past: 0, percent: [null, 71, 73, 76, null] },
  { generator: "hard", past: 3, percent: [null, 77, 78, 80, null] },
  { generator: "broken", past: 0, percent: [null, 69, 70, 74, null] },
  { generator: "broken", past: 3, percent: [null, 71, 73, 77, null] },
];
