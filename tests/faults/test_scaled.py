"""Processes of a scaled venue die, its network is damaged, Redis goes away; PostgreSQL goes away, fails over, or loses rows.

All on one venue, in this order: its servers, its processes and their start cost more than the faults. Each test does the faults
of the table that can break alone: what another one of them does as well is left to `make faults`. Without root or a disk of its
own; PostgreSQL's disk and hosts: test_scaled_machines.py."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Iterator, Sequence
from random import Random
from typing import Any

import pytest
from rex_client import RexClient

from services.processes.exit_codes import ExitCode
from tests.faults import postgres_mutants, process_faults, standby_faults
from tests.faults.mutants import orders_wait_for_redis
from tests.faults.rebuilt import check_rows
from tests.faults.rig import CannotRun, Report
from tests.faults.scaled import (
    FOLLOWERS,
    LEADER,
    LOST_ROWS,
    NETWORK,
    POSTGRES,
    REDIS,
    STANDBY,
    Fault,
    follow_each_other,
    run,
)
from tests.faults.scaled_mutants import ignored_gaps, no_transactions, refusal_of_unknown_outcomes
from tests.faults.scaled_venue import read_health
from tests.faults.stage import Pace, Wired, wired
from tests.faults.traders import open_traders
from tests.integration.postgres_journal import execute, until

pytestmark = pytest.mark.slow
QUICK = Pace(pause_s=0.1, most=30, lasts_s=(0.1, 0.5), pauses_s=(0.5, postgres_mutants.HURRIED_S + 1.5), away_s=1.0)
"""A gate needs the faults, not the load."""


@pytest.fixture(scope="module")
def opened() -> Iterator[Wired]:
    """The venue, whose gateways do not wait long for a reply, and whose leader does not wait long when it is to stop."""
    try:
        with wired({"gateway": postgres_mutants.hurried_replies, "sequencer": postgres_mutants.hurried_stop}) as stage:
            yield stage
    except CannotRun as missing:
        pytest.skip(f"NO FAULT OF A SCALED VENUE WAS TRIED: {missing}")


@pytest.fixture
def stage(opened: Wired) -> Wired:
    """The venue with all its processes. Where the test before has lost rows, no gateway goes on: then `_restart`."""
    opened.venue.start_missing()
    return opened


def follow(stage: Wired, faults: Sequence[Fault], pace: Pace = QUICK) -> Report:
    report = Report("scaled")
    asyncio.run(follow_each_other(stage, faults, report, Random(1), lambda: None, pace))
    return report


def test_whatever_process_dies_and_whatever_becomes_of_redis_and_the_network_nothing_is_lost_or_twice(
    stage: Wired,
) -> None:
    faults = [
        *LEADER.faults,
        *REDIS.named("killed", "stopped", "flushed", "of another type"),
        *NETWORK.named(
            "refused of gateway-postgres", "delay of sequencer-postgres", "half close of projector-postgres",
            "single bytes of redis", "black hole of link",
        ),
        *FOLLOWERS.named("statement", "rebuild", "both"),
    ]  # fmt: skip
    report = follow(stage, faults)
    assert report.broken == []
    assert all(report.counts[fault.name.replace(" ", "_")] == 1 for fault in faults)
    assert report.counts["rebuilt_row_for_row"] == report.counts["journals_proven"] == 2
    assert min(report.counts[name] for name in ("acknowledged", "queries")) > 0
    asyncio.run(_spoilt_row_is_told(stage))


async def _spoilt_row_is_told(stage: Wired) -> None:
    """Nobody projects at the end: the comparison of the rows, which has found none, finds one."""
    report, spoil = Report("spoilt"), "UPDATE accounts SET cash_fen = cash_fen {} 1 WHERE account = 2"
    await execute(stage.database_url, spoil.format("+"))
    await check_rows(stage.database_url, report)
    await execute(stage.database_url, spoil.format("-"))
    assert any("accounts" in sentence for sentence in report.broken), report.broken


@pytest.mark.long
def test_gateways_that_refuse_what_is_executed_are_caught(stage: Wired) -> None:
    stage.venue.end("sequencer 2")  # Of two, another one might lead than the one that is harmed.
    for name in ("gateway 1", "gateway 2"):
        stage.venue.restart(name, mutant=refusal_of_unknown_outcomes)
    report = follow(stage, NETWORK.named("black hole of sequencer-postgres"), QUICK._replace(lasts_s=(2.0,)))
    for name in ("gateway 1", "gateway 2"):
        stage.venue.restart(name)
    stage.venue.start("sequencer 2")
    assert any("was refused and is there" in sentence for sentence in report.broken), report.broken


def test_nothing_is_lost_while_postgresql_is_away_and_when_it_fails_over(stage: Wired) -> None:
    names = ("terminate", "lost reply", "lost request", "pause short", "pause long", "away")
    report = follow(stage, faults := [*POSTGRES.named(*names), *STANDBY.named("behind")])
    assert report.broken == []
    assert all(report.counts[fault.name.replace(" ", "_")] == 1 for fault in faults)
    assert min(report.counts[name] for name in ("acknowledged", "asked")) > 0


def test_a_leader_that_is_to_stop_while_postgresql_is_away_ends_all_the_same(stage: Wired) -> None:
    """It cannot journal what it has taken in; nobody was answered, and the next leader executes it."""
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
def test_a_writer_that_reads_back_is_caught_losing(opened: Wired, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(standby_faults, "READ_S", 4.0)  # its answer must arrive on a busy machine, too
    opened.venue.mutants = {"sequencer": postgres_mutants.read_back}
    _restart(opened)
    # A busy machine may lose its answer with the primary: the first failover that catches it ends the trials.
    broken = follow(opened, STANDBY.named("behind", "behind", "behind")).broken
    assert any("is not on the promoted standby" in sentence for sentence in broken), broken


@pytest.mark.long
def test_a_writer_that_assumes_a_commit_is_caught_losing(opened: Wired) -> None:
    opened.venue.mutants = {"sequencer": postgres_mutants.assumed_commit}
    _restart(opened)
    broken = follow(opened, POSTGRES.named("lost request")).broken
    # The order is missed; or the writer finds that the journal ends before its own last row, and stops: nobody can read orders.
    lost = [sentence for sentence in broken if "acknowledged as order" in sentence and "is lost" in sentence]
    stopped = [sentence for sentence in broken if f"ended with status {ExitCode.JOURNAL_DAMAGED}" in sentence]
    assert lost or stopped, broken


@pytest.mark.long
def test_a_projector_without_transactions_is_caught(opened: Wired, monkeypatch: pytest.MonkeyPatch) -> None:
    """The last test: no gateway can be loaded from the read database that it leaves behind."""
    monkeypatch.setattr(process_faults, "STATEMENTS", process_faults.WITHIN)
    opened.venue.mutants = {"projector": no_transactions}
    _restart(opened)
    broken = follow(opened, FOLLOWERS.named("statement")).broken
    assert any("table" in sentence for sentence in broken), broken


@pytest.mark.long
def test_a_projector_that_ignores_gaps_is_caught() -> None:
    part = REDIS._replace(faults=REDIS.named("restarted empty"))
    assert run(part, 1, 1, lambda: None, mutants={"projector": ignored_gaps}, pace=QUICK).broken


@pytest.mark.long
def test_a_leader_that_waits_for_redis_is_caught() -> None:
    pace = QUICK._replace(orders_s=2.0)
    broken = run(REDIS, 1, 1, lambda: None, mutants={"sequencer": orders_wait_for_redis}, pace=pace).broken
    assert any("no order was acknowledged" in sentence for sentence in broken), broken


def _restart(stage: Wired) -> None:
    """Starts one process of each kind anew, as an operator does who accepts what was lost. None runs before every old one
    has ended: a new gateway would believe the old leader, and end with the next one, which has not what that leader told."""
    stage.venue.close()
    for kind in ("sequencer", "projector", "gateway"):
        stage.venue.start(f"{kind} 1")
    stage.venue.wait_ready()
