"""Recorded order-level flow, in the CSV layout of the ob-analytics R package.

    id,timestamp,exchange.timestamp,price,volume,action,direction

A `created` row becomes a new limit order, a `deleted` row a cancel by `client_order_id`. A `changed` row is skipped: it is a
result of the recorded exchange's matching, and our venue matches by itself. Deletions of orders that were created before the
recording began are skipped and counted. It is normal that an order is already filled when its cancel arrives.

Prices become ticks of one instrument: the recorded median becomes the reference price, and the central nine tenths of the
prices spread over the middle half of the day's band. A price outside the band is moved to its edge. The arithmetic is in whole
numbers.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from typing import NamedTuple

from load_tests.flows.flow_csv import BadRow
from load_tests.flows.flow_message import FlowInstrument, FlowMessage

HEADER = ("id", "timestamp", "exchange.timestamp", "price", "volume", "action", "direction")
VOLUME_OF_A_LOT = 10**8
"""The recorded volume of one lot: a whole unit, in hundred-millionths. A smaller volume becomes one lot, too."""

_PRICE = re.compile(r"[0-9]{1,12}(\.[0-9]{1,8})?")
_WHOLE = re.compile(r"[0-9]{1,18}")
_SIDES = {"bid": "buy", "ask": "sell"}
_ACTIONS = ("created", "changed", "deleted")
_PRICE_UNIT = 10**8


class RecordedRow(NamedTuple):
    """One event of the recording; `price` and `volume` are in hundred-millionths."""

    recorded_id: str
    time_ms: int
    price: int
    volume: int
    action: str
    side: str


@dataclass(frozen=True)
class PriceMap:
    """Converts recorded prices to ticks: `centre` to `reference_ticks`, `centre` ± `spread` half way to the band's edges."""

    centre: int
    spread: int
    reference_ticks: int
    low_ticks: int
    high_ticks: int

    def ticks(self, price: int) -> int:
        """The price in ticks, inside the band."""
        half_way = (self.high_ticks - self.low_ticks) // 4
        ticks = self.reference_ticks + (price - self.centre) * half_way // self.spread
        return min(max(ticks, self.low_ticks), self.high_ticks)


def parse_recorded_row(row: list[str]) -> RecordedRow:
    """Reads one row below the header. Raises BadRow."""
    if len(row) != len(HEADER):
        raise BadRow(f"{len(row)} fields instead of {len(HEADER)}")
    recorded_id, timestamp, _, price, volume, action, direction = row
    if not _WHOLE.fullmatch(recorded_id):
        raise BadRow(f"id {recorded_id!r} is not a whole number")
    if not _WHOLE.fullmatch(timestamp):
        raise BadRow(f"timestamp {timestamp!r} is not a whole number of milliseconds")
    if not _PRICE.fullmatch(price):
        raise BadRow(f"price {price!r} is not a decimal number")
    if not _WHOLE.fullmatch(volume):
        raise BadRow(f"volume {volume!r} is not a whole number")
    if action not in _ACTIONS:
        raise BadRow(f"action {action!r} is none of {', '.join(_ACTIONS)}")
    if direction not in _SIDES:
        raise BadRow(f"direction {direction!r} is neither bid nor ask")
    hundred_millionths = int(Decimal(price) * _PRICE_UNIT)
    return RecordedRow(recorded_id, int(timestamp), hundred_millionths, int(volume), action, _SIDES[direction])


def price_map(prices: Iterable[int], instrument: FlowInstrument) -> PriceMap:
    """The conversion of this recording's prices to ticks of the instrument."""
    ordered = sorted(prices) or [0]
    last = len(ordered) - 1
    centre, low, high = ordered[last // 2], ordered[last // 20], ordered[last - last // 20]
    tick = instrument.tick_size
    return PriceMap(
        centre=centre,
        spread=max(centre - low, high - centre, 1),
        reference_ticks=int(instrument.reference_price / tick),
        low_ticks=int(instrument.lower_limit / tick),
        high_ticks=int(instrument.upper_limit / tick),
    )


def to_messages(rows: list[RecordedRow], instrument: FlowInstrument) -> tuple[list[FlowMessage], Counter[str]]:
    """Converts the recording to messages for one instrument; also returns the number of skipped rows, by reason."""
    mapping = price_map((row.price for row in rows if row.action == "created"), instrument)
    sent: dict[str, FlowMessage] = {}
    messages: list[FlowMessage] = []
    skipped: Counter[str] = Counter()
    start_ms = latest_ms = rows[0].time_ms if rows else 0
    for row in rows:
        # A recording's clock may step back a little; the order of the rows is the true order.
        latest_ms = max(latest_ms, row.time_ms)
        if row.action == "changed":
            skipped["changed"] += 1
        elif (row.action == "created") == (row.recorded_id in sent):
            skipped["repeated_id" if row.action == "created" else "unknown_id"] += 1
        elif row.action == "created":
            message = _new_order(row, latest_ms - start_ms, mapping, instrument)
            sent[row.recorded_id] = message
            messages.append(message)
        else:
            messages.append(sent[row.recorded_id]._replace(time_ms=latest_ms - start_ms, action="cancel"))
    return messages, skipped


def _new_order(row: RecordedRow, time_ms: int, mapping: PriceMap, instrument: FlowInstrument) -> FlowMessage:
    price = mapping.ticks(row.price) * instrument.tick_size
    quantity = min(max(row.volume // VOLUME_OF_A_LOT, 1), instrument.max_quantity)
    return FlowMessage(
        time_ms, "new", instrument.symbol, row.side, "limit", "gtc", str(price), quantity, row.recorded_id
    )
