"""A command that trips an assertion of the engine stops the venue before the commit; `rex journal skip` is the way on."""

from __future__ import annotations

import asyncio
import json
import re
from pathlib import Path
from typing import Any

import httpx
import pytest

from matching_engine.records import CommandKind
from services.files.data_folder import JOURNAL_FILE
from services.journal.sqlite import SqliteJournal
from services.processes.exit_codes import ExitCode
from services.sequencer.skips import SkippedRequest
from tests.faults.mutants import POISON, poisoned_engine
from tests.faults.scaled_mutants import patience
from tests.faults.scaled_venue import scaled_venue
from tests.faults.traders import Trader, an_order, open_traders
from tests.faults.venue_process import Finished, VenueProcess, rex, serve
from tests.patience import AsyncHttpClient

pytestmark = [pytest.mark.anyio, pytest.mark.slow]

WHY = ("--reason", "it stops the venue", "--name", "Wang Fang")


async def test_an_embedded_venue_goes_on_without_the_command(tmp_path: Path) -> None:
    with serve(tmp_path, mutant=poisoned_engine) as venue:
        buyer, _ = await open_traders(venue)
        request = await _stops(venue, buyer)
    with serve(tmp_path, mutant=poisoned_engine) as venue:  # The journal does not hold it; the member sends it again.
        assert rex("journal", "skip", request, *WHY, "--data-dir", tmp_path).exit_status == ExitCode.OTHER_WRITER
        again = await _stops(venue, buyer)
        assert again.rpartition("-")[2] == request.rpartition("-")[2]
    written = json.loads(rex("journal", "skip", again, *WHY, "--data-dir", tmp_path, "--json").out)
    assert written["request"] == again
    with serve(tmp_path, mutant=poisoned_engine) as venue:
        await _is_refused_and_others_are_taken(venue.url, buyer, written["seq"])
        assert venue.stop() == 0
    verified = json.loads(rex("journal", "verify", "--data-dir", tmp_path, "--prove", "--json").out)
    assert verified["good"], verified
    _refused(rex("journal", "skip", again, *WHY, "--data-dir", tmp_path), "skipped already, by the row that ends at")
    _refused(rex("journal", "skip", await _executed(tmp_path), *WHY, "--data-dir", tmp_path), "was executed at seq")


async def test_a_scaled_venue_answers_the_gateway_that_sent_it(postgres_url: str) -> None:
    mutants = {"sequencer": poisoned_engine, "gateway": patience}
    with scaled_venue(postgres_url, gateways=1, mutants=mutants) as venue:
        buyer, _ = await open_traders(venue)
        async with _client(venue.url, buyer) as http:
            waiting = asyncio.create_task(http.post("/v1/orders", json=_poison()))
            named = set()
            for name in ("sequencer 1", "sequencer 2"):  # The gateway sends it to each leader in turn.
                process = venue.processes[name]
                assert await asyncio.to_thread(process.ended) == ExitCode.ENGINE_FAULT, process.said
                named.add(_named(process.said))
            (request,) = named
            url = ("--database-url", venue.database_url)
            skipped = await asyncio.to_thread(rex, "journal", "skip", request, *WHY, *url, "--json")
            seq = json.loads(skipped.out)["seq"]
            venue.start("sequencer 3")
            _is_skipped(await waiting, seq)
        await _is_refused_and_others_are_taken(venue.url, buyer, seq)
        busy = await asyncio.to_thread(rex, "journal", "skip", request, *WHY, *url)
        assert (busy.exit_status, "Stop every sequencer" in busy.err) == (ExitCode.OTHER_WRITER, True), busy
        verified = json.loads((await asyncio.to_thread(rex, "journal", "verify", *url, "--prove", "--json")).out)
        assert verified["good"], verified


def _client(url: str, trader: Trader) -> AsyncHttpClient:
    bearer = {"authorization": f"Bearer {trader.key}"}
    return AsyncHttpClient(base_url=url, headers=bearer)


def _poison() -> dict[str, Any]:
    return {**an_order("buy", "buy-1", 1), "client_order_id": POISON.decode()}


def _named(said: str) -> str:
    """The request that the sequencer named in its last sentence."""
    found = re.search(r"NEW_ORDER of account \d+, request (\S+)\. docs/runbook\.md", said)
    assert found is not None, said
    return found[1]


async def _stops(venue: VenueProcess, trader: Trader) -> str:
    """Sends the order, and returns the request that the venue named when it stopped."""
    async with _client(venue.url, trader) as http:
        try:
            answer = await http.post("/v1/orders", json=_poison())
            assert answer.json()["code"] == "outcome_unknown"
        except httpx.TransportError:
            pass
    assert await asyncio.to_thread(venue.ended) == ExitCode.ENGINE_FAULT, venue.said
    return _named(venue.said)


def _is_skipped(answer: httpx.Response, seq: int) -> None:
    problem = answer.json()
    assert (answer.status_code, problem["code"]) == (409, "command_skipped")
    assert f"since command {seq}." in problem["detail"]


async def _is_refused_and_others_are_taken(url: str, trader: Trader, seq: int) -> None:
    async with _client(url, trader) as http:
        _is_skipped(await http.post("/v1/orders", json=_poison()), seq)
        assert (await http.post("/v1/orders", json={**_poison(), "client_order_id": "another"})).status_code == 201
        orders = (await http.get("/v1/orders")).json()["orders"]
        assert [order["client_order_id"] for order in orders] == ["another"]


def _refused(ended: Finished, why: str) -> None:
    assert ended.exit_status == ExitCode.JOURNAL_DAMAGED
    assert why in ended.err
    assert "nothing was written" in ended.err


async def _executed(folder: Path) -> str:
    """A request that the journal holds."""
    journal = await SqliteJournal.open(folder / JOURNAL_FILE, read_only=True)
    try:
        async for batch in journal.read(0):
            for command in batch.command_list:
                if command.kind == CommandKind.NEW_ORDER:
                    return str(SkippedRequest(command.gateway_id, command.incarnation, command.request_id, "0" * 32))
    finally:
        await journal.close()
    raise AssertionError("no order is in the journal")
