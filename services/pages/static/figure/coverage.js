// How often the year ended within P10 and P90, in percent of 300 simulated years, as docs/forecast.md has it (the mean of the
// seeds 1 and 2). A test compares these numbers with that page.

export const DAYS = [60, 121, 182, 219, 230, 234];

/** @typedef {{generator: string, past: number, percent: (number | null)[]}} Measured */

/** @type {Measured[]} */
export const MEASURED = [
  { generator: "base", past: 0, percent: [90, 87, 86, 92, 91, null] },
  { generator: "base", past: 3, percent: [88, 87, 84, 82, 84, null] },
  { generator: "volatile", past: 0, percent: [81, 82, 84, 89, 88, null] },
  { generator: "volatile", past: 3, percent: [84, 84, 84, 86, 84, null] },
  { generator: "sticky", past: 0, percent: [78, 80, 82, 84, 86, null] },
  { generator: "sticky", past: 3, percent: [94, 90, 88, 82, 84, null] },
  { generator: "jumps", past: 0, percent: [84, 82, 88, 93, 87, null] },
  { generator: "jumps", past: 3, percent: [86, 86, 88, 84, 82, null] },
  { generator: "two_shifts", past: 0, percent: [72, 74, 79, 90, 89, null] },
  { generator: "two_shifts", past: 3, percent: [70, 72, 76, 81, 84, null] },
  { generator: "random_walk", past: 0, percent: [86, 88, 88, 96, 91, null] },
  { generator: "random_walk", past: 3, percent: [78, 82, 82, 85, 84, null] },
  { generator: "growth_10", past: 0, percent: [82, 80, 86, 92, 91, null] },
  { generator: "growth_10", past: 3, percent: [86, 82, 84, 80, 84, null] },
  { generator: "growth_22", past: 0, percent: [76, 77, 83, 90, 92, null] },
  { generator: "growth_22", past: 3, percent: [79, 82, 82, 84, 86, null] },
  { generator: "strong_year_end", past: 0, percent: [79, 80, 65, 64, 94, null] },
  { generator: "strong_year_end", past: 3, percent: [84, 86, 82, 82, 88, null] },
  { generator: "shuffled_months", past: 0, percent: [88, 81, 84, 86, 84, null] },
  { generator: "shuffled_months", past: 3, percent: [88, 84, 84, 84, 84, null] },
  { generator: "simulated_year", past: 0, percent: [86, 94, 95, 81, 88, 74] },
  { generator: "simulated_year", past: 3, percent: [97, 95, 89, 84, 86, 80] },
];
