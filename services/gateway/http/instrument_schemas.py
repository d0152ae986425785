"""Models of requests and replies about the instruments of a running venue."""

from __future__ import annotations

from typing import Annotated

from pydantic import ConfigDict, Field, StringConstraints

from services.data.instruments import SYMBOL_PATTERN, Category, PriceSource, Symbol, Unit
from services.gateway.http.admin_schemas import Name, PersonName, Reason
from services.gateway.schemas import PositiveRateText, PriceText, Quantity, RateText, Reply, Request, WithoutControl

NewSymbol = Annotated[Symbol, StringConstraints(pattern=f"^{SYMBOL_PATTERN}$")]
LongText = Annotated[str, StringConstraints(max_length=500), WithoutControl]


class WithReason(Request):
    """Who changes what the venue trades, and why."""

    model_config = ConfigDict(json_schema_extra={"example": {"reason": "board decision of 3 March", "name": "Li Na"}})

    reason: Reason = Field(description="Why. Recorded in the journal.")
    name: PersonName = Field(
        default="", description="Who does it, where a key does. Recorded in the journal beside the key."
    )


class ListingRequest(WithReason):
    """A new instrument. `symbol`, `category`, `unit`, `lot_size` and `tick_size` never change."""

    model_config = ConfigDict(
        json_schema_extra={
            "example": {
                "symbol": "SC-OX",
                "name_en": "Scandium oxide",
                "name_zh": "氧化钪",
                "category": "deep_processed",
                "family": "separated_oxide",
                "unit": "kg",
                "lot_size": 10,
                "tick_size": "1.00",
                "reference_price": "6000.00",
                "band_rate": "0.06",
                "max_quantity": 1000,
                "reason": "board decision of 3 March",
                "name": "Li Na",
            }
        }
    )

    symbol: NewSymbol = Field(description="1 to 16 characters of A-Z, 0-9 and -. No instrument ever had it.")
    name_en: Name
    name_zh: Name
    category: Category
    family: Name = Field(description="The family of products, such as `separated_oxide`.")
    unit: Unit = Field(description="Unit of the price.")
    lot_size: int = Field(ge=1, le=1_000_000, description="Units in one lot.")
    tick_size: PriceText = Field(
        description="Smallest price step in yuan per unit, above 0. On one lot it is worth whole fen, at most 46566.12 yuan."
    )
    reference_price: PriceText = Field(
        description="Yuan per unit, a multiple of the tick: the middle of the first trading day's price limits."
    )
    reference_price_source: PriceSource = Field(
        default="assumed", description="Whether the reference price was taken from a source."
    )
    band_rate: PositiveRateText = Field(
        description="How far from the reference price a day's prices may be, as a fraction: above 0, at most 0.999999."
    )
    max_quantity: Quantity = Field(description="Largest order in lots. The smallest is one lot.")
    spec: LongText = Field(default="", description="What is delivered.")
    note: LongText = Field(default="", description="Shown beside the instrument.")


class ChangeRequest(WithReason):
    """Other terms and texts of an instrument, from now on. A field that is absent or null stays as it is."""

    model_config = ConfigDict(
        json_schema_extra={
            "example": {
                "band_rate": "0.08",
                "collar_rate": "0.03",
                "max_quantity": 500,
                "reason": "board decision of 3 March",
                "name": "Li Na",
            }
        }
    )

    band_rate: PositiveRateText | None = Field(
        default=None,
        description="How far from the reference price a day's prices may be, as a fraction: above 0, at most 0.999999. Open "
        "orders outside the new limits are canceled.",
    )
    collar_rate: RateText | None = Field(
        default=None, description='How far beyond the last price an order may reach, as a fraction. "0": no collar.'
    )
    max_quantity: Quantity | None = Field(default=None, description="Largest order in lots.")
    name_en: Name | None = None
    name_zh: Name | None = None
    spec: LongText | None = Field(default=None, description="What is delivered.")
    note: LongText | None = Field(default=None, description="Shown beside the instrument.")


class Listed(Reply):
    """The instrument is listed."""

    symbol: str
    seq: int = Field(description="Journal sequence number of the listing.")
