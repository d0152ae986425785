"""The pushes of the market channels: one envelope, and the data of each channel. Names and units as in REST."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import msgspec

from services.gateway.sockets import SharedText

CandleInterval = Literal["1m", "5m", "15m", "1h", "1d"]


def model_row(model: str) -> msgspec.Meta:
    """Says of a dict that REST has it, too, and describes it by this model."""
    return msgspec.Meta(extra_json_schema={"$ref": f"#/components/schemas/{model}"})


TradeRow = Annotated[dict[str, Any], model_row("PublicTrade")]


class Push(msgspec.Struct):
    """The envelope of every push. `symbol` is null where a channel covers the whole venue."""

    channel: str
    type: Literal["snapshot", "update", "resumed", "server_shutdown"]
    symbol: str | None
    seq: int
    """The command that last changed the stream; of `candles`, `turnover` and `heartbeat` the one after which the data hold."""
    prev_seq: int | None
    """The `seq` of the push before it on the same stream; null for a snapshot."""
    incarnation: str
    """The journal's id, as in `GET /v1/venue`."""
    data: Any


class LevelData(msgspec.Struct):
    """A price level: lots shown and number of orders. Quantity 0: the level is gone, or no longer among those shown."""

    price: str
    quantity: int
    orders: int


class DepthData(msgspec.Struct):
    """Of `depth`: levels best first. In an update only those that changed, with their present values."""

    phase: str
    bids: list[LevelData]
    asks: list[LevelData]
    checksum: int
    """Of the top ten levels of each side, after the push."""


class TopData(msgspec.Struct):
    """Of `top`: the best bid and offer; null where the side is empty."""

    phase: str
    bid: LevelData | None
    ask: LevelData | None


SNAPSHOT_TRADES = 50
"""How many of the day's latest trades the snapshot of a trades stream holds at most."""


class TradesData(msgspec.Struct):
    """Of `trades`: oldest first, and the ids of those taken back."""

    trades: list[TradeRow]
    busted: list[str]


class CandleData(msgspec.Struct):
    """A candle; of a trading day `start` is its date."""

    start: str
    open: str
    high: str
    low: str
    close: str
    quantity: int
    amount: str
    trades: int
    closed: bool
    """No later trade can belong to it; a bust can still change it."""


class CandlesData(msgspec.Struct):
    """Of `candles`: oldest first. In an update only those that changed; `removed`: of these the last trade was taken back."""

    interval: CandleInterval
    candles: list[CandleData]
    removed: list[str]


class AuctionData(msgspec.Struct):
    """Of `auction`: what a call auction would trade now; null outside one."""

    phase: str
    indicative_price: str | None
    indicative_volume: int | None
    indicative_imbalance: int | None
    auction_ends_at: str | None


class InstrumentStatus(msgspec.Struct):
    """The phase of one instrument; `halted` is one."""

    symbol: str
    phase: str
    auction_ends_at: str | None


class ChangeData(msgspec.Struct):
    """A change of the timetable: from `time` on, phase and trading date are these."""

    time: str
    phase: str
    trading_date: str


class StatusData(msgspec.Struct):
    """Of `status`: in an update only the instruments that changed."""

    trading_date: str
    kill_switch: bool
    instruments: list[InstrumentStatus]
    next_changes: list[ChangeData]


class TurnoverData(msgspec.Struct):
    """Of `turnover`: the net turnover in yuan, single-sided, after the command `seq` of the push."""

    trading_date: str
    day: str
    year: str


class HeartbeatData(msgspec.Struct):
    """Of `heartbeat`: the venue's clock. The `seq` of the push is the last command that the gateway has applied."""

    time: str


class ShutdownData(msgspec.Struct):
    """Of `venue`: when the venue closes its connections, and why."""

    at: str
    reason: str


_encode = msgspec.json.Encoder().encode


def text_of(push: Push) -> SharedText:
    """The push as JSON text, which all subscribers share."""
    return SharedText(_encode(push).decode())
