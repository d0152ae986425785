"""Ids in paths, bodies and WebSocket params: decimal digits as text, since JavaScript's numbers are exact to 2**53 only."""

from __future__ import annotations

from typing import Annotated, NamedTuple

import msgspec

from services.gateway.problems import ProblemError

MAX_ID = 2**63 - 1
"""The largest id; a trade's id is the sequence number of its command times 2**20, plus its place among the command's events."""

OrderIdText = Annotated[str, msgspec.Meta(pattern=r"^[1-9][0-9]{0,17}\Z")]
"""An order id in a WebSocket message: the schema refuses every other text with a 422 problem."""


class Ids(NamedTuple):
    """The ids of one kind of thing. A text that is no id names nothing, too."""

    code: str
    sentence: str

    def number(self, text: str) -> int:
        """The id as an integer; raises `unknown` for any other text."""
        number = id_number(text)
        if number is None:
            raise self.unknown()
        return number

    def unknown(self) -> ProblemError:
        """The 404 problem: there is no such thing."""
        return ProblemError(404, self.code, self.sentence)


ORDER_IDS = Ids("unknown_order", "There is no such order.")
"""An order of another account is unknown, too: the answer does not say which it is."""
TRADE_IDS = Ids("unknown_trade", "No trade of this trading day has this id, or it was busted before.")
KEY_IDS = Ids("unknown_key_id", "No valid key has this id.")
ALERT_IDS = Ids("unknown_alert", "No alert has this number.")


def id_number(text: str) -> int | None:
    """1 to MAX_ID in ASCII digits, or None. The length is checked first: a longer text is never converted."""
    if not (text.isascii() and text.isdigit() and len(text) <= len(str(MAX_ID))):
        return None
    number = int(text)
    return number if 0 < number <= MAX_ID else None
