"""What is left of the key's rate limits, as the venue says it in headers and in replies of the WebSocket."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, NamedTuple

_HEADER = re.compile(r'"(\w+)";r=(\d+);t=(\d+)')


class RateLimit(NamedTuple):
    """The state of one limit (docs/limits.md) after the last reply that told it."""

    remaining: int
    """How many tokens are left."""
    reset_s: int
    """After how many seconds the bucket is full again."""


class RateLimits(dict[str, RateLimit]):
    """The limits by class: `orders`, `cancels`, `reads`. A class without a limit is missing."""

    def take_header(self, value: str) -> None:
        """Reads the header `RateLimit` of an answer."""
        for name, remaining, reset_s in _HEADER.findall(value):
            self[name] = RateLimit(int(remaining), int(reset_s))

    def take_reply(self, told: Mapping[str, Any]) -> None:
        """Reads the `rate_limit` of a WebSocket reply."""
        self[told["class"]] = RateLimit(told["remaining"], told["reset_s"])
