"""Ids in paths, bodies and WebSocket params: decimal digits as text, since JavaScript's numbers are exact to 2**53 only.

Each `…_id_of` returns the id as an integer and raises the 404 problem of that kind of id for any other text: a text that is
no id names nothing.
"""

from __future__ import annotations

from typing import Annotated

import msgspec

from services.gateway.problems import ProblemError

MAX_ID = 2**63 - 1
"""The largest id; a trade's id is the sequence number of its command times 2**20, plus its place among the command's events."""

OrderIdText = Annotated[str, msgspec.Meta(pattern=r"^[1-9][0-9]{0,17}\Z")]
"""An order id in a WebSocket message: the schema refuses every other text with a 422 problem."""


def order_id_of(text: str) -> int:
    """The order id; raises `unknown_order` (404)."""
    order_id = _positive_integer(text)
    if order_id is None:
        raise unknown_order()
    return order_id


def trade_id_of(text: str) -> int:
    """The trade id; raises `unknown_trade` (404)."""
    trade_id = _positive_integer(text)
    if trade_id is None:
        raise unknown_trade()
    return trade_id


def key_id_of(text: str) -> int:
    """The id of an API key; raises `unknown_key_id` (404)."""
    key_id = _positive_integer(text)
    if key_id is None:
        raise unknown_key_id()
    return key_id


def alert_id_of(text: str) -> int:
    """The number of an alert; raises `unknown_alert` (404)."""
    alert_id = _positive_integer(text)
    if alert_id is None:
        raise unknown_alert()
    return alert_id


def proposal_of(text: str) -> int:
    """The number of a proposal; raises `not_found` (404)."""
    proposal = _positive_integer(text)
    if proposal is None:
        raise ProblemError(404, "not_found", f"No proposal has the number {text[:40]!r}.")
    return proposal


def user_id_of(text: str) -> int | None:
    """The id of a user; None for a text that is none."""
    return _positive_integer(text)


def unknown_order() -> ProblemError:
    """404: there is no such order, or it belongs to another account. The answer does not say which."""
    return ProblemError(404, "unknown_order", "There is no such order.")


def unknown_trade() -> ProblemError:
    """404: no trade of the trading day has this id, or it was busted before."""
    return ProblemError(404, "unknown_trade", "No trade of this trading day has this id, or it was busted before.")


def unknown_key_id() -> ProblemError:
    """404: no valid key has this id."""
    return ProblemError(404, "unknown_key_id", "No valid key has this id.")


def unknown_alert() -> ProblemError:
    """404: no alert has this number."""
    return ProblemError(404, "unknown_alert", "No alert has this number.")


def _positive_integer(text: str) -> int | None:
    """1 to MAX_ID in ASCII digits, or None. The length is checked first: a longer text is never converted."""
    if not (text.isascii() and text.isdigit() and len(text) <= len(str(MAX_ID))):
        return None
    number = int(text)
    return number if 0 < number <= MAX_ID else None
