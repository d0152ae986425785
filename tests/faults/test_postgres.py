"""PostgreSQL goes away, fails over, or loses rows: nothing that was acknowledged is lost, or the venue stops and says so.

The tests have one venue in common, in this order: its server, its processes and their start cost more than the faults.
"""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Iterator
from contextlib import ExitStack
from random import Random
from typing import Any
from urllib.parse import urlsplit

import pytest
from rex_client import RexClient

from services.processes.exit_codes import ExitCode
from tests.faults import claims, database_away, failover, lost_rows, postgres_mutants
from tests.faults.database_away import Lengths
from tests.faults.postgres_stage import Pair, stage
from tests.faults.rig import CannotRun, Report
from tests.faults.scaled_venue import ScaledVenue, read_health
from tests.faults.traders import open_traders
from tests.integration.postgres_journal import until

pytestmark = pytest.mark.slow

LENGTHS = Lengths(short_s=0.5, long_s=postgres_mutants.HURRIED_S + 1.5, away_s=1.0)
Stage = tuple[ScaledVenue, Pair]


@pytest.fixture(scope="module")
def shared_stage() -> Iterator[Stage]:
    """The venue, whose gateways do not wait long for a reply."""
    with ExitStack() as opened:
        try:
            found = opened.enter_context(stage({"gateway": postgres_mutants.hurried_replies}))
        except CannotRun as reason:
            pytest.skip(f"NO FAULT OF POSTGRESQL WAS TRIED: {reason}")
        yield found


def test_nothing_is_lost_while_postgresql_is_away(shared_stage: Stage) -> None:
    kinds = [*database_away.FAULTS]
    report = Report("database_away")
    asyncio.run(database_away.one_venue(*shared_stage, kinds, Random(1), report, lambda: None, LENGTHS))
    assert report.broken == []
    assert all(report.counts[kind] == 1 for kind in kinds)
    assert report.counts["outcome_unknown"] > 0
    assert report.counts["journals_verified"] == 1


def test_a_leader_that_was_stopped_ends_after_the_take_over(shared_stage: Stage) -> None:
    report = Report("claims")
    claims.stopped(shared_stage[0], report)
    assert report.broken == []
    assert report.counts["stopped"] == 1


def test_a_leader_that_is_to_stop_while_postgresql_is_away_ends_all_the_same(shared_stage: Stage) -> None:
    """It cannot journal what it has taken in; nobody was answered, and the next leader executes it."""
    venue, _ = shared_stage
    venue.end("sequencer 2")  # Of two, another one might lead by the time that PostgreSQL is away.
    leader = venue.leader()
    status, said, order = asyncio.run(_stopped_while_away(*shared_stage, leader))
    assert (status, "stopped without handing over" in said, "Traceback" in said) == (ExitCode.OK, True, False), said
    assert order["state"] in ("new", "filled", "partially_filled")
    venue.start("sequencer 2")


async def _stopped_while_away(venue: ScaledVenue, pair: Pair, leader: str) -> tuple[int | None, str, dict[str, Any]]:
    """Status and log of a leader that is stopped with an order on its way to the journal, and that order, sent again."""
    process = venue.processes[leader]
    trader, _ = await open_traders(venue)
    order = trader.next_order()
    async with RexClient(venue.url, trader.key) as client:
        pair.primary.pause()
        try:
            placing = asyncio.create_task(client.post_order(order))
            await until(lambda: asyncio.to_thread(read_health, process.url), lambda health: health.get("causes"))
            process.signal(signal.SIGTERM)
            status = await asyncio.to_thread(process.ended)
        finally:
            pair.primary.resume()
        await asyncio.wait([placing])
        placing.exception()  # an answer or none: both are right
        said = process.errors.read_text(errors="replace")
        venue.replace(leader)
        await asyncio.to_thread(venue.wait_ready)
        return status, said, await client.post_order(order)


def test_a_failover_to_the_synchronous_standby_loses_nothing(shared_stage: Stage) -> None:
    kinds = ["killed", "behind"]
    report = Report("failover")
    asyncio.run(failover.one_venue(*shared_stage, kinds, Random(1), report, lambda: None))
    assert report.broken == []
    assert all(report.counts[kind] == 1 for kind in kinds)
    assert report.counts["journals_verified"] == 1


def test_where_rows_were_lost_every_process_stops_but_one_that_forgets(shared_stage: Stage) -> None:
    venue, pair = shared_stage
    venue.mutants = {"projector": postgres_mutants.forgetful}
    venue.replace("projector 1")
    report = Report("lost_rows")
    asyncio.run(lost_rows.one_loss(venue, pair, Random(1), report, ["projector 1"]))
    assert [sentence.split(",")[0] for sentence in report.broken] == ["projector 1 goes on"]
    assert report.counts["acknowledged_orders_lost"] >= lost_rows.LOST
    assert report.counts["sequencers_stopped"] == report.counts["gateways_stopped"] == 2


@pytest.mark.long
def test_a_writer_that_reads_back_is_caught_losing(shared_stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    venue, pair = shared_stage
    monkeypatch.setattr(failover, "READ_S", 4.0)  # its answer must arrive on a busy machine, too
    venue.mutants = {"sequencer": postgres_mutants.read_back}
    _restart(venue)
    report = Report("failover")
    # A busy machine may lose its answer with the primary: the first failover that catches it ends the trials.
    asyncio.run(failover.one_venue(venue, pair, ["behind"] * 3, Random(1), report, lambda: None))
    assert any("is not on the promoted standby" in sentence for sentence in report.broken), report.broken


@pytest.mark.long
def test_a_writer_that_assumes_a_commit_is_caught_losing(shared_stage: Stage) -> None:
    venue, pair = shared_stage
    venue.mutants = {"sequencer": postgres_mutants.assumed_commit}
    _restart(venue)
    report = Report("database_away")
    kinds = ["lost_request"]
    asyncio.run(database_away.one_venue(venue, pair, kinds, Random(1), report, lambda: None, LENGTHS))
    # The order is missed; or the writer finds that the journal ends before its own last row, and stops: nobody can read orders.
    lost = [sentence for sentence in report.broken if "acknowledged as order" in sentence and "is lost" in sentence]
    stopped = [sentence for sentence in report.broken if f"ended with status {ExitCode.JOURNAL_DAMAGED}" in sentence]
    assert lost or stopped, report.broken


def _restart(venue: ScaledVenue) -> None:
    """Starts one process of each kind anew, as an operator does who accepts what was lost. None runs before every old one
    has ended: a new gateway would believe the old leader, and end with the next one, which has not what that leader told."""
    ports = {name: urlsplit(process.url).port for name, process in venue.processes.items()}
    venue.close()
    for kind in ("sequencer", "gateway", "projector"):
        venue.start(f"{kind} 1", "--port", str(ports[f"{kind} 1"]))
    venue.wait_ready()
