"""The bulletins. How they become JSON: services/reporting/documents.py. A price has the decimals of its product.

A field that is marked with `Shown` is a column of the CSV, XLSX and PDF, too.
"""

from __future__ import annotations

from fractions import Fraction
from typing import Annotated

from pydantic import Field

from services.commands.attachments import Measure
from services.reporting.breakdown.documents import ProductName
from services.reporting.documents import Date, Document, Hash, Ratio, Time, Tonnes, Yuan, decimal
from services.reporting.exports.seal import Seal
from services.reporting.sheet import Shown


class DailyProduct(ProductName):
    """A product on a trading day, by the trades that count. Prices are yuan per unit; null where there is none."""

    unit: Annotated[str, Shown("text", "Unit", "单位")] = Field(description="`t` or `kg`; prices are per unit.")
    previous_settlement: Annotated[str, Shown("decimal", "Previous settlement", "前结算价")] = Field(
        description="Settlement price of the trading day before; on a product's first day its first reference price."
    )
    open: Annotated[str | None, Shown("decimal", "Open", "开盘价")] = Field(description="Price of the first trade.")
    high: Annotated[str | None, Shown("decimal", "High", "最高价")]
    low: Annotated[str | None, Shown("decimal", "Low", "最低价")]
    close: Annotated[str | None, Shown("decimal", "Close", "收盘价")] = Field(description="Price of the last trade.")
    settlement: Annotated[str | None, Shown("decimal", "Settlement", "结算价")] = Field(
        description="Set by the day roll that ends the day; null before it."
    )
    change_1: Annotated[str | None, Shown("decimal", "Change 1", "涨跌1")] = Field(
        description="close − previous_settlement."
    )
    change_2: Annotated[str | None, Shown("decimal", "Change 2", "涨跌2")] = Field(
        description="settlement − previous_settlement."
    )
    volume_lots: Annotated[int, Shown("integer", "Volume (lots)", "成交量（手）")]
    volume_kilograms: Annotated[Tonnes, Shown("decimal", "Volume (t)", "成交量（吨）")]
    turnover_fen: Annotated[Yuan, Shown("decimal", "Turnover (yuan)", "成交额（元）")] = Field(
        description="Single-sided, in yuan."
    )
    trades: Annotated[int, Shown("integer", "Trades", "成交笔数")]
    received_lots: Annotated[int, Shown("integer", "Receipts in (lots)", "仓单入库（手）")] = Field(
        description="Warehouse receipts that were booked in on the day."
    )
    released_lots: Annotated[int, Shown("integer", "Goods out (lots)", "仓单出库（手）")] = Field(
        description="Goods that were handed out on the day."
    )
    stock_lots: Annotated[int, Shown("integer", "Receipts in stock (lots)", "仓单库存（手）")] = Field(
        description="Lots that all accounts hold at the end of the day; of the current day at `seq`."
    )


class MemberRank(Document):
    """A member in a ranking of the day."""

    rank: Annotated[int, Shown("integer", "Rank", "名次")]
    account: Annotated[int, Shown("integer", "Account", "会员号")]
    name: Annotated[str, Shown("text", "Member", "会员")]
    turnover_fen: Annotated[Yuan, Shown("decimal", "Turnover (yuan)", "成交额（元）")] = Field(
        description="What the member bought, sold, or both together, in yuan."
    )
    share: Annotated[Ratio, Shown("decimal", "Share", "占比")] = Field(
        description="Part of what all members bought, sold, or both together, as a fraction."
    )


class Total(Document):
    """The sums over all products."""

    turnover_fen: Yuan
    volume_kilograms: Tonnes
    trades: int


class IndexValue(Document):
    """The PrNd index on the day."""

    value: Annotated[Fraction, decimal(2)] = Field(description="Two decimals; the venue's first day is 100.00.")
    assessed: bool = Field(description="False if too few trades or members stand behind it: `GET /v1/reports/index`.")


class DayClosing(Document):
    """A closing of the day, journaled when the day had ended, and after each correction."""

    revision: int = Field(description="1: the first; each correction adds 1.")
    seq: int = Field(description="The command that closed it.")
    closed_at_ns: Time
    at_seq: int = Field(description="The bulletin was made after this command.")
    row_hash: Hash = Field(description="Hash of the journal row that ends at `at_seq`.")
    sha256: str = Field(description="Of fields of this document: services/reporting/exports/day_seal.py.")


class DailyBulletin(Seal):
    """A trading day, product by product."""

    date: Date
    complete: bool = Field(description="False while the day is under way: it has no settlement and no members yet.")
    products: tuple[DailyProduct, ...]
    total: Total
    prnd_index: IndexValue | None = Field(
        description="From the day's settlement prices of PrNd oxide and metal; null until the day has ended."
    )
    bought: tuple[MemberRank, ...] = Field(
        description="The 20 members that bought most; empty until the day has ended."
    )
    sold: tuple[MemberRank, ...] = Field(description="The 20 members that sold most.")
    both: tuple[MemberRank, ...] = Field(description="The 20 members with the most of both sides together.")
    closings: tuple[DayClosing, ...] = Field(
        default=(),
        description="Oldest first. The last one's hash is that of this bulletin; empty until the day is closed.",
    )


class MonthlyProduct(Document):
    """A product, a category or the whole market in a month.

    Changes are fractions: `0.100000` is 10 % more; null where the other month had nothing.
    """

    line: Annotated[str, Shown("text", "Line", "行")] = Field(description="`product`, `category` or `total`.")
    symbol: Annotated[str, Shown("text", "Symbol", "代码")] = Field(
        description="Of a category its name; of the total `ALL`."
    )
    name_en: Annotated[str, Shown("text", "Product", "品种（英文）")]
    name_zh: Annotated[str, Shown("text", "Product (Chinese)", "品种")]
    volume_kilograms: Annotated[Tonnes, Shown("decimal", "Volume (t)", "成交量（吨）")]
    volume_month_on_month: Annotated[Ratio | None, Shown("decimal", "Volume, month on month", "成交量环比")]
    volume_year_on_year: Annotated[Ratio | None, Shown("decimal", "Volume, year on year", "成交量同比")]
    volume_to_date: Annotated[Tonnes, Shown("decimal", "Volume January to date (t)", "1月至今成交量（吨）")]
    volume_to_date_year_on_year: Annotated[
        Ratio | None, Shown("decimal", "Volume to date, year on year", "累计成交量同比")
    ]
    turnover_fen: Annotated[Yuan, Shown("decimal", "Turnover (yuan)", "成交额（元）")]
    turnover_month_on_month: Annotated[Ratio | None, Shown("decimal", "Turnover, month on month", "成交额环比")]
    turnover_year_on_year: Annotated[Ratio | None, Shown("decimal", "Turnover, year on year", "成交额同比")]
    turnover_to_date_fen: Annotated[Yuan, Shown("decimal", "Turnover January to date (yuan)", "1月至今成交额（元）")]
    turnover_to_date_year_on_year: Annotated[
        Ratio | None, Shown("decimal", "Turnover to date, year on year", "累计成交额同比")
    ]
    share: Annotated[str, Shown("decimal", "Share of the month", "占比")] = Field(
        description="Part of the month's turnover, as a fraction; the shares of the products add up to 1."
    )
    trades: Annotated[int, Shown("integer", "Trades", "成交笔数")]
    busted_trades: Annotated[int, Shown("integer", "Busted trades", "撤销成交笔数")]
    prevented_self_trades: Annotated[int, Shown("integer", "Self-trades prevented", "自成交拦截次数")]


class MonthlyTurnover(Document):
    """A month of the year so far, beside the same month a year before."""

    month: str
    turnover_fen: Yuan
    turnover_year_before_fen: Yuan


class MonthlyBulletin(Seal):
    """A month, product by product, single-sided."""

    month: str = Field(description="yyyy-mm.")
    complete: bool = Field(description="False while the month is under way.")
    products: tuple[MonthlyProduct, ...]
    categories: tuple[MonthlyProduct, ...]
    total: MonthlyProduct
    months: tuple[MonthlyTurnover, ...] = Field(description="January to this month.")
    measures: dict[Measure, int] = Field(
        description="How many measures were imposed for trading days of the month, lifted ones included."
    )
