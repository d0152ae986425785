"""Long answers that browsers read are compressed, for who takes gzip; the bytes are the same."""

from __future__ import annotations

import pytest

from services.gateway.http.compression import MIN_BYTES
from tests.integration.venue import RunningVenue

pytestmark = pytest.mark.anyio

LONG = ("/v1/instruments", "/v1/market/tickers", "/v1/calendar", "/v1/reports/turnover/2023")


async def test_a_long_answer_is_compressed_for_who_takes_it(refusing_venue: RunningVenue) -> None:
    client = refusing_venue.client("operator")
    for path in LONG:
        plain = await client.get(path, headers={"accept-encoding": "identity"})
        assert "content-encoding" not in plain.headers
        assert len(plain.content) >= MIN_BYTES
        for accepted in ("gzip", "gzip, deflate, br", "br;q=1.0, gzip;q=0.5"):
            packed = await client.get(path, headers={"accept-encoding": accepted})
            assert packed.headers["content-encoding"] == "gzip"
            assert int(packed.headers["content-length"]) < len(plain.content) / 3
            assert packed.content == plain.content
        for answer in (plain, await client.get(path, headers={"accept-encoding": "gzip;q=0"})):
            assert "accept-encoding" in ", ".join(answer.headers.get_list("vary"))
            assert answer.content == plain.content


async def test_others_are_not(refusing_venue: RunningVenue) -> None:
    """Short ones, files that are packed already, problems, and those of an account."""
    turnover = "/v1/reports/turnover"
    for path in (
        "/v1/time", "/v1/market/PRND-OX/ticker", f"{turnover}/2023?format=xlsx", f"{turnover}/1999", "/v1/account",
    ):  # fmt: skip
        answer = await refusing_venue.client("alice").get(path, headers={"accept-encoding": "gzip"})
        assert "content-encoding" not in answer.headers
        assert int(answer.headers["content-length"]) == len(answer.content)
