"""The law of retries: what is sent again, and what the program learns at the end, for any run of outcomes."""

from __future__ import annotations

import asyncio
from unittest.mock import patch

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from rex_client import OutcomeUnknown, RexError, Unreachable, retries
from rex_client.errors import error_of
from rex_client.rate_limit import RateLimit, RateLimits

PATIENCE_S = 60.0
OUTCOMES = {
    "unknown": OutcomeUnknown("lost"),
    "unreachable": Unreachable("not sent"),
    "full": RexError({"status": 503, "code": "inbox_full"}),
    "limited": RexError({"status": 429, "code": "rate_limited", "retry_after_ms": 0}),
    "refused": RexError({"status": 422, "code": "price_off_tick"}),
    "failed": RexError({"status": 500, "code": "internal_error"}),
    "read only": RexError({"status": 503, "code": "read_only"}),
    "no key": RexError({"status": 401, "code": "unknown_key"}),
    "no scope": RexError({"status": 403, "code": "scope_missing"}),
    "wait too long": RexError({"status": 429, "code": "rate_limited", "retry_after_ms": 61_000}),
}
AGAIN = ("unknown", "unreachable", "full", "limited")
TELLS_NOTHING = ("failed", "read only", "no key", "no scope")
"""Refusals of a repeat that say nothing about the first request."""
LAST = ("answer", "refused", *TELLS_NOTHING, "wait too long")


@given(st.lists(st.sampled_from(AGAIN), max_size=6), st.sampled_from(LAST), st.booleans())
@example(["unknown"], "wait too long", True)
def test_a_call_is_sent_again_until_it_has_an_answer(before: list[str], last: str, is_repeatable: bool) -> None:
    script = [*before, last]
    made: list[str] = []

    async def attempt() -> str:
        made.append(script[len(made)])
        if made[-1] == "answer":
            return "answer"
        raise OUTCOMES[made[-1]]

    with patch.object(retries, "FIRST_PAUSE_S", 0.0):
        [outcome] = asyncio.run(_outcome(attempt, is_repeatable))

    stops_early = not is_repeatable and "unknown" in before
    assert made == (script[: script.index("unknown") + 1] if stops_early else script)
    if stops_early or (last in ("wait too long", *TELLS_NOTHING) and "unknown" in made):
        assert isinstance(outcome, OutcomeUnknown)
    elif last == "answer":
        assert outcome == "answer"
    else:
        assert outcome is OUTCOMES[last]
        assert OUTCOMES[last].after_unknown_outcome == ("unknown" in made)  # type: ignore[attr-defined]


async def _outcome(attempt: object, is_repeatable: bool) -> list[object]:
    call = retries.patiently(attempt, PATIENCE_S, is_repeatable=is_repeatable)  # type: ignore[arg-type, var-annotated]
    outcomes: list[object] = await asyncio.gather(call, return_exceptions=True)
    return outcomes


def test_without_patience_a_call_is_made_once() -> None:
    made: list[None] = []

    async def attempt() -> None:
        made.append(None)
        raise OUTCOMES["full"]

    with pytest.raises(RexError, match="inbox_full"):
        asyncio.run(retries.patiently(attempt, 0.0, is_repeatable=True))
    assert len(made) == 1


@pytest.mark.parametrize("status", [502, 503, 504])
def test_a_proxy_that_lost_the_venue_does_not_know_the_outcome(status: int) -> None:
    problem = {"status": status, "code": "unreadable_answer", "detail": "<html>"}
    assert isinstance(error_of(problem), OutcomeUnknown)
    assert isinstance(error_of(problem | {"status": 403}), RexError)
    assert isinstance(error_of(problem | {"code": "read_only"}), RexError), "the venue's own answer"


def test_the_header_of_two_limits_is_read() -> None:
    limits = RateLimits()
    limits.take_header('"orders";r=4999;t=1, "cancels";r=0;t=12')
    assert limits == {"orders": RateLimit(4999, 1), "cancels": RateLimit(0, 12)}
