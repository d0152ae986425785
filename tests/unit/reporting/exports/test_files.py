"""The files read back with other libraries: openpyxl, pypdf, pyarrow, csv."""

from __future__ import annotations

import csv
import io
import re
import zipfile
from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

import openpyxl
import pyarrow.parquet as pq
import pypdf
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from services.data.calendar import TradingCalendar
from services.reporting.exports.csv_file import csv_bytes
from services.reporting.exports.daily_bulletin import daily_bulletins, member_sheet, product_sheet
from services.reporting.exports.monthly_bulletin import monthly_bulletin
from services.reporting.exports.parquet_file import ParquetFile, StreamedColumns
from services.reporting.exports.pdf_file import daily_pdf, monthly_pdf, year_pdf
from services.reporting.exports.seal import COUNTING_RULE_ZH, IS_SIMULATED_ZH, Seal
from services.reporting.exports.turnover_sheet import csv_text
from services.reporting.exports.xlsx_file import xlsx_bytes
from services.reporting.exports.year_sheets import YEAR_CHART, year_sheets
from services.reporting.queries import YearTurnover
from services.reporting.report import IS_SIMULATED, build_report
from services.reporting.schemas import TurnoverReport
from services.reporting.sheet import Column, Sheet, Value
from services.reporting.target import Target
from services.values.decimals import fixed_text, yuan_text
from tests.long import examples
from tests.unit.reporting.exports.test_bulletins import MONTHS, POSITION, facts, market

SEAL = Seal.of(POSITION, simulated=False)
MONEY = Sheet(
    "money", "Money", "钱", (Column("yuan", "decimal", "Yuan", "元"), Column("note", "text", "Note", "备注")), ()
)


def with_rows(rows: Sequence[tuple[Value, ...]]) -> Sheet:
    return Sheet(MONEY.name, MONEY.en, MONEY.zh, MONEY.columns, tuple(rows))


def text_of(pdf: bytes) -> str:
    """The text of all pages, without the spaces and line ends that a reader guesses."""
    pages = pypdf.PdfReader(io.BytesIO(pdf)).pages
    return "".join("".join(page.extract_text().split()) for page in pages)


def report(net_fen: int = 123_456_789, *, simulated: bool = False) -> TurnoverReport:
    nothing = {"prevented": 0, "prevented_lots": 0, "excluded": 1, "excluded_fen": 7}
    sums = {"trades": 2, "quantity_lots": 3, "amount_fen": net_fen, "busted": 1, "busted_fen": 100, **nothing}
    found = YearTurnover(
        position=POSITION,
        target=Target(2_300_000_000_000, "the plan", is_set=True),
        simulated=simulated,
        instruments={0: facts(0), 1: facts(1)},
        net_by_day={20230103: net_fen, 20230104: 0} if net_fen else {},
        by_instrument={0: sums} if net_fen else {},
        largest=None,
        first_trading_date=20230103,
        earlier={},
        proof_alerts=(),
        proof=None,
    )
    return build_report(2023, found, TradingCalendar.load())


def test_a_csv_has_the_seal_above_and_the_rows_below() -> None:
    (first, *_) = daily_bulletins(market())
    text = csv_bytes(product_sheet(first), SEAL).decode("utf-8-sig")
    comments = [line for line in text.splitlines() if line.startswith("#")]
    assert f"row hash {SEAL.row_hash.hex()}" in comments[2]
    assert f"# {COUNTING_RULE_ZH}" in comments
    rows = list(csv.DictReader(line for line in text.splitlines() if not line.startswith("#")))
    assert [(row["symbol"], row["name_zh"], row["turnover"], row["open"]) for row in rows] == [
        ("ND-OX", "氧化钕", "30000.00", "10000.00"),
        ("NDFEB-N42", "烧结钕铁硼", "0.00", ""),
    ]


FORMULA = re.compile(r"^'+(?=[=+\-@\t\r\n])|(?<=[,;\t\r\n])'+(?=[=+\-@\t\r\n])")


def csv_lines(data: bytes) -> tuple[list[str], list[list[str]]]:
    """The comment lines, and the rows below as a reader of CSV finds them."""
    lines = data.decode("utf-8-sig").split("\r\n")
    comments = [line for line in lines if line.startswith("#")]
    return comments, list(csv.reader(io.StringIO("\r\n".join(lines[len(comments) :]), newline="")))


@given(text=st.text(st.sampled_from("=+-@\t\r\n,;'\"a ")))
@example(text='=1+2";=1+2')
@example(text="=1+2'\" ;,=1+2")
@example(text="-5")
def test_law_no_cell_of_a_text_begins_a_formula_and_a_reader_has_the_text_again(text: str) -> None:
    """By whichever separator a spreadsheet cuts, and with a number in a column of numbers as it is."""
    data = csv_bytes(with_rows([("-5.00", text)]), SEAL)
    _, (_, (number, found)) = csv_lines(data)
    assert number == "-5.00"
    assert not any(cell[:1] in {"=", "+", "-", "@"} for cell in re.split("[,;\t\r\n]", found))
    assert found[:1] not in {"\t", "\r", "\n"}
    assert FORMULA.sub(lambda marks: marks[0][1:], found) == text


def test_a_name_in_the_comment_lines_begins_no_formula_and_no_cell_of_many_lines() -> None:
    named = report().model_copy(update={"target_name": 'plan,=1+1;@x,"'})
    comments, found = csv_lines(csv_text(named, {}, ()).encode())
    assert "(plan,'=1+1;'@x,')" in comments[0]
    assert found[0][0] == "trading_date"


def cells_of(data: bytes, sheet: str) -> list[tuple[Any, ...]]:
    book = openpyxl.load_workbook(io.BytesIO(data))
    return [tuple(row) for row in book[sheet].iter_rows(min_row=4, values_only=True)]


@settings(max_examples=examples(20))
@given(fen=st.lists(st.integers(-(10**18), 10**18), min_size=1, max_size=30))
@example(fen=[0, 10**15 - 1, 10**15, -(10**15), 2_345_998_076_501, 7, -7])
def test_law_an_amount_of_a_workbook_is_exact_to_the_fen(fen: list[int]) -> None:
    book = xlsx_bytes("money", [with_rows([(yuan_text(one), "") for one in fen])], SEAL)
    read = [row[0] for row in cells_of(book, "Money 钱")]
    assert [Decimal(str(cell)) for cell in read] == [Decimal(yuan_text(one)) for one in fen]
    assert all(isinstance(cell, str) == (abs(one) >= 10**15) for cell, one in zip(read, fen, strict=True))


def test_a_workbook_holds_no_formula_and_no_link() -> None:
    words = ("=1+1", "http://127.0.0.1/", "+cmd", "{=1}")
    book = xlsx_bytes("words", [with_rows([(None, word) for word in words])], SEAL)
    assert [row[1] for row in cells_of(book, "Money 钱")] == list(words)
    sheet = openpyxl.load_workbook(io.BytesIO(book))["Money 钱"]
    assert {cell.data_type for (cell,) in sheet.iter_rows(min_row=4, min_col=2)} == {"s"}


def test_the_year_as_a_workbook_says_what_the_report_says() -> None:
    found = report()
    book = xlsx_bytes("REX turnover 2023", year_sheets(found.to_json()), SEAL, (YEAR_CHART,))
    opened = openpyxl.load_workbook(io.BytesIO(book))
    ladder = {row[0]: Decimal(str(row[2])) for row in cells_of(book, "Gross to net 总额至净额")}
    assert ladder["= Net turnover"] == Decimal(yuan_text(found.net_fen)) == Decimal("1234567.89")
    counted = ladder["Gross turnover"] - ladder["− Busted trades"] - ladder["− Excluded by decision"]
    assert counted == ladder["= Net turnover"]
    assert ladder["− Excluded by decision"] == Decimal("0.07")
    products = cells_of(book, "By product 按品种")
    assert sum(Decimal(str(row[3])) for row in products) == Decimal(yuan_text(found.net_fen))
    assert [row[2] for row in products] == ["氧化钕", "烧结钕铁硼"]
    days = cells_of(book, "Trading days 交易日")
    assert len(days) == len(found.days) == 242
    assert days[0][0] == datetime(2023, 1, 3)
    assert sum(Decimal(str(row[1])) for row in days if row[1] is not None) == Decimal(yuan_text(found.net_fen))
    assert "xl/charts/chart1.xml" in zipfile.ZipFile(io.BytesIO(book)).namelist()
    assert (opened.properties.title, opened.properties.created) == (
        "REX turnover 2023",
        datetime(2023, 1, 5, 6, 26, 40),
    )
    about = "\n".join(str(row[0]) for row in opened["About 说明"].iter_rows(values_only=True))
    assert SEAL.row_hash.hex() in about
    assert COUNTING_RULE_ZH in about


def test_the_year_as_a_pdf_says_what_the_report_says() -> None:
    pdf = year_pdf(report())
    text = text_of(pdf)
    for words in (
        "1,234,567.89",
        "23,000,000,000.00",
        "成交额报告",
        "烧结钕铁硼",
        "氧化钕",
        "单边计算",
        SEAL.row_hash.hex(),
        "Single-sided",
    ):
        assert words in text, words
    assert text.count("2023-01-") >= 17
    document = pypdf.PdfReader(io.BytesIO(pdf))
    assert document.metadata is not None
    assert document.metadata.title == "Turnover 2023 2023 年成交额报告"
    assert document.metadata.creation_date == document.metadata.modification_date
    assert {font_is_embedded(font) for page in document.pages for font in fonts_of(page)} == {True}


def fonts_of(page: pypdf.PageObject) -> list[Any]:
    resources: Any = page["/Resources"]
    return [font.get_object() for font in resources.get("/Font", {}).values()]


def font_is_embedded(font: Any) -> bool:
    (descendant,) = font["/DescendantFonts"]
    return any(name in descendant.get_object()["/FontDescriptor"] for name in ("/FontFile2", "/FontFile3"))


def test_the_bulletins_as_pdf() -> None:
    (first, *_, today) = daily_bulletins(market())
    text = text_of(daily_pdf(first))
    for words in ("每日行情", "前结算价", "10,050.00", "30,000.00", "会员成交前20名", "four", "66.67%"):
        assert words in text, words
    assert "当日交易未结束" in text_of(daily_pdf(today))
    assert "1,550" in text_of(daily_pdf(today))
    month = text_of(monthly_pdf(monthly_bulletin(202302, POSITION, market().instruments, MONTHS)))
    for words in ("月度统计", "55.00", "−62.50%", "磁性材料"):
        assert words in month, words


def test_a_report_of_nothing_has_files_too() -> None:
    empty = report(0)
    assert "0.00" in text_of(year_pdf(empty))
    assert (
        cells_of(xlsx_bytes("nothing", year_sheets(empty.to_json()), SEAL, (YEAR_CHART,)), "By product 按品种")[0][3]
        == 0
    )
    bulletin = monthly_bulletin(202301, POSITION, {}, {})
    assert "月度统计" in text_of(monthly_pdf(bulletin))


@pytest.mark.parametrize("name", ["Ω한국", "العربية", "🙂 & Söhne", "#let x = $1$ *a* _b_ [c]", "\x01", "𠀀"])
def test_a_member_may_have_any_name(name: str) -> None:
    (first, *_) = daily_bulletins(market(names={2: name, 3: name, 4: name}))
    assert daily_pdf(first).startswith(b"%PDF")
    if name.startswith("#"):
        assert "".join(name.split()) in text_of(daily_pdf(first))
    assert xlsx_bytes("names", [member_sheet(first)], SEAL)


def test_equal_documents_make_equal_bytes() -> None:
    (first, *_) = daily_bulletins(market())
    month = monthly_bulletin(202301, POSITION, market().instruments, MONTHS)

    def made() -> list[bytes]:
        return [
            year_pdf(report()),
            daily_pdf(first),
            monthly_pdf(month),
            xlsx_bytes("a", year_sheets(report().to_json()), SEAL, (YEAR_CHART,)),
            csv_bytes(product_sheet(first), SEAL),
            parquet([(5, "x", 20230103, 1, 100, 1)]),
        ]

    assert made() == made()
    assert year_pdf(report(5)) != year_pdf(report(6))


STREAM = StreamedColumns(
    (
        ("number", "int64", "A number."),
        ("word", "string", ""),
        ("day", "date", ""),
        ("moment", "time", ""),
        ("amount", "yuan", ""),
        ("price", "price", ""),
    )
)


def parquet(rows: list[tuple[Any, ...]]) -> bytes:
    out = io.BytesIO()
    file = ParquetFile(out, STREAM, SEAL, "a test")
    file.add(iter(rows))
    file.close()
    assert file.rows_added == len(rows)
    return out.getvalue()


@settings(max_examples=examples(30))
@given(values=st.lists(st.none() | st.integers(-(2**63), 2**63 - 1), max_size=40))
def test_law_parquet_keeps_every_number(values: list[int | None]) -> None:
    table = pq.read_table(io.BytesIO(parquet([(one, None, 20240229, one, one, one) for one in values])))
    assert table["number"].to_pylist() == values
    assert [None if one is None else str(one) for one in table["amount"].to_pylist()] == [
        None if one is None else fixed_text(one, 2) for one in values
    ]
    assert [None if one is None else f"{one:f}" for one in table["price"].to_pylist()] == [
        None if one is None else fixed_text(one, 6) for one in values
    ]
    assert {str(one) for one in table["day"].to_pylist()} <= {"2024-02-29"}
    metadata = table.schema.metadata
    assert (metadata[b"rex.seq"], metadata[b"rex.row_hash"]) == (b"9", SEAL.row_hash.hex().encode())
    assert b"Single-sided" in metadata[b"rex.counting_rule"]


def test_every_file_of_a_simulated_year_says_so() -> None:
    seal, found = Seal.of(POSITION, simulated=True), report(simulated=True)
    year = csv_bytes(MONEY, seal).decode("utf-8-sig")
    assert IS_SIMULATED in year
    assert IS_SIMULATED_ZH in year
    book = openpyxl.load_workbook(io.BytesIO(xlsx_bytes("REX turnover 2023", year_sheets(found.to_json()), seal)))
    assert IS_SIMULATED in "\n".join(str(row[0]) for row in book["About 说明"].iter_rows(values_only=True))
    (first, *_) = daily_bulletins(market(simulated={2023}))
    month = monthly_bulletin(202312, POSITION, market().instruments, MONTHS, (), {2023})
    for page in (year_pdf(found), daily_pdf(first), monthly_pdf(month)):
        text = text_of(page)
        assert "SIMULATED模拟数据" in text
        assert "".join(IS_SIMULATED.split()) in text
        assert IS_SIMULATED_ZH in text
    assert monthly_bulletin(202402, POSITION, {}, {}, (), {2023}).simulated, "it compares with the year before"
    assert not monthly_bulletin(202312, POSITION, {}, {}, (), {2024}).simulated
    assert "SIMULATED" not in text_of(year_pdf(report())) + csv_bytes(MONEY, SEAL).decode("utf-8-sig")
