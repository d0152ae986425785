"""A seeded synthetic order flow: `python -m load_tests.order_flow --seed 1 --messages 20000 --out FILE`.

Writes new orders, cancels, immediate-or-cancel and market orders around a walking price inside the day's band. They come in
bursts, as in real flow: the busiest second has about 14 times the mean. Magnetic materials and PrNd make up about 91 % of the
value.
"""

from __future__ import annotations

import argparse
import gzip
import lzma
import sys
from collections.abc import Iterator, Sequence
from decimal import Decimal
from pathlib import Path
from random import Random
from typing import TextIO

from load_tests.flows.flow_csv import write_rows
from load_tests.flows.flow_message import FlowMessage
from matching_engine.records import band
from services.data.instruments import InstrumentFacts, load_instruments

NEW_SHARE = 0.56
CANCEL_SHARE = 0.40
MARKETABLE_SHARE = 0.11
MARKET_ORDER_SHARE = 0.25
"""The share of market orders among the messages that are neither cancels nor orders that may rest; the others are IOC limit
orders."""
MAGNET_AND_PRND_VALUE_SHARE = 0.91
ORDER_VALUE_YUAN = 500_000
MEAN_GAP_MS = 350.0
BURST_GAP_MS = 25.0


class SyntheticBook:
    """One instrument's walking price, and its orders that may still rest."""

    def __init__(self, facts: InstrumentFacts) -> None:
        self.facts = facts
        self.low_ticks, self.high_ticks = band(facts.reference_ticks, facts.band_ppm)
        self.mid_ticks = facts.reference_ticks
        self.resting: list[FlowMessage] = []

    def walk(self, random: Random) -> None:
        """Moves the price by a tick in one of ten calls, inside the middle half of the band."""
        if random.random() < 0.1:
            quarter = (self.high_ticks - self.low_ticks) // 4
            step = random.choice((-1, 1))
            self.mid_ticks = min(max(self.mid_ticks + step, self.low_ticks + quarter), self.high_ticks - quarter)

    def price(self, ticks_from_mid: int) -> str:
        """A price inside the band, so many ticks from the middle, as a decimal string."""
        ticks = min(max(self.mid_ticks + ticks_from_mid, self.low_ticks), self.high_ticks)
        return str(ticks * self.facts.tick_size)

    def quantity(self, random: Random) -> int:
        """A number of lots, at least one, worth about ORDER_VALUE_YUAN."""
        lot_yuan = self.facts.reference_price * self.facts.lot_size
        mean_lots = max(int(Decimal(ORDER_VALUE_YUAN) / lot_yuan), 1)
        return max(round(mean_lots * random.lognormvariate(0, 0.5)), 1)


def generate(seed: int, messages: int, instruments: Sequence[InstrumentFacts]) -> Iterator[FlowMessage]:
    """Yields `messages` messages in order of time. The same arguments give the same flow."""
    random = Random(seed)
    books = [SyntheticBook(facts) for facts in instruments]
    weights = _weights(instruments)
    clock = _times(random)
    for number in range(1, messages + 1):
        book = random.choices(books, weights)[0]
        book.walk(random)
        kind = random.random()
        if kind < CANCEL_SHARE and book.resting:
            index = random.randrange(len(book.resting))
            book.resting[index], book.resting[-1] = book.resting[-1], book.resting[index]
            yield book.resting.pop()._replace(time_ms=next(clock), action="cancel")
        else:
            yield _new_order(random, book, next(clock), f"s{seed}-{number}", kind < CANCEL_SHARE + NEW_SHARE)


def _new_order(random: Random, book: SyntheticBook, time_ms: int, client_order_id: str, may_rest: bool) -> FlowMessage:
    side = random.choice(("buy", "sell"))
    away = -1 if side == "buy" else 1
    distance = 1 + min(int(random.expovariate(0.25)), 40)
    crosses = not may_rest or random.random() < MARKETABLE_SHARE
    order_type, time_in_force = "limit", random.choice(("day", "gtc")) if may_rest else "ioc"
    price = book.price(-away * distance if crosses else away * distance)
    if not may_rest and random.random() < MARKET_ORDER_SHARE:
        order_type, price = "market", ""
    quantity = book.quantity(random)
    order = FlowMessage(
        time_ms, "new", book.facts.symbol, side, order_type, time_in_force, price, quantity, client_order_id
    )
    if not crosses:
        book.resting.append(order)
    return order


def _weights(instruments: Sequence[InstrumentFacts]) -> list[float]:
    # All orders are worth about the same, so a share of the orders is the same share of the value; except where a single lot is
    # worth more than ORDER_VALUE_YUAN.
    favoured = [facts.category == "magnetic_material" or facts.symbol.startswith("PRND") for facts in instruments]
    shares = {True: MAGNET_AND_PRND_VALUE_SHARE, False: 1 - MAGNET_AND_PRND_VALUE_SHARE}
    yuan = [max(float(facts.reference_price * facts.lot_size), ORDER_VALUE_YUAN) for facts in instruments]
    return [
        shares[is_favoured] / favoured.count(is_favoured) * ORDER_VALUE_YUAN / value
        for is_favoured, value in zip(favoured, yuan, strict=True)
    ]


def _times(random: Random) -> Iterator[int]:
    # A burst begins about every 200 messages and lasts about 40 messages.
    now_ms, in_burst = 0.0, False
    while True:
        yield int(now_ms)
        in_burst = random.random() < (0.975 if in_burst else 0.005)
        now_ms += random.expovariate(1 / (BURST_GAP_MS if in_burst else MEAN_GAP_MS))


def main(arguments: Sequence[str] | None = None) -> int:
    """The command line: writes a flow file. The exit status is 2 for bad usage."""
    description = "Writes a seeded synthetic order flow to a CSV file."
    parser = argparse.ArgumentParser(prog="python -m load_tests.order_flow", description=description)
    parser.add_argument("--seed", type=int, default=1, help="the same seed gives the same flow (default 1)")
    parser.add_argument("--messages", type=int, default=20_000, help="how many orders and cancels (default 20000)")
    parser.add_argument("--symbols", nargs="+", metavar="SYMBOL", help="the instruments of the flow (default: all)")
    parser.add_argument("--out", type=Path, required=True, help="CSV file to write; .gz and .xz are compressed")
    options = parser.parse_args(arguments)
    listed = {facts.symbol: facts for facts in load_instruments()}
    symbols = options.symbols or list(listed)
    unknown = [symbol for symbol in symbols if symbol not in listed]
    if unknown:
        parser.error(f"unknown symbol {', '.join(unknown)}; known are {', '.join(listed)}")
    if options.messages < 1:
        parser.error(f"--messages {options.messages}: must be at least 1")
    try:
        with _create(options.out) as file:
            count = write_rows(file, generate(options.seed, options.messages, [listed[symbol] for symbol in symbols]))
    except OSError as error:
        parser.error(f"cannot write {options.out}: {error.strerror or error}")
    print(f"{count} messages written to {options.out}", file=sys.stderr)
    return 0


def _create(path: Path) -> TextIO:
    if path.suffix == ".xz":
        return lzma.open(path, "wt", encoding="utf-8", newline="")
    if path.suffix == ".gz":
        return gzip.open(path, "wt", encoding="utf-8", newline="")
    return path.open("w", encoding="utf-8", newline="")


if __name__ == "__main__":
    sys.exit(main())
