"""`at_least_seq` of the reports: a client that has just traded reads its own trade, on every route that reads the database."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import pytest
from fastapi import FastAPI

from services.data.calendar import TradingCalendar
from services.reporting import requests
from services.reporting.proven import Proven
from services.reporting.requests import Projected
from services.reporting.turns import Elsewhere
from services.venue.application import Gateway, make_application
from services.venue.settings import read_settings
from tests.integration.test_reporting import place
from tests.integration.venue import Clock, RunningVenue, running_venue
from tests.patience import AsyncHttpClient

pytestmark = pytest.mark.anyio

EXAMPLES = {
    "{seq}": "1", "{year}": "2023", "{period}": "2023-01-03", "{date}": "2023-01-03", "{trade_id}": "1", "{order_id}": "1",
    "{symbol}": "PRND-OX",
}  # fmt: skip
OTHERS = {
    "/v1/reports/turnover/{year}/range", "/v1/reports/journal/{seq}", "/v1/reports/turnover/{year}/proof",
    "/v1/reports/turnover/{year}/certificate", "/v1/reports/books/{symbol}",
}  # fmt: skip
"""The first waits for its own `to_seq`, the last for its `seq`; the second reads no read database, the others are
of the present command."""


async def nothing_to_prove(year: int, *, breakdown: bool = False) -> Proven:
    raise AssertionError(f"nobody asks for a proof of {year}, breakdown {breakdown}")


@asynccontextmanager
async def whole_application(
    venue: RunningVenue, folder: Path, projected: Projected, elsewhere: Elsewhere | None = None
) -> AsyncIterator[tuple[FastAPI, AsyncHttpClient]]:
    """The application as a venue makes it, with every report, and an operator's client of it."""
    gateway = Gateway(venue.state, venue.market, venue.order_entry, venue.channels, venue.people, projected)
    application = make_application(
        gateway,
        read_settings(data_dir=folder),
        inbox=venue.inbox,
        read_database=venue.read_database,
        journal=venue.journal,
        calendar=TradingCalendar.load(),
        clock=Clock(),
        not_ready=list,
        warnings=list,
        prove=nothing_to_prove,
        elsewhere=elsewhere,
    )
    headers = dict(venue.client("operator").headers)
    transport = httpx.ASGITransport(application)
    async with AsyncHttpClient(transport=transport, base_url="http://127.0.0.1", headers=headers) as client:
        yield application, client


def address_of(path: str, **other: str) -> str:
    for name, value in {**EXAMPLES, **other}.items():
        path = path.replace(name, value)
    return path


async def test_every_report_waits_for_the_seq_that_it_is_asked_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(requests, "READ_TIMEOUT_S", 0.01)
    async with (
        running_venue(tmp_path) as venue,
        whole_application(venue, tmp_path, venue.projector.reached) as (application, client),
    ):
        paths = {path for path in application.openapi()["paths"] if path.startswith("/v1/reports/")}
        assert paths > OTHERS
        for path in sorted(paths):
            query: dict[str, str | int] = {"at_least_seq": venue.sequencer.last_seq + 1}
            query |= {"by": "product"} if path.endswith("/splits") else {}
            query |= {"year": 2023} if path.endswith("/decisions") else {}
            answer = await client.get(address_of(path), params=query)
            assert answer.status_code == 422, path
            does_not = "there is no such query parameter here"
            said = does_not if path in OTHERS else "the venue has not reached this sequence number"
            assert answer.json()["detail"] == f"at_least_seq: {said}", path


async def test_a_request_is_checked_before_it_waits(tmp_path: Path) -> None:
    """A year that no report has is named at once: nobody waits for a seq of 10^12."""
    waited: list[int] = []

    async def reached(seq: int) -> None:
        waited.append(seq)

    async with (
        running_venue(tmp_path) as venue,
        whole_application(venue, tmp_path, reached) as (application, client),
    ):
        paths = sorted(path for path in application.openapi()["paths"] if path.startswith("/v1/reports/"))
        for path in (path for path in paths if "{year}" in path and path not in OTHERS):
            answer = await client.get(address_of(path, **{"{year}": "1999"}), params={"at_least_seq": 10**12})
            assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, "year"), path
        assert waited == []
        await client.get(address_of("/v1/reports/turnover/{year}/ladder"), params={"at_least_seq": 10**12})
        assert waited == [10**12]


async def test_a_split_right_after_a_trade_has_the_trade(tmp_path: Path) -> None:
    async with running_venue(tmp_path) as venue:
        await place(venue, "alice", "PRND-OX", "sell", "473000.00", 1)
        seq = (await place(venue, "bob", "PRND-OX", "buy", "473000.00", 1))["seq"]
        for path in ("splits?by=product&", "ladder?", "days?"):
            address = f"/v1/reports/turnover/2023/{path}at_least_seq={seq}"
            answer = await venue.client("operator").get(address)
            assert "473000.00" in answer.text, path
        page = (await venue.client("operator").get(f"/v1/reports/trades?year=2023&at_least_seq={seq}")).json()
        assert [one["amount"] for one in page["trades"]] == ["473000.00"]
