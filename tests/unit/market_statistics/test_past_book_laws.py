"""The book of the past is the engine's own book after that command, for any commands of any venue: stops, icebergs, auctions,
amends, busts and days that end included."""

from __future__ import annotations

import asyncio
from random import Random

from hypothesis import given, settings
from hypothesis import strategies as st

from matching_engine import Engine
from matching_engine.records import Side
from services.market_statistics.day_reading import TradingDays
from services.market_statistics.past_book import past_book
from tests.property.engine_flow import array, flow, numbered
from tests.unit.market_statistics.days_by_hand import rows_of

ALL = 2**31


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 2**32), st.integers(1, 1_000), st.sampled_from((1, 5, 64)))
def test_the_book_of_a_past_command_is_the_engine_s(seed: int, count: int, in_a_row: int) -> None:
    """Moments are read in any order: a later one has often been read before an earlier one."""
    commands = numbered(flow(seed, count))
    data, days, chance = array(commands), TradingDays(rows_of(commands, in_a_row)), Random(seed)
    moments = sorted(chance.sample(range(1, len(data) + 1), min(len(data), 12)))
    engine, expected = Engine(), []
    for seq in moments:
        engine.process(data[engine.last_seq : seq])
        sides = [[engine.book.depth(i, side, ALL) for side in Side] for i in range(engine.instruments)]
        expected.append((seq, engine.trading_date, sides, [engine.phase(i) for i in range(engine.instruments)]))
    chance.shuffle(expected)

    async def compare() -> None:
        for seq, date, sides, phases in expected:
            day = await days.read(date, seq)
            assert day is not None
            books = [past_book(day, instrument) for instrument in range(len(sides))]
            assert [[book.bids, book.asks] for book in books] == sides
            assert [book.phase for book in books] == phases

    asyncio.run(compare())
