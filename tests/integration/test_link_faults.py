"""Broken links and take-overs: every submission is executed exactly once, or was withdrawn and never is."""

from __future__ import annotations

import asyncio
import math
from collections.abc import AsyncIterator
from pathlib import Path
from random import Random

import pytest

from matching_engine.records import CommandKind, EventKind
from services.gateway.order_entry.request_tracker import FirstEvent, RequestTracker
from services.gateway.problems import ProblemError
from services.journal.batch import JournalBatch
from services.messaging import Gap, Submission
from services.messaging.in_process import InProcessInbox
from services.messaging.link.confirmed import ConfirmedJournal
from services.messaging.link.frames import pack_submissions
from services.venue_state.keys import ApiKey
from tests.faults.tcp_proxy import TcpProxy
from tests.integration.linked_venue import Gateway, LinkedVenue, linked_venue, until
from tests.long import some
from tests.patience import PATIENCE_S

pytestmark = pytest.mark.anyio

DESK = ApiKey(7, 2, "desk", frozenset({"read", "trade"}))


@pytest.fixture
async def proxy() -> AsyncIterator[TcpProxy]:
    async with TcpProxy(("127.0.0.1", 1)).running() as running:
        yield running


@pytest.fixture
async def venue(tmp_path: Path, proxy: TcpProxy) -> AsyncIterator[LinkedVenue]:
    """A venue whose links go through the proxy."""
    async with linked_venue(tmp_path) as opened:
        opened.proxy = proxy
        yield opened


async def in_journal(venue: LinkedVenue, number: int = 1) -> list[int]:
    """The request ids of a gateway's commands in the journal."""
    return [
        command.request_id
        async for batch in venue.followed.read(0)
        for command in batch.command_list
        if command.gateway_id == number
    ]


async def break_link(proxy: TcpProxy, gateway: Gateway) -> None:
    """Cuts the link, and returns when the gateway has another one."""
    await proxy.refuse()
    await proxy.cut()
    await until(lambda: not gateway.link.connected)
    await proxy.accept()
    await until(lambda: gateway.link.connected)


# ---------------------------------------------------------------------- broken links


async def test_what_arrived_before_the_link_broke_is_executed_once(venue: LinkedVenue, proxy: TcpProxy) -> None:
    leader = await venue.lead(start=False)
    gateway = await venue.gateway()
    await gateway.put(10)
    await until(lambda: leader.inbox.depth == 10)
    await break_link(proxy, gateway)
    leader.start()
    await until(lambda: len(gateway.executed) == 10)
    assert await in_journal(venue) == [*range(1, 11)]
    assert gateway.link.depth == 0


async def test_what_did_not_arrive_before_the_link_broke_is_sent_again(venue: LinkedVenue, proxy: TcpProxy) -> None:
    leader = await venue.lead()
    gateway = await venue.gateway()
    await gateway.put(2)
    await until(lambda: len(gateway.executed) == 2)
    await proxy.black_hole("to_server")
    await gateway.put(5)
    await asyncio.sleep(0)
    await proxy.cut()
    assert leader.sequencer.last_seq == 2
    await proxy.heal()
    await until(lambda: len(gateway.executed) == 7)
    assert await in_journal(venue) == [*range(1, 8)]


async def test_a_batch_that_was_on_its_way_is_read_in_the_journal(venue: LinkedVenue, proxy: TcpProxy) -> None:
    leader = await venue.lead()
    gateway = await venue.gateway()
    await proxy.black_hole("to_client")
    await gateway.put(5)
    await until(lambda: leader.sequencer.last_seq == 5)
    assert gateway.link.depth == 5
    await proxy.cut()
    await proxy.heal()
    await until(lambda: len(gateway.executed) == 5)
    await until(lambda: gateway.link.depth == 0)
    assert await in_journal(venue) == [*range(1, 6)]


async def test_a_row_in_the_journal_that_is_not_published_is_not_read(
    venue: LinkedVenue, proxy: TcpProxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In PostgreSQL it may be visible and not confirmed: a failover takes it back."""
    leader = await venue.lead()
    gateway = await venue.gateway()
    append, confirmed = leader.journal.append, asyncio.Event()

    async def append_unconfirmed(batch: JournalBatch) -> None:
        await append(batch)
        await confirmed.wait()

    await proxy.black_hole("to_client")
    await gateway.put()
    await until(lambda: leader.sequencer.last_seq == 1)
    monkeypatch.setattr(leader.journal, "append", append_unconfirmed)
    await gateway.put()
    async with asyncio.timeout(PATIENCE_S):
        while await in_journal(venue) != [1, 2]:  # noqa: ASYNC110  the journal has no event
            await asyncio.sleep(0.01)
    feed = gateway.link.subscribe()
    await proxy.cut()
    await proxy.heal()
    with pytest.raises(Gap):
        await feed.next_batch()
    assert [batch async for batch in ConfirmedJournal(venue.followed, gateway.link).read(1)] == []
    assert gateway.link.depth == 1
    await until(lambda: gateway.executed == [1])
    confirmed.set()
    await until(lambda: gateway.executed == [1, 2])
    assert gateway.link.depth == 0


class GatedInbox(InProcessInbox):
    """An inbox that lets nothing in before `gate` is set."""

    def __init__(self) -> None:
        super().__init__()
        self.gate = asyncio.Event()
        self.asked = 0

    async def put(self, submission: Submission) -> None:
        self.asked += 1
        await self.gate.wait()
        await super().put(submission)


async def test_a_new_link_begins_after_all_bytes_of_the_old_one_are_taken(venue: LinkedVenue) -> None:
    leader = await venue.lead(start=False, accept=False)
    inbox, name = GatedInbox(), "ab" * 16
    await leader.accept(inbox=inbox)
    gateway = await venue.gateway(2, connected=False)
    old, hello = await venue.raw_link(leader, name)
    assert hello.taken == 0
    for _ in range(3):
        await old.send(pack_submissions([gateway.submission()]))
    await until(lambda: inbox.asked == 1)
    opening = asyncio.create_task(venue.raw_link(leader, name))
    await old.wait_closed()
    began_early = opening.done()
    inbox.gate.set()
    assert not began_early
    new, hello = await opening
    assert hello.taken == inbox.depth > 0
    await new.send(pack_submissions([gateway.submission()]))
    await until(lambda: inbox.depth == hello.taken + 1)


async def test_an_inbox_that_refuses_closes_the_link_and_gets_the_submission_later(venue: LinkedVenue) -> None:
    leader = await venue.lead(start=False, accept=False)
    leader.inbox = InProcessInbox(16)
    leader.sequencer._inbox = leader.inbox
    await leader.accept()
    gateway = await venue.gateway()
    await gateway.put(40)
    await until(lambda: leader.inbox.depth == 16)
    leader.start()
    await until(lambda: len(gateway.executed) == 40)
    assert await in_journal(venue) == [*range(1, 41)]


# ---------------------------------------------------------------------- take-overs


async def test_after_a_take_over_what_is_not_in_the_journal_is_sent_again(venue: LinkedVenue, proxy: TcpProxy) -> None:
    leader = await venue.lead()
    gateway, other = await venue.gateway(1), await venue.gateway(2)
    await proxy.black_hole("to_client")
    await gateway.put(5)
    await other.put(5)
    await until(lambda: leader.sequencer.last_seq == 10)
    await leader.sequencer.stop()
    await gateway.put(5)
    await other.put(5)
    await until(lambda: leader.inbox.depth == 10)
    assert gateway.link.depth == other.link.depth == 10
    await leader.kill()
    await proxy.heal()
    successor = await venue.lead()
    await until(lambda: len(gateway.executed) == len(other.executed) == 10)
    assert await in_journal(venue, 1) == await in_journal(venue, 2) == [*range(1, 11)]
    assert gateway.link.epoch == successor.journal.epoch
    await until(lambda: gateway.link.depth == other.link.depth == 0)


async def test_a_new_epoch_ends_the_link_to_a_sequencer_that_hangs(venue: LinkedVenue, proxy: TcpProxy) -> None:
    leader = await venue.lead(start=False)
    gateway = await venue.gateway()
    await gateway.put(3)
    await until(lambda: leader.inbox.depth == 3)
    await leader.journal.close()  # It holds the file's lock; its links stay.
    await proxy.black_hole()
    await venue.lead(accept=False)
    await until(lambda: gateway.link.epoch == venue.row.epoch)
    assert not gateway.link.connected
    await proxy.heal()
    await venue.leaders[-1].accept()
    await until(lambda: gateway.executed == [1, 2, 3])
    assert (await in_journal(venue), leader.inbox.depth) == ([1, 2, 3], 3)


async def test_a_sequencer_that_stops_cleanly_leaves_its_submissions_to_the_next(venue: LinkedVenue) -> None:
    leader = await venue.lead(start=False)
    gateway = await venue.gateway()
    await gateway.put(3)
    await until(lambda: leader.inbox.depth == 3)
    venue.row.url = ""
    await until(lambda: not gateway.link.connected)
    await leader.kill()
    assert gateway.link.depth == 3
    await venue.lead()
    await until(lambda: gateway.executed == [1, 2, 3])
    assert await in_journal(venue) == [1, 2, 3]


# ---------------------------------------------------------------------- withdrawals


async def test_before_the_first_link_the_last_batch_is_read_only_if_its_writer_has_handed_over(
    venue: LinkedVenue,
) -> None:
    leader = await venue.lead()
    trading = await venue.gateway()
    await trading.put()
    await until(lambda: trading.executed == [1])
    await trading.put()
    await until(lambda: trading.executed == [1, 2])
    await leader.kill()
    venue.row.url = "ws://127.0.0.1:1"
    reading = await venue.gateway(2, connected=False)
    await until(lambda: bool(reading.link.trouble))
    assert [batch.last_seq for batch in reading.batches] == [batch.last_seq for batch in trading.batches[:-1]]
    venue.row.url = ""
    await until(lambda: len(reading.batches) == len(trading.batches))
    assert reading.link.confirmed_seq == trading.batches[-1].last_seq


async def test_what_was_never_sent_can_be_withdrawn(venue: LinkedVenue) -> None:
    gateway = await venue.gateway(connected=False)
    await gateway.link.put(gateway.submission(3))
    await gateway.put(2)
    assert gateway.link.withdraw(2)
    assert [gateway.link.withdraw(request_id) for request_id in (1, 2, 3)] == [True, True, True]
    assert gateway.link.depth == 2
    assert not gateway.link.withdraw(99)
    await venue.lead()
    await until(lambda: len(gateway.executed) == 2)
    assert await in_journal(venue) == [4, 5]


async def test_what_was_sent_cannot_be_withdrawn(venue: LinkedVenue) -> None:
    leader = await venue.lead(start=False)
    gateway = await venue.gateway()
    await gateway.put()
    assert not gateway.link.withdraw(1)
    await until(lambda: leader.inbox.depth == 1)
    assert not gateway.link.withdraw(1)
    leader.start()
    await until(lambda: gateway.executed == [1])
    assert not gateway.link.withdraw(1)


async def test_what_an_old_sequencer_did_not_execute_is_certain_with_the_next_link(venue: LinkedVenue) -> None:
    leader = await venue.lead()
    gateway = await venue.gateway()
    await gateway.put()
    await until(lambda: gateway.executed == [1])
    await leader.sequencer.stop()
    await gateway.put(3)
    await until(lambda: leader.inbox.depth == 3)
    await leader.kill()
    await until(lambda: not gateway.link.connected)
    assert not gateway.link.withdraw(2)
    await venue.lead()
    await until(lambda: gateway.executed == [1, 3, 4])
    assert gateway.link.withdraw(2)
    assert await in_journal(venue) == [1, 3, 4], "2 was answered `outcome_unknown`: it is not sent again"
    assert gateway.link.depth == 0


async def test_a_claim_that_a_failover_takes_back_proves_nothing(venue: LinkedVenue) -> None:
    leader = await venue.lead(start=False)
    gateway = await venue.gateway()
    await gateway.put()
    await until(lambda: leader.inbox.depth == 1)
    epoch, url = venue.row.epoch, venue.row.url
    venue.row.epoch, venue.row.url = epoch + 1, "ws://127.0.0.1:1"
    await until(lambda: gateway.link.epoch == epoch + 1)
    assert not gateway.link.withdraw(1)
    venue.row.epoch, venue.row.url = epoch, url
    await until(lambda: gateway.link.connected)
    leader.start()
    await until(lambda: gateway.executed == [1])
    assert await in_journal(venue) == [1]


async def test_what_did_not_arrive_and_was_answered_is_not_sent_again(venue: LinkedVenue, proxy: TcpProxy) -> None:
    await venue.lead()
    gateway = await venue.gateway()
    await proxy.black_hole("to_server")
    await gateway.put(2)
    await asyncio.sleep(0)
    assert not gateway.link.withdraw(1)
    await proxy.cut()
    await proxy.heal()
    await until(lambda: gateway.executed == [2])
    assert (await in_journal(venue), gateway.link.depth) == ([2], 0)


async def test_a_request_is_answered_unknown_only_if_a_sequencer_may_execute_it(venue: LinkedVenue) -> None:
    leader = await venue.lead(start=False)
    gateway = await venue.gateway()
    pending = RequestTracker(gateway.link, 1)

    async def answers(count: int) -> list[FirstEvent]:
        commands = [pending.next_sender(DESK)._replace(kind=CommandKind.RECORD) for _ in range(count)]
        replies = await pending.submit_all(DESK, commands)
        assert pending.waiting == count
        pending.give_up(math.inf)
        return await replies

    assert [one.code for one in await answers(2) if isinstance(one, ProblemError)] == ["outcome_unknown"] * 2
    await until(lambda: leader.inbox.depth == 2)
    await leader.kill()
    await until(lambda: not gateway.link.connected)
    problems = [(one.status, one.code) for one in await answers(3) if isinstance(one, ProblemError)]
    assert problems == [(503, "not_ready")] * 3, "without a link it was not sent"
    assert pending.in_flight[DESK.key_id] == 0
    await venue.lead()
    sending = asyncio.create_task(pending.send(DESK, pending.next_sender(DESK)._replace(kind=CommandKind.RECORD)))
    await until(lambda: gateway.executed == [6])
    pending.resolve(gateway.batches[-1])
    assert (await sending).kind == EventKind.RECORDED
    assert await in_journal(venue) == [6]


# ---------------------------------------------------------------------- anything, in any order


@pytest.mark.slow
@pytest.mark.parametrize("seed", some(range(6), 2))
async def test_whatever_breaks_everything_is_executed_once_and_in_order(
    venue: LinkedVenue, proxy: TcpProxy, seed: int
) -> None:
    random = Random(seed)
    await venue.lead()
    gateways = [await venue.gateway(1), await venue.gateway(2)]
    withdrawn: dict[Gateway, set[int]] = {gateway: set() for gateway in gateways}
    refused: dict[Gateway, set[int]] = {gateway: set() for gateway in gateways}
    for _ in range(40):
        for gateway in gateways:
            for request_id in await gateway.put(random.randrange(6)):
                if random.random() < 0.1:
                    (withdrawn if gateway.link.withdraw(request_id) else refused)[gateway].add(request_id)
        match random.randrange(12):
            case 0:
                await venue.leaders[-1].kill()
                await venue.lead()
            case 1 | 2 | 3:
                await proxy.cut()
            case 4:
                await proxy.black_hole(random.choice(("to_server", "to_client")))
            case 5:
                await venue.leaders[-1].sequencer.stop()
            case 6:
                await proxy.single_bytes()
            case _:
                await proxy.heal()
        await asyncio.sleep(random.random() * 0.02)
    await proxy.heal()
    await venue.leaders[-1].kill()
    await venue.lead()
    for gateway in gateways:
        await until(lambda: gateway.link.connected and not gateway.link.depth)  # noqa: B023  awaited at once
        executed = await in_journal(venue, gateway.number)
        assert executed == sorted(set(executed))
        missing = set(range(1, gateway.request_id + 1)) - set(executed)
        assert withdrawn[gateway] <= missing <= withdrawn[gateway] | refused[gateway]
        await until(lambda: gateway.executed == executed)  # noqa: B023  awaited at once
