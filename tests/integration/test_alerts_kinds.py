"""Random alerts and closings of days: the tables of both kinds of read database, the memory and a plain model say the same."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import astuple
from pathlib import Path
from random import Random
from typing import Any

import pytest

from matching_engine.records import Side
from services.alerts.conditions import Condition, OpenAlerts
from services.alerts.following import FollowedAlerts
from services.alerts.reading import DecidingFacts, judge_days, read_facts
from services.alerts.webhook.notices import read_notices
from services.commands import administrative as admin
from services.commands.attachments import (
    AccountText,
    AlertAcknowledged,
    AlertCleared,
    AlertRaised,
    ControlDeclared,
    DayClosed,
    read_decision,
)
from services.data.calendar import TradingCalendar
from services.journal.batch import JournalBatch
from services.messaging import Submission
from services.venue_state.alerts import VenueAlert, VenueAlerts
from services.venue_state.loading import load_alerts
from tests.integration.read_databases import ReadDatabase
from tests.integration.test_read_database_kinds import write_in_parts
from tests.long import some
from tests.unit.alerts.test_conditions import condition
from tests.unit.read_model.history import JOURNAL_ID, REFERENCE_TICKS, SENDER, History, day_roll, opening, order

pytestmark = pytest.mark.anyio


def change(chance: Random, seq: int) -> Submission:
    """One command. Most are about alerts that are open, some about others or none."""
    alert = chance.randint(1, seq + 2)
    match chance.randrange(8):
        case 0 | 1 | 2:
            return admin.recorded(SENDER, [condition("pace", chance.randrange(4)).raised()])
        case 3 | 4:
            return admin.recorded(SENDER, [AlertCleared(alert=alert)])
        case 5 | 6:
            return admin.record(SENDER, AlertAcknowledged(alert=alert, name=f"N{seq}", note=""))
        case _:
            day, revision = 20230103 + chance.randrange(2), chance.randint(1, 3)
            closed = DayClosed(date=day, revision=revision, at_seq=seq, row_hash="ab", sha256=f"{seq}")
            return admin.recorded(SENDER, [closed])


def batches_of(seed: int) -> list[JournalBatch]:
    history, chance, batches = History(), Random(seed), list[JournalBatch]()
    for _ in range(60):
        size = chance.randint(1, 6)
        batches.append(history.batch([change(chance, history.engine.last_seq) for _ in range(size)]))
    return batches


def expected(batches: list[JournalBatch]) -> tuple[list[tuple[Any, ...]], list[tuple[Any, ...]]]:
    """The rows of alerts and of closings, one decision after another."""
    raised: dict[int, tuple[Any, ...]] = {}
    cleared, acknowledged = dict[int, tuple[Any, ...]](), dict[int, tuple[Any, ...]]()
    closings: dict[tuple[int, int], tuple[Any, ...]] = {}
    for event, command, text in (applied for batch in batches for applied in batch.applied()):
        match read_decision(text):
            case AlertRaised() as told:
                if told.key not in [raised[seq][2] for seq in raised.keys() - cleared.keys()]:
                    raised[event.seq] = command.time_ns, *told.model_dump(exclude={"type"}).values()
            case AlertCleared(alert=alert) if alert in raised:
                cleared.setdefault(alert, (event.seq, command.time_ns))
            case AlertAcknowledged(alert=alert) as told if alert in raised:
                by = command.actor, told.name, told.note
                acknowledged.setdefault(alert, (event.seq, command.time_ns, *by))
            case DayClosed() as told:
                of_day = event.seq, command.time_ns, told.at_seq, told.row_hash, told.sha256
                closings.setdefault((told.date, told.revision), of_day)
    ends = {seq: (*cleared.get(seq, [None] * 2), *acknowledged.get(seq, [None] * 5)) for seq in raised}
    return [(seq, *raised[seq], *ends[seq]) for seq in raised], [(*day, *told) for day, told in closings.items()]


@pytest.mark.parametrize("seed", some(range(3)))
async def test_tables_memory_and_model_agree(read_database: ReadDatabase, seed: int) -> None:
    batches = batches_of(seed)
    await write_in_parts(read_database.writer(), batches, Random(seed))
    dump = await read_database.dump()
    alerts, closings = expected(batches)
    followed = FollowedAlerts(VenueAlerts(), 0)
    for batch in batches:
        followed.apply(batch)
    assert dump["alerts"] == sorted(alerts)
    assert dump["day_closings"] == sorted(closings)
    rows = {row[0]: row for row in dump["alerts"]}
    assert {astuple(alert) for alert in followed.alerts.open.values()} == {
        row for row in rows.values() if row[8] is None
    }
    assert 0 < len(followed.alerts.open) < len(rows)

    loaded = VenueAlerts()
    async with read_database.opened() as engine, engine.connect() as connection:
        await load_alerts(connection, loaded)
        notices = await read_notices(connection, JOURNAL_ID, 0)
    assert loaded.open == followed.alerts.open
    assert loaded.cleared == followed.alerts.cleared
    changes = [seq for row in rows.values() for seq in (row[0], row[8], row[10]) if seq is not None]
    assert [notice.seq for notice in notices] == sorted(changes)


async def test_one_alert_of_a_key_is_open(read_database: ReadDatabase) -> None:
    raised: AlertRaised = condition("pace", 1).raised()
    batches = [History().batch([admin.recorded(SENDER, [raised, raised, AlertCleared(alert=1), raised])])]
    await write_in_parts(read_database.writer(), batches, Random(0))
    assert [(row[0], row[8]) for row in (await read_database.dump())["alerts"]] == [(1, 3), (4, None)]


async def test_completed_days_are_judged_alike(read_database: ReadDatabase) -> None:
    """A venue that opened on 1 December and trades far too little, on the last trading day of the year."""
    history, days = History(), [day for day in TradingCalendar.load().days(2023) if day.month == 12]
    trading = [opening(20231201)]
    for day in days:
        trade = [order(3, Side.SELL, REFERENCE_TICKS, 5), order(2, Side.BUY, REFERENCE_TICKS, 5)]
        trading.append([day_roll(SENDER, int(f"{day:%Y%m%d}")), *trade])
    batches = [history.batch(commands) for commands in trading]
    await write_in_parts(read_database.writer(), batches, Random(0))
    async with read_database.opened() as engine:
        judged = await judge_days(engine.connect, TradingCalendar.load(), {})
    assert judged is not None
    assert judged.facts == DecidingFacts(20231229, 0, 2, 0)
    assert [condition.key for condition in judged.holding] == ["pace:2023:out_of_reach", "pace:2023:red"]
    assert [closing.date for closing in judged.closings] == [int(f"{day:%Y%m%d}") for day in days[:-1]]
    assert {closing.at_seq for closing in judged.closings} == {history.engine.last_seq}
    assert len({closing.sha256 for closing in judged.closings}) == len(judged.closings)


MONTHS_APART = (20230110, 20230410, 20230919)
"""Trading days. Only the last is one of the 20 before 20 September."""


def attempts(account: int, count: int, price_ticks: int = REFERENCE_TICKS + 5) -> list[Submission]:
    """Orders that would trade with the account's own, which self-trade prevention ends."""
    resting = order(account, Side.SELL, price_ticks, count)
    return [resting, *(order(account, Side.BUY, price_ticks, 1) for _ in range(count))]


def crossed(price_ticks: int = REFERENCE_TICKS, lots: int = 1) -> list[Submission]:
    return [order(3, Side.SELL, price_ticks, lots), order(2, Side.BUY, price_ticks, lots)]


TOGETHER = ControlDeclared(accounts=(2, 3), reason="one owner", name="Li Na")


async def judged_after(
    read_database: ReadDatabase, days: Mapping[int, list[Submission]], is_open: OpenAlerts | None = None
) -> list[Condition]:
    """What holds after a venue of 3 January 2023 had these trading days, of which the last one is under way."""
    history = History()
    batches = [history.batch(opening())]
    batches += [history.batch([day_roll(SENDER, day), *commands]) for day, commands in days.items()]
    await write_in_parts(read_database.writer(), batches, Random(0))
    async with read_database.opened() as engine:
        judged = await judge_days(engine.connect, TradingCalendar.load(), is_open or {})
    assert judged is not None
    return judged.holding


@pytest.fixture
async def in_file(tmp_path: Path, anyio_backend: str) -> ReadDatabase:
    """Where the days are read by queries that completed_days_are_judged_alike runs in both kinds."""
    database = ReadDatabase(tmp_path)
    await database.make()
    return database


async def test_the_ladder_counts_the_days_of_the_year(in_file: ReadDatabase) -> None:
    """As the report does: months between the days take no step back; the alert is of the last 20 days."""
    days = {day: attempts(2, 5) for day in MONTHS_APART} | {20230920: []}
    found = [one for one in await judged_after(in_file, days) if one.kind == "abnormal_trading"]
    assert [(one.key, one.severity) for one in found] == [("abnormal_trading:20230919:2", "critical")]
    assert found[0].sentence.endswith("The ladder provides a ban on new orders.")


async def test_a_declared_group_is_counted_together_and_screened(read_database: ReadDatabase) -> None:
    trading = [*attempts(2, 3), *attempts(3, 2, REFERENCE_TICKS + 4), *crossed()]
    days = {20230919: trading, 20230920: []}
    apart = await judged_after(read_database, days)
    assert [one.key for one in apart if one.kind in ("abnormal_trading", "wash_finding")] == []
    await read_database.empty()
    days[20230920] = [admin.record(SENDER, TOGETHER)]
    found = {one.kind: one for one in await judged_after(read_database, days)}
    assert found["abnormal_trading"].key == "abnormal_trading:20230919:2+3"
    assert "5 self-trade attempts" in found["abnormal_trading"].sentence
    assert found["wash_finding"].subject == "2+3:2023"


async def test_a_member_whose_number_is_no_account_has_the_name_of_its_first_account(
    in_file: ReadDatabase,
) -> None:
    opened = [admin.open_account(SENDER, AccountText(name="Baotou"), owner=77), admin.change_cash(SENDER, 5, 10**12)]
    received = admin.change_inventory(SENDER, 5, 0, 100)
    days = {20230919: [*opened, received, *attempts(5, 5)], 20230920: []}
    (step,) = [one for one in await judged_after(in_file, days) if one.kind == "abnormal_trading"]
    assert step.subject == "77:20230919"
    assert step.sentence.startswith("Abnormal trading of Baotou on 2023-09-19: 5 self-trade attempts")


async def test_a_declaration_is_a_reason_to_judge_again(read_database: ReadDatabase) -> None:
    history, facts = History(), []
    for batch in (history.batch(opening()), history.batch([admin.record(SENDER, TOGETHER)])):
        await write_in_parts(read_database.writer(), [batch], Random(0))
        async with read_database.opened() as engine, engine.connect() as connection:
            facts.append(await read_facts(connection))
    assert facts[0] != facts[1] == DecidingFacts(20230103, 0, 2, history.engine.last_seq)


def opened(one: Condition, **changes: Any) -> OpenAlerts:
    return {one.key: VenueAlert(1, 1, **one.raised().model_dump(exclude={"type"}), **changes)}


async def test_a_finding_of_the_year_before_waits_for_a_decision(in_file: ReadDatabase) -> None:
    history = History()
    days = {20231228: crossed(), 20231229: [admin.record(SENDER, TOGETHER)], 20240103: [], 20240409: []}
    batches = [history.batch(opening())]
    batches += [history.batch([day_roll(SENDER, day), *commands]) for day, commands in days.items()]
    await write_in_parts(in_file.writer(), batches[:-1], Random(0))

    async def findings(is_open: OpenAlerts) -> list[Condition]:
        async with in_file.opened() as engine:
            judged = await judge_days(engine.connect, TradingCalendar.load(), is_open)
        assert judged is not None
        return [one for one in judged.holding if one.kind == "wash_finding"]

    (finding,) = await findings({})
    assert finding.key.startswith("wash_finding:2023:common_control:")
    await write_in_parts(in_file.writer(), batches[-1:], Random(0))
    assert await findings(opened(finding)) == [finding]
    assert await findings({}) == []


async def test_the_pace_of_the_year_before_waits_for_an_acknowledgement(in_file: ReadDatabase) -> None:
    days: dict[int, list[Submission]] = {20231229: crossed(), 20240103: []}
    (missed,) = [one for one in await judged_after(in_file, days) if one.kind == "pace"]
    assert missed.key == "pace:2023:closed_missed"
    days[20240409] = []

    async def paces(is_open: OpenAlerts) -> list[str]:
        await in_file.empty()
        return [one.key for one in await judged_after(in_file, days, is_open) if one.subject == "2023"]

    assert await paces(opened(missed)) == [missed.key]
    assert await paces(opened(missed, acknowledged_seq=9, acknowledged_ns=9)) == []


async def test_settlement_influence_sees_both_sides_of_the_new_year(in_file: ReadDatabase) -> None:
    late = [*crossed(lots=5), *crossed(REFERENCE_TICKS + 20, lots=5)]
    found = await judged_after(in_file, {20231229: late, 20240102: late, 20240103: []})
    (influence,) = [one for one in found if one.kind == "settlement_influence"]
    assert influence.key == "settlement_influence:2:ND-OX"
    assert influence.sentence.endswith("on 2023-12-29, 2024-01-02.")
