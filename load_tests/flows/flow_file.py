"""Reads and checks a whole flow file, plain, .gz or .xz. The header line decides which of the two formats it is."""

from __future__ import annotations

import csv
import gzip
import lzma
import zlib
from collections.abc import Callable, Iterator, Mapping
from itertools import islice
from pathlib import Path
from typing import TextIO

from load_tests.flows import flow_csv, recorded
from load_tests.flows.flow_csv import BadRow
from load_tests.flows.flow_message import Flow, FlowError, FlowInstrument

RECORDED_SYMBOL = "PRND-MET"
"""The default instrument of a recorded flow: its band has the most ticks."""

_PROGRESS_EVERY = 10_000


def read_flow(
    path: Path,
    instruments: Mapping[str, FlowInstrument],
    *,
    recorded_symbol: str = RECORDED_SYMBOL,
    limit: int | None = None,
    on_progress: Callable[[int], None] = lambda _rows: None,
) -> Flow:
    """Reads the file's first `limit` messages (default: all), in order.

    Calls `on_progress` with the number of rows read, every _PROGRESS_EVERY rows. Raises FlowError, with the line, for a file
    that cannot be read and for a bad row.
    """
    try:
        with _open_text(path) as file:
            reader = csv.reader(file, strict=True)
            try:
                return _read(path, reader, _counted(reader, on_progress), instruments, recorded_symbol, limit)
            except (BadRow, csv.Error) as error:
                raise FlowError(path, str(error), reader.line_num) from error
    except FileNotFoundError as error:
        raise FlowError(path, "no such flow file") from error
    except UnicodeDecodeError as error:
        raise FlowError(path, "is not UTF-8 text") from error
    except (OSError, EOFError, lzma.LZMAError, zlib.error) as error:
        raise FlowError(path, f"cannot be read: {error}") from error


def _read(
    path: Path,
    reader: Iterator[list[str]],
    rows: Iterator[list[str]],
    instruments: Mapping[str, FlowInstrument],
    recorded_symbol: str,
    limit: int | None,
) -> Flow:
    header = tuple(next(reader, ()))
    if not header:
        raise FlowError(path, "the file is empty")
    if header == flow_csv.HEADER:
        return Flow(path.name, list(islice(flow_csv.parse_rows(rows, instruments), limit)))
    if header == recorded.HEADER:
        if recorded_symbol not in instruments:
            raise FlowError(path, f"the venue lists no {recorded_symbol!r} to map this recording to")
        recorded_rows = [recorded.parse_recorded_row(row) for row in rows if row]
        messages, skipped = recorded.to_messages(recorded_rows, instruments[recorded_symbol])
        return Flow(path.name, messages[:limit], dict(skipped))
    raise BadRow(f"the header is neither {','.join(flow_csv.HEADER)} nor {','.join(recorded.HEADER)}")


def _counted(reader: Iterator[list[str]], on_progress: Callable[[int], None]) -> Iterator[list[str]]:
    for number, row in enumerate(reader, start=1):
        if number % _PROGRESS_EVERY == 0:
            on_progress(number)
        yield row


def _open_text(path: Path) -> TextIO:
    if path.suffix == ".xz":
        return lzma.open(path, "rt", encoding="utf-8", newline="")
    if path.suffix == ".gz":
        return gzip.open(path, "rt", encoding="utf-8", newline="")
    return path.open(encoding="utf-8", newline="")
