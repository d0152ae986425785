"""Self-trades of a day are counted from the journal, a bounded part at a time and not on the event loop."""

from __future__ import annotations

import threading
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace

import numpy as np
import pytest

from matching_engine.records import EVENT, Event, EventKind
from services.journal.batch import JournalBatch
from services.reporting import as_of
from services.reporting.as_of import NotReached, PreventedSelfTrades, read_as_of
from tests.unit.journal.chains import chain, packed_events

pytestmark = pytest.mark.anyio

TODAY = 20231201
INSTRUMENT = 3


class Rows:
    """A journal that holds these batches."""

    def __init__(self, batches: Sequence[JournalBatch]) -> None:
        self.batches = batches

    async def read(self, after_seq: int) -> AsyncIterator[JournalBatch]:
        for batch in self.batches:
            if batch.last_seq > after_seq:
                yield batch


def prevented(seq: int) -> bytes:
    """A self-trade that took 2 lots from one order and 2 from the other: two events."""
    one = Event(
        seq=seq,
        kind=EventKind.SELF_TRADE_PREVENTED,
        instrument=INSTRUMENT,
        quantity_lots=2,
        order_id=8,
        maker_order_id=7,
    )
    both = one, one._replace(order_id=7, maker_order_id=8)
    return np.array([tuple(event) for event in both], EVENT).tobytes()


def rows(sizes: Sequence[int]) -> Rows:
    """Each row's last command would have traded with its own account."""
    return Rows(
        [
            replace(row, events=packed_events(range(row.first_seq, row.last_seq)) + prevented(row.last_seq))
            for row in chain(sizes)
        ]
    )


@pytest.mark.parametrize("sizes", [[1_024] * 25, [1] * 600, [3_000, 1, 20_000, 5]])
async def test_the_journal_is_counted_in_bounded_parts_beside_the_event_loop(
    monkeypatch: pytest.MonkeyPatch, sizes: list[int]
) -> None:
    parts: list[int] = []

    class Noting(PreventedSelfTrades):
        def add(self, rows: Sequence[bytes]) -> None:
            assert threading.current_thread() is not threading.main_thread()
            assert sum(map(len, rows[:-1])) < as_of._BYTES_AT_ONCE
            parts.append(len(rows))
            super().add(rows)

    monkeypatch.setattr(as_of, "PreventedSelfTrades", Noting)
    found = await read_as_of(rows(sizes), sum(sizes), TODAY, 1)
    assert found.prevented == {INSTRUMENT: (len(sizes), 4 * len(sizes))}
    assert (found.seq, sum(parts)) == (sum(sizes), len(sizes))
    assert 1 < len(parts) < len(sizes) or len(sizes) < 5


async def test_what_is_before_the_day_or_after_the_command_is_not_counted() -> None:
    journal = rows([2] * 10)
    assert (await read_as_of(journal, 14, TODAY, 7)).prevented == {INSTRUMENT: (4, 16)}
    assert (await read_as_of(journal, 15, TODAY, 15)).prevented == {}
    with pytest.raises(NotReached, match="before seq 21"):
        await read_as_of(journal, 21, TODAY, 1)
