"""Cancels: by order id, by client order id, by an operator."""

from __future__ import annotations

from matching_engine.records import ALL_INSTRUMENTS, CommandKind, EventKind, Phase, Reason
from tests.unit.matching_engine.engine_talk import BUY, CASH, LOTS, SELL, Talk


def test_a_cancel_releases_what_is_left(talk: Talk) -> None:
    talk.order(2, BUY, 10, 1000)
    order_id = talk.seq
    talk.order(3, SELL, 4, 1000)
    assert talk.cancel(2, order_id) == [
        talk.ended(
            EventKind.CANCELED,
            Reason.REQUESTED,
            order_id,
            2,
            side=BUY,
            price_ticks=1000,
            quantity_lots=6,
            reserve_fen=-6 * 100_050,
        ),
        talk.level(BUY, 1000, 0, 0),
    ]
    assert talk.engine.cash(2) == (CASH - 400_120, 0)


def test_a_canceled_sell_gives_its_lots_back(talk: Talk) -> None:
    talk.order(2, SELL, 10, 1000)
    order_id = talk.seq
    talk.order(2, SELL, 1, 1000)
    assert talk.cancel(0, order_id) == [
        talk.ended(EventKind.CANCELED, Reason.REQUESTED, order_id, 2, side=SELL, price_ticks=1000, quantity_lots=10),
        talk.level(SELL, 1000, 1, 1),
    ]
    assert talk.engine.holding(2, 0) == (LOTS, 1)


def test_a_client_order_id_names_the_accounts_own_order(talk: Talk) -> None:
    talk.order(2, BUY, 1, 1000, client_order_id=b"mine")
    order_id = talk.seq
    assert talk.cancel(3, client_order_id=b"mine") == [talk.rejected(Reason.UNKNOWN_ORDER, account=3)]
    assert talk.cancel(0, client_order_id=b"mine") == [talk.rejected(Reason.UNKNOWN_ORDER)]
    assert talk.cancel(2, client_order_id=b"mine")[0].order_id == order_id
    assert talk.cancel(2, client_order_id=b"mine") == [
        talk.rejected(Reason.UNKNOWN_ORDER, account=2, order_id=order_id)
    ]


def test_what_does_not_rest_or_is_anothers_is_unknown(talk: Talk) -> None:
    talk.order(3, BUY, 1, 1000)
    order_id = talk.seq
    talk.order(2, BUY, 1, 2000)
    refused = talk.seq
    for account, target in ((2, order_id), (4, order_id), (2, refused), (2, 0), (0, 0), (2, 2**64 - 1), (0, 10**6)):
        assert talk.cancel(account, target) == [talk.rejected(Reason.UNKNOWN_ORDER, order_id=target, account=account)]
    assert talk.cancel(9, order_id) == [talk.rejected(Reason.UNKNOWN_ACCOUNT, order_id=order_id, account=9)]
    assert talk.cancel(3, order_id)[0].kind == EventKind.CANCELED
    assert talk.cancel(3, order_id)[0].reason == Reason.UNKNOWN_ORDER


def test_cancels_work_while_the_market_is_closed_or_halted(talk: Talk) -> None:
    for kind, phase in ((CommandKind.SET_PHASE, Phase.CLOSED), (CommandKind.HALT, 0)):
        talk.tell(CommandKind.SET_PHASE, instrument=ALL_INSTRUMENTS, phase=Phase.CONTINUOUS)
        talk.order(2, BUY, 1, 1000)
        order_id = talk.seq
        talk.tell(kind, instrument=ALL_INSTRUMENTS, phase=phase)
        assert talk.cancel(2, order_id)[0].kind == EventKind.CANCELED
