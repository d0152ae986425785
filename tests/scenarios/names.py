"""The names of a scenario beside the engine's numbers, and its clock."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from decimal import Decimal

from matching_engine.records import ALL_INSTRUMENTS

SHANGHAI = timezone(timedelta(hours=8))


@dataclass
class Names:
    """Words for numbers. `orders` and `trades` grow as the scenario goes on."""

    accounts: dict[str, int] = field(default_factory=lambda: {"operator": 0, "venue": 1})
    symbols: list[str] = field(default_factory=lambda: ["Nd", "Dy"])
    orders: dict[str, int] = field(default_factory=dict)
    trades: dict[tuple[str, str], int] = field(default_factory=dict)
    now: datetime = datetime(2023, 12, 1, 9, tzinfo=SHANGHAI)

    def account(self, number: int) -> str:
        """The name of an account, or its number if it has none."""
        return next((name for name, known in self.accounts.items() if known == number), f"account {number}")

    def label(self, order_id: int) -> str:
        """The scenario's label of an order: `#1`; the bare id if it has none."""
        return next((f"#{label}" for label, known in self.orders.items() if known == order_id), f"order id {order_id}")

    def symbol(self, instrument: int) -> str:
        """` Dy` for the second instrument; empty for the first, which needs no name."""
        if instrument == ALL_INSTRUMENTS:
            return " all"
        known = instrument < len(self.symbols)
        return "" if instrument == 0 else f" {self.symbols[instrument]}" if known else f" instrument {instrument}"

    def moment(self, text: str) -> datetime:
        """`10:30:00` of the scenario's current day, or `2023-12-04 10:30:00`."""
        date_text = "" if "-" in text else f"{self.now:%Y-%m-%d} "
        return datetime.fromisoformat(date_text + text).replace(tzinfo=SHANGHAI)


def whole(text: str) -> int:
    """`10,000` is 10000."""
    return int(text.replace(",", ""))


def fen(text: str) -> int:
    """`1,000.25` yuan in fen."""
    amount = Decimal(text.replace(",", "")) * 100
    if amount != int(amount):
        raise ValueError(f"{text} yuan is no whole number of fen")
    return int(amount)


def yuan(amount_fen: int, sign: str = "") -> str:
    """Fen as yuan: `1,000.25`; with sign `+` also a plus."""
    return format(Decimal(amount_fen) / 100, f"{sign},.2f")


def ppm(text: str) -> int:
    """`0.05` percent in millionths."""
    return int(Decimal(text) * 10_000)
