"""The snapshots of a scaled venue: a standby takes them, and a start begins with them."""

from __future__ import annotations

import json
import signal
from functools import partial
from typing import Any

import pytest
from rex_client import RexClient

from tests.faults.scaled_venue import ScaledVenue, answered_health, scaled_venue
from tests.faults.traders import SYMBOL, Trader, open_traders
from tests.faults.venue_process import rex
from tests.integration.postgres_journal import execute, until

pytestmark = [pytest.mark.anyio, pytest.mark.slow]

EVERY_COMMAND = {"REX_SNAPSHOT_EVERY_COMMANDS": "1"}


async def order(venue: ScaledVenue, trader: Trader) -> dict[str, Any]:
    async with RexClient(venue.url, trader.key) as client:
        return await client.place_order(
            {"symbol": SYMBOL, "side": trader.side, "price": "160.00", "quantity": 1, "time_in_force": "gtc"}
        )


async def test_a_start_begins_with_a_snapshot_of_a_standby_or_of_the_command(postgres_url: str) -> None:
    with scaled_venue(postgres_url, gateways=1) as venue:
        buyer, _ = await open_traders(venue)
        await _a_standby_takes_snapshots_and_leads_from_one(venue, buyer)
        await _one_sequencer_alone_is_helped_by_the_command(venue, buyer)


async def _a_standby_takes_snapshots_and_leads_from_one(venue: ScaledVenue, buyer: Trader) -> None:
    await order(venue, buyer)
    leader = venue.leader()
    (standby,) = [name for name in venue.processes if name.startswith("sequencer") and name != leader]
    venue.end(standby)
    taking = venue.start(standby, variables=EVERY_COMMAND)
    assert answered_health(taking.url)["start_snapshot_seq"] == 0
    await until(partial(answered_health, taking.url), lambda health: health["snapshot_seq"])
    health = answered_health(taking.url)
    assert (health["role"], health["snapshot_age_s"] >= 0, health["warnings"]) == ("standby", True, [])

    venue.end(standby)
    newest = await order(venue, buyer)
    second = venue.start(standby)
    health = answered_health(second.url)
    assert 0 < health["start_snapshot_seq"] < newest["seq"]
    await until(partial(answered_health, second.url), lambda health: health["last_seq"] >= newest["seq"])
    venue.processes[leader].signal(signal.SIGKILL)
    last = await order(venue, buyer)
    assert (venue.leader(), last["state"]) == (standby, "new")
    await until(partial(answered_health, second.url), lambda health: health["snapshot_seq"])

    verified = rex("snapshot", "verify", "--database-url", venue.database_url, "--json")
    proved = rex("journal", "verify", "--database-url", venue.database_url, "--prove", "--json")
    found, proof = json.loads(verified.out), json.loads(proved.out)
    assert (verified.exit_status, found["good"], len(found["snapshots"]) > 0) == (0, True, True)
    assert (proved.exit_status, proof["good"]) == (0, True)
    if found["last_seq"] == proof["last_seq"]:
        assert found["state_hash"] == proof["state_hash"]


async def _one_sequencer_alone_is_helped_by_the_command(venue: ScaledVenue, buyer: Trader) -> None:
    for name in [name for name in venue.processes if name.startswith("sequencer")]:
        venue.end(name)
    venue.start("sequencer 1")
    newest = await order(venue, buyer)
    taken = rex("snapshot", "--database-url", venue.database_url, "--json")
    assert (taken.exit_status, json.loads(taken.out)["seq"] >= newest["seq"]) == (0, True)
    venue.end("sequencer 1")
    assert answered_health(venue.start("sequencer 1").url)["start_snapshot_seq"] == json.loads(taken.out)["seq"]
    venue.end("sequencer 1")
    await execute(venue.database_url, "UPDATE snapshots SET data = set_byte(data, 300, get_byte(data, 300) # 1)")
    assert answered_health(venue.start("sequencer 1").url)["start_snapshot_seq"] == 0
    assert (await order(venue, buyer))["state"] == "new"
