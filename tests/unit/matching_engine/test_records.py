"""`records.py` and what is generated from it agree, and the layouts of a format do not change."""

from __future__ import annotations

import hashlib
import re
import shutil
from enum import IntEnum, IntFlag
from pathlib import Path

import numpy as np
import pytest

import mirror_records
from matching_engine import faults, record_rows, records
from matching_engine.book import orders, price_levels
from matching_engine.ledger import accounts, client_ids, day_trades, fees, instruments, phases, turnover
from matching_engine.records import Command, Event, layout_in, pack_commands, unpack_commands, unpack_events
from matching_engine.rules import expiries, touched_levels

PACKAGE = Path(records.__file__).parent

C_TYPES = {
    "unsigned char": "u1",
    "unsigned short": "<u2",
    "unsigned int": "<u4",
    "int": "<i4",
    "unsigned long long": "<u8",
    "long long": "<i8",
}


def c_enums(file: str) -> dict[str, dict[str, int]]:
    """The named enums of a .pxd: {enum: {member: number}}."""
    text = (PACKAGE / file).read_text()
    blocks = re.findall(r"^cdef enum (\w+):\n((?:    (?:\w+ = \d+|#.*)\n)+)", text, re.M)
    return {name: {m: int(n) for m, n in re.findall(r"^ +(\w+) = (\d+)", body, re.M)} for name, body in blocks}


def c_structs(file: str) -> dict[str, np.dtype]:
    """The structs of a .pxd, as the packed dtypes they would be: {struct: dtype}."""
    text = (PACKAGE / file).read_text()
    found = {}
    for name, body in re.findall(r"^cdef struct (\w+):\n((?:    .+\n)+)", text, re.M):
        fields: list[tuple[str, str]] = []
        for line in body.splitlines():
            c_type, field, length = re.fullmatch(r" +(.+?) (\w+)(?:\[(\d+)\])?", line).groups()  # type: ignore[union-attr]
            fields.append((field, f"S{length}" if length else C_TYPES[c_type]))
        found[name] = np.dtype(fields)
    return found


def python_enums(module: object) -> dict[str, dict[str, int]]:
    kinds = [kind for kind in vars(module).values() if isinstance(kind, type) and issubclass(kind, (IntEnum, IntFlag))]
    return {
        kind.__name__: {n: m.value for n, m in kind.__members__.items()}
        for kind in kinds
        if kind not in (IntEnum, IntFlag)
    }


TWICE = ("MASS_CANCEL", "INSTRUMENT_DELISTED")
"""Names of reasons that a command or an event has, too."""


def test_codes_are_the_same_in_c() -> None:
    codes = python_enums(records)
    # C has one space of names for the members of all enums: there these reasons have names that end with _REASON.
    for name in TWICE:
        assert codes["Reason"].pop(name) == records.Reason[name]
    assert c_enums("records.pxd") == codes
    assert c_enums("faults.pxd") == python_enums(faults)


def test_constants_are_the_same_in_c() -> None:
    text = (PACKAGE / "records.pxd").read_text()
    anonymous = re.search(r"^cdef enum:\n((?:    \w+ = \d+\n)+)", text, re.M)
    assert anonymous is not None
    constants = dict(re.findall(r"(\w+) = (\d+)", anonymous[1]))
    constants |= dict(re.findall(r"#define REX_(\w+) (\w+)ll", text))
    known = vars(records) | {f"{name}_REASON": records.Reason[name] for name in TWICE}
    assert {name: int(value, 0) for name, value in constants.items()} == {name: known[name] for name in constants}
    assert len(constants) >= 8


@pytest.mark.parametrize("name", ["Command", "Event", "BookCommand", "BookEvent"])
def test_layouts_are_the_same_in_c(name: str) -> None:
    dtype = vars(records)[re.sub(r"(?<!^)([A-Z])", r"_\1", name).upper()]
    assert c_structs("records.pxd")[f"{name}Row"] == dtype


@pytest.mark.parametrize(
    ("kind", "file", "struct"),
    [
        (orders.Order, "book/orders.pxd", "OrderRow"),
        (orders.Last, "book/orders.pxd", "LastRow"),
        (records.BookCommand, "records.pxd", "BookCommandRow"),
        (record_rows.BookEventOut, "records.pxd", "BookEventRow"),
        (price_levels.Level, "book/price_levels.pxd", "LevelRow"),
        (price_levels.Page, "book/price_levels.pxd", "PageRow"),
        (price_levels.Node, "book/price_levels.pxd", "NodeRow"),
        (price_levels.SideOfBook, "book/price_levels.pxd", "SideOfBookRow"),
        (accounts.Account, "ledger/accounts.pxd", "AccountRow"),
        (accounts.Holding, "ledger/accounts.pxd", "HoldingRow"),
        (client_ids.ClientId, "ledger/client_ids.pxd", "ClientIdRow"),
        (day_trades.DayTrade, "ledger/day_trades.pxd", "DayTradeRow"),
        (record_rows.EventOut, "records.pxd", "EventRow"),
        (expiries.Expiry, "rules/expiries.pxd", "ExpiryRow"),
        (fees.FeeRates, "ledger/fees.pxd", "FeeRatesRow"),
        (instruments.Instrument, "ledger/instruments.pxd", "InstrumentRow"),
        (phases.PhaseRule, "ledger/phases.pxd", "PhaseRuleRow"),
        (touched_levels.Touched, "rules/touched_levels.pxd", "TouchedRow"),
        (touched_levels.TableCell, "rules/touched_levels.pxd", "TableCellRow"),
        (turnover.Year, "ledger/turnover.pxd", "YearRow"),
    ],
)
def test_rows_of_pools_are_the_same_in_c(kind: type, file: str, struct: str) -> None:
    assert records.layout(kind) == c_structs(file)[struct]


def test_the_generated_files_are_current() -> None:
    assert list(mirror_records.stale()) == []


def test_a_stale_file_is_named_and_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    engine = tmp_path / "matching_engine"
    shutil.copytree(PACKAGE, engine, ignore=shutil.ignore_patterns("*.so", "__pycache__"))
    monkeypatch.setattr(mirror_records, "ENGINE", engine)
    assert mirror_records.main(["--check"]) == 0
    for file, word in (("faults.pxd", "OVERDRAWN = 6"), ("book/orders.py", "    flags: U8 = 0\n")):
        text = (engine / file).read_text(encoding="utf-8")
        assert word in text
        (engine / file).write_text(text.replace(word, ""), encoding="utf-8")
    assert mirror_records.main(["--check"]) == 1
    named = [line.split()[0] for line in capsys.readouterr().out.splitlines()]
    assert named == ["matching_engine/faults.pxd", "matching_engine/book/orders.pxd"]
    assert mirror_records.main([]) == 0
    assert (engine / "faults.pxd").read_bytes() == (PACKAGE / "faults.pxd").read_bytes()
    assert "flags" not in (engine / "book/orders.pxd").read_text(encoding="utf-8")
    assert mirror_records.main(["--check"]) == 0


def test_a_row_without_a_struct_is_refused(tmp_path: Path) -> None:
    (tmp_path / "rows.pxd").write_text("cdef struct OrderRow:\n    int old\n")
    fields = {"order_id": "U64"}
    written = mirror_records.with_rows(tmp_path / "rows.pxd", {"Order": fields})
    assert written.endswith("cdef struct OrderRow:\n    unsigned long long order_id\n")
    with pytest.raises(SystemExit, match=r"rows.pxd needs one `cdef struct LastRow:`"):
        mirror_records.with_rows(tmp_path / "rows.pxd", {"Last": fields})


@pytest.mark.parametrize("dtype", [records.COMMAND, records.EVENT, records.BOOK_COMMAND, records.BOOK_EVENT])
def test_records_are_little_endian_aligned_and_whole_words(dtype: np.dtype) -> None:
    assert np.dtype(dtype.descr, align=True) == dtype
    assert dtype.itemsize % 8 == 0
    for name in dtype.names or ():
        field, offset = dtype.fields[name][:2]  # type: ignore[index]
        assert field.newbyteorder("<") == field
        assert offset % field.alignment == 0


def test_the_layouts_of_format_2_are_written_down() -> None:
    """Journals hold these bytes, and later versions read them: an added field needs a new RECORD_FORMAT, and BEGAN_IN."""
    dtypes = (layout_in(Command, 2), layout_in(Event, 2), records.BOOK_COMMAND, records.BOOK_EVENT)
    assert [dtype.itemsize for dtype in dtypes] == [160, 104, 48, 48]
    written = repr([dtype.descr for dtype in dtypes])
    assert hashlib.sha256(written.encode()).hexdigest()[:16] == "38e6f7cdfcb196d8"
    assert (layout_in(Command, records.RECORD_FORMAT), layout_in(Event, records.RECORD_FORMAT)) == (
        records.COMMAND,
        records.EVENT,
    )


def test_named_tuples_follow_the_records() -> None:
    assert Command._fields == records.COMMAND.names
    assert Event._fields == records.EVENT.names
    assert records.BookCommand._fields == records.BOOK_COMMAND.names
    assert records.BookEvent._fields == records.BOOK_EVENT.names
    assert Event() == (0,) * 21
    assert Command() == (0,) * 28 + (b"", 0)


def test_packing_is_what_numpy_reads() -> None:
    codes = [field[1] for field in records.COMMAND.descr]
    widest = [2 ** (8 * np.dtype(code).itemsize - (code[1] == "i")) - 1 for code in codes if "S" not in code]
    command = Command._make([*widest[:28], b"abc-\xff", widest[28]])
    data = pack_commands([command, Command()])
    array = np.frombuffer(data, records.COMMAND)
    assert [Command(*row) for row in array.tolist()] == [command, Command()]
    assert list(unpack_commands(data)) == [command, Command()]


def test_events_read_back_from_their_bytes() -> None:
    array = np.zeros(2, records.EVENT)
    for number, name in enumerate(records.EVENT.names or (), start=1):
        array[name] = (number, number + 100)
    first, second = unpack_events(array.tobytes())
    assert (tuple(first), tuple(second)) == (tuple(range(1, 22)), tuple(range(101, 122)))
    assert first.trade_id == (1 << 20) | 13


@pytest.mark.parametrize(
    ("reference", "ppm", "edges"),
    [(1_000, 50_000, (950, 1_050)), (999, 50_000, (950, 1_048)), (1, 999_999, (1, 1)), (10**9, 0, (10**9, 10**9))],
)
def test_the_edges_of_a_band_lie_inside_it(reference: int, ppm: int, edges: tuple[int, int]) -> None:
    assert records.band(reference, ppm) == edges
