"""A standby beside a leader on a real PostgreSQL: when it claims, and that it leads with the leader's state."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator

import pytest
from structlog.testing import capture_logs

from matching_engine import Engine
from matching_engine.records import Command, CommandKind, pack_commands
from services.journal import JournalBusy, JournalCorrupt, JournalLost, JournalUnclaimed
from services.journal.postgres.journal import BEAT_S, PostgresJournal
from services.journal.postgres.writer_row import WriterRow
from services.messaging import Submission
from services.processes.exit_codes import ExitCode
from services.sequencer.clock import ClockRefused, clock_apart
from services.sequencer.recovery import recover
from services.sequencer.sequencer import SequencerStopped
from services.sequencer.standby import LOOK_EVERY_S, SILENT_LOOKS, Standby
from services.venue.fatal_errors import exit_code_of
from tests.integration.postgres_journal import execute, lead, until
from tests.patience import PATIENCE_S
from tests.unit.sequencer.venue import Clock, Never, Venue

pytestmark = [pytest.mark.anyio, pytest.mark.slow, pytest.mark.rig]

OPEN = Command(kind=CommandKind.OPEN_ACCOUNT)


@pytest.fixture
async def leader(postgres_url: str) -> AsyncIterator[PostgresJournal]:
    journal = await lead(postgres_url)
    yield journal
    await journal.close()


@pytest.fixture
async def other(postgres_url: str, leader: PostgresJournal) -> AsyncIterator[PostgresJournal]:
    journal = await PostgresJournal.open(postgres_url)
    yield journal
    await journal.close()


async def journaled(journal: PostgresJournal, commands: int) -> Engine:
    """The engine of a sequencer that has journaled so many commands, in a batch each."""
    engine = Engine()
    await recover(engine, journal)
    venue = Venue(journal, engine, Clock(), Never())
    running = asyncio.create_task(venue.sequencer.run())
    for _ in range(commands):
        await venue.inbox.put(Submission(pack_commands([OPEN])))
        await venue.next_batch()
    await venue.sequencer.stop()
    await running
    return engine


async def test_a_standby_leads_with_the_state_of_a_leader_that_handed_over(
    leader: PostgresJournal, other: PostgresJournal
) -> None:
    before = await journaled(leader, 3)
    await leader.hand_over()
    engine, claims = Engine(), list[int]()
    claimed = await Standby(engine, other, "ws://other").lead(lambda: claims.append(other.epoch))
    assert (claimed.epoch, claimed.epoch_after, claims) == (2, 3, [2])
    assert engine.state_hash() == before.state_hash()


async def test_a_standby_leaves_a_living_leader_alone_and_claims_after_a_silent_one(
    leader: PostgresJournal, other: PostgresJournal
) -> None:
    standby = Standby(Engine(), other, "ws://other")
    beating = asyncio.create_task(leader.watch())
    leading = asyncio.create_task(standby.lead(lambda: None))
    alive_s = 2 * SILENT_LOOKS * LOOK_EVERY_S + 2 * BEAT_S
    done, _ = await asyncio.wait([leading, beating], timeout=alive_s)
    assert done == set()
    assert standby.seen is not None
    assert standby.seen.epoch == 1
    beating.cancel()
    async with asyncio.timeout(PATIENCE_S):
        assert (await leading).epoch == 2


@pytest.mark.parametrize(("wrong_s", "said"), [(901, "0:15:00 ahead of"), (-901, "0:15:00 behind")])
async def test_a_standby_whose_clock_differs_from_the_servers_spends_no_epoch(
    leader: PostgresJournal, other: PostgresJournal, wrong_s: int, said: str
) -> None:
    await leader.hand_over()
    wrong_ns = wrong_s * 10**9
    standby = Standby(Engine(), other, "ws://other", clock=lambda: time.time_ns() + wrong_ns)
    leading = asyncio.create_task(standby.lead(lambda: None))
    await until(lambda: f"the clock is {said} that of the database server" in standby.trouble)
    assert clock_apart(standby.ahead_ns) == [f"The clock is {said} that of the database server."]
    assert (await other.look()).epoch == 1
    wrong_ns = 0
    async with asyncio.timeout(PATIENCE_S):
        assert (await leading).epoch == 2
    assert (standby.trouble, clock_apart(standby.ahead_ns)) == ("", [])


async def test_an_operator_confirms_a_clock_that_differs_from_the_servers(
    leader: PostgresJournal, other: PostgresJournal
) -> None:
    await leader.hand_over()
    standby = Standby(Engine(), other, "ws://other", clock=lambda: time.time_ns() + 10**12, accept_clock=True)
    assert (await standby.lead(lambda: None)).epoch == 2


async def test_a_standby_that_must_not_lead_or_cannot_claim_says_why_and_tries_again(
    leader: PostgresJournal, other: PostgresJournal, monkeypatch: pytest.MonkeyPatch
) -> None:
    await leader.hand_over()
    refusals, told = [ClockRefused(f"at 0{second}:00 the day roll would skip a day") for second in (2, 1)], list[str]()
    claim, failures = other.claim, [JournalUnclaimed("the server is read-only")]

    async def check(_now_ns: int) -> None:
        told.append(standby.trouble)
        if refusals:
            raise refusals.pop()

    async def claim_later(seen: WriterRow, url: str) -> WriterRow | None:
        if failures:
            raise failures.pop()
        return await claim(seen, url)

    monkeypatch.setattr(other, "claim", claim_later)
    standby = Standby(Engine(), other, "ws://other", check=check)
    with capture_logs() as logged:
        assert (await standby.lead(lambda: None)).epoch == 2
    clock = [f"at 0{second}:00 the day roll would skip a day" for second in (1, 2)]
    assert told == ["", *clock, "the server is read-only"]
    assert [entry["reason"] for entry in logged] == [clock[0], "the server is read-only"]


async def test_a_leader_that_is_deposed_before_it_begins_says_so(postgres_url: str, leader: PostgresJournal) -> None:
    engine = await journaled(leader, 3)
    deposing = await lead(postgres_url)
    try:
        await journaled(deposing, 2)
    finally:
        await deposing.close()
    with pytest.raises(SequencerStopped, match="another process has claimed the journal: it is at epoch 2") as stopped:
        await Venue(leader, engine, Clock(), Never()).sequencer.run()
    assert exit_code_of(stopped.value) == ExitCode.OTHER_WRITER


async def test_a_standby_whose_claim_is_answered_after_the_next_ones_rows_says_that_it_was_deposed(
    postgres_url: str, leader: PostgresJournal, other: PostgresJournal, monkeypatch: pytest.MonkeyPatch
) -> None:
    await leader.hand_over()
    claim = other.claim

    async def claim_answered_late(seen: WriterRow, url: str) -> WriterRow | None:
        claimed = await claim(seen, url)
        deposing = await lead(postgres_url)
        await journaled(deposing, 2)
        await deposing.close()
        return claimed

    monkeypatch.setattr(other, "claim", claim_answered_late)
    with pytest.raises(JournalBusy, match="another process has claimed the journal: it is at epoch 3, this one at 2"):
        await Standby(Engine(), other, "ws://other").lead(lambda: None)


async def test_of_two_standbys_one_leads(postgres_url: str, leader: PostgresJournal, other: PostgresJournal) -> None:
    await leader.hand_over()
    third = await PostgresJournal.open(postgres_url)
    try:
        standbys = [Standby(Engine(), journal, f"ws://{name}") for name, journal in (("a", other), ("b", third))]
        tasks = [asyncio.create_task(standby.lead(lambda: None)) for standby in standbys]
        done, waiting = await asyncio.wait(tasks, timeout=PATIENCE_S, return_when=asyncio.FIRST_COMPLETED)
        rows = [task.result() for task in done]
        assert [row.epoch for row in rows] == [2]
        assert (await other.look()).url == rows[0].url
        for task in waiting:
            task.cancel()
        await asyncio.wait(waiting)
    finally:
        await third.close()


async def test_a_standby_does_not_go_on_after_rows_that_a_failover_has_replaced(
    postgres_url: str, leader: PostgresJournal, other: PostgresJournal
) -> None:
    """The last row was visible and not confirmed, and another leader has written rows when the standby looks again."""
    await journaled(leader, 3)
    engine = Engine()
    recovery = await recover(engine, other)
    hash_2 = (await anext(leader.read(1))).hash
    await execute(postgres_url, "DELETE FROM journal WHERE first_seq = 3")
    await execute(postgres_url, "UPDATE journal_writer SET last_seq = 2, last_hash = $1", hash_2)
    promoted = await lead(postgres_url)
    try:
        await journaled(promoted, 3)
        await promoted.hand_over()
        standby = Standby(engine, other, "ws://other", recovery.last_hash)
        with pytest.raises(
            JournalLost, match="from seq 3 on than this process has read: its row that ends at seq 3 is another one"
        ):
            await standby.lead(lambda: None)
    finally:
        await promoted.close()


async def test_a_standby_claims_nothing_after_a_failover_has_taken_back_a_row_that_it_has_executed(
    postgres_url: str, leader: PostgresJournal, other: PostgresJournal
) -> None:
    await journaled(leader, 3)
    engine = Engine()
    recovery = await recover(engine, other)
    hash_2 = (await anext(leader.read(1))).hash
    await execute(postgres_url, "DELETE FROM journal WHERE first_seq = 3")
    await execute(postgres_url, "UPDATE journal_writer SET last_seq = 2, last_hash = $1, url = ''", hash_2)
    standby = Standby(engine, other, "ws://other", recovery.last_hash)
    with pytest.raises(JournalLost, match="it ends at seq 2, and this process has executed it up to seq 3"):
        await standby.lead(lambda: None)
    assert (await other.look()).epoch == 1


async def test_a_standby_that_has_executed_a_row_which_the_claim_does_not_know_does_not_lead(
    leader: PostgresJournal, other: PostgresJournal
) -> None:
    """The failover came between its last read and its claim."""
    await journaled(leader, 2)

    class Late(Standby):
        """Sees the end that the row would name."""

        async def _reach(self, claimed: WriterRow) -> None:
            await super()._reach(claimed._replace(last_seq=claimed.last_seq - 1))

    await leader.hand_over()
    with pytest.raises(JournalLost, match="it ends at seq 1, and this process has executed it up to seq 2"):
        await Late(Engine(), other, "ws://other").lead(lambda: None)


async def test_a_standby_refuses_to_lead_a_chain_whose_end_differs_from_the_writer_row(
    postgres_url: str, leader: PostgresJournal, other: PostgresJournal
) -> None:
    await journaled(leader, 2)

    class Forged(Standby):
        """Sees the end that a forged row would name."""

        async def _reach(self, claimed: WriterRow) -> None:
            await super()._reach(claimed._replace(last_seq=claimed.last_seq + 1))

    await leader.hand_over()
    with pytest.raises(JournalCorrupt, match="its writer row says seq 3"):
        await Forged(Engine(), other, "ws://other").lead(lambda: None)
    assert (await execute(postgres_url, "SELECT count(*) AS rows FROM journal"))[0]["rows"] == 2
