"""The audit program: known amounts, the engine's own sums over random commands, trading days."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings

from matching_engine import Engine
from matching_engine.records import (
    ALL_INSTRUMENTS,
    COMMAND,
    Command,
    CommandKind,
    Event,
    EventKind,
    Phase,
    Side,
    pack_commands,
    unpack_events,
)
from services.data.calendar import TradingCalendar
from services.journal.batch import JournalBatch
from tests.long import examples, some
from tests.property.engine_flow import flow
from tests.unit.read_model.decided_history import DecidedHistory, decided_histories
from tests.unit.reporting.audited_journals import (
    at,
    audited,
    command,
    example,
    forge_events,
    journal,
    opening,
    order,
    resealed,
    three_trades,
)

# Known amounts


def test_three_trades_and_a_bust() -> None:
    found = audited(example())
    first, second, third = 2 * 4_730 * 10_000, 1 * 1_605 * 1_000, 1 * 30 * 100
    assert (first, second, third) == (94_600_000, 1_605_000, 3_000)
    assert (found.gross_fen, found.busted_fen, found.net_fen) == (96_208_000, 1_605_000, 94_603_000)
    assert (found.trades, found.busted_trades, found.seq) == (3, 1, 24)
    # Takers pay 300 millionths, makers 100: 28,380 and 9,460; 481.5 and 160.5, returned; 0.9 and 0.3, so 1 fen each.
    assert (found.buyers_fees_fen, found.sellers_fees_fen) == (28_380 + 1, 9_460 + 1)
    seller = 100_000_000 + 94_600_000 - 9_460 + 3_000 - 1
    buyer = 100_000_000 - 94_600_000 - 28_380 - 3_000 - 1
    assert found.cash_fen == {1: 28_380 + 9_460 + 2, 2: seller, 3: buyer}
    assert sum(found.cash_fen.values()) == found.deposited_fen == 200_000_000
    assert (found.disagreements, found.agree) == ([], True)
    assert (found.to_json()["net"], found.row_hash) == ("946030.00", example()[-1].hash.hex())


def test_half_a_fen_is_rounded_up() -> None:
    found = audited(example(), to_seq=20)
    assert (found.buyers_fees_fen, found.sellers_fees_fen) == (28_380 + 482, 9_460 + 161)


@pytest.mark.parametrize(
    ("to_seq", "gross_fen", "net_fen"),
    [(0, 0, 0), (17, 0, 0), (18, 94_600_000, 94_600_000), (22, 96_208_000, 96_208_000), (23, 96_208_000, 94_603_000)],
)
def test_it_stops_within_a_row(to_seq: int, gross_fen: int, net_fen: int) -> None:
    found = audited(example(), to_seq=to_seq)
    assert (found.seq, found.gross_fen, found.net_fen, found.disagreements) == (to_seq, gross_fen, net_fen, [])


def test_a_year_without_trades() -> None:
    found = audited(example(), 2025)
    assert (found.gross_fen, found.net_fen, found.trades, found.agree) == (0, 0, 0, True)
    assert found.deposited_fen == 200_000_000


def test_a_withdrawal() -> None:
    found = audited(journal([*opening(), command(CommandKind.WITHDRAW, account=3, amount_fen=7)]))
    assert (found.cash_fen[3], found.deposited_fen, found.agree) == (99_999_993, 199_999_993, True)


def test_both_sides_of_an_auction_pay_the_makers_rate() -> None:
    phases = [
        command(CommandKind.SET_PHASE, instrument=ALL_INSTRUMENTS, phase=phase)
        for phase in (Phase.CALL_AUCTION, Phase.AUCTION_MATCHING)
    ]
    orders = [order(2, Side.SELL, 2, 4_730), order(3, Side.BUY, 2, 4_730)]
    found = audited(journal([*opening(), phases[0], *orders], [phases[1]]))
    assert (found.gross_fen, found.buyers_fees_fen, found.sellers_fees_fen) == (94_600_000, 9_460, 9_460)
    assert found.agree


def test_a_class_has_its_own_rates() -> None:
    rates = command(CommandKind.SET_FEES, account_class=7, rate_ppm=0, taker_rate_ppm=1_000)
    member = [
        command(CommandKind.OPEN_ACCOUNT, account_class=7),
        command(CommandKind.DEPOSIT, account=4, amount_fen=10**8),
    ]
    trade = [order(2, Side.SELL, 1, 4_730), order(4, Side.BUY, 1, 4_730)]
    found = audited(journal([*opening(), rates, *member, *trade]))
    assert (found.buyers_fees_fen, found.sellers_fees_fen, found.agree) == (47_300, 4_730, True)


def test_a_buy_pays_no_more_than_it_reserved_before_rates_rose() -> None:
    rise = command(CommandKind.SET_FEES, rate_ppm=900, taker_rate_ppm=900)
    rows = journal([*opening(), order(3, Side.BUY, 2, 4_730), rise, order(2, Side.SELL, 2, 4_730)])
    found = audited(rows)
    assert (found.buyers_fees_fen, found.sellers_fees_fen, found.agree) == (
        28_380,
        85_140,
        True,
    )  # 300, then 900 millionths

    def pay_less(event: Event) -> Event:
        is_trade = event.kind == EventKind.TRADE
        return event._replace(maker_fee_fen=5, reserve_fen=-94_600_005) if is_trade else event

    forged = audited(resealed(rows, forge_events(pay_less)))
    assert "order 17 pays less than by any rate since it was sent" in forged.disagreements[0]


# Decisions about trades


@given(decided_histories())
@settings(max_examples=examples(30))
def test_it_applies_the_decisions_of_the_journal(made: DecidedHistory) -> None:
    for year in (2023, 2024):
        found = audited(made.batches, year)
        deals = [deal for deal in made.deals if deal.date // 10_000 == year]
        excluded = [deal.amount_fen for deal in deals if deal.state == "excluded"]
        assert (found.excluded_fen, found.excluded_trades) == (sum(excluded), len(excluded))
        assert found.net_fen == sum(deal.amount_fen for deal in deals if deal.state == "counts")
        assert (found.gross_fen, found.disagreements) == (sum(deal.amount_fen for deal in deals), [])


def test_a_decision_that_cannot_be_read_is_named() -> None:
    made = DecidedHistory()
    made.decide("exclude", [made.trade(0, 2)])
    *before, last = made.batches
    forged = replace(last, attachments=(last.attachments[0].replace(b'"trade_ids":[', b'"trade_ids":["x",'),))
    found = audited([*before, forged], 2023)
    assert found.disagreements == [f"Seq {last.last_seq:,}: the text of what was recorded cannot be read."]


# The engine's own sums


def settled_times(commands: list[Command]) -> list[Command]:
    """The commands with times that never go back, and before every trading day of the flow; none names a text."""
    found, time_ns = [], 0
    for sent in commands:
        since_start_ns = sent.time_ns - 1_700_000_000 * 10**9
        time_ns = since_start_ns if time_ns <= since_start_ns < 10**15 else time_ns
        found.append(sent._replace(time_ns=time_ns, attachment=0))
    return found


@pytest.mark.parametrize("seed", some(range(10), 3))
def test_it_agrees_with_the_engine_over_random_commands(seed: int) -> None:
    commands = settled_times(flow(seed, 500))
    rows = journal(*(commands[start : start + 40] for start in range(0, len(commands), 40)), time_ns=0)
    engine = Engine()
    engine.process(np.frombuffer(pack_commands(commands), COMMAND))
    for year in (0, 2022, 2023, 2024):
        found = audited(rows, year)
        assert found.disagreements == []
        assert found.net_fen == engine.turnover_fen(year)
    cash = {account: engine.cash(account)[0] for account in range(1, engine.accounts + 1)}
    assert {account: found.cash_fen.get(account, 0) for account in cash} == cash
    assert found.cash_fen.keys() <= cash.keys()


def test_the_random_commands_reach_every_rule() -> None:
    """Auctions, busts, day rolls, and buys whose reserve is less than the fee by the rate."""
    kinds, auctions = set(), 0
    for seed in range(10):
        engine = Engine()
        for event in unpack_events(
            np.asarray(engine.process(np.frombuffer(pack_commands(settled_times(flow(seed, 500))), COMMAND))).tobytes()
        ):
            kinds.add(event.kind)
            auctions += event.kind == EventKind.TRADE and event.phase == Phase.CALL_AUCTION
    assert {EventKind.TRADE, EventKind.TRADE_BUSTED, EventKind.SETTLED, EventKind.FEES_SET} <= kinds
    assert auctions


# Trading days


def days(*rolls: tuple[int, int], trade_ns: int = 0) -> list[JournalBatch]:
    """A journal that begins on Monday 2 March 2026; then DAY_ROLLs (time, date) and a trade."""
    trade = [order(2, Side.SELL, 1, 4_730, time_ns=trade_ns), order(3, Side.BUY, 1, 4_730, time_ns=trade_ns)]
    rows = [[command(CommandKind.DAY_ROLL, time_ns=time_ns, date=date)] for time_ns, date in rolls]
    return journal(opening(), *rows, trade)


def shipped(day: Any) -> bool:
    return TradingCalendar.load().is_trading_day(day)


def test_a_trade_in_the_evening_of_the_last_day_belongs_to_the_new_year() -> None:
    evening = at(2026, 12, 31, 17)
    rows = days((at(2026, 12, 30, 17), 20261231), (evening, 20270104), trade_ns=evening + 1)
    assert (audited(rows, 2026).trades, audited(rows, 2027).trades, audited(rows, 2027).agree) == (0, 1, True)
    assert (
        "after the end of day 20261231"
        in audited(days((at(2026, 12, 30, 17), 20261231), trade_ns=evening)).disagreements[0]
    )


def test_a_day_that_is_over_cannot_begin() -> None:
    assert audited(days((at(2026, 3, 3, 16), 20260303))).agree
    assert (
        "the day 20260303 is over at 2026-03-03 17:00:00"
        in audited(days((at(2026, 3, 3, 17), 20260303))).disagreements[0]
    )


def test_a_day_that_does_not_exist_is_found() -> None:
    assert "20260231" not in str(audited(days((at(2026, 3, 2, 17), 20260303))).disagreements)
    assert audited(days((at(2026, 3, 2, 17), 20260631))).disagreements  # the engine takes the 31st of every month


def test_a_day_must_be_the_one_of_the_calendar_where_one_is_given() -> None:
    holiday = days((at(2026, 4, 30, 17), 20260506))  # Labour Day, and a Saturday and Sunday
    early = days((at(2026, 12, 28, 17), 20270104))
    for rows, agrees in ((holiday, True), (early, False)):
        assert audited(rows).agree
        assert audited(rows, calendar=shipped).agree == agrees
    assert (
        "by the calendar, 20270104 is not the trading day of 2026-12-28 17:00"
        in (audited(early, calendar=shipped).disagreements[0])
    )


def test_times_do_not_go_back() -> None:
    rows = journal(opening(), [sent._replace(time_ns=at(2026, 3, 2, 11) - n) for n, sent in enumerate(three_trades())])
    assert "or before the trade before it" in audited(rows).disagreements[0]
