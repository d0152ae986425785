"""What the answers of this room have in common: the seal, the name of a product, and a sum of trades.

A field that is marked with `Shown` or `Parts` is a column of the year's tables, too (exports/breakdown_sheets.py).
"""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from services.reporting.documents import Date, Document, Hash, Sums, Time, Tonnes, Yuan
from services.reporting.sheet import Shown


class ProductName(Document):
    """What a line is about."""

    symbol: Annotated[str, Shown("text", "Symbol", "代码")]
    name_en: Annotated[str, Shown("text", "Product", "品种（英文）")]
    name_zh: Annotated[str, Shown("text", "Product (Chinese)", "品种")]


class Sealed(Document):
    """The year, and the position that the answer is exact at."""

    year: int
    seq: int = Field(description="The journal's sequence number that the answer is exact at.")
    row_hash: Hash = Field(description="Hash of the journal row that ends at `seq`.")
    journal_id: Hash
    trading_date: Date = Field(description="The current trading day at `seq`; empty before the first one.")
    as_of_ns: Time = Field(description="Time of the command `seq`: RFC 3339, UTC, microseconds.")


class Quantity(Sums):
    """A sum of trades, each counted once."""

    amount_fen: Annotated[Yuan, Shown("decimal", "amount (yuan)", "金额（元）")] = Field(description="In yuan.")
    kilograms: Annotated[Tonnes, Shown("decimal", "tonnes", "数量（吨）")]
    trades: Annotated[int, Shown("integer", "trades", "笔数")]


NOTHING = Quantity.total(())
