"""The reply to a batch, over REST and WebSocket: `schemas.BatchReply`, its problems as dicts."""

from __future__ import annotations

from typing import Any

import msgspec

from services.gateway.replies.execution_report import OrderReport


class OutcomeOfOne(msgspec.Struct):
    """`schemas.BatchResult`: of one request in a batch, either `order` or `error`."""

    order: OrderReport | None = None
    error: dict[str, Any] | None = None


class OutcomesOfBatch(msgspec.Struct):
    """`schemas.BatchReply`: one result for each request, in the order of the request."""

    results: list[OutcomeOfOne]
