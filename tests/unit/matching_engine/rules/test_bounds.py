"""Bounds of a command's fields: the last value that is taken, and the next one, which is refused."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from matching_engine import Engine
from matching_engine.limits import (
    MAX_AUCTION_S,
    MAX_DAY_AMOUNT_FEN,
    MAX_HELD_LOTS,
    MAX_TICK_VALUE_FEN,
)
from matching_engine.records import (
    MAX_AMOUNT_FEN,
    MAX_PRICE_TICKS,
    MAX_QUANTITY_LOTS,
    MAX_RATE_PPM,
    CommandKind,
    EventKind,
    Flag,
    OrderType,
    Phase,
    Reason,
    TimeInForce,
)
from tests.unit.matching_engine.engine_talk import BUY, CASH, GTC, IOC, LOTS, SELL, Talk

Fields = dict[str, Any]

LISTING: Fields = {
    "kind": CommandKind.LIST_INSTRUMENT,
    "instrument": 3,
    "amount_fen": 1,
    "price_ticks": 1,
    "quantity_lots": 1,
}
DEPOSIT: Fields = {"kind": CommandKind.DEPOSIT, "account": 2}
WITHDRAW = DEPOSIT | {"kind": CommandKind.WITHDRAW}
RECEIVE = DEPOSIT | {"kind": CommandKind.RECEIVE}
RELEASE = DEPOSIT | {"kind": CommandKind.RELEASE}
ORDER_LIMITS = DEPOSIT | {"kind": CommandKind.SET_ORDER_LIMITS}
TURNOVER_LIMIT = DEPOSIT | {"kind": CommandKind.SET_TURNOVER_LIMIT}
ROOM_FEN = MAX_AMOUNT_FEN - 3 * CASH
ROOM_LOTS = MAX_HELD_LOTS - 3 * LOTS
AUCTION: Fields = {"kind": CommandKind.SET_VOLATILITY_BAND, "rate_ppm": 1, "time_s": 1}
OPERATORS: list[tuple[Fields, str, int, int, Reason]] = [
    (DEPOSIT, "amount_fen", 1, 0, Reason.INVALID_AMOUNT),
    (DEPOSIT, "amount_fen", ROOM_FEN, ROOM_FEN + 1, Reason.INVALID_AMOUNT),
    (WITHDRAW, "amount_fen", 1, 0, Reason.INVALID_AMOUNT),
    (WITHDRAW, "amount_fen", CASH, CASH + 1, Reason.INSUFFICIENT_FUNDS),
    (RECEIVE, "quantity_lots", 1, 0, Reason.INVALID_QUANTITY),
    (RECEIVE, "quantity_lots", ROOM_LOTS, ROOM_LOTS + 1, Reason.INVALID_QUANTITY),
    (RELEASE, "quantity_lots", 1, 0, Reason.INVALID_QUANTITY),
    (RELEASE, "quantity_lots", LOTS, LOTS + 1, Reason.INSUFFICIENT_INVENTORY),
    (ORDER_LIMITS, "quantity_lots", 0, -1, Reason.INVALID_QUANTITY),
    (ORDER_LIMITS, "quantity_lots", MAX_QUANTITY_LOTS, MAX_QUANTITY_LOTS + 1, Reason.INVALID_QUANTITY),
    (ORDER_LIMITS, "amount_fen", 0, -1, Reason.INVALID_AMOUNT),
    (ORDER_LIMITS, "amount_fen", MAX_AMOUNT_FEN, MAX_AMOUNT_FEN + 1, Reason.INVALID_AMOUNT),
    (TURNOVER_LIMIT, "amount_fen", 0, -1, Reason.INVALID_AMOUNT),
    (TURNOVER_LIMIT, "amount_fen", MAX_DAY_AMOUNT_FEN, MAX_DAY_AMOUNT_FEN + 1, Reason.INVALID_AMOUNT),
    ({"kind": CommandKind.KILL_SWITCH_ON}, "account", 4, 5, Reason.UNKNOWN_ACCOUNT),
    (LISTING, "quantity_lots", 1, 0, Reason.INVALID_QUANTITY),
    (LISTING, "quantity_lots", MAX_QUANTITY_LOTS, MAX_QUANTITY_LOTS + 1, Reason.INVALID_QUANTITY),
    (LISTING, "price_ticks", 1, 0, Reason.INVALID_PRICE),
    (LISTING, "price_ticks", MAX_PRICE_TICKS, MAX_PRICE_TICKS + 1, Reason.INVALID_PRICE),
    (LISTING, "amount_fen", 1, 0, Reason.INVALID_AMOUNT),
    (LISTING, "amount_fen", MAX_TICK_VALUE_FEN, MAX_TICK_VALUE_FEN + 1, Reason.INVALID_AMOUNT),
    (LISTING, "rate_ppm", MAX_RATE_PPM, MAX_RATE_PPM + 1, Reason.INVALID_RATE),
    ({"kind": CommandKind.SET_COLLAR}, "rate_ppm", MAX_RATE_PPM, MAX_RATE_PPM + 1, Reason.INVALID_RATE),
    ({"kind": CommandKind.SET_COLLAR}, "instrument", 2, 3, Reason.UNKNOWN_INSTRUMENT),
    (AUCTION, "rate_ppm", MAX_RATE_PPM, MAX_RATE_PPM + 1, Reason.INVALID_RATE),
    (AUCTION, "instrument", 2, 3, Reason.UNKNOWN_INSTRUMENT),
    (AUCTION, "time_s", 1, 0, Reason.INVALID_EXPIRY),
    (AUCTION, "time_s", MAX_AUCTION_S, MAX_AUCTION_S + 1, Reason.INVALID_EXPIRY),
    (AUCTION | {"rate_ppm": 0}, "time_s", 0, 1, Reason.INVALID_EXPIRY),
    ({"kind": CommandKind.SET_FEES}, "rate_ppm", MAX_RATE_PPM, MAX_RATE_PPM + 1, Reason.INVALID_RATE),
    ({"kind": CommandKind.SET_FEES}, "taker_rate_ppm", MAX_RATE_PPM, MAX_RATE_PPM + 1, Reason.INVALID_RATE),
    ({"kind": CommandKind.SET_PHASE}, "instrument", 2, 3, Reason.UNKNOWN_INSTRUMENT),
    ({"kind": CommandKind.SET_PHASE}, "phase", 4, 5, Reason.INVALID_PHASE),
    ({"kind": CommandKind.DAY_ROLL}, "date", 20230101, 20230100, Reason.INVALID_DATE),
    ({"kind": CommandKind.DAY_ROLL}, "date", 20230131, 20230132, Reason.INVALID_DATE),
    ({"kind": CommandKind.DAY_ROLL}, "date", 20230101, 20230001, Reason.INVALID_DATE),
    ({"kind": CommandKind.DAY_ROLL}, "date", 20231201, 20231301, Reason.INVALID_DATE),
    ({"kind": CommandKind.DAY_ROLL}, "date", 9999_12_31, 10000_01_01, Reason.INVALID_DATE),
]  # fmt: skip

SALE: Fields = {
    "kind": CommandKind.NEW_ORDER,
    "account": 2,
    "side": SELL,
    "order_type": OrderType.LIMIT,
    "time_in_force": GTC,
    "price_ticks": 1000,
    "quantity_lots": 1,
}
CHEAP: Fields = SALE | {"instrument": 1, "price_ticks": 1}
DEAR: Fields = SALE | {"instrument": 2, "price_ticks": MAX_PRICE_TICKS}
STOP: Fields = {"order_type": OrderType.STOP, "price_ticks": 0}
STOP_LIMIT: Fields = {"order_type": OrderType.STOP_LIMIT}
ORDERS: list[tuple[Fields, str, int, int, Reason]] = [
    (SALE, "instrument", 0, 3, Reason.UNKNOWN_INSTRUMENT),
    (SALE, "side", SELL, 2, Reason.INVALID_SIDE),
    (SALE, "order_type", 1, 0, Reason.INVALID_ORDER_TYPE),
    (SALE | {"trigger_ticks": 1000}, "order_type", 4, 5, Reason.INVALID_ORDER_TYPE),
    (SALE, "time_in_force", TimeInForce.DAY, 0, Reason.INVALID_TIME_IN_FORCE),
    (SALE | {"time_s": 1}, "time_in_force", TimeInForce.GTD, 6, Reason.INVALID_TIME_IN_FORCE),
    (SALE, "self_trade", 3, 4, Reason.INVALID_SELF_TRADE),
    (SALE | {"time_in_force": TimeInForce.GTD, "time_s": 5}, "time_ns", 5 * 10**9 - 1, 5 * 10**9, Reason.INVALID_EXPIRY),
    (SALE, "quantity_lots", 1, 0, Reason.INVALID_QUANTITY),
    (SALE, "quantity_lots", 500, 501, Reason.INVALID_QUANTITY),
    (SALE | {"quantity_lots": 500}, "display_lots", 5, 4, Reason.INVALID_DISPLAY),
    (SALE | {"quantity_lots": 500}, "display_lots", 500, 501, Reason.INVALID_DISPLAY),
    (SALE, "display_lots", 1, -1, Reason.INVALID_DISPLAY),
    (CHEAP, "price_ticks", 1, 0, Reason.INVALID_PRICE),
    (DEAR, "price_ticks", MAX_PRICE_TICKS, MAX_PRICE_TICKS + 1, Reason.INVALID_PRICE),
    (CHEAP | STOP, "trigger_ticks", 1, 0, Reason.INVALID_TRIGGER),
    (DEAR | STOP, "trigger_ticks", MAX_PRICE_TICKS, MAX_PRICE_TICKS + 1, Reason.INVALID_TRIGGER),
    (CHEAP | STOP_LIMIT, "trigger_ticks", 1, 0, Reason.INVALID_TRIGGER),
    (CHEAP | STOP_LIMIT | {"trigger_ticks": 1}, "price_ticks", 1, 0, Reason.INVALID_PRICE),
    (SALE, "price_ticks", 1050, 1051, Reason.PRICE_ABOVE_BAND),
    (SALE, "price_ticks", 950, 949, Reason.PRICE_BELOW_BAND),
    (SALE | STOP, "trigger_ticks", 1050, 1051, Reason.PRICE_ABOVE_BAND),
    (SALE | STOP, "trigger_ticks", 950, 949, Reason.PRICE_BELOW_BAND),
]  # fmt: skip


@pytest.fixture
def market(talk: Talk) -> Talk:
    """Instrument 1 costs the lowest price, instrument 2 the highest; account 2 has lots of both."""
    for instrument, price in ((1, 1), (2, MAX_PRICE_TICKS)):
        talk.list_instrument(instrument, price_ticks=price, amount_fen=1, rate_ppm=0)
        talk.tell(CommandKind.RECEIVE, account=2, instrument=instrument, quantity_lots=10)
    return talk


@pytest.mark.parametrize(("command", "field", "last", "beyond", "reason"), OPERATORS + ORDERS)
def test_the_last_value_is_taken_and_the_next_refused(
    market: Talk, command: Fields, field: str, last: int, beyond: int, reason: Reason
) -> None:
    refused = market.tell(**command | {field: beyond})
    assert [(event.kind, Reason(event.reason)) for event in refused] == [(EventKind.REJECTED, reason)]
    taken = market.tell(**command | {field: last})
    assert (taken[0].kind == EventKind.REJECTED, Reason(taken[0].reason)) == (False, Reason.NONE)


AMENDS: list[tuple[Fields, Flag, str, int, int, Reason]] = [
    (SALE | {"quantity_lots": 5}, Flag.CHANGE_QUANTITY, "quantity_lots", 1, 0, Reason.INVALID_QUANTITY),
    (SALE, Flag.CHANGE_QUANTITY, "quantity_lots", 500, 501, Reason.INVALID_QUANTITY),
    (SALE | {"quantity_lots": 500}, Flag.CHANGE_DISPLAY, "display_lots", 5, 4, Reason.INVALID_DISPLAY),
    (SALE | {"quantity_lots": 500}, Flag.CHANGE_DISPLAY, "display_lots", 500, 501, Reason.INVALID_DISPLAY),
    (SALE, Flag.CHANGE_DISPLAY, "display_lots", 1, -1, Reason.INVALID_DISPLAY),
    (CHEAP, Flag.CHANGE_PRICE, "price_ticks", 1, 0, Reason.INVALID_PRICE),
    (DEAR, Flag.CHANGE_PRICE, "price_ticks", MAX_PRICE_TICKS, MAX_PRICE_TICKS + 1, Reason.INVALID_PRICE),
    (CHEAP | STOP | {"trigger_ticks": 1}, Flag.CHANGE_TRIGGER, "trigger_ticks", 1, 0, Reason.INVALID_TRIGGER),
    (DEAR | STOP | {"trigger_ticks": MAX_PRICE_TICKS}, Flag.CHANGE_TRIGGER, "trigger_ticks", MAX_PRICE_TICKS,
     MAX_PRICE_TICKS + 1, Reason.INVALID_TRIGGER),
]  # fmt: skip


@pytest.mark.parametrize(("order", "flag", "field", "last", "beyond", "reason"), AMENDS)
def test_so_it_is_in_an_amend(
    market: Talk, order: Fields, flag: Flag, field: str, last: int, beyond: int, reason: Reason
) -> None:
    market.tell(**order)
    amend = {"account": 2, "order_id": market.seq, "flags": flag}
    refused = market.tell(CommandKind.AMEND, **amend | {field: beyond})
    assert [(event.kind, Reason(event.reason)) for event in refused] == [(EventKind.REJECTED, reason)]
    assert market.tell(CommandKind.AMEND, **amend | {field: last})[0].kind == EventKind.REPLACED


def test_a_deposit_and_a_receipt_may_be_all_that_the_venue_counts(talk: Talk) -> None:
    for account in (2, 3, 4):
        talk.tell(CommandKind.WITHDRAW, account=account, amount_fen=CASH)
        talk.tell(CommandKind.RELEASE, account=account, quantity_lots=LOTS)
    assert talk.tell(**DEPOSIT | {"amount_fen": MAX_AMOUNT_FEN})[0].kind == EventKind.BALANCE_CHANGED
    assert talk.tell(**RECEIVE | {"quantity_lots": MAX_HELD_LOTS})[0].kind == EventKind.BALANCE_CHANGED
    assert talk.tell(**WITHDRAW | {"amount_fen": MAX_AMOUNT_FEN})[0].kind == EventKind.BALANCE_CHANGED
    assert talk.tell(**RELEASE | {"quantity_lots": MAX_HELD_LOTS})[0].kind == EventKind.BALANCE_CHANGED


@pytest.mark.parametrize(
    ("limit", "reason"),
    [
        (ORDER_LIMITS | {"quantity_lots": 5}, Reason.ORDER_QUANTITY_LIMIT),
        (ORDER_LIMITS | {"amount_fen": 500_000}, Reason.ORDER_VALUE_LIMIT),
        (TURNOVER_LIMIT | {"amount_fen": 500_000}, Reason.TURNOVER_LIMIT),
    ],
)
def test_an_accounts_limit_may_be_reached_and_not_passed(market: Talk, limit: Fields, reason: Reason) -> None:
    """Five lots at the price of SALE are worth 500,000 fen."""
    market.tell(**limit)
    assert market.tell(**SALE | {"quantity_lots": 6})[0].reason == reason
    assert market.tell(**SALE | {"quantity_lots": 5})[0].kind == EventKind.ACCEPTED


def test_an_account_may_have_as_many_orders_as_its_limit_says(market: Talk) -> None:
    market.tell(CommandKind.SET_ORDER_LIMITS, account=2, number=2)
    answers = [market.tell(**SALE)[0] for _ in range(3)]
    assert [event.kind for event in answers] == [EventKind.ACCEPTED, EventKind.ACCEPTED, EventKind.REJECTED]
    assert answers[2].reason == Reason.OPEN_ORDERS_LIMIT


def test_an_order_may_be_worth_all_that_the_venue_can_count(market: Talk) -> None:
    """A lot of instrument 3 is worth a ten-millionth of it."""
    terms = {"amount_fen": 10**6, "price_ticks": 1000, "quantity_lots": MAX_QUANTITY_LOTS}
    market.list_instrument(3, **terms)
    market.tell(CommandKind.RECEIVE, account=2, instrument=3, quantity_lots=MAX_HELD_LOTS)
    largest = SALE | {"instrument": 3, "quantity_lots": 10**7}
    assert market.tell(**largest | {"quantity_lots": 10**7 + 1})[0].reason == Reason.VALUE_TOO_LARGE
    assert market.tell(**largest)[0].kind == EventKind.ACCEPTED


@pytest.mark.parametrize("rate_ppm", [0, 1])
def test_the_narrowest_collar_takes_the_anchor_only(market: Talk, rate_ppm: int) -> None:
    """A rate of 0 is no collar: the daily band is the limit then."""
    market.tell(CommandKind.SET_COLLAR, rate_ppm=rate_ppm)
    low, high = (999, 1001) if rate_ppm else (949, 1051)
    assert market.order(2, BUY, 1, high)[0].kind == EventKind.REJECTED
    assert market.order(2, SELL, 1, low)[0].kind == EventKind.REJECTED
    at_best = {"order_type": OrderType.MARKET, "time_in_force": IOC, "price_ticks": 0}
    assert market.tell(**SALE | at_best)[0].price_ticks == low + 1
    assert market.tell(**SALE | at_best | {"side": BUY})[0].price_ticks == high - 1
    assert market.order(2, BUY, 1, high - 1)[0].kind == EventKind.ACCEPTED


@pytest.mark.parametrize(
    ("price", "phase"), [(1000, Phase.CONTINUOUS), (1001, Phase.CALL_AUCTION), (999, Phase.CALL_AUCTION)]
)
def test_in_the_narrowest_volatility_band_orders_trade_at_the_anchor_only(
    market: Talk, price: int, phase: Phase
) -> None:
    market.tell(**AUCTION)
    market.order(2, SELL, 1, price)
    market.order(3, BUY, 1, price)
    assert market.engine.phase(0) == phase


def test_a_day_may_turn_over_all_that_the_venue_counts_and_no_fen_more() -> None:
    """Its trades are of the largest amount but for the last, of one fen. Runs on the engine only: it takes such a state."""
    talk = Talk(Engine())
    talk.order(2, SELL, 1, 1000)
    talk.order(3, BUY, 1, 1000)
    kept = talk.engine.state()
    most = MAX_DAY_AMOUNT_FEN // MAX_AMOUNT_FEN
    trades = np.repeat(kept.trades, most + 1)
    trades["trade_id"] += np.arange(len(trades), dtype="u8")
    trades["amount_fen"] = MAX_AMOUNT_FEN
    trades["amount_fen"][-1] = 1
    for count, kind in ((most, EventKind.ACCEPTED), (most + 1, EventKind.REJECTED)):
        kept.instruments["day_lots"] = count
        kept.instruments["day_amount_fen"] = trades["amount_fen"][:count].sum()
        talk.engine = Engine.from_state(kept._replace(trades=trades[:count]))
        talk.seq = talk.engine.last_seq
        assert talk.tell(**SALE)[0].kind == kind
