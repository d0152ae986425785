"""The index and the market's quality as JSON documents: decimal strings, rounded half up; dates are yyyy-mm-dd."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field

from services.reporting.exports.schemas import Sealed


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True)


class IndexPrice(_Part):
    """The settlement price of a product of the index."""

    symbol: str
    settlement: str = Field(description="Yuan per tonne.")
    source: str = Field(
        description="Where the price comes from: `day_vwap`, `closing_auction`, `standing_quotes` or `previous`."
    )


class IndexDay(_Part):
    """The index on a trading day that has ended."""

    date: str
    value: str = Field(description="Two decimals; the first trading day is 100.00.")
    assessed: bool = Field(
        description="False if fewer than 5 trades, or fewer than 3 members on a side, stand behind the day's prices."
    )
    trades: int = Field(description="Of both products together, those that count.")
    buyers: int = Field(description="Members who bought in these trades.")
    sellers: int
    prices: tuple[IndexPrice, ...]


class IndexWeight(_Part):
    """A product's weight in a year."""

    symbol: str
    weight: str = Field(description="A fraction; the weights of a year add up to 1.")


class IndexYear(_Part):
    """The weights of a year."""

    year: int
    assumed: bool = Field(description="True in a year after one without turnover: both weigh one half, an assumption.")
    weights: tuple[IndexWeight, ...]


class IndexReport(Sealed):
    """The PrNd index: settlement prices of praseodymium-neodymium oxide and metal, weighted by last year's turnover."""

    base: str = Field(description="The index on `base_date`.")
    base_date: str = Field(description="The first trading day that ended with both prices; empty before.")
    rule: str
    years: tuple[IndexYear, ...]
    days: tuple[IndexDay, ...]


class ProductQuality(_Part):
    """The quality of a product's market. Spreads and depth are averages over the time in which both sides were quoted."""

    symbol: str
    name_en: str
    name_zh: str
    unit: str = Field(description="`t` or `kg`; prices and spreads are in yuan per unit.")
    continuous_s: str = Field(description="Seconds of continuous trading.")
    two_sided_share: str | None = Field(
        description="Part of that time in which both sides were quoted; null without it."
    )
    spread: str | None = Field(description="Best sell − best buy.")
    spread_bp: str | None = Field(description="`spread` in hundredths of a percent of the average middle.")
    median_spread: str | None = Field(description="The least spread that half of the time did not exceed.")
    buy_depth_lots: str | None = Field(description="Shown lots of buys at most 1 % below the middle.")
    sell_depth_lots: str | None = Field(description="Shown lots of sells at most 1 % above the middle.")
    trades: int = Field(description="Continuous trades; busted ones are left out.")
    effective_spread: str | None = Field(
        description="Twice the distance from the middle before the order to its price, on the taker's side, by lots."
    )
    effective_spread_bp: str | None
    large_trades: int = Field(
        description="Commands that traded at least 5 times the median of the day's trading commands: an assumption."
    )
    unrecovered_large_trades: int = Field(
        description="Large trades after which continuous trading ended before the spread was back at its median."
    )
    recovery_s: str | None = Field(
        description="Median of the seconds from a large trade until the spread is at most the median spread; null without"
        " large trades, or where half of them never saw it."
    )
    amihud: str | None = Field(
        description="|last price / settlement of the day before − 1| per million yuan of the day's turnover, auctions included."
    )


class QualityReport(Sealed):
    """The quality of the market on a trading day, product by product, from the journal's events of that day."""

    date: str
    complete: bool = Field(description="False while the day is under way.")
    first_seq: int = Field(description="The day roll that began the day.")
    last_seq: int = Field(description="The last command of the day.")
    products: tuple[ProductQuality, ...]


class BookLevel(_Part):
    """A price of a book."""

    price: str
    quantity: int = Field(description="Lots that were shown: of an iceberg its shown part.")
    orders: int


class BookReport(_Part):
    """The book of an instrument after a command of the past."""

    symbol: str
    seq: int = Field(description="The book is exact after this command.")
    row_hash: str = Field(description="Hash of the journal row that holds `seq`.")
    journal_id: str
    trading_date: str = Field(description="The trading day of `seq`; empty before the first one.")
    as_of: str = Field(description="Time of the command `seq`: RFC 3339, UTC, microseconds.")
    simulated: bool = Field(description="Whether the year of `seq` is, or begins with, a simulated history.")
    phase: str = Field(description="The phase in force.")
    bids: tuple[BookLevel, ...] = Field(description="Best price first, at most `levels`.")
    asks: tuple[BookLevel, ...] = Field(description="Best price first, at most `levels`.")
    bid_levels: int = Field(description="How many prices the whole side had.")
    ask_levels: int
    bid_quantity: int = Field(description="Lots that the whole side showed.")
    ask_quantity: int
