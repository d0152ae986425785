"""Reserves and fees to the fen. What becomes of orders is in tests/scenarios."""

from __future__ import annotations

from matching_engine.records import CommandKind, OrderType, Phase, Reason
from tests.unit.matching_engine.engine_talk import BUY, CASH, SELL, Talk


def test_a_buy_rests_and_reserves_value_and_the_dearer_fee(talk: Talk) -> None:
    assert talk.order(2, BUY, 10, 1000) == [
        talk.accepted(2, BUY, 10, 1000, reserve=10 * 100_050),
        talk.level(BUY, 1000, 10, 1),
    ]
    assert talk.engine.cash(2) == (CASH, 1_000_500)


def test_a_fee_is_never_less_than_a_fen_and_reserves_one_for_each_lot(talk: Talk) -> None:
    talk.list_instrument(1, amount_fen=1, price_ticks=10, rate_ppm=0)
    talk.tell(CommandKind.RECEIVE, account=3, instrument=1, quantity_lots=5)
    assert talk.order(2, BUY, 5, 10, instrument=1)[0].reserve_fen == 5 * 11
    (_, trade, _) = talk.order(3, SELL, 5, 10, instrument=1)
    assert (trade.amount_fen, trade.fee_fen, trade.maker_fee_fen, trade.reserve_fen) == (50, 1, 1, -55)


def test_a_resting_buyer_pays_no_more_than_it_reserved_when_fees_rise(talk: Talk) -> None:
    talk.order(2, BUY, 1, 1000)
    talk.tell(CommandKind.SET_FEES, rate_ppm=10_000, taker_rate_ppm=10_000)
    trade = talk.order(3, SELL, 1, 1000)[1]
    assert (trade.fee_fen, trade.maker_fee_fen, trade.reserve_fen) == (1000, 50, -100_050)


def test_nor_does_a_buyer_in_an_auction(talk: Talk) -> None:
    """There the buy counts as the taker, though it has reserved before the fees rose."""
    talk.tell(CommandKind.SET_PHASE, phase=Phase.CALL_AUCTION)
    talk.order(2, BUY, 1, 1000)
    talk.order(3, SELL, 1, 1000)
    talk.tell(CommandKind.SET_FEES, rate_ppm=10_000, taker_rate_ppm=10_000)
    trade = talk.tell(CommandKind.SET_PHASE, phase=Phase.CONTINUOUS)[1]
    assert (trade.fee_fen, trade.maker_fee_fen, trade.reserve_fen) == (50, 1000, -100_050)


def test_an_order_may_spend_exactly_what_is_free(talk: Talk) -> None:
    talk.tell(CommandKind.OPEN_ACCOUNT)
    talk.tell(CommandKind.DEPOSIT, account=5, amount_fen=2 * 100_050)
    talk.order(5, BUY, 1, 1000)
    events = talk.order(5, BUY, 1, 1000, order_type=OrderType.LIMIT)
    assert events == [talk.accepted(5, BUY, 1, 1000, reserve=100_050), talk.level(BUY, 1000, 2, 2)]
    assert talk.order(5, BUY, 1, 950)[0].reason == Reason.INSUFFICIENT_FUNDS
