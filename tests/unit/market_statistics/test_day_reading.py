"""Trading days as they are read from a journal: where a day begins and ends, what stands then, and what is read twice."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence

import numpy as np
import pytest

from matching_engine.records import COMMAND, EVENT, EventKind, Phase, TimeInForce
from services.journal.batch import JournalBatch
from services.market_statistics.contracts import KINDS, MarketDay
from services.market_statistics.day_reading import DayTooLarge, TradingDays
from services.market_statistics.opening import Openings
from tests.unit.market_statistics.days_by_hand import (
    BUY,
    MONDAY,
    SELL,
    TUESDAY,
    Market,
    Rows,
    opened,
    read_day,
    rows_of,
)

WEDNESDAY = 20230104
FOREVER = 2**62


def three_days() -> Market:
    """Quotes of Monday that stand until Tuesday's cancel; the venue is closed on Wednesday."""
    market = opened()
    bid = market.order(BUY, 5, 990, time_in_force=TimeInForce.GTC)
    market.order(SELL, 7, 1010, time_in_force=TimeInForce.GTC)
    market.order(SELL, 1, 1005)
    market.at(100).roll(TUESDAY)
    market.at(150).cancel(bid)
    market.phase(Phase.CLOSED)
    market.at(200).roll(WEDNESDAY)
    market.at(250).order(BUY, 1, 1000)
    return market


def levels(day: MarketDay) -> list[tuple[int, ...]]:
    return sorted(day.opening.levels.tolist())


def same(one: MarketDay, other: MarketDay) -> bool:
    arrays = [(day.events.tobytes(), day.times_ns.tobytes(), levels(day)) for day in (one, other)]
    facts = [(day.opening.first_seq, day.ended_ns, day.last_seq, day.complete) for day in (one, other)]
    return arrays[0] == arrays[1] and facts[0] == facts[1]


def test_a_day_is_from_its_roll_to_the_command_before_the_next() -> None:
    market = three_days()
    rolls = [command.seq for command in market.commands if command.date]
    monday, tuesday, wednesday = (read_day(market.commands, date) for date in (MONDAY, TUESDAY, WEDNESDAY))
    assert [day.opening.first_seq for day in (monday, tuesday, wednesday)] == rolls
    assert [day.last_seq for day in (monday, tuesday, wednesday)] == [rolls[1] - 1, rolls[2] - 1, len(market.commands)]
    assert [day.complete for day in (monday, tuesday, wednesday)] == [True, True, False]
    assert [(day.opening.began_ns, day.ended_ns) for day in (monday, tuesday, wednesday)] == [
        (0, 100 * 10**9), (100 * 10**9, 200 * 10**9), (200 * 10**9, 250 * 10**9),
    ]  # fmt: skip
    assert set(np.unique(tuesday.events["kind"]).tolist()) <= set(KINDS)
    assert {int(seq) for seq in tuesday.events["seq"]} == {rolls[1], rolls[1] + 1, rolls[1] + 2}


def test_what_stands_when_a_day_begins_is_what_stood_before_its_roll() -> None:
    """The DAY order of Monday expires by the roll, which is Tuesday's first command."""
    market = three_days()
    tuesday = read_day(market.commands, TUESDAY)
    assert levels(tuesday) == [(0, 0, 990, 5, 1), (0, 1, 1005, 1, 1), (0, 1, 1010, 7, 1)]
    gone = tuesday.events[tuesday.events["kind"] == EventKind.LEVEL][0]
    assert gone[["price_ticks", "quantity_lots"]].tolist() == (1005, 0)
    assert (tuesday.opening.phase_of_all, sorted(tuesday.opening.listed)) == (Phase.CONTINUOUS, [0])
    wednesday = read_day(market.commands, WEDNESDAY)
    assert (levels(wednesday), wednesday.opening.phase_of_all) == ([(0, 1, 1010, 7, 1)], Phase.CLOSED)


@pytest.mark.parametrize("in_a_row", [1, 2, 3, 100])
def test_it_does_not_matter_how_commands_lie_in_rows(in_a_row: int) -> None:
    market = three_days()
    for date in (MONDAY, TUESDAY, WEDNESDAY):
        assert same(read_day(market.commands, date, in_a_row=in_a_row), read_day(market.commands, date))


def test_a_day_is_read_up_to_a_command() -> None:
    """Up to the command before the roll the day is still under way, as it was then."""
    market = three_days()
    roll = next(command.seq for command in market.commands if command.date == TUESDAY)
    day = read_day(market.commands, MONDAY, to_seq=roll - 1)
    assert (day.complete, day.last_seq, day.ended_ns) == (False, roll - 1, 0)
    assert read_day(market.commands, MONDAY, to_seq=roll).complete


def test_days_that_were_none_are_not_found() -> None:
    market = three_days()
    days = TradingDays(rows_of(market.commands))
    roll = next(command.seq for command in market.commands if command.date == TUESDAY)

    async def read() -> list[MarketDay | None]:
        before = await days.read(TUESDAY, roll - 1)
        dates = (20221230, 20230108)
        return [before, *[await days.read(date, FOREVER) for date in dates], await days.read(TUESDAY, roll - 1)]

    assert asyncio.run(read()) == [None] * 4


def test_what_days_begin_with_is_read_once() -> None:
    market = three_days()
    rows = rows_of(market.commands)
    days = TradingDays(rows)
    asked = (WEDNESDAY, MONDAY, TUESDAY, WEDNESDAY)
    alone = [read_day(market.commands, date) for date in asked]

    async def read() -> list[MarketDay | None]:
        return [await days.read(date, FOREVER) for date in asked]

    for found, day in zip(asyncio.run(read()), alone, strict=True):
        assert found is not None
        assert same(found, day)
    assert rows.read_from == [0, *(day.opening.first_seq - 1 for day in alone)]


def test_days_that_begin_later_are_found_then() -> None:
    market = opened()
    days = TradingDays(journal := rows_of(market.commands))

    async def read() -> tuple[MarketDay | None, MarketDay | None]:
        before = await days.read(TUESDAY, FOREVER)
        market.at(10).roll(TUESDAY)
        journal.rows = rows_of(market.commands).rows
        return before, await days.read(TUESDAY, FOREVER)

    before, after = asyncio.run(read())
    assert before is None
    assert after is not None
    assert same(after, read_day(market.commands, TUESDAY))


class Abandoned(Rows):
    """A journal whose first reader is canceled while it has taken some rows."""

    def __init__(self, rows: Sequence[JournalBatch]) -> None:
        super().__init__(rows)
        self.reached, self.go_on = asyncio.Event(), asyncio.Event()

    async def read(self, after_seq: int) -> AsyncIterator[JournalBatch]:
        async for row in super().read(after_seq):
            if row is self.rows[-1] and len(self.read_from) == 1:
                self.reached.set()
                await self.go_on.wait()
            yield row


def test_a_request_that_is_canceled_spoils_no_later_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("services.market_statistics.day_reading._BLOCK_BYTES", 1)
    market = three_days()

    async def read() -> MarketDay | None:
        journal = Abandoned(rows_of(market.commands).rows)
        days = TradingDays(journal)
        first = asyncio.create_task(days.read(20230105, FOREVER))
        await journal.reached.wait()
        first.cancel()
        await asyncio.gather(first, return_exceptions=True)
        return await days.read(TUESDAY, FOREVER)

    found = asyncio.run(read())
    assert found is not None
    assert same(found, read_day(market.commands, TUESDAY))


def test_two_requests_for_one_day_are_answered_alike() -> None:
    market = three_days()

    async def read() -> tuple[MarketDay | None, MarketDay | None]:
        days = TradingDays(rows_of(market.commands))
        return await asyncio.gather(days.read(TUESDAY, FOREVER), days.read(TUESDAY, FOREVER))

    first, second = asyncio.run(read())
    assert first is not None
    assert second is not None
    assert same(first, second)


def test_commands_that_are_taken_twice_count_once() -> None:
    """A canceled request leaves its thread at work; the next one takes the same rows again."""
    market, taken = three_days(), Openings()
    rows = rows_of(market.commands, in_a_row=100).rows
    arrays = np.frombuffer(rows[0].commands, COMMAND), np.frombuffer(rows[0].events, EVENT)
    for _ in range(2):
        taken.take(*arrays)
    standing = [sorted(found.levels.tolist()) for date in (MONDAY, WEDNESDAY) if (found := taken.of(date)) is not None]
    assert standing == [[], [(0, 1, 1010, 7, 1)]]
    assert taken.seq == len(market.commands)


def test_a_clock_that_was_set_back_stands_still(monkeypatch: pytest.MonkeyPatch) -> None:
    """Time never runs backwards in a measure, whether the rows are read together or one by one."""
    market = opened()
    for second in (50, 20, 60):
        market.at(second).order(BUY, 1, 990)
    together = read_day(market.commands, MONDAY)
    monkeypatch.setattr("services.market_statistics.day_reading._BLOCK_BYTES", 1)
    one_by_one = read_day(market.commands, MONDAY, in_a_row=1)
    for day in (together, one_by_one):
        times = day.times_ns[day.events["kind"] == EventKind.LEVEL]
        assert (times // 10**9).tolist() == [50, 50, 60]


def test_a_day_that_is_too_large_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    market = three_days()
    events = len(read_day(market.commands, MONDAY).events)
    monkeypatch.setattr("services.market_statistics.day_reading.MOST_EVENTS", events)
    read_day(market.commands, MONDAY)
    monkeypatch.setattr("services.market_statistics.day_reading.MOST_EVENTS", events - 1)
    with pytest.raises(DayTooLarge, match="more than"):
        read_day(market.commands, MONDAY)
