"""The reply to a request as JSON text, and the results that only the WebSocket has; the others are models of REST.

A reply has the times at which the venue took the request and answered it, if the client asked for them.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec

from services.gateway.limits.bucket import Bucket
from services.gateway.problems import problem_of
from services.gateway.request_ids import new_request_id
from services.gateway.websocket.market_models import CandleInterval
from services.gateway.websocket.messages import Channel, RequestId, SubscribeParams
from services.values.times import time_text

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


class ReplyMessage(msgspec.Struct):
    """Either `result` or `error`, a problem document; `rate_limit`: what is left of the limit that the request counted for."""

    req_id: int | str | None
    """That of the request."""
    result: Any = _UNSET
    error: Any = _UNSET
    rate_limit: RateLimitLeft | msgspec.UnsetType = _UNSET
    time_in: str | msgspec.UnsetType = _UNSET
    """When the venue took the request; with the option `times`."""
    time_out: str | msgspec.UnsetType = _UNSET
    """When it made the reply; with the option `times`."""


class RequestTimes:
    """When the venue took a request; it is asked for the time of the reply when that is made."""

    __slots__ = ("_clock", "_in_ns")

    def __init__(self, clock: Callable[[], int]) -> None:
        self._clock = clock
        self._in_ns = clock()

    def complete(self, reply: ReplyMessage) -> None:
        """Adds both times."""
        reply.time_in, reply.time_out = time_text(self._in_ns), time_text(self._clock())


_encode = msgspec.json.Encoder().encode


def problem_document(error: Exception) -> dict[str, Any]:
    """The `error` of a reply, with an id of its own, by which the log names what it has of the error."""
    request_id = new_request_id().decode()
    return problem_of(error, request_id).document(request_id)


def reply_text(
    request_id: RequestId,
    name: str,
    value: Any,
    bucket: Bucket | None,
    now: Callable[[], int],
    times: RequestTimes | None = None,
) -> str:
    """A reply: its `result` or `error` (a model or its dict), what is left of the limit that it counted for, and its times."""
    reply = ReplyMessage(request_id)
    setattr(reply, name, value)
    if bucket is not None:
        reply.rate_limit = RateLimitLeft(bucket.name, *bucket.left(now()))
    if times is not None:
        times.complete(reply)
    return _encode(reply).decode()
