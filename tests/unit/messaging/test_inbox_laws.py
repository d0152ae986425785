"""Laws of the inbox for any submissions in any order: none is lost, no account is passed over, the bounds hold."""

from __future__ import annotations

import asyncio
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from matching_engine.records import COMMAND
from services.messaging import InboxFull, ShareFull, Submission
from services.messaging.in_process import ROUND_COMMANDS, InProcessInbox

MOST = 640
SHARE, SHARE_WITH_CANCELS = 80, 90
ORDERS, CANCELS = 600, 630
"""The parts of an inbox of MOST that members may fill: with orders, with cancels."""

Put = tuple[int, int, bool]
"""An account, its number of commands, and whether they are cancels."""

puts = st.tuples(st.integers(0, 12), st.sampled_from([1, 1, 1, 2, 7, 30]), st.booleans())
takes = st.integers(1, 100)
steps = st.lists(st.one_of(puts, puts, puts, takes), max_size=300)


def submission(account: int, count: int, only_cancels: bool = False, number: int = 0) -> Submission:
    commands = number.to_bytes(8, "little") + bytes(COMMAND.itemsize * count - 8)
    return Submission(commands, account=account, only_cancels=only_cancels)


def commands_of(submissions: list[Submission]) -> int:
    return sum(len(one.commands) for one in submissions) // COMMAND.itemsize


async def fill(inbox: InProcessInbox, account: int, *, only_cancels: bool = False) -> int:
    """Submits one by one until the inbox refuses; returns how many it took."""
    for count in range(MOST + 1):
        try:
            await inbox.put(submission(account, 1, only_cancels))
        except InboxFull:
            return count
    raise AssertionError("there is no bound")


@given(steps)
def test_nothing_is_lost_and_the_order_of_each_account_is_kept(history: list[Put | int]) -> None:
    async def run() -> None:
        inbox = InProcessInbox(MOST)
        put: dict[int, list[Submission]] = {}
        taken: dict[int, list[Submission]] = {}
        for number, step in enumerate(history):
            if isinstance(step, tuple):
                one = submission(*step, number)
                try:
                    await inbox.put(one)
                except InboxFull:
                    continue
                put.setdefault(one.account, []).append(one)
            elif inbox.depth:
                for one in [*await inbox.take(step, 2**40), *inbox.take_late(step // 2, 2**40)]:
                    taken.setdefault(one.account, []).append(one)
        while inbox.depth:
            for one in await inbox.take(50, 2**40):
                taken.setdefault(one.account, []).append(one)
        assert taken == put
        assert inbox.largest_share == 0

    asyncio.run(run())


@given(steps)
def test_bounds_hold_and_a_refusal_has_a_reason(history: list[Put | int]) -> None:
    async def run() -> None:
        inbox, waiting = InProcessInbox(MOST), Counter[int]()
        for step in history:
            if isinstance(step, int):
                if inbox.depth:
                    for one in await inbox.take(step, 2**40):
                        waiting[one.account] -= commands_of([one])
                continue
            account, count, only_cancels = step
            share = SHARE_WITH_CANCELS if only_cancels else SHARE
            most = MOST if not account else CANCELS if only_cancels else ORDERS
            try:
                await inbox.put(submission(account, count, only_cancels))
            except ShareFull:
                assert account
                assert waiting[account] + count > share
            except InboxFull:
                assert waiting.total() + count > most
            else:
                waiting[account] += count
                assert waiting.total() <= most
                assert not account or waiting[account] <= share
            assert inbox.depth == waiting.total()

    asyncio.run(run())


@given(st.lists(st.tuples(st.integers(0, 5), st.integers(1, 40)), max_size=60), st.integers(1, 4))
def test_who_has_work_waiting_is_in_the_next_round_with_his_part(crowd: list[tuple[int, int]], newcomers: int) -> None:
    """Newcomers are taken with the next batch, whatever waits already, beside at most one part of each other account."""

    async def run() -> None:
        inbox = InProcessInbox(65_536)
        for account, count in crowd:
            for _ in range(count):
                await inbox.put(submission(account, 1))
        for newcomer in range(newcomers):
            await inbox.put(submission(100 + newcomer, 1))
        taken = Counter(one.account for one in await inbox.take(2**20, 2**40))
        waited = Counter[int]()
        for account, count in crowd:
            waited[account] += count
        for account, count in waited.items():
            assert taken[account] == (min(count, ROUND_COMMANDS) if account else count)
        assert all(taken[100 + newcomer] == 1 for newcomer in range(newcomers))

    asyncio.run(run())


@given(
    st.lists(
        st.tuples(st.integers(0, 5), st.sampled_from([1, 1, 1, 2, 30]), st.integers(1, 40)), min_size=1, max_size=20
    ),
    st.integers(0, 200),
)
def test_more_rounds_are_taken_while_there_are_not_enough(crowd: list[tuple[int, int, int]], enough: int) -> None:
    """What a take returns is what takes of one round each return, up to the round with which there is enough."""

    async def run() -> None:
        by_round, at_once = InProcessInbox(65_536), InProcessInbox(65_536)
        for account, size, count in crowd:
            for number in range(count):
                for inbox in (by_round, at_once):
                    await inbox.put(submission(account, size, number=number))
        expected = await by_round.take(2**20, 2**40)
        while by_round.depth and commands_of(expected) < enough:
            expected += await by_round.take(2**20, 2**40)
        assert await at_once.take(2**20, 2**40, enough) == expected

    asyncio.run(run())


@given(st.lists(st.lists(st.integers(0, 5), min_size=1, max_size=ROUND_COMMANDS), max_size=20))
def test_without_congestion_the_order_is_that_of_arrival(rounds: list[list[int]]) -> None:
    """While no account has more than its part waiting, commands of all accounts are taken in the order of arrival."""

    async def run() -> None:
        inbox = InProcessInbox()
        for accounts in rounds:
            arrived = [submission(account, 1, number=number) for number, account in enumerate(accounts)]
            for one in arrived:
                await inbox.put(one)
            assert await inbox.take(2**20, 2**40) == arrived
            assert inbox.take_late(2**20, 2**40) == []

    asyncio.run(run())


@given(
    st.lists(st.tuples(st.integers(1, 5), st.integers(1, 40)), min_size=1, max_size=20),
    st.integers(1, 2 * ROUND_COMMANDS),
)
def test_who_comes_while_a_row_waits_for_the_device_is_still_in_it_with_his_part(
    crowd: list[tuple[int, int]], late: int
) -> None:
    """An account that has had its part of the batch gets nothing more in; a newcomer gets its part."""

    async def run() -> None:
        inbox = InProcessInbox(65_536)
        for account, count in crowd:
            for _ in range(count):
                await inbox.put(submission(account, 1))
        taken = Counter(one.account for one in await inbox.take(2**20, 2**40))
        for account in (*taken, 100):
            for _ in range(late):
                await inbox.put(submission(account, 1))
        taken.update(one.account for one in inbox.take_late(2**20, 2**40))
        waited = Counter({100: late})
        for account, count in crowd:
            waited[account] += count + late * (waited[account] == 0)
        assert taken == {account: min(count, ROUND_COMMANDS) for account, count in waited.items()}

    asyncio.run(run())


@pytest.mark.anyio
async def test_a_flood_fills_its_share_and_keeps_room_for_its_cancels() -> None:
    inbox = InProcessInbox(MOST)
    assert await fill(inbox, 1) == SHARE
    assert await fill(inbox, 1, only_cancels=True) == SHARE_WITH_CANCELS - SHARE
    with pytest.raises(ShareFull, match="90 commands of account 1 are waiting; the limit is 90"):
        await inbox.put(submission(1, 1, only_cancels=True))
    await inbox.put(submission(2, 1))
    assert (inbox.depth, inbox.largest_share) == (SHARE_WITH_CANCELS + 1, SHARE_WITH_CANCELS)


@pytest.mark.anyio
async def test_what_orders_leave_is_for_cancels_and_what_those_leave_for_operators() -> None:
    inbox = InProcessInbox(MOST)
    assert sum([await fill(inbox, account) for account in range(1, 20)]) == ORDERS
    with pytest.raises(InboxFull, match="600 commands are waiting; the limit is 600"):
        await inbox.put(submission(99, 1))
    assert sum([await fill(inbox, account, only_cancels=True) for account in range(20, 40)]) == CANCELS - ORDERS
    assert await fill(inbox, 0) == MOST - CANCELS
    assert len(await inbox.take(1, 2**40)) == 1


@pytest.mark.anyio
async def test_a_large_batch_gets_in_whole_and_its_account_misses_rounds_for_it() -> None:
    inbox = InProcessInbox()
    batch, after = submission(1, 3 * ROUND_COMMANDS), submission(1, 1)
    other = [submission(2, 1, number=number) for number in range(4 * ROUND_COMMANDS)]
    for one in (batch, after, *other):
        await inbox.put(one)
    part = ROUND_COMMANDS
    assert await inbox.take(2**20, 2**40) == [batch, *other[:part]]
    assert await inbox.take(2**20, 2**40) == other[part : 2 * part]
    assert await inbox.take(2**20, 2**40) == other[2 * part : 3 * part]
    assert await inbox.take(2**20, 2**40) == [after, *other[3 * part :]]
