// Exact shares and sums of decimal texts, and the columns that many tables have.

import { text, units } from "../app/decimal.js";
import { money, number, percent, short } from "../app/format.js";
import { t } from "../app/words.js";

/** @param {string[]} amounts with two decimals */
export const sum = (...amounts) => text(amounts.map(units).reduce((a, b) => a + b, 0n), 2);

/** @param {string[]} tonnes with three decimals */
export const tonnesSum = (...tonnes) => text(tonnes.map(units).reduce((a, b) => a + b, 0n), 3);

/** "+¥ 3.10 bn" or "−¥ 3.10 bn". @param {string} yuan */
export const signed = (yuan) => (units(yuan) > 0n ? `+${money(yuan)}` : money(yuan));

/** A tiny share is no zero: "< 0.1 %". @param {string | null} share */
export const part = (share) => (share !== null && units(share) > 0n && units(share) < 500n ? "< 0.1 %" : percent(share));

/** A column of exact yuan. @param {string} head @param {(line: any) => string | null} of @returns {import("./table.js").Column} */
export const yuanColumn = (head, of) => ({ head, number: true, cell: (line) => money(of(line)), title: (line) => short(of(line)), csv: of });

/** @param {(line: any) => string | null} of @param {string} [head] @returns {import("./table.js").Column} */
export const shareColumn = (of, head = t("column.share")) => ({ head, number: true, cell: (line) => part(of(line)), title: of, csv: of });

/** @param {string} head @param {(line: any) => string | number | null} of @returns {import("./table.js").Column} */
export const numberColumn = (head, of) => ({ head, number: true, cell: (line) => number(of(line)), csv: of });
