"""Each command about an alert is one message, whose id and body never change."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from services.alerts.webhook.notices import Notice, read_beginning, read_notices
from services.alerts.webhook.position import PositionFile
from services.commands import administrative as admin
from services.commands.attachments import AlertAcknowledged, AlertCleared
from services.read_model.database import open_read_database
from services.read_model.sqlite_writer import SqliteWriter
from services.read_model.write_batch import WriteBatch
from tests.unit.alerts.test_conditions import condition
from tests.unit.read_model.history import JOURNAL_ID, SENDER, History

pytestmark = pytest.mark.anyio


async def test_the_messages_of_a_history(tmp_path: Path) -> None:
    path, history, writer = tmp_path / "read.sqlite", History(), SqliteWriter(tmp_path / "read.sqlite")
    engine = open_read_database(path)
    position = await writer.start(JOURNAL_ID)

    async def journal(*submissions: Any) -> list[Notice]:
        nonlocal position
        changes = WriteBatch(position)
        changes.add(history.batch(submissions))
        await writer.write(changes)
        position = changes.position
        async with engine.connect() as connection:
            return await read_notices(connection, JOURNAL_ID, 0)

    one, two = condition("pace", 1), condition("pace", 2)
    first = await journal(admin.recorded(SENDER, [one.raised(), one.raised(), two.raised()]))
    assert [seq for seq, _, _ in first] == [1, 3]
    seen = admin.record(SENDER, AlertAcknowledged(alert=1, name="Li Na", note="seen"))
    second = await journal(seen, admin.recorded(SENDER, [AlertCleared(alert=1), AlertCleared(alert=1)]))
    assert second[:2] == first  # neither id nor body changed
    told = [json.loads(body) for _, _, body in second]
    assert [(one["type"], one["data"]["alert_id"]) for one in told] == [
        ("alert.raised", "1"), ("alert.raised", "3"), ("alert.acknowledged", "1"), ("alert.cleared", "1"),
    ]  # fmt: skip
    assert [one["data"]["state"] for one in told] == ["open", "open", "open", "cleared"]
    assert told[2]["data"]["acknowledged"]["name"] == "Li Na"
    assert len({message_id for _, message_id, _ in second}) == 4
    async with engine.connect() as connection:
        later = await read_notices(connection, JOURNAL_ID, 4)
        beginning = await read_beginning(connection)
    assert [notice.seq for notice in later] == [5]
    assert beginning is not None
    assert (beginning.last_seq, beginning.after_seq) == (6, 2)  # alert 3 is open
    await engine.dispose()
    await writer.close()


def test_a_position_is_kept_and_a_foreign_one_refused(tmp_path: Path) -> None:
    file = PositionFile(tmp_path / "webhook.json")
    assert file.read(JOURNAL_ID, 10) is None
    file.write(JOURNAL_ID, 7)
    assert file.read(JOURNAL_ID, 10) == 7
    assert (tmp_path / "webhook.json").stat().st_mode & 0o077 == 0
    assert file.read(JOURNAL_ID, 6) is None  # the journal was restored from an older copy
    assert file.read(bytes(16), 10) is None
    (tmp_path / "webhook.json").write_text("{")
    assert file.read(JOURNAL_ID, 10) is None
