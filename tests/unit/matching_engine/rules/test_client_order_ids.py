"""Client order ids: a repeat changes nothing, another body is refused, ids are remembered for some days."""

from __future__ import annotations

from typing import Any

import pytest

from matching_engine.limits import CLIENT_ID_TRADING_DAYS
from matching_engine.records import CommandKind, EventKind, OrderType, Reason
from tests.unit.matching_engine.engine_talk import BUY, DAY, GTC, IOC, SELL, Talk


def test_a_repeat_names_the_first_order_and_changes_nothing(talk: Talk) -> None:
    talk.order(2, BUY, 1, 1000, client_order_id=b"a")
    first = talk.seq
    before = talk.engine.state()
    assert talk.order(2, BUY, 1, 1000, client_order_id=b"a") == [
        talk.event(EventKind.DUPLICATE, order_id=first, account=2)
    ]
    assert [part.tobytes() for part in talk.engine.state()[1:]] == [part.tobytes() for part in before[1:]]


@pytest.mark.parametrize(
    "change",
    [
        {"side": SELL},
        {"price_ticks": 1001},
        {"quantity_lots": 2},
        {"time_in_force": DAY},
        {"time_in_force": IOC},
        {"order_type": OrderType.MARKET},
        {"instrument": 1},
        {"self_trade": 1},
        {"flags": 1},
        {"display_lots": 1},
        {"trigger_ticks": 1},
        {"number": 1},
        {"time_s": 1},
    ],
)
def test_another_body_is_refused(talk: Talk, change: dict[str, Any]) -> None:
    body: dict[str, Any] = {"side": BUY, "price_ticks": 1000, "quantity_lots": 1, "time_in_force": GTC}
    body |= {"order_type": OrderType.LIMIT, "account": 2, "client_order_id": b"a"}
    talk.tell(CommandKind.NEW_ORDER, **body)
    (event,) = talk.tell(CommandKind.NEW_ORDER, **body | change)
    assert (event.kind, event.reason) == (EventKind.REJECTED, Reason.CLIENT_ORDER_ID_REUSED)
    assert event.order_id == talk.seq


@pytest.mark.parametrize("place", range(36))
def test_an_id_is_one_wherever_its_only_byte_stands(talk: Talk, place: int) -> None:
    text = bytes(place) + b"x"
    talk.order(2, BUY, 1, 1000, client_order_id=text)
    assert talk.order(2, BUY, 1, 1000, client_order_id=text)[0].kind == EventKind.DUPLICATE
    assert talk.order(2, BUY, 1, 1000, client_order_id=b"\0" * 36)[0].kind == EventKind.ACCEPTED


def test_who_sent_it_is_no_part_of_the_body(talk: Talk) -> None:
    talk.order(2, BUY, 1, 1000, client_order_id=b"a", request_id=1, actor=1, time_ns=1, gateway_id=1)
    repeat = talk.order(2, BUY, 1, 1000, client_order_id=b"a", request_id=2, actor=2, time_ns=2, incarnation=2)
    assert repeat[0].kind == EventKind.DUPLICATE


def test_an_id_belongs_to_its_account_and_every_byte_counts(talk: Talk) -> None:
    ids = (b"a", b"b", b"a" * 36, b"a" * 35 + b"b", b"a" * 35, b"\0a", b"a\0a")
    for account in (2, 4):
        for client_order_id in ids:
            kind = talk.order(account, BUY, 1, 1000, client_order_id=client_order_id)[0].kind
            assert kind == EventKind.ACCEPTED


def test_an_engine_reject_uses_the_id_up(talk: Talk) -> None:
    talk.order(2, BUY, 1, 2000, client_order_id=b"a")
    refused = talk.seq
    assert talk.order(2, BUY, 1, 2000, client_order_id=b"a")[0].order_id == refused
    assert talk.order(2, BUY, 1, 1000, client_order_id=b"a")[0].reason == Reason.CLIENT_ORDER_ID_REUSED


def test_an_unknown_account_uses_no_id_up(talk: Talk) -> None:
    talk.order(5, BUY, 1, 1000, client_order_id=b"a")
    talk.tell(CommandKind.OPEN_ACCOUNT)
    assert talk.order(5, BUY, 1, 1000, client_order_id=b"a")[0].reason == Reason.INSUFFICIENT_FUNDS


def test_orders_without_an_id_are_never_repeats(talk: Talk) -> None:
    for _ in range(2):
        assert talk.order(2, BUY, 1, 1000)[0].kind == EventKind.ACCEPTED


def test_an_id_is_kept_for_trading_days_after_its_order_ended(talk: Talk) -> None:
    date = 20230103
    talk.order(2, BUY, 1, 1000, GTC, client_order_id=b"rests")
    rests = talk.seq
    talk.order(2, BUY, 1, 2000, GTC, client_order_id=b"refused")
    for _ in range(CLIENT_ID_TRADING_DAYS):
        assert is_known(talk, b"refused")
        talk.day_roll(date)
        date += 1
    assert is_known(talk, b"refused")
    talk.cancel(2, rests)
    for _ in range(CLIENT_ID_TRADING_DAYS):
        talk.day_roll(date)
        date += 1
        assert not is_known(talk, b"refused")
        assert is_known(talk, b"rests")
    talk.day_roll(date)
    assert not is_known(talk, b"rests")


def test_many_ids_are_all_found_again_after_a_sweep(talk: Talk) -> None:
    for n in range(1000):
        talk.order(2, BUY, 1, 2000 + n % 2, client_order_id=b"old%d" % n)
    for date in range(20230103, 20230103 + CLIENT_ID_TRADING_DAYS):
        talk.day_roll(date)
    for n in range(1000):
        talk.order(2, BUY, 1, 2000, client_order_id=b"new%d" % n)
    talk.day_roll(20230131)
    assert [is_known(talk, b"new%d" % n) for n in range(1000)] == [True] * 1000
    assert [is_known(talk, b"old%d" % n) for n in range(1000)] == [False] * 1000


def is_known(talk: Talk, client_order_id: bytes) -> bool:
    """Whether a cancel by client order id finds the id of an ended order: the refusal contains it."""
    (event,) = talk.cancel(2, client_order_id=client_order_id)
    return event.order_id != 0
