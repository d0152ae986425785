"""The same journal makes the same read database in SQLite and in PostgreSQL, wherever its transactions end."""

from __future__ import annotations

from pathlib import Path
from random import Random

import asyncpg
import pytest

from services.commands import administrative as admin
from services.commands.attachments import AccountText, UserAdded, UserPasswordChanged, UserRemoved, UserRoleChanged
from services.journal.batch import JournalBatch
from services.read_model.order_changes import ADDED, SET
from services.read_model.projector import ReadDatabaseWriter
from services.read_model.write_batch import WriteBatch
from services.venue_state.loading import load_state
from services.venue_state.state import VenueState
from services.venue_state.users import User
from tests.integration.read_databases import ReadDatabase
from tests.property.engine_flow import Flow, terms, venue
from tests.unit.read_model.history import (
    JOURNAL_ID,
    REFERENCE_TICKS,
    SENDER,
    History,
    batches_of,
    opening,
    order,
)


def flow_of(seed: int, commands: int) -> list[JournalBatch]:
    """The batches of every kind of command: icebergs, stops, amends, auctions, busts, limits, and invalid commands."""
    flow = Flow(seed)
    flow.extend(venue())
    flow.extend(terms(flow.chance))
    while len(flow.commands) < commands:
        flow.stretch()
    return [batch for _, batch in batches_of(flow.commands, Random(seed))]


async def write_in_parts(writer: ReadDatabaseWriter, batches: list[JournalBatch], chance: Random) -> None:
    """Writes the batches in transactions of 1 to 12 batches."""
    position = await writer.start(JOURNAL_ID)
    waiting = list(batches)
    while waiting:
        changes = WriteBatch(position)
        for batch in [waiting.pop(0) for _ in range(min(chance.randint(1, 12), len(waiting)))]:
            changes.add(batch)
        await writer.write(changes)
        position = changes.position
    await writer.close()


async def indexes_of(url: str) -> dict[str, list[str]]:
    """The columns of every index of `orders`."""
    server = await asyncpg.connect(url)
    found = await server.fetch("""
        SELECT c.relname, array_agg(a.attname::text ORDER BY a.attnum) AS columns, i.indpred IS NULL AS is_whole
        FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid JOIN pg_attribute a ON a.attrelid = c.oid
        WHERE i.indrelid = 'orders'::regclass GROUP BY c.relname, i.indpred
    """)
    await server.close()
    assert all(index["is_whole"] for index in found)
    return {index["relname"]: index["columns"] for index in found}


@pytest.mark.anyio
async def test_no_index_of_orders_has_a_column_that_changes(tmp_path: Path, postgres_url: str) -> None:
    """Otherwise PostgreSQL writes to every index at every change of an order (no HOT update)."""
    await ReadDatabase(tmp_path, postgres_url).make()
    indexes = await indexes_of(postgres_url)
    assert len(indexes) == 3
    assert {column for columns in indexes.values() for column in columns}.isdisjoint({*ADDED, *SET})


@pytest.mark.anyio
async def test_texts_that_postgresql_cannot_store_stop_no_reader(read_database: ReadDatabase) -> None:
    history, writer = History(), read_database.writer()
    name, client_order_id = "a\0name", b"an\0id"
    account = admin.open_account(SENDER, AccountText(name=name))
    resting = order(2, 1, REFERENCE_TICKS, 1, client_order_id=client_order_id)
    batches = [history.batch([*opening(), account]), history.batch([resting])]
    await write_in_parts(writer, batches, Random(0))
    rows = await read_database.dump()
    assert "a\ufffdname" in {row[1] for row in rows["accounts"]}
    assert [row[2] for row in rows["orders"]] == ["an\ufffdid"]
    state = VenueState()
    for batch in batches:
        state.apply(batch)
    assert [one.client_order_id for one in state.orders.open.values()] == ["an\ufffdid"]


@pytest.mark.anyio
async def test_users_are_loaded_as_they_were_recorded(read_database: ReadDatabase) -> None:
    history, writer = History(), read_database.writer()
    batches = [history.batch(opening())]
    seq = history.engine.last_seq
    changes = (
        UserAdded(name="李娜", role="admin", password_hash="$argon2id$1"),
        UserAdded(name="wang.fang", role="trader", account=2),
        UserPasswordChanged(user_id=seq + 1, password_hash="$argon2id$2"),
        UserRoleChanged(user_id=seq + 1, role="auditor"),
        UserRemoved(user_id=seq + 2),
        UserAdded(name="WANG.FANG", role="visitor"),
    )
    batches += [history.batch([admin.record(SENDER, change)]) for change in changes]
    await write_in_parts(writer, batches, Random(0))
    state = VenueState()
    for batch in batches:
        state.apply(batch)
    async with read_database.opened() as engine:
        loaded = await load_state(engine)
    assert loaded.users.by_id == state.users.by_id == {
        seq + 1: User(seq + 1, "李娜", "auditor", 0, "$argon2id$2"),
        seq + 6: User(seq + 6, "WANG.FANG", "visitor", 0, ""),
    }  # fmt: skip
    assert loaded.users.named("Wang.Fang") == state.users.by_id[seq + 6]
