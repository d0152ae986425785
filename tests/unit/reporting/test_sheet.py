"""The columns and rows of a table from the model of its documents."""

from __future__ import annotations

from decimal import Decimal
from io import BytesIO
from typing import Annotated

import pyarrow.parquet as pq
from pydantic import BaseModel, Field

from services.reporting.exports.parquet_file import parquet_bytes
from services.reporting.exports.seal import Seal
from services.reporting.sheet import Column, Shown, ShownParts, columns_of, rows_of, sheet_of
from tests.unit.reporting.exports.test_bulletins import POSITION


class Side(BaseModel):
    amount: Annotated[str, Shown("decimal", "amount (yuan)", "金额（元）")] = Field(description="In yuan.")
    hidden: int


class Line(BaseModel):
    day: Annotated[str, Shown("date", "Day", "交易日")]
    trades: Annotated[int | None, Shown("integer", "Trades", "笔数")]
    bought: Annotated[Side, ShownParts("Bought", "买入")] = Field(description="By members.")
    sold: Annotated[Side | None, ShownParts("Sold", "卖出")]


LINES = [
    Line(day="2023-01-03", trades=2, bought=Side(amount="1.00", hidden=1), sold=Side(amount="-0.500000", hidden=2)),
    Line(day="2023-01-04", trades=None, bought=Side(amount="12345678901234567890.12", hidden=1), sold=None),
]


def test_a_part_gives_its_columns_their_names() -> None:
    assert columns_of(Line)[1:] == (
        Column("trades", "integer", "Trades", "笔数"),
        Column("bought_amount", "decimal", "Bought: amount (yuan)", "买入：金额（元）", "By members. In yuan."),
        Column("sold_amount", "decimal", "Sold: amount (yuan)", "卖出：金额（元）", "In yuan."),
    )


def test_a_document_and_its_json_make_the_same_rows() -> None:
    sheet = sheet_of("lines", "Lines", "行", Line, LINES)
    assert sheet.rows == (("2023-01-03", 2, "1.00", "-0.500000"), ("2023-01-04", None, "12345678901234567890.12", None))
    assert rows_of(Line, [line.model_dump(mode="json") for line in LINES]) == sheet.rows
    assert rows_of(Line, [{"trades": 3}]) == ((None, 3, None, None),)


def test_a_parquet_table_is_exact_and_its_types_are_those_of_the_columns() -> None:
    seal = Seal.of(POSITION, simulated=False)
    table = pq.read_table(BytesIO(parquet_bytes(sheet_of("lines", "Lines", "行", Line, LINES), seal)))
    assert [str(one) for one in table.schema.types] == [
        "date32[day]",
        "int64",
        "decimal128(38, 6)",
        "decimal128(38, 6)",
    ]
    assert table["bought_amount"].to_pylist() == [Decimal("1.00"), Decimal("12345678901234567890.12")]
    assert (table["trades"].to_pylist(), table["sold_amount"].to_pylist()) == ([2, None], [Decimal("-0.5"), None])
    metadata = table.schema.metadata or {}
    assert (metadata[b"about"].decode(), metadata[b"rex.seq"]) == ("Lines 行", b"9")
    empty = pq.read_table(BytesIO(parquet_bytes(sheet_of("lines", "Lines", "行", Line, []), seal)))
    assert empty.schema.types == table.schema.types
