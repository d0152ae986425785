"""The parts of a flow: messages in order of time, for a venue's instruments. docs/load_tests.md describes the file."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any, Literal, NamedTuple

Action = Literal["new", "amend", "cancel"]


class FlowError(Exception):
    """A flow cannot be replayed. The message names the file or flow, the line and the reason. No message has been sent."""

    def __init__(self, source: Path | str, reason: str, line: int | None = None) -> None:
        super().__init__(f"{source}: {reason}" if line is None else f"{source}, line {line}: {reason}")


class FlowMessage(NamedTuple):
    """One row of a flow. An amend or cancel names an earlier order by `client_order_id`, and repeats the order's other fields.

    The price and quantity of an amend are the order's new ones; a field that is empty in the row keeps its old value here.
    """

    time_ms: int
    action: Action
    symbol: str
    side: str
    order_type: str
    time_in_force: str
    price: str
    """Yuan per unit, a decimal; empty for a market order."""
    quantity: int
    """Whole lots."""
    client_order_id: str


@dataclass(frozen=True)
class FlowInstrument:
    """The terms of an instrument that a flow needs. Prices are yuan per unit, whole ticks."""

    symbol: str
    lot_size: int
    tick_size: Decimal
    reference_price: Decimal
    lower_limit: Decimal
    upper_limit: Decimal
    max_quantity: int

    @classmethod
    def from_api(cls, instrument: Mapping[str, Any]) -> FlowInstrument:
        """Converts an entry of `GET /v1/instruments`."""
        return cls(
            symbol=instrument["symbol"],
            lot_size=instrument["lot_size"],
            tick_size=Decimal(instrument["tick_size"]),
            reference_price=Decimal(instrument["reference_price"]),
            lower_limit=Decimal(instrument["lower_limit"]),
            upper_limit=Decimal(instrument["upper_limit"]),
            max_quantity=instrument["max_quantity"],
        )

    def lot_value(self, price: Decimal) -> Decimal:
        """The value of one lot at a price, in yuan."""
        return price * self.lot_size


@dataclass
class Flow:
    """A whole flow, read and checked. `skipped` counts the recorded rows that gave no message, by reason."""

    name: str
    messages: list[FlowMessage]
    skipped: dict[str, int] = field(default_factory=dict)
    members: dict[str, str] = field(default_factory=dict)
    """client_order_id → the name of the member that sends the order; empty: the flow does not say who does."""
