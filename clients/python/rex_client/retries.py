"""When a call is sent again: after a refusal that took nothing in, and after an unknown outcome where a repeat is safe."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Awaitable, Callable
from typing import TypeVar

from rex_client.errors import OutcomeUnknown, RexError, Unreachable

Reply = TypeVar("Reply")

NOT_TAKEN_IN = ("inbox_full", "not_ready", "cut_off", "request_timeout", "too_many_connections")
"""The codes of refusals, beside those of status 429, after which the venue has carried out nothing of the request."""

FIRST_PAUSE_S = 0.1
LAST_PAUSE_S = 5.0


def took_nothing_in(refused: RexError) -> bool:
    """Whether the venue carried out nothing of the request, and would take the same request later."""
    return refused.status == 429 or refused.code in NOT_TAKEN_IN


def tells_nothing(refused: RexError) -> bool:
    """Whether the refusal of a repeat leaves open what came of the same request before: the key or the venue has changed."""
    return refused.status in (401, 403) or refused.status >= 500


async def patiently(attempt: Callable[[], Awaitable[Reply]], patience_s: float, *, is_repeatable: bool) -> Reply:
    """Makes a call, again and again until it has an answer or the patience of so many seconds does not suffice for a wait.

    An unknown outcome is repeated only where `is_repeatable`. It stays unknown if the repeats bring no answer, or a refusal
    that tells nothing about the first request; any other RexError that a repeat brings has `after_unknown_outcome`.
    """
    ends_at, pause_s = time.monotonic() + patience_s, FIRST_PAUSE_S
    unknown: OutcomeUnknown | None = None
    while True:
        wait_s = pause_s * random.uniform(0.5, 1.0)
        failure: Exception
        try:
            return await attempt()
        except OutcomeUnknown as error:
            if not is_repeatable:
                raise
            failure = unknown = error
        except Unreachable as error:
            failure = error
        except RexError as refused:
            if not took_nothing_in(refused):
                if unknown is not None and tells_nothing(refused):
                    raise unknown from refused
                refused.after_unknown_outcome = unknown is not None
                raise
            failure, wait_s = refused, max(wait_s, (refused.retry_after_ms or 0) / 1000)
        if time.monotonic() + wait_s > ends_at:
            raise unknown or failure
        await asyncio.sleep(wait_s)
        pause_s = min(pause_s * 2, LAST_PAUSE_S)
