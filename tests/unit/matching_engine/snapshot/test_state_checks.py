"""A state with a value out of its bounds, or one that contradicts another, is refused with a sentence that names it."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from matching_engine import Engine
from matching_engine.limits import MAX_ACCOUNTS, MAX_INSTRUMENTS, MAX_OPEN_ORDERS
from matching_engine.records import OrderType, Phase
from matching_engine.snapshot import state
from matching_engine.snapshot.state import StateError
from matching_engine.snapshot.state_checks import check
from tests.unit.matching_engine.engine_talk import BUY, CASH, LOTS, SELL, Talk

MOST_TICKS = 2**31 - 1
MOST_LOTS = 10**9
MOST_HELD = 10**15
MOST_FEN = 10**16
MOST_DAY_FEN = 9 * 10**18
MOST_PPM = 999_999
I64 = 2**63 - 1

BOUNDS: dict[str, dict[str, tuple[int, int]]] = {
    "venue": {"phase": (0, 4), "halted": (0, 1), "kill_switch": (0, 1), "trading_date": (0, 9999_12_31)},
    "fees": {"maker_rate_ppm": (0, MOST_PPM), "taker_rate_ppm": (0, MOST_PPM)},
    "instruments": {
        "tick_value_fen": (1, 4_656_612),
        "reference_ticks": (1, MOST_TICKS),
        "last_ticks": (0, MOST_TICKS),
        "max_quantity_lots": (1, MOST_LOTS),
        "best_buy_ticks": (0, MOST_TICKS),
        "best_sell_ticks": (0, MOST_TICKS),
        "day_lots": (0, I64),
        "day_amount_fen": (0, MOST_DAY_FEN + MOST_FEN),
        "band_ppm": (0, MOST_PPM),
        "collar_ppm": (0, MOST_PPM),
        "volatility_ppm": (0, MOST_PPM),
        "auction_s": (0, 86_400),
        "phase": (0, 5),
        "halted": (0, 1),
        "in_auction": (0, 1),
    },
    "accounts": {
        "cash_fen": (0, MOST_FEN),
        "reserved_fen": (0, MOST_FEN),
        "day_fen": (0, MOST_DAY_FEN),
        "max_order_lots": (0, MOST_LOTS),
        "max_order_fen": (0, MOST_FEN),
        "max_day_fen": (0, MOST_DAY_FEN),
        "owner": (1, 2**32 - 1),
        "kill_switch": (0, 1),
    },
    "holdings": {"lots": (1, MOST_HELD), "reserved_lots": (0, MOST_HELD)},
    "orders": {
        "price_ticks": (1, MOST_TICKS),
        "trigger_ticks": (0, MOST_TICKS),
        "lot_reserve_fen": (0, 2 * MOST_FEN),
        "shown_lots": (1, MOST_LOTS),
        "hidden_lots": (0, MOST_LOTS),
        "display_lots": (0, MOST_LOTS),
        "filled_lots": (0, MOST_LOTS),
        "side": (0, 1),
        "self_trade": (0, 3),
        "flags": (0, 1),
    },
    "trades": {
        "price_ticks": (1, MOST_TICKS),
        "quantity_lots": (1, MOST_LOTS),
        "amount_fen": (1, MOST_FEN),
        "fee_fen": (0, MOST_FEN),
        "maker_fee_fen": (0, MOST_FEN),
        "side": (0, 1),
        "busted": (0, 1),
    },
}
"""The least and the greatest value of each field, as the rulebook and `limits` have them, in numbers."""

Change = tuple[str, int, dict[str, int]]
FIELDS = [(section, field) for section, fields in BOUNDS.items() for field in fields]


def rich() -> state.State:
    """Rows in every section: a trade, an order on each side, an iceberg and a waiting stop.

    The orders are, in order: a buy of 5 lots at 990, a stop to buy, a sell of 3 lots at 1,000, and an iceberg at 1,010."""
    talk = Talk(Engine())
    talk.order(2, SELL, 5, 1000, client_order_id=b"a")
    talk.order(3, BUY, 2, 1000, client_order_id=b"b")
    talk.order(3, BUY, 5, 990)
    talk.order(2, SELL, 10, 1010, display_lots=2)
    talk.order(3, BUY, 1, 0, order_type=OrderType.STOP, trigger_ticks=1020)
    return talk.engine.state()


def changed(kept: state.State, section: str, row: int = 0, **fields: int) -> state.State:
    rows = getattr(kept, section).copy()
    for name, value in fields.items():
        rows[name][row] = value
    return kept._replace(**{section: rows})


def refusal(kept: state.State) -> str:
    try:
        check(kept)
    except StateError as problem:
        return str(problem)
    return ""


def cases(near: int) -> list[tuple[str, str, int]]:
    """Section, field and value: the bounds themselves (`near` 0), or the values just beyond that the field can hold."""
    found = []
    for section, field in FIELDS:
        least, greatest = BOUNDS[section][field]
        width = np.iinfo(getattr(state.LAYOUTS, section)[field])
        found += [(section, field, v) for v in (least - near, greatest + near) if width.min <= v <= width.max]
    return found


@pytest.mark.parametrize(("section", "field", "value"), cases(1))
def test_a_value_just_out_of_its_bounds_is_refused_by_name(section: str, field: str, value: int) -> None:
    with pytest.raises(
        StateError, match=f"^this state cannot be: {field} in the section '{section}' is out of bounds$"
    ):
        Engine.from_state(changed(rich(), section, **{field: value}))


@pytest.mark.parametrize(("section", "field", "value"), cases(0))
def test_a_bound_itself_is_within(section: str, field: str, value: int) -> None:
    """Another check may refuse the state, as one that contradicts itself."""
    assert "out of bounds" not in refusal(changed(rich(), section, **{field: value}))


@pytest.mark.parametrize(
    ("section", "row", "fields", "says"),
    [
        ("venue", 0, {"phase": Phase.HALTED}, "no schedule halts"),
        ("instruments", 0, {"phase": Phase.HALTED}, "no schedule halts"),
        ("holdings", 0, {"account": 0}, "the section 'holdings' names an unknown account"),
        ("holdings", 2, {"account": 5}, "the section 'holdings' names an unknown account"),
        ("orders", 0, {"account": 0}, "the section 'orders' names an unknown account"),
        ("trades", 0, {"account": 5}, "the section 'trades' names an unknown account"),
        ("trades", 0, {"maker_account": 0}, "the section 'trades' names an unknown account"),
        ("client_ids", 0, {"account": 5}, "the section 'client_ids' names an unknown account"),
        ("holdings", 0, {"instrument": 1}, "the section 'holdings' names an unknown instrument"),
        ("orders", 3, {"instrument": 1}, "the section 'orders' names an unknown instrument"),
        ("trades", 0, {"instrument": 1}, "the section 'trades' names an unknown instrument"),
        ("orders", 0, {"order_id": 0}, "the section 'orders' names an order of a later command"),
        ("orders", 0, {"order_id": 18}, "the section 'orders' names an order of a later command"),
        ("venue", 0, {"last_seq": 16}, "the section 'orders' names an order of a later command"),
        ("client_ids", 0, {"order_id": 0}, "the section 'client_ids' names an order of a later command"),
        ("client_ids", 1, {"order_id": 18}, "the section 'client_ids' names an order of a later command"),
        ("trades", 0, {"trade_id": 18 << 20}, "a trade is of a later command"),
        ("client_ids", 1, {"order_id": 13}, "the section 'client_ids' is out of order"),
        ("instruments", 0, {"in_auction": 1, "phase": 0}, "a volatility auction goes on in no such phase"),
        ("instruments", 0, {"auction_ends_ns": 1}, "a volatility auction ends that has not begun"),
        ("instruments", 0, {"volatility_ppm": 1}, "a volatility band has no length"),
        ("instruments", 0, {"auction_s": 1}, "a volatility band has no length"),
        ("instruments", 0, {"phase": Phase.DELISTED, "halted": 1}, "a delisted instrument is halted"),
        ("instruments", 0, {"phase": Phase.DELISTED}, "an order of a delisted instrument is open"),
        ("instruments", 0, {"closing_seq": 18}, "a closing auction is of a later command"),
        ("instruments", 0, {"day_lots": 3}, "the day of an instrument is not what its trades make"),
        ("instruments", 0, {"day_amount_fen": 1}, "the day of an instrument is not what its trades make"),
        ("trades", 0, {"busted": 1}, "the day of an instrument is not what its trades make"),
        ("orders", 0, {"price_ticks": 1000}, "a book is crossed outside a call auction"),
        ("instruments", 0, {"best_buy_ticks": 989}, "a best price is not that of its orders"),
        ("instruments", 0, {"best_sell_ticks": 0}, "a best price is not that of its orders"),
        ("instruments", 0, {"closing_seq": 1}, "an instrument trades on after its closing auction"),
        ("orders", 0, {"lot_reserve_fen": 99_000}, "a buy has reserved less than it may cost"),
        ("orders", 0, {"trigger_ticks": 1}, "an order waits that is no stop, or the other way round"),
        ("orders", 1, {"trigger_ticks": 0}, "an order waits that is no stop, or the other way round"),
        ("orders", 0, {"order_type": OrderType.MARKET}, "an order of its type isn't open"),
        ("orders", 0, {"time_in_force": 0}, "an order of its time in force isn't open"),
        ("orders", 0, {"time_in_force": 3}, "an order of its time in force isn't open"),
        ("orders", 1, {"display_lots": 1}, "a stop is an iceberg"),
        ("orders", 2, {"hidden_lots": 1}, "an iceberg shows more than it may"),
        ("orders", 3, {"shown_lots": 3}, "an iceberg shows more than it may"),
        ("orders", 0, {"filled_lots": MOST_LOTS - 4}, "an order is too large"),
        ("orders", 3, {"order_id": 13}, "two orders have one id"),
        ("orders", 3, {"hidden_lots": 2 * (MAX_OPEN_ORDERS - 4) + 1}, "there are too many open orders"),
        ("accounts", 3, {"cash_fen": MOST_FEN - 2 * CASH + 1}, "there is too much cash"),
        ("accounts", 2, {"reserved_fen": CASH}, "an account has reserved more than it has"),
        ("accounts", 3, {"reserved_fen": 1}, "an account has reserved other cash than its orders"),
        ("holdings", 0, {"reserved_lots": LOTS - 1}, "an account has reserved more lots than it has"),
        ("holdings", 2, {"reserved_lots": 1}, "an account has reserved other lots than its orders"),
        ("orders", 2, {"lot_reserve_fen": 1}, "a sell has reserved cash"),
        ("holdings", 2, {"lots": MOST_HELD - 2 * LOTS + 1}, "there are too many lots of an instrument"),
    ],
)
def test_a_state_that_contradicts_itself_is_refused(section: str, row: int, fields: dict[str, int], says: str) -> None:
    with pytest.raises(StateError, match=f"^this state cannot be: {says}$"):
        Engine.from_state(changed(rich(), section, row, **fields))


@pytest.mark.parametrize(
    "changes",
    [
        [("accounts", 3, {"cash_fen": MOST_FEN - 2 * CASH})],
        [("holdings", 2, {"lots": MOST_HELD - 2 * LOTS})],
        [("orders", 0, {"filled_lots": MOST_LOTS - 5})],
        [("orders", 0, {"lot_reserve_fen": 99_001}), ("accounts", 2, {"reserved_fen": 600_303 - 5 * 49})],
        [("accounts", 2, {"cash_fen": 600_303})],
        [("holdings", 0, {"lots": 13})],
        [("instruments", 0, {"phase": Phase.CLOSED, "closing_seq": 17})],
        [("trades", 0, {"trade_id": 17 << 20 | 1})],
        [("orders", 2, {"order_id": 1}), ("client_ids", 0, {"order_id": 1})],
    ],
)
def test_a_state_may_go_as_far_as_its_sums_and_its_last_command_allow(changes: list[Change]) -> None:
    kept = rich()
    for section, row, fields in changes:
        kept = changed(kept, section, row, **fields)
    assert state.snapshot_bytes(Engine.from_state(kept).state()) == state.snapshot_bytes(kept)


def rows_of(section: str, count: int) -> Any:
    return np.zeros(count, getattr(state.LAYOUTS, section))


@pytest.mark.parametrize(
    ("section", "rows", "says"),
    [
        ("venue", rows_of("venue", 0), "a state has one venue"),
        ("venue", rows_of("venue", 2), "a state has one venue"),
        ("accounts", rows_of("accounts", 0), "there are too few or too many accounts"),
        ("accounts", rows_of("accounts", MAX_ACCOUNTS + 1), "there are too few or too many accounts"),
        ("instruments", rows_of("instruments", MAX_INSTRUMENTS + 1), "there are too many instruments"),
        ("orders", rows_of("trades", 1), "the section 'orders' has another layout"),
    ],
)
def test_a_section_of_another_length_or_layout_is_refused(section: str, rows: Any, says: str) -> None:
    with pytest.raises(StateError, match=f"^this state cannot be: {says}$"):
        check(rich()._replace(**{section: rows}))
