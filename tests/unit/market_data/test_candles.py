"""Candles equal what is computed from the trades, whatever is busted and whenever the correction arrives."""

from __future__ import annotations

from typing import NamedTuple

from hypothesis import given
from hypothesis import strategies as st

from services.market_data import Candle, CorrectedMinute, MarketTrade
from services.market_data.candles import DayCandles, day_candle, window

DATE = 20231201
FIRST_S = 1_701_396_000


class Step(NamedTuple):
    after_s: int
    price_ticks: int
    quantity_lots: int
    busts: int | None
    """Which of the earlier trades is busted after this one."""
    answers: bool
    """Whether the oldest open correction arrives after this step, as of now."""


STEPS = st.lists(
    st.builds(
        Step,
        st.integers(0, 90),
        st.integers(1, 50),
        st.integers(1, 9),
        st.none() | st.integers(0, 40),
        st.booleans(),
    ),
    min_size=1,
    max_size=40,
)


def candle_of(trades: list[MarketTrade]) -> Candle | None:
    if not trades:
        return None
    prices = [trade.price_ticks for trade in trades]
    return Candle(
        prices[0],
        max(prices),
        min(prices),
        prices[-1],
        sum(trade.quantity_lots for trade in trades),
        sum(trade.amount_fen for trade in trades),
        len(trades),
    )


def minute_of(trade: MarketTrade) -> int:
    return trade.time_ns // 60_000_000_000 * 60


@given(STEPS)
def test_candles_are_those_of_the_trades_that_stand(steps: list[Step]) -> None:
    day, stands, waiting = DayCandles(), dict[int, MarketTrade](), list[MarketTrade]()
    time_s = FIRST_S

    def correct(busted: MarketTrade, seq: int) -> None:
        minute = minute_of(busted)
        left = [trade for trade in stands.values() if minute_of(trade) == minute]
        day.correct(CorrectedMinute(DATE, minute, candle_of(left), seq))

    seq = 0
    for step in steps:
        seq, time_s = seq + 1, time_s + step.after_s
        amount_fen = step.price_ticks * step.quantity_lots
        trade = MarketTrade(seq, step.price_ticks, step.quantity_lots, amount_fen, 1, time_s * 10**9, seq)
        stands[seq] = trade
        day.add(trade)
        if step.busts is not None and step.busts + 1 in stands:
            seq += 1
            waiting.append(stands.pop(step.busts + 1))
            day.bust()
        if step.answers and waiting:
            correct(waiting.pop(0), seq)
    while waiting:
        correct(waiting.pop(0), seq)
    for start_s in {minute_of(trade) for trade in stands.values()} | set(day.minutes):
        expected = candle_of([trade for trade in stands.values() if minute_of(trade) == start_s])
        assert window(day.minutes, start_s, 60) == expected
    assert day_candle(day.minutes) == candle_of(list(stands.values()))
    five_s = FIRST_S - FIRST_S % 300
    of_five = [trade for trade in stands.values() if five_s <= trade.time_ns // 10**9 < five_s + 300]
    assert window(day.minutes, five_s, 300) == candle_of(of_five)


def test_a_read_that_is_ahead_of_the_feed_counts_no_trade_twice() -> None:
    day = DayCandles()
    first, busted, later = [MarketTrade(n, 10 * n, 1, 10 * n, 1, FIRST_S * 10**9, n) for n in (1, 2, 4)]
    day.add(first)
    day.add(busted)
    day.bust()
    day.correct(CorrectedMinute(DATE, FIRST_S, candle_of([first, later]), seq=5))
    day.add(later)
    assert day.minutes[FIRST_S] == candle_of([first, later])


def test_a_new_day_begins_without_candles_and_remembers_those_that_ended() -> None:
    day = DayCandles()
    day.add(MarketTrade(1, 10, 1, 10, 1, FIRST_S * 10**9, 1))
    day.begin_day()
    assert (day.minutes, list(day.ended)) == ({}, [FIRST_S])
