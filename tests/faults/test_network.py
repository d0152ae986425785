"""The network of a scaled venue is damaged, its projector and gateways are killed: every request ends, nothing is lost or
twice, and the read database equals one made anew from the journal. All on one venue, in this
order."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from random import Random

import pytest

from load_tests.servers.postgres import PostgresServer
from load_tests.servers.server_process import ServerMissing
from tests.faults import follower_kill, network
from tests.faults.network import proxied_venue
from tests.faults.proxies import Proxies
from tests.faults.rig import Report
from tests.faults.scaled_mutants import no_transactions, refusal_of_unknown_outcomes
from tests.faults.scaled_venue import ScaledVenue
from tests.faults.settled import OpenGateway
from tests.faults.traders import Trader, open_traders

pytestmark = pytest.mark.slow
PAUSE_S, MOST = 0.1, 30
"""A gate needs the processes, not the load."""


@pytest.fixture(scope="module")
def opened(shared_postgres: PostgresServer) -> Iterator[tuple[ScaledVenue, Proxies]]:
    try:
        with proxied_venue(shared_postgres, "rex_network") as venue:
            yield venue
    except ServerMissing as missing:
        pytest.skip(f"NO TEST OF THE NETWORK RAN: {missing}")


@pytest.fixture
def traders(opened: tuple[ScaledVenue, Proxies]) -> list[Trader]:
    venue, _ = opened
    if venue.processes["projector 1"].process.exitcode is not None:
        venue.restart("projector 1")
    venue.wait_ready()
    return asyncio.run(open_traders(OpenGateway(venue.gateways()[0], venue.operator_key)))


def nothing() -> None:
    """Shows no progress."""


def test_every_request_ends_and_nothing_is_lost_or_twice_when_the_network_is_damaged(
    opened: tuple[ScaledVenue, Proxies], traders: list[Trader]
) -> None:
    report = Report("network")
    asyncio.run(
        network.run_trials(
            *opened, traders, 6, Random(1), report, nothing, lasts_s=(0.1, 0.5), pause_s=PAUSE_S, most=MOST
        )
    )
    assert report.broken == []
    assert report.counts["acknowledged"] > 0


def test_killed_projectors_and_gateways_leave_every_table_as_the_journal_says(
    opened: tuple[ScaledVenue, Proxies], traders: list[Trader]
) -> None:
    report = Report("follower_kill")
    venue, _ = opened
    asyncio.run(follower_kill.run_trials(venue, traders, 6, Random(1), report, nothing, pause_s=PAUSE_S, most=MOST))
    assert report.broken == []
    assert report.counts["rebuilt_row_for_row"] == 2


@pytest.mark.long
def test_the_rig_catches_gateways_that_refuse_what_is_executed(
    opened: tuple[ScaledVenue, Proxies], traders: list[Trader]
) -> None:
    venue, _ = opened
    venue.end("sequencer 2")  # Of two, another one might lead than the one that is harmed.
    for name in ("gateway 1", "gateway 2"):
        venue.restart(name, mutant=refusal_of_unknown_outcomes)
    report = Report("network")
    trials = network.run_trials(
        *opened,
        traders,
        1,
        Random(3),
        report,
        nothing,
        pairs=["sequencer-postgres"],
        faults=["black hole"],
        lasts_s=[2.0],
        pause_s=PAUSE_S,
    )
    asyncio.run(trials)
    assert any("was refused and is there" in sentence for sentence in report.broken), report.broken


def test_the_rig_catches_a_projector_without_transactions(
    opened: tuple[ScaledVenue, Proxies], traders: list[Trader], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The last test: no gateway can be loaded from the read database that it leaves behind."""
    monkeypatch.setattr(follower_kill, "STATEMENTS", follower_kill.WITHIN)
    report = Report("follower_kill")
    venue, _ = opened
    trials = follower_kill.run_trials(
        venue, traders, 1, Random(1), report, nothing, kinds=["statement"], pause_s=PAUSE_S, mutant=no_transactions
    )
    asyncio.run(trials)
    assert any("table" in sentence for sentence in report.broken), report.broken
