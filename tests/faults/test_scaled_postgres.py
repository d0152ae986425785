"""PostgreSQL goes away, fails over, or loses rows: nothing that was acknowledged is lost, or the venue stops and says so.

The tests have one venue in common, in this order: its server, its processes and their start cost more than the faults.
"""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Iterator, Sequence
from random import Random
from typing import Any

import pytest
from rex_client import RexClient

from services.processes.exit_codes import ExitCode
from tests.faults import postgres_mutants, standby_faults
from tests.faults.rig import CannotRun, Report
from tests.faults.scaled import LOST_ROWS, POSTGRES, STANDBY, Fault, follow_each_other
from tests.faults.scaled_venue import read_health
from tests.faults.stage import Pace, Wired, wired
from tests.faults.traders import open_traders
from tests.integration.postgres_journal import until

pytestmark = pytest.mark.slow

QUICK = Pace(pause_s=0.1, most=30, pauses_s=(0.5, postgres_mutants.HURRIED_S + 1.5), away_s=1.0)


@pytest.fixture(scope="module")
def stage() -> Iterator[Wired]:
    """The venue, whose gateways do not wait long for a reply, and whose leader does not wait long when it is to stop."""
    try:
        with wired({"gateway": postgres_mutants.hurried_replies, "sequencer": postgres_mutants.hurried_stop}) as opened:
            yield opened
    except CannotRun as reason:
        pytest.skip(f"NO FAULT OF POSTGRESQL WAS TRIED: {reason}")


def follow(stage: Wired, faults: Sequence[Fault]) -> Report:
    report = Report("postgres")
    asyncio.run(follow_each_other(stage, faults, report, Random(1), lambda: None, QUICK))
    return report


def test_nothing_is_lost_while_postgresql_is_away_and_when_it_fails_over(stage: Wired) -> None:
    report = follow(stage, faults := [*POSTGRES.faults, *STANDBY.named("killed", "behind")])
    assert report.broken == []
    assert all(report.counts[fault.name.replace(" ", "_")] == 1 for fault in faults)
    assert min(report.counts[name] for name in ("acknowledged", "asked")) > 0


def test_a_leader_that_is_to_stop_while_postgresql_is_away_ends_all_the_same(stage: Wired) -> None:
    """It cannot journal what it has taken in; nobody was answered, and the next leader executes it."""
    stage.venue.start_missing()
    stage.venue.end("sequencer 2")  # Of two, another one might lead by the time that PostgreSQL is away.
    status, said, order = asyncio.run(_stopped_while_away(stage, stage.venue.leader()))
    assert (status, "stopped without handing over" in said, "Traceback" in said) == (ExitCode.OK, True, False), said
    assert order["state"] in ("new", "filled", "partially_filled")
    stage.venue.start("sequencer 2")


async def _stopped_while_away(stage: Wired, leader: str) -> tuple[int | None, str, dict[str, Any]]:
    """Status and log of a leader that is stopped with an order on its way to the journal, and that order, sent again."""
    venue, process = stage.venue, stage.venue.processes[leader]
    trader, _ = await open_traders(venue)
    order = trader.next_order()
    async with RexClient(venue.url, trader.key) as client:
        stage.primary.pause()
        try:
            placing = asyncio.create_task(client.post_order(order))
            await until(lambda: asyncio.to_thread(read_health, process.url), lambda health: health.get("causes"))
            process.signal(signal.SIGTERM)
            status = await asyncio.to_thread(process.ended)
        finally:
            stage.primary.resume()
        await asyncio.wait([placing])
        placing.exception()  # an answer or none: both are right
        said = process.errors.read_text(errors="replace")
        venue.replace(leader)
        await asyncio.to_thread(venue.wait_ready)
        return status, said, await client.post_order(order)


def test_where_rows_were_lost_every_process_stops_but_one_that_forgets(stage: Wired) -> None:
    stage.venue.mutants = {"projector": postgres_mutants.forgetful}
    stage.venue.replace("projector 1")
    report = follow(stage, LOST_ROWS.faults)
    assert [sentence.split(",")[0] for sentence in report.broken] == ["projector 1 goes on"]
    assert report.counts["acknowledged_orders_lost"] >= standby_faults.LOST
    assert report.counts["sequencers_stopped"] == report.counts["gateways_stopped"] == 2


@pytest.mark.long
def test_a_writer_that_reads_back_is_caught_losing(stage: Wired, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(standby_faults, "READ_S", 4.0)  # its answer must arrive on a busy machine, too
    stage.venue.mutants = {"sequencer": postgres_mutants.read_back}
    _restart(stage)
    # A busy machine may lose its answer with the primary: the first failover that catches it ends the trials.
    broken = follow(stage, STANDBY.named("behind", "behind", "behind")).broken
    assert any("is not on the promoted standby" in sentence for sentence in broken), broken


@pytest.mark.long
def test_a_writer_that_assumes_a_commit_is_caught_losing(stage: Wired) -> None:
    stage.venue.mutants = {"sequencer": postgres_mutants.assumed_commit}
    _restart(stage)
    broken = follow(stage, POSTGRES.named("lost request")).broken
    # The order is missed; or the writer finds that the journal ends before its own last row, and stops: nobody can read orders.
    lost = [sentence for sentence in broken if "acknowledged as order" in sentence and "is lost" in sentence]
    stopped = [sentence for sentence in broken if f"ended with status {ExitCode.JOURNAL_DAMAGED}" in sentence]
    assert lost or stopped, broken


def _restart(stage: Wired) -> None:
    """Starts one process of each kind anew, as an operator does who accepts what was lost. None runs before every old one
    has ended: a new gateway would believe the old leader, and end with the next one, which has not what that leader told."""
    stage.venue.close()
    for kind in ("sequencer", "projector", "gateway"):
        stage.venue.start(f"{kind} 1")
    stage.venue.wait_ready()
