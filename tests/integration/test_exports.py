"""`rex export`: whole folders, read back and compared with the report; and what happens when something is wrong."""

from __future__ import annotations

import asyncio
import csv
import json
import re
import resource
import shutil
import sqlite3
from collections.abc import Iterable
from contextlib import closing
from datetime import date
from decimal import Decimal
from hashlib import sha256
from pathlib import Path
from typing import Any, NamedTuple

import openpyxl
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pypdf
import pytest
from typer.testing import CliRunner, Result

from matching_engine import Engine
from matching_engine.records import Side
from services.cli import app
from services.commands import administrative as admin
from services.commands.attachments import AccountText, BustText, ControlDeclared, TradesDecided
from services.files.data_folder import JOURNAL_FILE, READ_DATABASE_FILE
from services.files.new_folder import MARK, UNFINISHED
from services.messaging import Submission
from services.processes.exit_codes import ExitCode
from services.read_model.projector import catch_up
from services.reporting.checked_report import report_at_rest
from services.reporting.exports.datapackage import Resource
from services.reporting.exports.folder import ExportRefused, Format, export_year
from services.values.decimals import yuan_text
from tests.integration.postgres_journal import lead
from tests.integration.read_databases import ReadDatabase
from tests.integration.test_reporting_folder import deals, journal_of
from tests.unit.read_model.history import ACCOUNTS, REFERENCE_TICKS, SENDER, History, day_roll, opening, order

EVERY_FILE = {
    "bulletin-2023-01.pdf", "bulletins-2023.xlsx", "daily-2023.csv", "members-2023.csv", "monthly-2023.csv",
    "trades-2023.parquet", "audit-trail-2023.parquet", "turnover-2023.csv", "turnover-2023.json", "turnover-2023.pdf",
    "turnover-2023.xlsx", "breakdown-2023.json", "breakdown-2023.xlsx", "datapackage.json",
}  # fmt: skip
BREAKDOWN = (
    "ladder", "changed_hands", "months", "ranked_members", "concentration", "effects", "fees", "flagged", "year_members",
    "findings",
)  # fmt: skip
TABLES = ("turnover", "daily", "monthly", "members", *BREAKDOWN)
"""Each is a CSV and a Parquet file."""
EVERY_FILE |= {f"{name}-2023.{extension}" for name in TABLES for extension in ("csv", "parquet")}
SEED = opening()
NUMBER = re.compile(r"-?\d+(\.\d+)?")


def days() -> list[list[Submission]]:
    """Two trading days: three trades, of which one is busted, and one in the other product; an order of the third day."""
    magnets = [
        order(2, Side.SELL, REFERENCE_TICKS + 5, 3, instrument=1),
        order(4, Side.BUY, REFERENCE_TICKS + 5, 3, instrument=1),
    ]
    return [
        SEED,
        deals(3),
        [admin.bust_trade(SENDER, (len(SEED) + 2) << 20 | 1, BustText(reason="a mistake"))],
        [day_roll(SENDER, 20230104)],
        magnets,
        [day_roll(SENDER, 20230105), order(2, Side.SELL, REFERENCE_TICKS, 1, client_order_id=b"waits")],
    ]


def make_venue(folder: Path, batches: list[list[Submission]], *, projected: bool = True) -> Path:
    """The folder of a venue that nobody runs."""
    folder.mkdir()
    asyncio.run(journal_of(folder, History(Engine()), batches, projected))
    return folder


@pytest.fixture
def venue(tmp_path: Path) -> Path:
    return make_venue(tmp_path / "venue", days())


def rex(*arguments: str | Path) -> Result:
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


def exported(venue: Path, to: Path, *options: str) -> dict[str, Any]:
    """Exports 2023; what `--json` printed."""
    found = rex("export", "2023", "--to", to, "--data-dir", venue, "--json", *options)
    assert found.exit_code == 0, found.stderr
    document: dict[str, Any] = json.loads(found.stdout)
    return document


def rows_of(path: Path) -> list[dict[str, str]]:
    lines = path.read_text("utf-8-sig").splitlines()
    assert any(line.startswith("# as of seq ") for line in lines)
    return list(csv.DictReader(line for line in lines if not line.startswith("#")))


def total(rows: list[dict[str, str]], name: str) -> Decimal:
    return sum((Decimal(row[name]) for row in rows), Decimal())


def hashes(folder: Path) -> dict[str, str]:
    return {file.name: sha256(file.read_bytes()).hexdigest() for file in folder.iterdir()}


class Whole(NamedTuple):
    """A venue, the folder with all files of its year, and what the export said."""

    venue: Path
    to: Path
    document: dict[str, Any]


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Whole:
    folder = tmp_path_factory.mktemp("whole")
    venue = make_venue(folder / "venue", days())
    return Whole(venue, folder / "out", exported(venue, folder / "out"))


def test_every_file_adds_up_to_the_report(whole: Whole) -> None:
    venue, to, document = whole
    report = asyncio.run(report_at_rest(venue, 2023)).report
    net = Decimal(yuan_text(report.net_fen))
    assert net == Decimal("40000.00") + Decimal("1005") * 3 * Decimal("3.33")
    assert {file.name for file in to.iterdir()} == EVERY_FILE
    assert (document["seq"], document["row_hash"]) == (report.seq, report.row_hash.hex())

    assert json.loads((to / "turnover-2023.json").read_text()) == report.to_json()
    assert total(rows_of(to / "turnover-2023.csv"), "amount_yuan") == net
    daily = rows_of(to / "daily-2023.csv")
    assert total(daily, "turnover") == net
    assert {row["date"] for row in daily} >= {"2023-01-03", "2023-01-04"}
    monthly = rows_of(to / "monthly-2023.csv")
    assert total([row for row in monthly if row["line"] == "product"], "turnover") == net
    members = rows_of(to / "members-2023.csv")
    assert total([row for row in members if row["ranking"] == "bought"], "turnover") == net
    assert total([row for row in members if row["ranking"] == "both"], "turnover") == 2 * net

    sheet = openpyxl.load_workbook(to / "bulletins-2023.xlsx")["Daily bulletins 日行情"]
    heads = [str(cell.value) for cell in sheet[3]]
    place = next(number for number, head in enumerate(heads) if "成交额" in head)
    amounts = [Decimal(str(row[place])) for row in sheet.iter_rows(min_row=4, values_only=True)]
    assert sum(amounts) == net

    trades = pq.read_table(to / "trades-2023.parquet")
    assert pc.sum(trades.filter(pc.is_null(trades["busted_seq"]))["amount"]).as_py() == net
    assert trades.num_rows == 4
    assert set(trades["buyer_name"].to_pylist()) == {"trader 3", "trader 4"}

    pages = pypdf.PdfReader(to / "turnover-2023.pdf").pages
    text = "".join(page.extract_text() for page in pages)
    assert f"{net:,}" in text
    assert "成交额报告" in text


def test_the_audit_trail_is_of_the_journal(whole: Whole) -> None:
    trail = pq.read_table(whole.to / "audit-trail-2023.parquet").drop_columns(["time"]).to_pylist()
    made = [line for line in trail if line["event"] == "trade"]
    busted = [line for line in trail if line["event"] == "bust"]
    report = asyncio.run(report_at_rest(whole.venue, 2023)).report
    assert sum(line["amount"] for line in made) == 2 * Decimal(yuan_text(report.gross_fen))
    assert sum(line["amount"] for line in busted) == 2 * Decimal(yuan_text(report.busted_fen))
    (waiting,) = [line for line in trail if line["client_order_id"] == "waits"]
    assert (waiting["exec_type"], waiting["leaves_lots"], waiting["member"], waiting["symbol"]) == (
        "0",
        1,
        "trader 2",
        "ND-OX",
    )
    assert (waiting["price"], waiting["row_hash"]) == (Decimal("10000.000000"), report.row_hash.hex())
    assert (waiting["key_id"], str(waiting["trading_date"]), waiting["seq"]) == (SENDER.actor, "2023-01-05", report.seq)


def test_the_descriptor_lists_every_file_as_it_is(whole: Whole) -> None:
    _, to, document = whole
    package = json.loads((to / "datapackage.json").read_text())
    listed = {one["path"]: one for one in package["resources"]}
    assert listed.keys() | {"datapackage.json"} == EVERY_FILE
    for path, one in listed.items():
        data = (to / path).read_bytes()
        assert one["hash"] == f"sha256:{sha256(data).hexdigest()}"
        assert one.get("bytes") == (None if one["format"] == "parquet" else len(data))
    for path in (f"{name}-2023.csv" for name in TABLES):
        fields = [field["name"] for field in listed[path]["schema"]["fields"]]
        rows = rows_of(to / path)
        assert fields == (list(rows[0]) if rows else fields)
        assert listed[path]["rows"] == len(rows)
    for path in (f"{name}-2023.parquet" for name in ("trades", "audit-trail", *TABLES)):
        table = pq.read_table(to / path)
        assert [field["name"] for field in listed[path]["schema"]["fields"]] == table.column_names
        assert listed[path]["rows"] == table.num_rows
    assert (package["seq"], package["row_hash"], package["created"]) == tuple(
        document[n] for n in ("seq", "row_hash", "as_of")
    )
    assert "Single-sided" in package["counting_rule"]
    assert "every row up to seq" in package["checked"]
    assert {file["path"]: (file["bytes"], file["sha256"]) for file in document["files"]} == {
        path: ((to / path).stat().st_size, one["hash"].removeprefix("sha256:")) for path, one in listed.items()
    }


def typed(text: str, kind: str) -> object:
    """The value of a cell by the type of its field (Table Schema)."""
    match kind:
        case "integer":
            return int(text)
        case "number":
            return Decimal(text)
        case "date":
            return date.fromisoformat(text)
        case _:
            assert kind == "string"
            return text


def read_by_descriptor(folder: Path, one: dict[str, Any]) -> list[list[object]]:
    """The rows of a CSV, read with nothing but what its resource says. Row numbers count every row, as Table Dialect has it."""
    dialect, schema = one["dialect"], one["schema"]
    text = (folder / one["path"]).read_text("utf-8-sig" if one["encoding"] == "utf-8" else one["encoding"])
    rows = list(csv.reader(text.splitlines(), delimiter=dialect["delimiter"]))
    (header,) = dialect["headerRows"]
    assert all(row[0].startswith(dialect["commentChar"]) for row in rows[: header - 1])
    assert rows[header - 1] == [field["name"] for field in schema["fields"]]
    kinds, missing = [field["type"] for field in schema["fields"]], schema["missingValues"]
    return [
        [None if cell in missing else typed(cell, kind) for cell, kind in zip(row, kinds, strict=True)]
        for row in rows[header:]
    ]


def test_each_table_is_read_by_what_the_descriptor_says(whole: Whole) -> None:
    to = whole.to
    for one in json.loads((to / "datapackage.json").read_text())["resources"]:
        if one["format"] == "csv":
            assert len(read_by_descriptor(to, one)) == one["rows"]
            assert one["rows"] or one["path"] == "findings-2023.csv"
            assert "an apostrophe (') stands before each =" in one["description"]
        elif one["format"] == "xlsx":
            (header,) = one["dialect"]["headerRows"]
            *sheets, _about = openpyxl.load_workbook(to / one["path"]).worksheets
            assert all(sheet.cell(header, 1).value and not sheet.cell(header - 1, 1).value for sheet in sheets)


def cells_of(path: Path) -> list[list[object]]:
    """The rows of a Parquet table, dates and decimals as the CSV has them without closing zeros."""
    rows = pq.read_table(path).to_pylist()
    return [[one.isoformat() if isinstance(one, date) else one for one in row.values()] for row in rows]


def test_every_format_has_the_same_tables(tmp_path: Path) -> None:
    """Goods were taken out, a trade was excluded, two members are under one control, and the second year has one before it."""
    venue = make_venue(tmp_path / "venue", two_years())
    for year in ("2023", "2024"):
        to = tmp_path / year
        found = rex("export", year, "--to", to, "--data-dir", venue, "--formats", "csv,json,parquet,xlsx")
        assert found.exit_code == 0, found.stderr
        sheets = openpyxl.load_workbook(to / f"breakdown-{year}.xlsx").worksheets[:-1]
        for name, sheet in zip(BREAKDOWN, sheets, strict=True):
            rows = texts(row.values() for row in rows_of(to / f"{name}-{year}.csv"))
            stored = pq.read_table(to / f"{name}-{year}.parquet").to_pylist()
            assert rows == texts(row.values() for row in stored) == texts(sheet.iter_rows(min_row=4, values_only=True))
            assert rows, name
        reported = json.loads(rex("report", year, "--data-dir", venue, "--breakdown", "--json").stdout)["breakdown"]
        breakdown = json.loads((to / f"breakdown-{year}.json").read_text())
        assert {name: breakdown[name] for name in reported} == reported
        total = rows_of(to / f"effects-{year}.csv")[-1]
        assert {name: total[name] for name in reported["effects"]["total"]} == reported["effects"]["total"]
        assert {one["name"] for one in breakdown["named_members"]} == {"trader 2", "trader 3"}


def test_a_member_whose_number_is_no_account_has_the_name_of_its_first_account(tmp_path: Path) -> None:
    group, control = 77, ControlDeclared(accounts=(2, 5), reason="one owner", name="Li Na")
    member = [
        admin.open_account(SENDER, AccountText(name="trader 5"), owner=group),
        admin.change_cash(SENDER, 5, 1_000_000_000),
        admin.record(SENDER, control),
    ]
    dealt = [order(2, Side.SELL, REFERENCE_TICKS, 2), order(5, Side.BUY, REFERENCE_TICKS, 2)]
    exported(make_venue(tmp_path / "venue", [SEED, member, dealt]), tmp_path / "out", "--formats", "csv")
    [finding] = rows_of(tmp_path / "out/findings-2023.csv")
    assert (finding["kind"], finding["members"], finding["amount"]) == (
        "common_control",
        "trader 2; trader 5",
        "20000.00",
    )


def two_years() -> list[list[Submission]]:
    decided = TradesDecided(decision="exclude", trade_ids=((len(SEED) + 4) << 20 | 1,), reason="a ring", name="Li Na")
    control = ControlDeclared(accounts=(2, 3), reason="one owner", name="Li Na")
    left = [admin.record(SENDER, decided), admin.record(SENDER, control), admin.change_inventory(SENDER, 2, 0, -7)]
    return [*days(), left, [day_roll(SENDER, 20240102)], deals(1)]


def texts(rows: Iterable[Iterable[object]]) -> list[list[str | None]]:
    """The cells of any format: dates as in a CSV, numbers without closing zeros."""
    return [[as_text(value) for value in row] for row in rows]


def as_text(value: object) -> str | None:
    if isinstance(value, date):
        return value.isoformat()[:10]
    if value is None or value == "":
        return None
    return f"{Decimal(str(value)).normalize():f}" if NUMBER.fullmatch(str(value)) else str(value)


def test_the_stock_of_each_day_is_what_the_engine_holds(tmp_path: Path) -> None:
    """Receipts come in and goods go out on days with trades and without; the stock of a day that has ended is the engine's."""
    history, moved = History(Engine()), [(2, 0, -7), (3, 1, 11), (4, 0, -3)]
    venue = tmp_path / "venue"
    venue.mkdir()
    held: dict[str, list[tuple[str, str, str]]] = {}
    for number, date_number in enumerate((20230103, 20230104, 20230105)):
        of_day = [
            *([] if number else SEED),
            admin.change_inventory(SENDER, *moved[number]),
            *(deals(1) if number != 1 else []),
        ]
        asyncio.run(journal_of(venue, history, [of_day]))
        name = str(date(2023, 1, date_number % 100))
        held[name] = []
        for instrument in (0, 1):
            lots = sum(history.engine.holding(account, instrument)[0] for account in ACCOUNTS)
            came = moved[number][2] if moved[number][1] == instrument else 0
            held[name].append((str(max(came, 0)), str(max(-came, 0)), str(lots)))
        asyncio.run(journal_of(venue, history, [[day_roll(SENDER, date_number + 1)]]))
    exported(venue, tmp_path / "out", "--formats", "csv,parquet")
    columns = ("received_lots", "released_lots", "stock_lots")
    found: dict[str, list[tuple[str, ...]]] = {}
    for row in rows_of(tmp_path / "out/daily-2023.csv"):
        found.setdefault(row["date"], []).append(tuple(row[name] for name in columns))
    assert found == held
    stored = pq.read_table(tmp_path / "out/daily-2023.parquet").to_pylist()
    assert [tuple(str(row[name]) for name in columns) for row in stored] == [
        row for day in held.values() for row in day
    ]


def test_pandas_reads_an_empty_integer_of_a_parquet_table_as_none(whole: Whole) -> None:
    """Without the metadata it makes floats of the column, and NaN of the cell, which Frictionless calls invalid."""
    resources = json.loads((whole.to / "datapackage.json").read_text())["resources"]
    for one in (one for one in resources if one["format"] == "parquet"):
        schema = pq.read_schema(whole.to / one["path"])
        integers = {field["name"] for field in one["schema"]["fields"] if field["type"] == "integer"}
        assert integers == {name for name in schema.names if pa.types.is_integer(schema.field(name).type)}
        nullable = {(column["name"], column["numpy_type"]) for column in schema.pandas_metadata["columns"]}
        assert nullable == {(name, "Int64") for name in integers}, one["path"]


def test_the_same_position_makes_the_same_bytes(whole: Whole, tmp_path: Path) -> None:
    exported(whole.venue, tmp_path / "two")
    assert hashes(whole.to) == hashes(tmp_path / "two")
    assert {oct(file.stat().st_mode & 0o777) for file in whole.to.iterdir()} == {"0o600"}
    assert whole.to.stat().st_mode & 0o777 == 0o700


@pytest.mark.parametrize("trouble", ["missing", "behind", "damaged", "wrong values"])
def test_a_read_database_of_no_use_changes_no_byte(tmp_path: Path, trouble: str) -> None:
    venue, history = tmp_path / "venue", History(Engine())
    venue.mkdir()
    path, early = venue / READ_DATABASE_FILE, tmp_path / "early.sqlite"
    asyncio.run(journal_of(venue, history, days()[:2]))
    shutil.copy(path, early)
    asyncio.run(journal_of(venue, history, days()[2:]))
    tables = ("--formats", "csv,json,parquet")
    exported(venue, tmp_path / "one", *tables)
    match trouble:
        case "missing":
            path.unlink()
        case "behind":
            shutil.copy(early, path)
        case "damaged":
            path.write_bytes(b"nothing of use" * 1000)
        case _:
            with closing(sqlite3.connect(path)) as connection, connection:
                connection.execute("UPDATE daily_turnover SET amount_fen = 'abc' WHERE trades > 0")
    exported(venue, tmp_path / "two", *tables)
    one, two = hashes(tmp_path / "one"), hashes(tmp_path / "two")
    assert one.pop("datapackage.json") != two.pop("datapackage.json"), "it says what was read"
    assert one == two


def test_a_year_without_a_trade_has_its_files(venue: Path, tmp_path: Path) -> None:
    found = rex("export", "2024", "--to", tmp_path / "out", "--data-dir", venue)
    assert found.exit_code == 0, found.stderr
    assert pq.read_table(tmp_path / "out/trades-2024.parquet").num_rows == 0
    assert pq.read_table(tmp_path / "out/audit-trail-2024.parquet").num_rows == 0
    assert rows_of(tmp_path / "out/daily-2024.csv") == []
    assert not list((tmp_path / "out").glob("bulletin-*.pdf"))


def test_only_the_formats_that_were_asked_for(venue: Path, tmp_path: Path) -> None:
    exported(venue, tmp_path / "out", "--formats", "json, pdf")
    assert {file.suffix for file in (tmp_path / "out").iterdir()} == {".json", ".pdf"}
    found = rex("export", "2023", "--to", tmp_path / "other", "--data-dir", venue, "--formats", "docx")
    assert (found.exit_code, (tmp_path / "other").exists()) == (ExitCode.USAGE, False)
    assert "'docx' is no format" in found.stderr


def test_what_exists_is_left_alone(venue: Path, tmp_path: Path) -> None:
    taken = tmp_path / "taken"
    taken.mkdir()
    (taken / "mine.txt").write_text("mine")
    for to in (taken, taken / "mine.txt", venue, Path("/"), Path(".")):
        found = rex("export", "2023", "--to", to, "--data-dir", venue)
        assert (found.exit_code, "that does not exist, or an empty one" in found.stderr) == (1, True)
    assert set(hashes(taken)) == {"mine.txt"}
    missing = rex("export", "2023", "--to", tmp_path / "no/such", "--data-dir", venue)
    assert missing.exit_code == 1
    assert missing.stderr == f"rex: {tmp_path / 'no/such'} cannot be made: there is no folder {tmp_path / 'no'}\n"


def test_what_a_killed_export_left_gives_way(venue: Path, tmp_path: Path) -> None:
    left = tmp_path / f"out{UNFINISHED}"
    left.mkdir()
    for name in (MARK, "turnover-2023.json"):
        (left / name).touch()
    exported(venue, tmp_path / "out", "--formats", "json")
    assert {file.name for file in tmp_path.iterdir()} == {"venue", "out"}
    assert {file.name for file in (tmp_path / "out").iterdir()} == {
        "breakdown-2023.json", "datapackage.json", "turnover-2023.json",
    }  # fmt: skip


def test_a_damaged_journal_ends_the_export_with_a_sentence(venue: Path, tmp_path: Path) -> None:
    with closing(sqlite3.connect(venue / JOURNAL_FILE)) as connection, connection:
        [(first_seq, data)] = connection.execute("SELECT first_seq, data FROM rows ORDER BY first_seq LIMIT 1")
        changed = data[:400] + bytes([data[400] ^ 1]) + data[401:]
        connection.execute("UPDATE rows SET data = ? WHERE first_seq = ?", (changed, first_seq))
    found = rex("export", "2023", "--to", tmp_path / "out", "--data-dir", venue)
    assert (found.exit_code, found.stdout) == (ExitCode.JOURNAL_DAMAGED, "")
    assert "checksum is wrong" in found.stderr
    assert {file.name for file in tmp_path.iterdir()} == {"venue"}


def test_a_journal_without_commands_has_files_of_nothing(tmp_path: Path) -> None:
    make_venue(tmp_path / "venue", [], projected=False)
    document = exported(tmp_path / "venue", tmp_path / "out")
    assert document["seq"] == 0
    assert {file.name for file in (tmp_path / "out").iterdir()} == EVERY_FILE - {"bulletin-2023-01.pdf"}
    assert rows_of(tmp_path / "out/turnover-2023.csv") == []


def room_before(files: Iterable[Resource], file: str) -> int:
    """How long a file may be so that those written before this one fit, and this one, at most half of it, does not."""
    sizes = {one.path: one.bytes for one in files}
    before = [*sizes][: [*sizes].index(file)]
    room = max([sizes[file] // 2, *(sizes[name] for name in before)])
    assert room < sizes[file], f"{file} is no longer than those before it"
    return room


@pytest.mark.parametrize(
    ("formats", "file"),
    [("json", "turnover-2023.json"), ("csv", "daily-2023.csv"), ("xlsx", "turnover-2023.xlsx"),
     ("parquet", "audit-trail-2023.parquet")],
)  # fmt: skip
def test_a_full_device_leaves_nothing_behind(venue: Path, tmp_path: Path, formats: Format, file: str) -> None:
    """Wherever the device is full: in the first file or a later one, also in one that is written part by part."""
    whole = asyncio.run(export_year(venue, 2023, tmp_path / "out", frozenset([formats]), lambda *_: None))
    limit = room_before(whole.resources, file)
    shutil.rmtree(tmp_path / "out")
    before = resource.getrlimit(resource.RLIMIT_FSIZE)

    def fill_device(*_: object) -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit, before[1]))

    try:
        with pytest.raises(ExportRefused) as refused:
            asyncio.run(export_year(venue, 2023, tmp_path / "out", frozenset([formats]), fill_device))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    reason = f"writing {file} failed: File too large"
    assert str(refused.value) == f"Nothing was exported to {tmp_path / 'out'}: {reason}. Nothing of it is left there."
    assert {one.name for one in tmp_path.iterdir()} == {"venue"}


async def fill_database(url: str, folder: Path, *, behind: bool) -> None:
    """The same venue in PostgreSQL."""
    database = ReadDatabase(folder, url)
    await database.make()
    journal = await lead(url)
    history = History(Engine(), journal.journal_id, journal.epoch)
    for number, batch in enumerate(days()):
        if behind and number == 2:
            await catch_up(database.writer(), journal)
        await journal.append(history.batch(batch))
    if not behind:
        await catch_up(database.writer(), journal)
    await journal.close()


@pytest.mark.parametrize("behind", [False, True])
def test_in_postgresql_the_rows_are_those_of_a_folder(
    venue: Path, tmp_path: Path, postgres_url: str, behind: bool
) -> None:
    """With the read database at the journal's end, and behind it."""
    asyncio.run(fill_database(postgres_url, tmp_path, behind=behind))
    formats: frozenset[Format] = frozenset(("csv", "parquet"))
    for place, to in ((venue, tmp_path / "one"), (postgres_url, tmp_path / "two")):
        done = asyncio.run(export_year(place, 2023, to, formats, lambda *_: None))
    assert ("a copy of the read database" in done.checked) == behind
    for name in TABLES:
        assert rows_of(tmp_path / f"one/{name}-2023.csv") == rows_of(tmp_path / f"two/{name}-2023.csv")
    for name in ("trades", "audit-trail", *TABLES):
        one, two = (pq.read_table(tmp_path / to / f"{name}-2023.parquet") for to in ("one", "two"))
        hashes_of_rows = {"row_hash"} & set(one.column_names)  # those of two journals with two ids
        assert one.drop_columns(list(hashes_of_rows)).equals(two.drop_columns(list(hashes_of_rows)))
