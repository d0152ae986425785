"""Limits that no random flow reaches, on both engines: a day's turnover beyond 64 bits, a full venue."""

from __future__ import annotations

from typing import Any

from matching_engine import Engine
from matching_engine.limits import MAX_INSTRUMENTS, MAX_TICK_VALUE_FEN
from matching_engine.records import (
    ALL_INSTRUMENTS,
    MAX_AMOUNT_FEN,
    MAX_PRICE_TICKS,
    VENUE,
    Command,
    CommandKind,
    Event,
    EventKind,
    Flag,
    OrderType,
    Phase,
    Reason,
    Side,
    TimeInForce,
)
from tests.model.naive_engine import NaiveEngine


class Both:
    """An engine and a naive engine with the same commands, in continuous trading."""

    def __init__(self) -> None:
        self.engine, self.naive = Engine(), NaiveEngine()
        self.submit(CommandKind.SET_PHASE, instrument=ALL_INSTRUMENTS, phase=Phase.CONTINUOUS)

    def submit(self, kind: CommandKind, **fields: Any) -> list[Event]:
        command = Command(seq=self.naive.last_seq + 1, kind=kind, **fields)
        events = self.naive.submit(command)
        assert self.engine.submit(command) == events
        return events

    def order(self, account: int, side: Side, lots: int, price: int, instrument: int = 0) -> list[Event]:
        return self.submit(
            CommandKind.NEW_ORDER, account=account, instrument=instrument, side=side, order_type=OrderType.LIMIT,
            time_in_force=TimeInForce.GTC, price_ticks=price, quantity_lots=lots,
        )  # fmt: skip


def dear() -> Both:
    """One lot is worth nearly MAX_AMOUNT_FEN: account 2 has the cash, account 3 has one lot."""
    both = Both()
    both.submit(
        CommandKind.LIST_INSTRUMENT, amount_fen=MAX_TICK_VALUE_FEN, price_ticks=MAX_PRICE_TICKS, quantity_lots=10**9
    )
    both.submit(CommandKind.OPEN_ACCOUNT)
    both.submit(CommandKind.OPEN_ACCOUNT)
    both.submit(CommandKind.DEPOSIT, account=2, amount_fen=MAX_AMOUNT_FEN - 10**6)
    both.submit(CommandKind.DEPOSIT, account=3, amount_fen=10**6)  # For fees.
    both.submit(CommandKind.RECEIVE, account=3, quantity_lots=1)
    return both


def test_a_day_whose_turnover_is_beyond_counting() -> None:
    both = dear()
    buyer, seller = 2, 3
    trade_ids = []
    while True:
        events = both.order(seller, Side.SELL, 1, MAX_PRICE_TICKS)
        if events[0].kind == EventKind.REJECTED:
            break
        (trade,) = (e for e in both.order(buyer, Side.BUY, 1, MAX_PRICE_TICKS) if e.kind == EventKind.TRADE)
        trade_ids.append(trade.trade_id)
        buyer, seller = seller, buyer
    assert events[0].reason == Reason.VALUE_TOO_LARGE
    assert len(trade_ids) == 901
    assert both.engine.state_hash() == both.naive.state_hash()
    assert both.engine.state().accounts["day_fen"].tolist() == [0, 9 * 10**18, 9 * 10**18]
    (busted,) = both.submit(CommandKind.BUST_TRADE, order_id=trade_ids[-1])
    assert busted.kind == EventKind.TRADE_BUSTED
    assert both.engine.state_hash() == both.naive.state_hash()
    assert both.order(seller, Side.BUY, 1, MAX_PRICE_TICKS)[0].kind == EventKind.ACCEPTED


def test_in_an_amend_what_has_traded_counts_towards_the_largest_value() -> None:
    both = Both()
    both.submit(CommandKind.LIST_INSTRUMENT, amount_fen=10**6, price_ticks=100, quantity_lots=10**9)
    for account in (2, 3):
        both.submit(CommandKind.OPEN_ACCOUNT)
        both.submit(CommandKind.RECEIVE, account=account, quantity_lots=10**8)
        both.submit(CommandKind.DEPOSIT, account=account, amount_fen=MAX_AMOUNT_FEN // 2)
    order_id = both.order(2, Side.SELL, 9 * 10**7, 100)[0].order_id
    both.order(3, Side.BUY, 10**7, 100)
    amend = {"account": 2, "order_id": order_id, "flags": Flag.CHANGE_QUANTITY}
    assert both.submit(CommandKind.AMEND, quantity_lots=10**8, **amend)[0].kind == EventKind.REPLACED
    assert both.submit(CommandKind.AMEND, quantity_lots=10**8 + 1, **amend)[0].reason == Reason.VALUE_TOO_LARGE
    assert both.engine.state_hash() == both.naive.state_hash()


def test_a_venue_with_all_the_instruments_there_may_be() -> None:
    both = Both()
    listed = []
    for instrument in range(MAX_INSTRUMENTS + 1):
        terms = {"instrument": instrument, "amount_fen": 1, "price_ticks": 1, "quantity_lots": 1}
        listed.append(both.submit(CommandKind.LIST_INSTRUMENT, **terms)[0].reason)
    assert listed == [Reason.NONE] * MAX_INSTRUMENTS + [Reason.TOO_MANY]
    both.submit(CommandKind.HALT, instrument=ALL_INSTRUMENTS)
    both.submit(CommandKind.DAY_ROLL, date=20230103)
    last = MAX_INSTRUMENTS - 1
    both.submit(CommandKind.RESUME, instrument=last)
    both.submit(CommandKind.SET_PHASE, instrument=last, phase=Phase.CALL_AUCTION)
    both.submit(CommandKind.RECEIVE, account=VENUE, instrument=last, quantity_lots=1)
    told = both.order(VENUE, Side.SELL, 1, 1, instrument=last)
    assert [event.kind for event in told] == [EventKind.ACCEPTED, EventKind.LEVEL, EventKind.INDICATIVE]
    assert {event.instrument for event in told} == {last}
    assert both.engine.state_hash() == both.naive.state_hash()
    assert Engine.from_state(both.engine.state()).state_hash() == both.naive.state_hash()
