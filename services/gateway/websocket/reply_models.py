"""The results of requests that only the WebSocket has, and what is left of a rate limit. The others are models of REST."""

from __future__ import annotations

import msgspec

from services.gateway.websocket.market_models import CandleInterval
from services.gateway.websocket.messages import Channel, SubscribeParams

_UNSET = msgspec.UNSET


class RateLimitLeft(msgspec.Struct):
    """What is left of the limit that a request counted for, as the headers of REST say it."""

    rate_class: str = msgspec.field(name="class")
    remaining: int
    reset_s: int


class Authenticated(msgspec.Struct):
    """The key of the connection; account 0: the key has none."""

    account: int
    name: str
    scopes: list[str]


class Subscribed(msgspec.Struct):
    """What was subscribed to, or no longer is, with the options that were given."""

    channels: list[Channel]
    symbols: list[str]
    levels: int | msgspec.UnsetType = _UNSET
    interval_ms: int | msgspec.UnsetType = _UNSET
    interval: CandleInterval | msgspec.UnsetType = _UNSET
    latest: int | msgspec.UnsetType = _UNSET

    @classmethod
    def of(cls, params: SubscribeParams) -> Subscribed:
        """The result of a request with these params."""
        return cls(
            params.channels,
            params.symbols or [],
            _UNSET if params.levels is None else params.levels,
            _UNSET if params.interval_ms is None else params.interval_ms,
            _UNSET if params.interval is None else params.interval,
            _UNSET if params.latest is None else params.latest,
        )


class Subscription(msgspec.Struct):
    """A part of a connection's subscriptions, as `subscribe` takes it; a channel of the whole venue has no symbols."""

    channels: list[str]
    symbols: list[str] | msgspec.UnsetType = _UNSET
    levels: int | msgspec.UnsetType = _UNSET
    interval_ms: int | msgspec.UnsetType = _UNSET
    interval: CandleInterval | msgspec.UnsetType = _UNSET
    latest: int | msgspec.UnsetType = _UNSET


class Subscriptions(msgspec.Struct):
    """All subscriptions of the connection."""

    subscriptions: list[Subscription]


class ConnectionOptions(msgspec.Struct):
    """What the connection has asked for, and does by default not get."""

    heartbeat: bool
    times: bool


class Pong(msgspec.Struct):
    """The venue's clock, and the last command that the gateway has applied."""

    time: str
    seq: int


class DisconnectRule(msgspec.Struct):
    """Whether the end of the connection cancels the account's orders; `after_close`: also a graceful one."""

    enabled: bool
    after_close: bool
