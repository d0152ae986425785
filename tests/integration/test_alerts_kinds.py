"""Random alerts and closings of days: the table of both kinds of read database, the memory and the audit say the same."""

from __future__ import annotations

from dataclasses import astuple
from random import Random
from typing import Any

import pytest

from matching_engine.records import Side
from services.alerts.following import FollowedAlerts
from services.alerts.reading import Facts, judge_days
from services.alerts.webhook.notices import read_notices
from services.commands import administrative as admin
from services.commands.attachments import AlertAcknowledged, AlertCleared, AlertRaised, DayClosed
from services.data.calendar import TradingCalendar
from services.journal.batch import JournalBatch
from services.messaging import Submission
from services.read_database.audit.journaled import Journaled
from services.read_database.audit.journaled_tables import journaled_tables
from services.venue_state.alerts import VenueAlerts
from services.venue_state.loading import load_open_alerts
from tests.integration.read_databases import ReadDatabase
from tests.integration.test_read_database_kinds import write_in_parts
from tests.unit.alerts.test_conditions import condition
from tests.unit.read_database.history import JOURNAL_ID, REFERENCE_TICKS, SENDER, History, opening, order

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


@pytest.mark.parametrize("seed", range(3))
async def test_table_memory_and_audit_agree(read_database: ReadDatabase, seed: int) -> None:
    batches = batches_of(seed)
    await write_in_parts(read_database.writer(), batches, Random(seed))
    dump = await read_database.dump()
    journaled, followed = Journaled(), FollowedAlerts(VenueAlerts(), 0)
    for batch in batches:
        journaled.add(batch)
        followed.apply(batch)
    true: dict[str, Any] = {table.label: table.true for table in journaled_tables(journaled)}
    assert dump["alerts"] == true["alert {}"]
    assert dump["day_closings"] == true["closing {1} of day {0}"]
    rows = {row[0]: row for row in dump["alerts"]}
    assert {astuple(alert) for alert in followed.alerts.open.values()} == {
        row for row in rows.values() if row[8] is None
    }
    assert 0 < len(followed.alerts.open) < len(rows)

    loaded = VenueAlerts()
    async with read_database.opened() as engine, engine.connect() as connection:
        await load_open_alerts(connection, loaded)
        notices = await read_notices(connection, JOURNAL_ID, 0)
    assert loaded.open == followed.alerts.open
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
        trading.append([admin.day_roll(SENDER, int(f"{day:%Y%m%d}")), *trade])
    batches = [history.batch(commands) for commands in trading]
    await write_in_parts(read_database.writer(), batches, Random(0))
    async with read_database.opened() as engine:
        judged = await judge_days(engine.connect, TradingCalendar.load(), {})
    assert judged is not None
    assert judged.facts == Facts(20231229, 0, 2)
    assert [condition.key for condition in judged.holding] == ["pace:2023:out_of_reach", "pace:2023:red"]
    assert [closing.date for closing in judged.closings] == [int(f"{day:%Y%m%d}") for day in days[:-1]]
    assert {closing.at_seq for closing in judged.closings} == {history.engine.last_seq}
    assert len({closing.sha256 for closing in judged.closings}) == len(judged.closings)
