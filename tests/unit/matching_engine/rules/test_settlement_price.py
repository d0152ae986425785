"""The settlement price (rulebook 4.10): the edges of each step of the waterfall. The steps are the scenarios 4.10."""

from __future__ import annotations

import pytest

from matching_engine.records import (
    ALL_INSTRUMENTS,
    STANDING_QUOTES_NS,
    CommandKind,
    Event,
    EventKind,
    Phase,
    Reason,
    SettlementSource,
)
from tests.unit.matching_engine.engine_talk import BUY, DAY, GTC, SELL, Talk

VWAP, AUCTION = SettlementSource.DAY_VWAP, SettlementSource.CLOSING_AUCTION
QUOTES, PREVIOUS = SettlementSource.STANDING_QUOTES, SettlementSource.PREVIOUS
MINUTE_NS = 60 * 10**9
NINE_NS = 1_700_010_000 * 10**9
"""When continuous trading is taken to begin in these tests."""


def roll(talk: Talk, date: int = 20230103, time_ns: int = 0) -> list[Event]:
    return talk.tell(CommandKind.DAY_ROLL, date=date, time_ns=time_ns)


def settled(talk: Talk, price: int, source: int, lots: int = 0, amount: int = 0, instrument: int = 0) -> Event:
    return talk.event(
        EventKind.SETTLED,
        instrument=instrument,
        price_ticks=price,
        quantity_lots=lots,
        amount_fen=amount,
        number=source,
    )


def rolled(talk: Talk, *events: Event) -> list[Event]:
    """The events of a roll to 2023-01-03 that ends no order."""
    return [talk.event(EventKind.DAY_ROLLED, date=20230103), *events]


def trade(talk: Talk, lots: int, price: int) -> int:
    """A trade between accounts 2 and 4 that leaves no order behind; returns its id."""
    talk.order(4, SELL, lots, price)
    talk.order(2, BUY, lots, price)
    return talk.seq << 20 | 1


def phase(talk: Talk, phase: Phase, time_ns: int = 0) -> None:
    talk.tell(CommandKind.SET_PHASE, instrument=ALL_INSTRUMENTS, phase=phase, time_ns=time_ns)


def auction(talk: Talk, *trades: tuple[int, int], into: Phase = Phase.CLOSED) -> None:
    """A call auction of (lots, price): each a buy and a sell."""
    phase(talk, Phase.CALL_AUCTION)
    for lots, price in trades:
        talk.order(2, BUY, lots, price, DAY)
        talk.order(4, SELL, lots, price, DAY)
    phase(talk, into)


def quotes(talk: Talk, buy: int, sell: int, time_ns: int = NINE_NS) -> tuple[int, int]:
    """Account 2 buys and sells 3 lots each, GTC; returns the ids of the orders."""
    talk.order(2, BUY, 3, buy, GTC, time_ns=time_ns)
    talk.order(2, SELL, 3, sell, GTC, time_ns=time_ns)
    return talk.seq - 1, talk.seq


# 1. The day's average price


def test_five_lots_make_an_average_price(talk: Talk) -> None:
    trade(talk, 2, 1000)
    trade(talk, 3, 1001)  # 5003 / 5 = 1000.6
    assert roll(talk) == rolled(talk, settled(talk, 1001, VWAP, 5, 500_300))


def test_a_bust_that_leaves_five_lots_changes_the_average_price(talk: Talk) -> None:
    trade(talk, 5, 1010)
    busted = trade(talk, 5, 1020)
    talk.tell(CommandKind.BUST_TRADE, order_id=busted)
    assert roll(talk) == rolled(talk, settled(talk, 1010, VWAP, 5, 505_000))


def test_the_lots_of_a_day_are_not_those_of_the_next(talk: Talk) -> None:
    trade(talk, 4, 1010)
    roll(talk)
    trade(talk, 4, 1010)
    assert roll(talk, 20230104)[1:] == [settled(talk, 1000, PREVIOUS, 4, 404_000)]


# 2. The closing auction


def test_the_average_price_of_five_lots_comes_before_the_closing_auction(talk: Talk) -> None:
    trade(talk, 4, 1010)
    auction(talk, (1, 1020))  # 5060 / 5 = 1012
    assert roll(talk) == rolled(talk, settled(talk, 1012, VWAP, 5, 506_000))


def test_of_two_auctions_after_continuous_trading_the_last_that_traded_counts(talk: Talk) -> None:
    auction(talk, (1, 1020))
    auction(talk, (1, 1030), into=Phase.AUCTION_MATCHING)
    auction(talk)
    assert roll(talk) == rolled(talk, settled(talk, 1030, AUCTION, 2, 205_000))


def test_an_auction_without_trades_has_no_price(talk: Talk) -> None:
    phase(talk, Phase.CALL_AUCTION)
    talk.order(2, BUY, 1, 1010, DAY)
    bid = talk.seq
    phase(talk, Phase.CLOSED)
    assert roll(talk) == [
        *rolled(talk, settled(talk, 1000, PREVIOUS)),
        talk.ended(
            EventKind.EXPIRED, Reason.END_OF_DAY, bid, 2, side=BUY, price_ticks=1010, quantity_lots=1,
            reserve_fen=-101_051,
        ),
        talk.level(BUY, 1010, 0, 0),
    ]  # fmt: skip


def test_an_auction_keeps_its_price_until_its_last_trade_is_busted(talk: Talk) -> None:
    auction(talk, (1, 1020), (1, 1020))
    trades = [talk.seq << 20 | number for number in (1, 2)]
    talk.tell(CommandKind.BUST_TRADE, order_id=trades[0])
    assert roll(talk) == rolled(talk, settled(talk, 1020, AUCTION, 1, 102_000))


def test_each_instrument_has_the_price_of_its_own_auction(talk: Talk) -> None:
    talk.list_instrument(1)
    talk.tell(CommandKind.RECEIVE, account=4, instrument=1, quantity_lots=10)
    phase(talk, Phase.CALL_AUCTION)
    for instrument, price in ((0, 1020), (1, 990)):
        talk.order(2, BUY, 1, price, instrument=instrument)
        talk.order(4, SELL, 1, price, instrument=instrument)
    phase(talk, Phase.CLOSED)
    assert roll(talk) == rolled(
        talk, settled(talk, 1020, AUCTION, 1, 102_000), settled(talk, 990, AUCTION, 1, 99_000, instrument=1)
    )


def test_the_auction_of_a_day_is_not_the_next_day_s(talk: Talk) -> None:
    auction(talk, (2, 1020))
    roll(talk)
    assert roll(talk, 20230104)[1:] == [settled(talk, 1020, PREVIOUS)]


# 3. The quotes that stood


@pytest.mark.parametrize(
    ("stood_ns", "price", "source"),
    [
        (STANDING_QUOTES_NS, 1002, QUOTES),  # (999 + 1004) / 2 = 1001.5
        (STANDING_QUOTES_NS - 1, 1000, PREVIOUS),
        (14 * MINUTE_NS, 1000, PREVIOUS),
        (7 * 60 * MINUTE_NS, 1002, QUOTES),
    ],
)
@pytest.mark.parametrize("ends_with", [Phase.CLOSED, Phase.CALL_AUCTION, Phase.AUCTION_MATCHING])
def test_quotes_that_stood_for_fifteen_minutes(
    talk: Talk, stood_ns: int, price: int, source: int, ends_with: Phase
) -> None:
    quotes(talk, 999, 1004)
    phase(talk, ends_with, NINE_NS + stood_ns)
    assert roll(talk, time_ns=NINE_NS + 10**15) == rolled(talk, settled(talk, price, source))


@pytest.mark.parametrize(("stood_ns", "source"), [(STANDING_QUOTES_NS, QUOTES), (STANDING_QUOTES_NS - 1, PREVIOUS)])
def test_a_day_roll_ends_continuous_trading_too(talk: Talk, stood_ns: int, source: int) -> None:
    quotes(talk, 1001, 1005)
    assert roll(talk, time_ns=NINE_NS + stood_ns)[1].number == source


def test_the_closing_auction_comes_before_the_quotes(talk: Talk) -> None:
    quotes(talk, 990, 1030)
    phase(talk, Phase.CALL_AUCTION, NINE_NS + STANDING_QUOTES_NS)
    auction(talk, (1, 1010))
    assert roll(talk) == rolled(talk, settled(talk, 1010, AUCTION, 1, 101_000))


def test_an_auction_without_trades_leaves_the_quotes_before_it(talk: Talk) -> None:
    quotes(talk, 990, 1030)
    phase(talk, Phase.CALL_AUCTION, NINE_NS + STANDING_QUOTES_NS)
    talk.order(3, BUY, 1, 1020, time_ns=NINE_NS + STANDING_QUOTES_NS)
    phase(talk, Phase.CLOSED, NINE_NS + 20 * MINUTE_NS)
    assert roll(talk) == rolled(talk, settled(talk, 1010, QUOTES))


def test_a_best_price_that_changes_begins_anew(talk: Talk) -> None:
    quotes(talk, 990, 1030)
    talk.order(3, BUY, 1, 991, time_ns=NINE_NS + MINUTE_NS)
    phase(talk, Phase.CLOSED, NINE_NS + 15 * MINUTE_NS)
    assert roll(talk) == rolled(talk, settled(talk, 1000, PREVIOUS))


def test_a_better_price_that_is_gone_again_has_broken_the_standing(talk: Talk) -> None:
    quotes(talk, 990, 1030)
    talk.order(3, SELL, 1, 1029, time_ns=NINE_NS + MINUTE_NS)
    talk.tell(CommandKind.CANCEL, account=3, order_id=talk.seq, time_ns=NINE_NS + MINUTE_NS)
    phase(talk, Phase.CLOSED, NINE_NS + 15 * MINUTE_NS)
    assert roll(talk) == rolled(talk, settled(talk, 1000, PREVIOUS))


def test_an_order_that_trades_at_once_and_leaves_the_best_prices_breaks_nothing(talk: Talk) -> None:
    quotes(talk, 990, 1030)
    talk.order(3, BUY, 2, 1030, time_ns=NINE_NS + MINUTE_NS)
    talk.order(3, BUY, 1, 985, time_ns=NINE_NS + MINUTE_NS)
    talk.order(3, SELL, 5, 1030, time_ns=NINE_NS + MINUTE_NS)
    phase(talk, Phase.CLOSED, NINE_NS + 15 * MINUTE_NS)
    assert roll(talk) == rolled(talk, settled(talk, 1010, QUOTES, 2, 206_000))


def test_a_quote_that_is_entered_again_at_its_price_begins_anew(talk: Talk) -> None:
    bid, _ = quotes(talk, 990, 1030)
    talk.tell(CommandKind.CANCEL, account=2, order_id=bid, time_ns=NINE_NS + MINUTE_NS)
    talk.order(2, BUY, 3, 990, time_ns=NINE_NS + MINUTE_NS)
    phase(talk, Phase.CLOSED, NINE_NS + 15 * MINUTE_NS)
    assert roll(talk) == rolled(talk, settled(talk, 1000, PREVIOUS))


def test_quotes_withdrawn_before_the_end_do_not_count_and_after_it_do(talk: Talk) -> None:
    bid, ask = quotes(talk, 990, 1030)
    phase(talk, Phase.CLOSED, NINE_NS + 15 * MINUTE_NS)
    talk.cancel(2, bid)
    talk.cancel(2, ask)
    assert roll(talk) == rolled(talk, settled(talk, 1010, QUOTES))
    phase(talk, Phase.CONTINUOUS, NINE_NS)
    quotes(talk, 990, 1040)
    talk.cancel(2, talk.seq)
    phase(talk, Phase.CLOSED, NINE_NS + 15 * MINUTE_NS)
    assert roll(talk, 20230104)[1] == settled(talk, 1010, PREVIOUS)


def test_a_break_begins_the_fifteen_minutes_anew(talk: Talk) -> None:
    quotes(talk, 990, 1030)
    phase(talk, Phase.CLOSED, NINE_NS + 150 * MINUTE_NS)
    phase(talk, Phase.CONTINUOUS, NINE_NS + 270 * MINUTE_NS)
    phase(talk, Phase.CLOSED, NINE_NS + 284 * MINUTE_NS)
    assert roll(talk) == rolled(talk, settled(talk, 1000, PREVIOUS))


def test_only_the_last_continuous_trading_of_the_day_counts(talk: Talk) -> None:
    quotes(talk, 990, 1030)
    phase(talk, Phase.CLOSED, NINE_NS + 150 * MINUTE_NS)
    phase(talk, Phase.CONTINUOUS, NINE_NS + 270 * MINUTE_NS)
    phase(talk, Phase.CLOSED, NINE_NS + 285 * MINUTE_NS)
    assert roll(talk) == rolled(talk, settled(talk, 1010, QUOTES))


def test_a_resumed_instrument_begins_its_fifteen_minutes_anew(talk: Talk) -> None:
    quotes(talk, 990, 1030)
    talk.tell(CommandKind.HALT, instrument=0, time_ns=NINE_NS + 15 * MINUTE_NS)
    talk.tell(CommandKind.RESUME, instrument=0, time_ns=NINE_NS + 16 * MINUTE_NS)
    phase(talk, Phase.CLOSED, NINE_NS + 30 * MINUTE_NS)
    assert roll(talk) == rolled(talk, settled(talk, 1000, PREVIOUS))


def test_a_volatility_auction_ends_continuous_trading_with_the_quotes_before_it(talk: Talk) -> None:
    """The order that begins it would have traded at 1030; it rests at 1040 in the auction, which goes on to the roll."""
    talk.tell(CommandKind.SET_VOLATILITY_BAND, rate_ppm=10_000, time_s=300)
    quotes(talk, 990, 1030)
    talk.order(3, BUY, 1, 1040, time_ns=NINE_NS + 15 * MINUTE_NS)
    bid = talk.seq
    assert roll(talk)[:2] == rolled(talk, settled(talk, 1010, QUOTES))
    talk.cancel(3, bid)
    phase(talk, Phase.CONTINUOUS, NINE_NS + 16 * MINUTE_NS)
    phase(talk, Phase.CLOSED, NINE_NS + 30 * MINUTE_NS)
    assert roll(talk, 20230104)[1] == settled(talk, 1010, PREVIOUS)


def test_quotes_of_the_day_before_begin_their_fifteen_minutes_with_the_day(talk: Talk) -> None:
    quotes(talk, 990, 1030)
    assert roll(talk, time_ns=NINE_NS + 60 * MINUTE_NS)[1].number == QUOTES
    assert roll(talk, 20230104, NINE_NS + 75 * MINUTE_NS - 1)[1].number == PREVIOUS
    assert roll(talk, 20230105, NINE_NS + 90 * MINUTE_NS - 1)[1].number == QUOTES


def test_any_two_times_of_sixty_four_bits_have_a_difference(talk: Talk) -> None:
    quotes(talk, 990, 1030, time_ns=-(2**63))
    assert roll(talk, 20230103, -(2**63) + STANDING_QUOTES_NS - 1)[1].number == PREVIOUS
    assert roll(talk, 20230104, 2**63 - 1)[1].number == QUOTES
    assert roll(talk, 20230105, -(2**63))[1].number == PREVIOUS


# 4. The previous price


def test_the_first_day_of_a_venue_and_of_an_instrument_has_the_listing_s_price(talk: Talk) -> None:
    assert roll(talk) == rolled(talk, settled(talk, 1000, PREVIOUS))
    talk.list_instrument(1, price_ticks=777)
    assert roll(talk, 20230104)[1:] == [settled(talk, 1000, PREVIOUS), settled(talk, 777, PREVIOUS, instrument=1)]
