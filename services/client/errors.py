"""Exceptions of the client.

RexError             the venue answered with a problem (RFC 9457): `status`, `code`, `detail`, `errors`
ConnectionError
├── Unreachable      nothing was sent: the venue does not answer, or the connection was lost before
└── OutcomeUnknown   the request was sent and no reply came: retry with the same client_order_id to learn the outcome
FellBehind           the program read a subscription too slowly; pushes were dropped
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


class RexError(Exception):
    """The venue answered with a problem. `code` is stable; `errors` names invalid fields: [{"field", "message"}, …]."""

    def __init__(self, problem: Mapping[str, Any]) -> None:
        self.status = int(problem.get("status", 0))
        self.code = str(problem.get("code", "unreadable_answer"))
        self.detail = str(problem.get("detail", ""))
        self.errors: list[dict[str, str]] = list(problem.get("errors", ()))
        super().__init__(f"{self.status} {self.code}: {self.detail}")


class Unreachable(ConnectionError):
    """Nothing was sent."""


class OutcomeUnknown(ConnectionError):
    """A request was sent and no reply came. Retrying an order with the same client_order_id is safe."""


class FellBehind(Exception):
    """A subscription was full, and pushes were dropped. Subscribe again; read own orders over REST."""


def error_of(problem: Mapping[str, Any]) -> RexError | OutcomeUnknown:
    """The exception for a problem document."""
    if problem.get("code") == "outcome_unknown":
        return OutcomeUnknown(str(problem.get("detail", "")))
    return RexError(problem)
