"""The reply to a request as JSON text, with the times at which the venue took and answered it, if the client asked for them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec

from services.gateway.limits.bucket import Bucket
from services.gateway.websocket.messages import RequestId
from services.gateway.websocket.reply_models import RateLimitLeft
from services.values.times import time_text

_UNSET = msgspec.UNSET


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
