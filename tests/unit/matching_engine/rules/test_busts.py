"""Busts reverse a trade, unless a side cannot pay it back. Rulebook 7.2."""

from __future__ import annotations

import pytest

from matching_engine.records import VENUE, CommandKind, Event, EventKind, Reason, Side
from tests.unit.matching_engine.engine_talk import CASH, LOTS, SELL, Talk

AMOUNT, MAKER_FEE, TAKER_FEE = 1_000_000, 300, 500  # 10 lots at 1,000 ticks of 1 yuan, in fen
MAKER, TAKER = 2, 3
both_sides = pytest.mark.parametrize("side", list(Side))


def traded(talk: Talk, side: Side) -> int:
    """The id of a trade of 10 lots; `side` is the taker's."""
    talk.order(MAKER, Side(1 - side), 10, 1000)
    talk.order(TAKER, side, 10, 1000)
    return talk.seq << 20 | 1


def bust(talk: Talk, trade_id: int) -> list[Event]:
    return talk.tell(CommandKind.BUST_TRADE, order_id=trade_id)


def busted(talk: Talk, trade_id: int, side: Side) -> Event:
    return talk.event(
        EventKind.TRADE_BUSTED,
        order_id=trade_id,
        account=TAKER,
        maker_account=MAKER,
        side=side,
        price_ticks=1000,
        quantity_lots=10,
        amount_fen=AMOUNT,
        fee_fen=TAKER_FEE,
        maker_fee_fen=MAKER_FEE,
    )


@both_sides
def test_the_seller_pays_back_what_it_got(talk: Talk, side: Side) -> None:
    trade_id = traded(talk, side)
    seller, got = (TAKER, AMOUNT - TAKER_FEE) if side == SELL else (MAKER, AMOUNT - MAKER_FEE)
    talk.tell(CommandKind.WITHDRAW, account=seller, amount_fen=CASH + 1)
    assert bust(talk, trade_id) == [talk.rejected(Reason.INSUFFICIENT_FUNDS, order_id=trade_id)]
    assert talk.engine.cash(seller) == (got - 1, 0)
    talk.tell(CommandKind.DEPOSIT, account=seller, amount_fen=1)
    assert bust(talk, trade_id) == [busted(talk, trade_id, side)]
    assert talk.engine.cash(seller) == (0, 0)
    assert talk.engine.cash(TAKER + MAKER - seller) == (CASH, 0)


@both_sides
def test_the_venue_pays_back_the_fees(talk: Talk, side: Side) -> None:
    trade_id = traded(talk, side)
    talk.tell(CommandKind.WITHDRAW, account=VENUE, amount_fen=1)
    assert bust(talk, trade_id) == [talk.rejected(Reason.INSUFFICIENT_FUNDS, order_id=trade_id)]
    assert talk.engine.cash(VENUE) == (MAKER_FEE + TAKER_FEE - 1, 0)
    talk.tell(CommandKind.DEPOSIT, account=VENUE, amount_fen=1)
    assert bust(talk, trade_id) == [busted(talk, trade_id, side)]
    assert talk.engine.cash(VENUE) == (0, 0)


@both_sides
def test_the_buyer_gives_back_the_goods(talk: Talk, side: Side) -> None:
    trade_id = traded(talk, side)
    buyer = MAKER if side == SELL else TAKER
    talk.tell(CommandKind.RELEASE, account=buyer, quantity_lots=LOTS + 1)
    assert bust(talk, trade_id) == [talk.rejected(Reason.INSUFFICIENT_INVENTORY, order_id=trade_id)]
    talk.tell(CommandKind.RECEIVE, account=buyer, quantity_lots=1)
    assert bust(talk, trade_id) == [busted(talk, trade_id, side)]
    assert bust(talk, trade_id) == [talk.rejected(Reason.UNKNOWN_TRADE, order_id=trade_id)]
