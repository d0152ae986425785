// Prices of one instrument as whole ticks: small integers that compare, group and draw without floats.

import { placesOf, text, units } from "../app/decimal.js";

export class Ticks {
  /** @param {string} tick the instrument's tick_size, in yuan per unit */
  constructor(tick) {
    this.size = units(tick);
    this.places = placesOf(tick);
    /** @type {Map<string, number>} prices that were seen: a book names the same few again and again */
    this.known = new Map();
  }

  /** Whole ticks of a price on the tick. @param {string} price */
  of(price) {
    let found = this.known.get(price);
    if (found === undefined) {
      found = Number(units(price) / this.size);
      this.known.set(price, found);
    }
    return found;
  }

  /** The price of so many ticks, as the API writes it. @param {number} ticks */
  price(ticks) {
    return text(BigInt(ticks) * this.size, this.places);
  }

  /** The price on the tick nearest to a point of a drawing. @param {number} drawn in yuan */
  nearest(drawn) {
    return this.price(Math.max(1, Math.round((drawn * 1_000_000) / Number(this.size))));
  }
}
