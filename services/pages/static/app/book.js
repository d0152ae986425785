// A book kept from pushes of `depth`. It proves itself by the venue's checksum after each of them.

const TABLE = Uint32Array.from({ length: 256 }, (_, byte) => {
  let value = byte;
  for (let bit = 0; bit < 8; bit++) value = value & 1 ? (value >>> 1) ^ 0xedb88320 : value >>> 1;
  return value;
});

/** CRC-32 as in zlib. @param {string} ascii */
export function crc32(ascii) {
  let crc = 0xffffffff;
  for (let i = 0; i < ascii.length; i++) crc = TABLE[(crc ^ ascii.charCodeAt(i)) & 0xff] ^ (crc >>> 8);
  return (crc ^ 0xffffffff) >>> 0;
}

/** @typedef {{price: string, quantity: number, orders: number}} Level */

export class Book {
  constructor() {
    /** @type {Level[]} best first */ this.bids = [];
    /** @type {Level[]} best first */ this.asks = [];
    /** @type {string} */ this.phase = "closed";
    this.seq = 0;
  }

  /** Takes a push. False: the book is not the venue's, so begin anew with a snapshot. @param {import("./feed.js").Push} push */
  take(push) {
    const { data } = push;
    if (push.type === "snapshot") [this.bids, this.asks] = [data.bids, data.asks];
    else {
      if (push.prev_seq !== this.seq) return false;
      this.bids = merged(this.bids, data.bids, -1);
      this.asks = merged(this.asks, data.asks, 1);
    }
    this.phase = data.phase;
    this.seq = push.seq;
    return crc32(checksumText(this.bids, this.asks)) === data.checksum;
  }
}

/** @param {Level[]} levels @param {Level[]} changes @param {1 | -1} order of prices: 1 ascending */
function merged(levels, changes, order) {
  if (!changes.length) return levels;
  const byPrice = new Map(levels.map((level) => [level.price, level]));
  for (const level of changes) {
    if (level.quantity) byPrice.set(level.price, level);
    else byPrice.delete(level.price);
  }
  return [...byPrice.values()].sort((a, b) => order * compared(a.price, b.price));
}

/** Prices of one instrument have as many decimals each: the longer text is the larger number. @param {string} a @param {string} b */
const compared = (a, b) => a.length - b.length || (a < b ? -1 : 1);

/** @param {Level[]} bids @param {Level[]} asks */
const checksumText = (bids, asks) =>
  [bids, asks].map((side) => side.slice(0, 10).map((level) => `${level.price}:${level.quantity}`).join("|")).join("/");
