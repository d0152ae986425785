"""Venues with one mistake each; a run that does not find it is worth nothing."""

from __future__ import annotations

import os
from itertools import count
from typing import Any

from services.gateway import problems
from services.gateway.http.metrics import GatewayMetrics
from services.gateway.websocket.connection import Connection


def forgetful_of_methods() -> None:
    """`Allow` names no other method than GET."""
    problems._methods_of = lambda *_: ["GET"]


def talkative() -> None:
    """Replies to `ping` have a field that no document has."""
    reply = Connection._reply

    def with_more(self: Connection, request_id: Any, name: str, value: Any) -> None:
        reply(
            self, request_id, name, {"time": "2023-12-01T00:00:00Z", "seq": 1, "more": 1} if name == "result" else value
        )

    Connection._reply = with_more  # type: ignore[method-assign]


def swallowing() -> None:
    """A message that is no JSON gets no reply, but a close with 1011."""

    def no_reply(self: Connection, request_id: Any, error: Any) -> None:
        self.queue.close(1011, "internal error")

    Connection._error = no_reply  # type: ignore[method-assign]


def mortal() -> None:
    """The process ends without a word at its 1,200th request."""
    numbers = count(1)

    def counted(self: GatewayMetrics, method: str, status: int, seconds: float) -> None:
        if next(numbers) == 1_200:
            os._exit(1)

    GatewayMetrics.request = counted  # type: ignore[method-assign]
