// Warehouse receipts of a day, product by product, as its bulletin has them: in, out, and in stock at its end.

import { t, nameOf } from "../app/words.js";
import { numberColumn } from "./amounts.js";
import { showTable } from "./table.js";

/** A bulletin of a month has none. @param {HTMLElement} host @param {any} bulletin */
export function showReceipts(host, bulletin) {
  host.hidden = !bulletin.date;
  if (host.hidden) return;
  showTable(host, {
    name: "receipts", label: t("receipts.title", { date: bulletin.date }), lines: bulletin.products, keyOf: ({ symbol }) => symbol, seal: bulletin,
    columns: [
      { head: t("product"), names: true, cell: (line) => `${line.symbol} ${nameOf(line)}`, csv: ({ symbol }) => symbol },
      numberColumn(t("receipts.in"), ({ received_lots }) => received_lots),
      numberColumn(t("receipts.out"), ({ released_lots }) => released_lots),
      numberColumn(t("receipts.stock"), ({ stock_lots }) => stock_lots),
    ],
  });
}
