"""A sheet as CSV: comment lines that begin with # (title, seal, counting rule), then the header, then the rows."""

from __future__ import annotations

import csv
import io

from services.reporting.export import BYTE_ORDER_MARK
from services.reporting.exports.seal import Seal
from services.reporting.exports.sheet import Sheet


def csv_bytes(sheet: Sheet, seal: Seal) -> bytes:
    """UTF-8 with a byte order mark, as the CSV of the turnover report; a missing value is an empty cell."""
    out = io.StringIO()
    out.write(BYTE_ORDER_MARK)
    # Written without the csv module, which may quote: readers that skip comments look for # as a line's first character.
    out.writelines(f"# {' '.join(line.split())}\r\n" for line in (f"REX {sheet.en} {sheet.zh}", *seal.lines()))
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow([column.name for column in sheet.columns])
    writer.writerows(sheet.rows)
    return out.getvalue().encode()
