"""The market as simulated traders see it: each instrument's price limits and best prices, and a fair price that drifts slowly.

Prices are integer ticks; this module converts the API's decimal strings to ticks and back.
"""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Literal

from services.simulator.accounts import VALUE_SHARE_BP

_QUIET_YUAN = 20_000
_YUAN_PER_BP = 60
_MOVES = 0.1
"""How often a trader that looks at an instrument moves its fair price: about 1 % in a day of 20 orders a second."""


@dataclass
class Quote:
    """The current state of one instrument. `fair_ticks` is the simulator's own estimate and not part of the venue."""

    symbol: str
    tick_size: Decimal
    lot_size: int
    reference_ticks: int
    low_ticks: int
    high_ticks: int
    fair_ticks: int
    open: bool
    """Whether it is in continuous trading."""
    collecting: bool = False
    """Whether it is in a call auction: orders rest and do not trade yet."""
    seen_trading: bool = False
    bid_ticks: int | None = None
    ask_ticks: int | None = None
    last_ticks: int | None = None

    def __post_init__(self) -> None:
        self._tick_value_fen = int(self.tick_size * self.lot_size * 100)

    def price(self, ticks: int) -> str:
        """A price in ticks as the API's decimal string."""
        return str(ticks * self.tick_size)

    def ticks(self, price: str) -> int:
        """A decimal string of the API in ticks."""
        return int(Decimal(price) / self.tick_size)

    def inside(self, ticks: int) -> bool:
        """Whether the price is within today's price limits."""
        return self.low_ticks <= ticks <= self.high_ticks

    def within(self, ticks: int) -> int:
        """The price, moved into today's price limits."""
        return min(max(ticks, self.low_ticks), self.high_ticks)

    @property
    def one_sided(self) -> bool:
        """Whether there are no bids or no asks."""
        return self.bid_ticks is None or self.ask_ticks is None

    @property
    def typical_lots(self) -> int:
        """The typical size of an order, at least one lot: its value grows with the symbol's share of turnover."""
        value_fen = 100 * (_QUIET_YUAN + _YUAN_PER_BP * VALUE_SHARE_BP.get(self.symbol, 10))
        return max(1, value_fen // self.lot_value_fen)

    @property
    def ticket_lots(self) -> int:
        """The largest ordinary size of an order that takes: about a third of what is quoted."""
        return max(1, self.typical_lots // 2)

    @property
    def lot_value_fen(self) -> int:
        """What a lot is worth at the reference price, in fen."""
        return self.reference_ticks * self._tick_value_fen

    @property
    def activity(self) -> float:
        """The weight with which the instrument is quoted: the larger its share of value, and the smaller its orders."""
        return VALUE_SHARE_BP.get(self.symbol, 10) / (self.typical_lots * self.lot_value_fen)

    def would_trigger(self, side: Literal["buy", "sell"], ticks: int) -> bool:
        """Whether a stop order with this trigger price would become active at once, by the last trade's price."""
        return self.last_ticks is not None and (ticks <= self.last_ticks if side == "buy" else ticks >= self.last_ticks)

    def would_trade(self, side: Literal["buy", "sell"], ticks: int) -> bool:
        """Whether an order at this price meets the best price of the other side."""
        best = self.ask_ticks if side == "buy" else self.bid_ticks
        return best is not None and (ticks >= best if side == "buy" else ticks <= best)

    def wander(self, rng: random.Random) -> None:
        """Moves the fair price by at most a tick; the further it is from the reference price, the more often towards it."""
        if rng.random() >= _MOVES:
            return
        reach = 2 * max(1, self.high_ticks - self.reference_ticks)
        pull = rng.randint(-reach, reach)
        self.fair_ticks += -1 if pull < self.fair_ticks - self.reference_ticks else 1
        self.fair_ticks = min(max(self.fair_ticks, self.low_ticks + 1), self.high_ticks - 1)


@dataclass
class MarketView:
    """All instruments, kept current by `apply_ticker`."""

    quotes: dict[str, Quote] = field(default_factory=dict)

    def list_instrument(self, instrument: dict[str, Any]) -> None:
        """Adds one entry of GET /v1/instruments, or updates its price limits and phase; a known fair price is kept."""
        tick_size = Decimal(instrument["tick_size"])
        reference = int(Decimal(instrument["reference_price"]) / tick_size)
        known = self.quotes.get(instrument["symbol"])
        self.quotes[instrument["symbol"]] = Quote(
            symbol=instrument["symbol"],
            tick_size=tick_size,
            lot_size=instrument["lot_size"],
            reference_ticks=reference,
            low_ticks=int(Decimal(instrument["lower_limit"]) / tick_size),
            high_ticks=int(Decimal(instrument["upper_limit"]) / tick_size),
            fair_ticks=known.fair_ticks if known else reference,
            open=instrument["phase"] == "continuous",
            collecting=instrument["phase"] == "call_auction",
        )

    def apply_ticker(self, ticker: dict[str, Any]) -> None:
        """Applies one ticker. The first trade price that it sees becomes the fair price, so that a restarted simulator
        continues at the market."""
        quote = self.quotes.get(ticker["symbol"])
        if quote is None:
            return
        quote.reference_ticks = quote.ticks(ticker["reference_price"])
        quote.low_ticks = quote.ticks(ticker["lower_limit"])
        quote.high_ticks = quote.ticks(ticker["upper_limit"])
        quote.bid_ticks = quote.ticks(ticker["best_bid"]) if ticker["best_bid"] else None
        quote.ask_ticks = quote.ticks(ticker["best_ask"]) if ticker["best_ask"] else None
        quote.last_ticks = quote.ticks(ticker["last"]) if ticker["last"] else None
        quote.open = ticker["phase"] == "continuous"
        quote.collecting = ticker["phase"] == "call_auction"
        if quote.last_ticks is not None and not quote.seen_trading:
            quote.seen_trading = True
            quote.fair_ticks = min(max(quote.last_ticks, quote.low_ticks + 1), quote.high_ticks - 1)

    def trading(self) -> list[Quote]:
        """The instruments that accept orders."""
        return [quote for quote in self.quotes.values() if quote.open or quote.collecting]

    def choose(self, rng: random.Random) -> Quote | None:
        """An instrument, chosen at random by activity; None if no instrument accepts orders."""
        trading = self.trading()
        if not trading:
            return None
        return rng.choices(trading, [quote.activity for quote in trading])[0]
