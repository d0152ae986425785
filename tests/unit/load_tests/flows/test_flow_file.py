from __future__ import annotations

import gzip
import lzma
from decimal import Decimal
from pathlib import Path

import pytest

from load_tests.flows.flow_csv import HEADER, write_rows
from load_tests.flows.flow_file import read_flow
from load_tests.flows.flow_message import FlowError, FlowInstrument, FlowMessage

MAGNET = FlowInstrument(
    symbol="NDFEB-N52",
    lot_size=100,
    tick_size=Decimal("0.10"),
    reference_price=Decimal("236.00"),
    lower_limit=Decimal("224.20"),
    upper_limit=Decimal("247.80"),
    max_quantity=1000,
)
INSTRUMENTS = {MAGNET.symbol: MAGNET}
HEADER_LINE = ",".join(HEADER)
NEW = "0,new,NDFEB-N52,buy,limit,day,236.10,3,a1"
BUY = FlowMessage(0, "new", "NDFEB-N52", "buy", "limit", "day", "236.10", 3, "a1")


def written(tmp_path: Path, *rows: str, header: str = HEADER_LINE) -> Path:
    path = tmp_path / "flow.csv"
    path.write_text("\n".join([header, *rows, ""]))
    return path


def test_reads_orders_and_their_cancels(tmp_path: Path) -> None:
    path = written(tmp_path, NEW, "4,new,NDFEB-N52,sell,market,ioc,,1,a2", "", "9,cancel,,,,,,,a1")
    assert read_flow(path, INSTRUMENTS).messages == [
        BUY,
        FlowMessage(4, "new", "NDFEB-N52", "sell", "market", "ioc", "", 1, "a2"),
        BUY._replace(time_ms=9, action="cancel"),
    ]


@pytest.mark.parametrize(("suffix", "compress"), [(".xz", lzma.compress), (".gz", gzip.compress)])
def test_reads_compressed_files(tmp_path: Path, suffix: str, compress: object) -> None:
    assert callable(compress)
    path = tmp_path / f"flow.csv{suffix}"
    path.write_bytes(compress(f"{HEADER_LINE}\n{NEW}\n".encode()))
    assert read_flow(path, INSTRUMENTS).messages == [BUY]


def test_an_amend_says_what_changes_and_goes_on_from_the_last_one(tmp_path: Path) -> None:
    path = written(tmp_path, NEW, "1,amend,,,,,236.20,,a1", "2,amend,,,,,,5,a1", "3,cancel,,,,,,,a1")
    first = BUY._replace(time_ms=1, action="amend", price="236.20")
    second = first._replace(time_ms=2, quantity=5)
    assert read_flow(path, INSTRUMENTS).messages == [BUY, first, second, second._replace(time_ms=3, action="cancel")]


def test_what_is_written_reads_back(tmp_path: Path) -> None:
    amended = BUY._replace(time_ms=5, action="amend", price="236.30", quantity=2)
    messages = [BUY, amended, amended._replace(time_ms=7, action="cancel")]
    path = tmp_path / "flow.csv"
    with path.open("w", newline="") as file:
        assert write_rows(file, messages) == 3
    assert read_flow(path, INSTRUMENTS).messages == messages


def test_limit_stops_before_a_later_bad_row(tmp_path: Path) -> None:
    path = written(tmp_path, NEW, "nonsense")
    assert read_flow(path, INSTRUMENTS, limit=1).messages == [BUY]


def test_progress_is_counted_in_rows(tmp_path: Path) -> None:
    path = written(tmp_path, *[NEW.replace("a1", f"a{number}") for number in range(20_005)])
    rows: list[int] = []
    assert len(read_flow(path, INSTRUMENTS, on_progress=rows.append).messages) == 20_005
    assert rows == [10_000, 20_000]


BAD_ROWS = [
    ("0,new,NDFEB-N52,buy,limit,day,236.10,3", "8 fields instead of 9"),
    ("-1,new,NDFEB-N52,buy,limit,day,236.10,3,b", "time_ms '-1' is not a whole number"),
    ("0,replace,NDFEB-N52,buy,limit,day,236.10,3,b", "action 'replace' is none of new, amend and cancel"),
    ("0,new,GOLD,buy,limit,day,236.10,3,b", "unknown symbol 'GOLD'"),
    ("0,new,NDFEB-N52,bid,limit,day,236.10,3,b", "side 'bid' is neither buy nor sell"),
    ("0,new,NDFEB-N52,buy,stop,day,236.10,3,b", "order_type 'stop' is neither limit nor market"),
    (
        "0,new,NDFEB-N52,buy,limit,gtd,236.10,3,b",
        "time_in_force 'gtd' of a limit order must be day or gtc or ioc or fok",
    ),
    ("0,new,NDFEB-N52,buy,market,day,,3,b", "time_in_force 'day' of a market order must be ioc or fok"),
    ("0,new,NDFEB-N52,buy,market,ioc,236.10,3,b", "a market order has no price"),
    ("0,new,NDFEB-N52,buy,limit,day,,3,b", "price '' is not a positive decimal number"),
    ("0,new,NDFEB-N52,buy,limit,day,0.0,3,b", "price '0.0' is not a positive decimal number"),
    ("0,new,NDFEB-N52,buy,limit,day,1e3,3,b", "price '1e3' is not a positive decimal number"),
    ("0,new,NDFEB-N52,buy,limit,day,236.15,3,b", "price 236.15 is no multiple of the tick 0.10 of NDFEB-N52"),
    ("0,new,NDFEB-N52,buy,limit,day,236.10,1.5,b", "quantity '1.5' is not a whole number"),
    ("0,new,NDFEB-N52,buy,limit,day,236.10,0,b", "quantity 0 is not between 1 and 1000 lots"),
    ("0,new,NDFEB-N52,buy,limit,day,236.10,1001,b", "quantity 1001 is not between 1 and 1000 lots"),
    ("0,new,NDFEB-N52,buy,limit,day,236.10,3,a 1", "client_order_id 'a 1' is not 1 to 36 printable characters"),
    ("0,new,NDFEB-N52,buy,limit,day,236.10,3,a1", "client_order_id 'a1' stands in an earlier row, too"),
    ("0,cancel,,,,,,,zz", "cancels 'zz', which no earlier row sends"),
    ("0,amend,,,,,236.10,,zz", "amends 'zz', which no earlier row sends"),
    ("0,amend,,,,,,,a1", "an amend changes the price, the quantity or both"),
    ("0,amend,NDFEB-N52,,,,236.10,,a1", "an amend has only time_ms, action, price, quantity and client_order_id"),
    ("0,amend,,,,,236.15,,a1", "price 236.15 is no multiple of the tick 0.10 of NDFEB-N52"),
    ("0,amend,,,,,,1001,a1", "quantity 1001 is not between 1 and 1000 lots"),
    ("0,cancel,NDFEB-N52,,,,,,a1", "a cancel has only time_ms, action and client_order_id"),
    ('0,new,"NDFEB-N52"x,buy,limit,day,236.10,3,b', "',' expected after '\"'"),
]


@pytest.mark.parametrize(("row", "reason"), BAD_ROWS)
def test_a_bad_row_is_named_with_line_and_reason(tmp_path: Path, row: str, reason: str) -> None:
    path = written(tmp_path, NEW, row, NEW)
    with pytest.raises(FlowError) as caught:
        read_flow(path, INSTRUMENTS)
    assert f"{path}, line 3: {reason}" in str(caught.value)


def test_time_must_not_run_backwards(tmp_path: Path) -> None:
    path = written(tmp_path, NEW.replace("0,new", "5,new", 1), "4,cancel,,,,,,,a1")
    with pytest.raises(FlowError, match=r"line 3: time_ms 4 is earlier than the row before \(5\)"):
        read_flow(path, INSTRUMENTS)


def test_an_unknown_header_is_refused(tmp_path: Path) -> None:
    with pytest.raises(FlowError, match="line 1: the header is neither time_ms,action,"):
        read_flow(written(tmp_path, NEW, header="when,what"), INSTRUMENTS)


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        ("absent.csv", None, "no such flow file"),
        ("cut.csv.xz", lzma.compress(b"x" * 1000)[:40], "cannot be read"),
        ("cut.csv.gz", gzip.compress(b"x" * 1000, mtime=0)[:20], "cannot be read"),
        ("plain.csv.xz", HEADER_LINE.encode(), "cannot be read"),
        ("binary.csv", b"\xff\xfe\x00", "is not UTF-8 text"),
        ("empty.csv", b"", "the file is empty"),
        ("other.csv", b"a,b\n", "the header is neither"),
    ],
)
def test_a_file_that_cannot_be_read_says_why(tmp_path: Path, name: str, content: bytes | None, reason: str) -> None:
    path = tmp_path / name
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(FlowError, match=reason) as caught:
        read_flow(path, INSTRUMENTS)
    assert str(path) in str(caught.value)


def test_a_folder_is_no_flow(tmp_path: Path) -> None:
    with pytest.raises(FlowError, match="cannot be read"):
        read_flow(tmp_path, INSTRUMENTS)
