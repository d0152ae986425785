"""The audit program finds what somebody forged who knows the format and computes every hash and CRC anew."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import Any

import pytest

from matching_engine.records import (
    Command,
    CommandKind,
    EventKind,
    Side,
    unpack_events,
)
from services.reporting.audit import Damaged
from tests.unit.reporting.audited_journals import (
    audited,
    command,
    example,
    forge_commands,
    forge_events,
    journal,
    opening,
    order,
    resealed,
    three_trades,
)


def raised(name: str, kind: int, record: Any) -> Any:
    return record._replace(**{name: getattr(record, name) + 1}) if record.kind == kind else record


@pytest.mark.parametrize(
    "name",
    ["order_id", "maker_order_id", "price_ticks", "quantity_lots", "amount_fen", "fee_fen", "maker_fee_fen", "account",
     "maker_account", "number", "instrument", "side"],
)  # fmt: skip
@pytest.mark.parametrize("kind", [EventKind.TRADE, EventKind.TRADE_BUSTED])
def test_a_forged_trade_or_bust_is_found(kind: EventKind, name: str) -> None:
    if kind == EventKind.TRADE_BUSTED and name in ("maker_order_id", "number"):
        return  # 0 in such an event
    found = audited(resealed(example(), forge_events(partial(raised, name, kind))))
    assert not found.agree
    assert found.disagreements[0].startswith("Seq 18: " if kind == EventKind.TRADE else "Seq 23: ")


@pytest.mark.parametrize(
    ("kind", "name"),
    [
        (CommandKind.DEPOSIT, "amount_fen"),
        (CommandKind.DEPOSIT, "account"),
        (CommandKind.LIST_INSTRUMENT, "amount_fen"),
        (CommandKind.SET_FEES, "rate_ppm"),
        (CommandKind.SET_FEES, "taker_rate_ppm"),
        (CommandKind.SET_FEES, "account_class"),
        (CommandKind.DAY_ROLL, "date"),
        (CommandKind.BUST_TRADE, "order_id"),
        (CommandKind.NEW_ORDER, "account"),
        (CommandKind.NEW_ORDER, "instrument"),
        (CommandKind.NEW_ORDER, "side"),
    ],
)
def test_a_forged_command_is_found(kind: CommandKind, name: str) -> None:
    rates = 10_000 if name.endswith("ppm") else 1  # a millionth more changes no fee here

    def changed(sent: Command) -> Command:
        return sent._replace(**{name: getattr(sent, name) + rates}) if sent.kind == kind else sent

    assert not audited(resealed(example(), forge_commands(changed))).agree


@pytest.mark.parametrize(
    ("kind", "sentence"),
    [
        (EventKind.TRADE, "Seq 23: 20971521 is no trade of this day, or was busted before."),
        (EventKind.TRADE_BUSTED, "Seq 23: the command has no event."),
        (EventKind.BALANCE_CHANGED, "Seq 7: the command has no event."),
        (EventKind.FEES_SET, "Seq 1: the command has no event."),
        (EventKind.SETTLED, "Seq 24: a day ended without a settlement of all that was traded."),
        (EventKind.DAY_ROLLED, "Seq 15: a command of kind 37 has an event of kind 36."),
    ],
)
def test_an_event_that_is_missing_is_found(kind: EventKind, sentence: str) -> None:
    forged = resealed(example(), forge_events(lambda event: None if event.kind == kind else event))
    assert sentence in audited(forged).disagreements


def test_a_trade_that_is_missing_is_found_where_its_day_ends() -> None:
    forged = resealed(example(), forge_events(lambda event: None if (event.seq, event.kind) == (22, 4) else event))
    assert audited(forged).disagreements == ["Seq 24: the day's lots and fen: (1, 3000) in the event, (0, 0) computed."]


def test_two_accounts_of_one_owner_do_not_trade() -> None:
    one_owner = forge_commands(lambda sent: sent._replace(owner=2) if sent.kind == CommandKind.OPEN_ACCOUNT else sent)
    assert "Seq 18: accounts 3 and 2 are not of two owners." in audited(resealed(example(), one_owner)).disagreements


def test_nobody_pays_what_it_does_not_have() -> None:
    poor = forge_commands(lambda sent: sent._replace(amount_fen=50) if sent.kind == CommandKind.DEPOSIT else sent)
    found = audited(resealed(example(), poor))
    assert any("account 3 is not open, or pays more than it has" in sentence for sentence in found.disagreements)


def test_disagreements_are_counted_and_the_first_are_listed() -> None:
    trades = [one for _ in range(30) for one in (order(2, Side.SELL, 1, 30, 2), order(3, Side.BUY, 1, 30, 2))]
    forged = resealed(journal(opening(), trades), forge_events(partial(raised, "amount_fen", EventKind.TRADE)))
    found = audited(forged)
    assert (len(found.disagreements), found.disagreement_count, found.agree) == (20, 30, False)


def test_a_trade_names_orders_that_came_before_it() -> None:
    rows = journal(
        opening(), [order(2, Side.SELL, 1, 30, 2), order(3, Side.BUY, 1, 30, 2), order(2, Side.SELL, 1, 30, 2)]
    )
    assert audited(rows).agree
    for order_id in (0, 19, 20, 2**63):
        forged = resealed(
            rows,
            forge_events(lambda e, n=order_id: e._replace(maker_order_id=n) if e.kind == EventKind.TRADE else e),  # type: ignore[misc]
        )
        assert audited(forged).disagreements == [
            f"Seq 18: account 2 sent no order {order_id} that can make this trade."
        ]


def test_a_member_order_makes_no_trade_of_an_auction() -> None:
    rows = journal(opening(maker_ppm=300), three_trades())
    forged = resealed(rows, forge_events(lambda e: e._replace(phase=3) if (e.seq, e.kind) == (18, 4) else e))
    assert audited(forged).disagreements == ["Seq 18: a command of kind 1 makes a trade in phase 3."]


def test_a_trade_of_an_earlier_day_is_not_busted() -> None:
    roll, bust = command(CommandKind.DAY_ROLL, date=20260303), command(CommandKind.BUST_TRADE, order_id=18 << 20 | 1)
    rows = journal(opening(), three_trades()[:2], [roll, bust])
    assert audited(rows).agree
    (trade,) = [event for event in unpack_events(rows[1].events) if event.kind == EventKind.TRADE]
    busted = trade._replace(seq=20, kind=EventKind.TRADE_BUSTED, order_id=trade.trade_id)
    forged = resealed(rows, forge_events(lambda event: busted if event.kind == EventKind.REJECTED else event))
    assert audited(forged).disagreements == [f"Seq 20: {trade.trade_id} is no trade of this day, or was busted before."]


# The chain


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (lambda batch: replace(batch, engine_version=99), "is of engine version 99, which this program does not know"),
        (lambda batch: replace(batch, first_seq=18), "does not follow seq 16: commands are missing"),
        (lambda batch: replace(batch, journal_id=bytes(16)), "belongs to another journal"),
        (lambda batch: replace(batch, previous_hash=bytes(32)), "does not continue the hash chain"),
        (lambda batch: replace(batch, commands=batch.commands[:160]), "has another number of commands"),
        (forge_commands(lambda sent: sent._replace(seq=sent.seq + 1)), "has commands or events out of order"),
        (forge_events(lambda event: event._replace(seq=event.seq + 9)), "has commands or events out of order"),
    ],
)
def test_a_row_that_does_not_continue_the_chain_is_refused(change: Any, sentence: str) -> None:
    opened, traded, _ = example()
    with pytest.raises(Damaged, match=f"The row from seq 1[78] {sentence}"):
        audited([opened, change(traded)])
    with pytest.raises(Damaged, match="The row from seq 24 does not follow seq 16: commands are missing"):
        audited([opened, example()[2]])


def test_money_is_not_paid_into_an_account_that_is_not_open() -> None:
    def elsewhere(record: Any, kind: int) -> Any:
        return record._replace(account=9) if record.kind == kind and record.amount_fen else record

    events = forge_events(lambda event: elsewhere(event, EventKind.BALANCE_CHANGED))
    forged = resealed(
        resealed(journal(opening()), events), forge_commands(lambda sent: elsewhere(sent, CommandKind.DEPOSIT))
    )
    assert audited(forged).disagreements == [
        f"Seq {seq}: account 9 is not open, or pays more than it has." for seq in (7, 11)
    ]
