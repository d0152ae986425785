"""`rex export`: writes a year's files into a folder. The folder appears with all its files, or not at all.

All of them are exact at one position of the read database.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from hashlib import file_digest
from pathlib import Path
from typing import BinaryIO, Literal, NamedTuple, get_args

from sqlalchemy.ext.asyncio import AsyncConnection

from services.data.calendar import TradingCalendar
from services.files.data_folder import FILE_MODE
from services.files.new_folder import new_folder
from services.journal import Journal
from services.reporting.checked_report import build_checked
from services.reporting.exports import datapackage
from services.reporting.exports.audit_trail import AuditTrail
from services.reporting.exports.csv_file import csv_bytes, csv_text_of, header_row_of
from services.reporting.exports.datapackage import Resource
from services.reporting.exports.parquet_file import ParquetFile, StreamedColumns, parquet_bytes
from services.reporting.exports.pdf_file import monthly_pdf, year_pdf
from services.reporting.exports.reading import read_trade_count, stream_trades
from services.reporting.exports.seal import Seal
from services.reporting.exports.streams import AUDIT_TRAIL, TRADES, RowMaker
from services.reporting.exports.turnover_sheet import preamble
from services.reporting.exports.xlsx_file import HEADER_ROW, xlsx_bytes
from services.reporting.exports.year_data import YearData, read_year_data
from services.reporting.exports.year_sheets import YEAR_CHART, year_sheets
from services.reporting.schemas import Discrepancy
from services.reporting.sheet import Sheet
from services.venue.at_rest import AtRest, ReadFrom, at_rest

Format = Literal["csv", "json", "parquet", "pdf", "xlsx"]
FORMATS: tuple[Format, ...] = get_args(Format)

OnProgress = Callable[[str, int, int], None]
"""Is called with a file's name, how much of it is done, and how much there is."""


class ExportRefused(OSError):
    """A file cannot be written. The message is a sentence; nothing of the export is left."""


class Export(NamedTuple):
    """What was written."""

    folder: Path
    seal: Seal
    checked: str
    resources: tuple[Resource, ...]
    discrepancies: tuple[Discrepancy, ...]
    """What the report says that disagrees: the files have it, too."""


async def export_year(
    place: str | Path,
    year: int,
    folder: Path,
    formats: frozenset[Format],
    on_progress: OnProgress,
    calendar_file: Path | None = None,
) -> Export:
    """Writes the year's files of these formats into `folder`, which must not exist, or be empty.

    `place` is a data folder or a PostgreSQL URL. Raises FolderRefused, ExportRefused, and what `at_rest` and
    `AtRest.with_read_database` raise.
    """
    calendar = TradingCalendar.load(calendar_file)

    async def work(venue: AtRest, read: ReadFrom) -> Export:
        with new_folder(folder) as unfinished:
            writer = _Writer(unfinished, folder, on_progress)
            data = await _write_from_database(writer, read, year, calendar, formats)
            if "parquet" in formats:
                await _write_audit_trail(writer, data, venue.journal)
                for sheet in data.sheets():
                    writer.add(
                        f"{sheet.name}-{year}.parquet", f"{sheet.en} {sheet.zh}", parquet_bytes(sheet, data.seal), sheet
                    )
            checked = _checked(read, data, formats)
            writer.write(datapackage.NAME, datapackage.datapackage_bytes(year, data.seal, checked, writer.resources))
        return Export(folder, data.seal, checked, tuple(writer.resources), data.report.discrepancies)

    async with at_rest(place) as venue:
        return await venue.with_read_database(partial(work, venue))


async def _write_from_database(
    writer: _Writer, read: ReadFrom, year: int, calendar: TradingCalendar, formats: frozenset[Format]
) -> YearData:
    """Writes what is read from the read database, in one transaction: all of it is of one position."""
    async with read.database.connect() as connection:
        with read.damage_named():
            data = await read_year_data(
                connection, year, calendar, lambda found: build_checked(read, year, found, calendar)
            )
            _write_reports(writer, data, formats)
            if "parquet" in formats:
                await _write_trades(writer, data, connection)
    return data


def _checked(read: ReadFrom, data: YearData, formats: frozenset[Format]) -> str:
    """What was read for the export and what of it was checked, in sentences."""
    rows = f"For the audit trail every row up to seq {data.seal.seq:,} was read back. " if "parquet" in formats else ""
    prove = f"`rex report {data.report.year} --prove` does that, and compares."
    return f"Read from {read.name}. {read.journal_read} {rows}No command was re-executed: {prove}"


def _write_reports(writer: _Writer, data: YearData, formats: frozenset[Format]) -> None:
    year, report, seal = data.report.year, data.report, data.seal
    if "json" in formats:
        document = json.dumps(report.to_json(), ensure_ascii=False, indent=1) + "\n"
        writer.add(f"turnover-{year}.json", "The year's report", document.encode())
        document = json.dumps(data.breakdown_json(), ensure_ascii=False, indent=1) + "\n"
        writer.add(f"breakdown-{year}.json", "What the turnover is made of", document.encode())
    if "csv" in formats:
        turnover, *others = data.sheets()
        title = f"{turnover.en} {turnover.zh}"
        writer.add(f"turnover-{year}.csv", title, csv_text_of(turnover, preamble(report)).encode(), turnover)
        for sheet in others:
            writer.add(f"{sheet.name}-{year}.csv", f"{sheet.en} {sheet.zh}", csv_bytes(sheet, seal), sheet)
    if "xlsx" in formats:
        made = xlsx_bytes(f"REX turnover {year}", year_sheets(report.to_json()), seal, (YEAR_CHART,))
        writer.add(f"turnover-{year}.xlsx", "The year's report", made)
        made = xlsx_bytes(f"REX bulletins {year}", data.bulletin_sheets(), seal)
        writer.add(f"bulletins-{year}.xlsx", "Daily and monthly bulletins", made)
        made = xlsx_bytes(f"REX breakdown {year}", data.breakdown_sheets(), seal)
        writer.add(f"breakdown-{year}.xlsx", "What the turnover is made of", made)
    if "pdf" in formats:
        writer.add(f"turnover-{year}.pdf", "The year's report", year_pdf(report))
        for bulletin in data.monthly:
            writer.add(f"bulletin-{bulletin.month}.pdf", f"Monthly bulletin {bulletin.month}", monthly_pdf(bulletin))


async def _write_trades(writer: _Writer, data: YearData, connection: AsyncConnection) -> None:
    name, year = f"trades-{data.report.year}.parquet", data.report.year
    count, rows = await read_trade_count(connection, year), RowMaker(data.market.instruments, data.market.names)
    with writer.streamed(name, "Every trade of the year", TRADES, data.seal) as file:
        async for part in stream_trades(connection, year * 10_000, year * 10_000 + 9_999):
            file.add(rows.trades(part))
            writer.on_progress(name, file.rows_added, count)


async def _write_audit_trail(writer: _Writer, data: YearData, journal: Journal) -> None:
    name, to_seq = f"audit-trail-{data.report.year}.parquet", data.seal.seq
    trail, rows = AuditTrail(data.report.year), RowMaker(data.market.instruments, data.market.names)
    with writer.streamed(name, "Every order event of the year", AUDIT_TRAIL, data.seal) as file:
        async for batch in journal.read(0):
            if batch.first_seq > to_seq:
                break
            file.add(rows.audit(trail.take(batch, to_seq)))
            writer.on_progress(name, batch.last_seq, to_seq)


class _Writer:
    """Writes files into the unfinished folder, and remembers what the descriptor says of them."""

    def __init__(self, unfinished: Path, folder: Path, on_progress: OnProgress) -> None:
        self._unfinished, self._folder = unfinished, folder
        self.on_progress = on_progress
        self.resources: list[Resource] = []

    def add(self, name: str, title: str, data: bytes, sheet: Sheet | None = None) -> None:
        """Writes a file; one that is a table of one sheet is described by its columns."""
        self.write(name, data)
        columns, rows = ((), None) if sheet is None else (sheet.columns, len(sheet.rows))
        header_row = header_row_of(data) if name.endswith(".csv") else HEADER_ROW if name.endswith(".xlsx") else None
        self.resources.append(Resource(name, title, len(data), datapackage.digest_of(data), columns, rows, header_row))

    def write(self, name: str, data: bytes) -> None:
        """Writes a file and waits until it is on the device."""
        self.on_progress(name, 0, 1)
        with self._opened(name) as file:
            file.write(data)
        self.on_progress(name, 1, 1)

    @contextmanager
    def streamed(self, name: str, title: str, stream: StreamedColumns, seal: Seal) -> Iterator[ParquetFile]:
        """A Parquet file that is written part by part."""
        self.on_progress(name, 0, 1)
        with self._opened(name) as file:
            parquet = ParquetFile(file, stream, seal, title)
            try:
                yield parquet
                parquet.close()
            except BaseException:
                parquet.abandon()
                raise
        with (self._unfinished / name).open("rb") as written:
            digest = file_digest(written, "sha256").hexdigest()
            size = os.fstat(written.fileno()).st_size
        self.resources.append(Resource(name, title, size, digest, stream.columns(), parquet.rows_added))

    @contextmanager
    def _opened(self, name: str) -> Iterator[BinaryIO]:
        try:
            descriptor = os.open(
                self._unfinished / name, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, FILE_MODE
            )
            with os.fdopen(descriptor, "wb") as file:
                yield file
                file.flush()
                os.fsync(descriptor)
        except OSError as error:
            raise _refusal(self._folder, f"writing {name} failed", error) from error


def _refusal(folder: Path, what: str, error: OSError) -> ExportRefused:
    reason = error.strerror or str(error)
    return ExportRefused(f"Nothing was exported to {folder}: {what}: {reason}. Nothing of it is left there.")
