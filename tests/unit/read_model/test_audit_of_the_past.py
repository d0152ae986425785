"""An audit finds every changed column, missing row and added row of candles, cash movements and reserves."""

from __future__ import annotations

import pytest

from matching_engine.records import Side
from services.journal.batch import JournalBatch
from services.read_model import tables
from tests.unit.read_model.history import REFERENCE_TICKS, History, cancel, opening, order
from tests.unit.read_model.test_write_batch import audited, empty_database, project

OF_THE_PAST = (tables.candles, tables.cash_movements, tables.reserve_changes)


def a_little() -> tuple[History, list[JournalBatch]]:
    """A trade, a buy that is canceled, a sell that is canceled."""
    history = History()
    batches = [history.batch(opening())]
    batches.append(history.batch([order(2, Side.SELL, REFERENCE_TICKS, 4), order(3, Side.BUY, REFERENCE_TICKS, 4)]))
    for account, side in ((2, Side.BUY), (3, Side.SELL)):
        batches.append(history.batch([order(account, side, REFERENCE_TICKS, 2)]))
        batches.append(history.batch([cancel(batches[-1].last_seq)]))
    return history, batches


@pytest.mark.parametrize(
    "sql",
    [f"UPDATE {table.name} SET {column.name} = {column.name} + 7" for table in OF_THE_PAST for column in table.columns]
    + [
        "UPDATE orders SET first_reserve = first_reserve + 7",
        "UPDATE trades SET buyer_reserve_fen = buyer_reserve_fen + 7",
    ]
    + [f"DELETE FROM {table.name}" for table in OF_THE_PAST]
    + ["INSERT INTO candles VALUES (1, 20230103, 60, 1, 1, 1, 1, 1, 1, 1)"]
    + ["INSERT INTO cash_movements VALUES (9999, 1, 20230103, 2, 5, 5)"]
    + ["INSERT INTO reserve_changes VALUES (2, 9999, 20, 5, 1, 0, -5, 0)"]
    + ["UPDATE reserve_changes SET reserved_fen = 'a word'"],
)
def test_an_audit_finds_it(sql: str) -> None:
    history, batches = a_little()
    with empty_database() as connection:
        project(connection, batches)
        assert audited(connection, history.engine, batches) == []
        connection.execute(sql)
        assert audited(connection, history.engine, batches)
