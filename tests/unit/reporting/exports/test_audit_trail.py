"""The audit trail follows from the journal alone, and adds up to what the engine holds."""

from __future__ import annotations

from random import Random

import pytest

from matching_engine.records import Command, CommandKind, Phase, SelfTrade, Side
from services.journal import JournalBatch
from services.reporting.exports.audit_line import Line
from services.reporting.exports.audit_trail import AuditTrail
from tests.long import some
from tests.model.naive_engine import NaiveEngine
from tests.property.engine_flow import Flow, terms, venue
from tests.unit.read_model.history import batches_of
from tests.unit.reporting.audited_journals import at, journal, opening, order, three_trades

ALL = 10**9


def trail(batches: list[JournalBatch], year: int = 2026, to_seq: int = ALL) -> list[Line]:
    reader = AuditTrail(year)
    return [line for batch in batches for line in reader.take(batch, to_seq)]


def told(lines: list[Line]) -> list[tuple[object, ...]]:
    """Event, MsgType, ExecType, account, order, lots, left, passive or aggressive."""
    return [
        (one.event, one.msg_type, one.exec_type, one.account, one.order_id, one.quantity_lots, one.leaves_lots, one.liquidity)
        for one in lines
    ]  # fmt: skip


def open_lots(engine: NaiveEngine) -> dict[int, int]:
    """The open lots of every open order, by its id."""
    state = engine.state()
    return {int(one["order_id"]): int(one["shown_lots"]) + int(one["hidden_lots"]) for one in state.orders}


def test_a_trade_is_two_lines_and_a_bust_two_more() -> None:
    batches = journal(opening(), three_trades())
    lines = trail(batches)
    assert told(lines)[:4] == [
        ("new", "8", "0", 2, 17, 2, 2, None),
        ("new", "8", "0", 3, 18, 2, 2, None),
        ("trade", "8", "F", 3, 18, 2, 0, "aggressive"),
        ("trade", "8", "F", 2, 17, 2, 0, "passive"),
    ]
    aggressive, passive = lines[2:4]
    assert (aggressive.side, passive.side) == ("buy", "sell")
    assert (aggressive.counter_order_id, passive.counter_account) == (17, 3)
    assert aggressive.trade_id == passive.trade_id == 18 << 20 | 1
    assert aggressive.amount_fen == passive.amount_fen == 2 * 4_730 * 10_000
    assert (aggressive.seq, aggressive.event_number, passive.event_number) == (18, 2, 2)
    assert {line.row_hash for line in lines} == {batches[1].hash.hex()}
    assert [line[11:14] for line in lines[-2:]] == [("bust", "8", "H")] * 2
    assert {line.trade_id for line in lines[-2:]} == {20 << 20 | 1}
    assert [line.order_id for line in lines[-2:]] == [20, 19]


def test_amend_cancel_reject_and_expiry_have_their_codes() -> None:
    amend = Command(kind=CommandKind.AMEND, account=2, order_id=17, quantity_lots=5, flags=4, actor=9)
    later = at(2026, 3, 2, 17)
    lines = trail(
        journal(
            opening(),
            [
                order(2, Side.SELL, 3, 4_730, actor=7, client_order_id=b"mine"),
                amend,
                Command(kind=CommandKind.CANCEL, account=2, order_id=99),
                order(3, Side.BUY, 1, 9_999),
                Command(kind=CommandKind.CANCEL, account=0, order_id=17, actor=8),
                order(2, Side.SELL, 3, 4_730)._replace(time_in_force=1),
            ],
            [Command(kind=CommandKind.DAY_ROLL, date=20260303, time_ns=later)],
        )
    )
    codes = [(one.event, one.exec_type, one.key_id, one.command_key_id, one.leaves_lots, one.reason) for one in lines]
    assert codes == [
        ("new", "0", 7, 7, 3, None),
        ("replace", "5", 9, 9, 5, None),
        ("cancel_reject", None, 0, 0, None, "unknown_order"),
        ("reject", "8", 0, 0, 0, "price_above_band"),
        ("cancel", "4", 9, 8, 0, "requested"),
        ("new", "0", 0, 0, 3, None),
        ("expire", "C", 0, 0, 0, "end_of_day"),
    ]
    assert [line.client_order_id for line in lines[:2]] == ["mine", "mine"]
    assert lines[2].msg_type == "9"
    assert [line.trading_date for line in (lines[0], lines[-1])] == [20260302, 20260303]


def test_self_trade_prevention_ends_an_order_or_makes_it_smaller() -> None:
    own = order(2, Side.BUY, 1, 4_730)._replace(self_trade=SelfTrade.DECREMENT)
    lines = trail(journal(opening(), [order(2, Side.SELL, 3, 4_730), own]))
    assert [(one.event, one.exec_type, one.quantity_lots, one.leaves_lots) for one in lines[2:]] == [
        ("prevented", "D", 1, 2),
        ("prevented", "4", 1, 0),
    ]


def test_an_auction_has_no_aggressor() -> None:
    def phase(of: int) -> Command:
        return Command(kind=CommandKind.SET_PHASE, instrument=0, phase=of)

    orders = [phase(Phase.CALL_AUCTION), order(2, Side.SELL, 1, 4_730), order(3, Side.BUY, 1, 4_730)]
    lines = trail(journal(opening(), [*orders, phase(Phase.CONTINUOUS)]))
    assert [(one.event, one.liquidity, one.side, one.phase) for one in lines[2:]] == [
        ("trade", "auction", "buy", "call_auction"),
        ("trade", "auction", "sell", "call_auction"),
    ]


def test_holds_the_year_and_ends_at_the_position() -> None:
    batches = journal(opening(date=20251231), [order(2, Side.SELL, 1, 4_730)])
    assert trail(batches, 2026) == []
    assert len(trail(batches, 2025)) == 1
    assert trail(batches, 2025, to_seq=16) == []


@pytest.mark.parametrize("seed", some(range(3)))
def test_an_order_of_an_earlier_year_is_known(seed: int) -> None:
    batches = journal(
        opening(date=20251231),
        [order(2, Side.SELL, 3, 4_730, client_order_id=b"old", actor=seed)],
        [Command(kind=CommandKind.DAY_ROLL, date=20260105, time_ns=at(2025, 12, 31, 17)), order(3, Side.BUY, 1, 4_730)],
    )
    new, taker, maker = trail(batches, 2026)
    assert (new.order_id, taker.account) == (19, 3)
    assert (maker.client_order_id, maker.key_id, maker.leaves_lots, maker.liquidity) == ("old", seed, 2, "passive")


@pytest.mark.parametrize("seed", some(range(4)))
def test_the_lines_add_up_to_what_the_engine_holds_whatever_it_is_asked(seed: int) -> None:
    """Of every order the lots that are open, and of all trades the amounts: icebergs, stops, auctions, busts, nonsense."""
    flow, chance = Flow(seed), Random(seed)
    flow.extend(venue())
    flow.extend(terms(flow.chance))
    while len(flow.commands) < 600:
        flow.stretch()
    reader, left, amount_fen, kinds = AuditTrail(None), dict[int, int](), 0, set[str]()
    for engine, batch in batches_of(flow.commands, chance):
        for line in reader.take(batch, batch.last_seq):
            kinds.add(line.event)
            if line.msg_type == "8" and line.event != "bust":
                left[line.order_id] = line.leaves_lots or 0
            amount_fen += {"trade": 1, "bust": -1}.get(line.event, 0) * (line.amount_fen or 0)
        assert {number: lots for number, lots in left.items() if lots} == open_lots(engine)
        assert amount_fen == 2 * sum(map(engine.turnover_fen, (0, *range(2020, 2040))))
    assert kinds >= {"new", "replace", "trigger", "trade", "cancel", "prevented", "reject", "cancel_reject"}
