"""Exceptions of the client.

RexError             the venue answered with a problem (RFC 9457): `status`, `code`, `detail`, `errors`; after a 429 or a 503
                     `retry_after_ms`
ConnectionError
├── Unreachable      nothing was sent: the venue does not answer, or the connection was lost before
└── OutcomeUnknown   the request was sent and no reply came: retry with the same client_order_id to learn the outcome
Proposed             nothing was carried out: the act waits until a second person confirms it
FellBehind           the program read a subscription too slowly; pushes were dropped
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

BAD_GATEWAY = (502, 503, 504)
"""What a proxy answers that has lost the venue, some before and some after they sent the request on."""

KEY_CODES = {"the key has expired": "key_expired", "the session has ended": "session_ended"}
"""The code of a problem by the reason of a close with 4001; any other reason is that of a revoked key."""


class RexError(Exception):
    """The venue answered with a problem. `code` is stable; `errors` names invalid fields: [{"field", "message"}, …].

    None where the venue does not say it: `retry_after_ms`, how long to wait before the request is sent again; `rate_class`, the
    limit that was reached; `next_step`, what to do; `request_id`, for whoever looks into the venue's log.
    """

    def __init__(self, problem: Mapping[str, Any]) -> None:
        self.status = int(problem.get("status", 0))
        self.code = str(problem.get("code", "unreadable_answer"))
        self.detail = str(problem.get("detail", ""))
        self.errors: list[dict[str, str]] = list(problem.get("errors", ()))
        self.retry_after_ms: int | None = problem.get("retry_after_ms")
        self.rate_class: str | None = problem.get("rate_class")
        self.next_step: str | None = problem.get("next_step")
        self.request_id: str | None = problem.get("request_id")
        self.after_unknown_outcome = False
        """Whether the client had sent the same request before and knows no outcome of it."""
        super().__init__(f"{self.status} {self.code}: {self.detail}")


class Proposed(Exception):
    """The venue lets nobody do this alone. Another person, who is logged in, confirms it on the control page.
    `withdraw_proposal` takes it back."""

    def __init__(self, answer: Mapping[str, Any]) -> None:
        self.proposal = int(answer["proposal"])
        self.act = str(answer["act"])
        super().__init__(f"{self.act} waits for a second person as proposal {self.proposal}")


class Unreachable(ConnectionError):
    """Nothing was sent."""


class OutcomeUnknown(ConnectionError):
    """A request was sent and no reply came. Retrying an order with the same client_order_id is safe."""


class FellBehind(Exception):
    """A subscription was full, and pushes were dropped. Subscribe again; read own orders over REST."""


def error_of(problem: Mapping[str, Any]) -> RexError | OutcomeUnknown:
    """The exception for a problem document. A proxy that lost the venue does not know the outcome."""
    code = problem.get("code")
    if code == "outcome_unknown" or (code == "unreadable_answer" and problem.get("status") in BAD_GATEWAY):
        return OutcomeUnknown(str(problem.get("detail", "")))
    return RexError(problem)


def key_refused(reason: str | None) -> RexError:
    """The exception for a WebSocket that the venue has closed because of its key."""
    return RexError({"status": 401, "code": KEY_CODES.get(reason or "", "unknown_key"), "detail": reason or ""})
