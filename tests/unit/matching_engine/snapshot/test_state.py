"""The canonical bytes: what is in them, and what is not."""

from __future__ import annotations

from hashlib import blake2b

import numpy as np

from matching_engine import Engine
from matching_engine.records import Command, CommandKind
from matching_engine.snapshot import state
from tests.property.engine_flow import array, flow
from tests.unit.matching_engine.engine_talk import BUY, SELL, Talk


def test_the_bytes_are_the_sections_each_after_its_number_of_rows() -> None:
    engine = Engine()
    engine.process(array(flow(3, 300)))
    now = engine.state()
    data = state.snapshot_bytes(now)
    assert data.startswith(state.MAGIC)
    assert int.from_bytes(data[len(state.MAGIC) :][:8], "little") == state.STATE_FORMAT
    place = len(state.MAGIC) + 8
    for section in now:
        assert int.from_bytes(data[place : place + 8], "little") == len(section)
        place += 8
        assert np.frombuffer(data, section.dtype, len(section), place).tobytes() == section.tobytes()
        place += len(section) * section.dtype.itemsize
    assert place == len(data)
    assert [name for name, section in now._asdict().items() if len(section) == 0] == []
    assert engine.state_hash() == blake2b(data, digest_size=32).hexdigest()


def test_no_layout_has_bytes_that_nobody_writes() -> None:
    for section in Engine().state():
        fields = [section.dtype[name].itemsize for name in section.dtype.names]
        assert sum(fields) == section.dtype.itemsize


def test_orders_stand_in_the_order_they_would_trade() -> None:
    talk = Talk(Engine())
    for side, prices in ((BUY, (990, 999, 999, 980)), (SELL, (1010, 1001, 1030, 1001))):
        for lots, price in enumerate(prices, start=1):
            talk.order(2, side, lots, price)
    orders = talk.engine.state().orders
    assert orders[["side", "price_ticks", "shown_lots"]].tolist() == [
        (0, 999, 2), (0, 999, 3), (0, 990, 1), (0, 980, 4), (1, 1001, 2), (1, 1001, 4), (1, 1010, 1), (1, 1030, 3),
    ]  # fmt: skip


def test_how_memory_was_used_leaves_no_trace() -> None:
    """Two engines with equal orders, one of which had many more in between."""
    plain, busy = Talk(Engine()), Talk(Engine())
    for talk in (plain, busy):
        talk.order(2, BUY, 1, 990)
    keep = busy.seq
    for _ in range(300):
        plain.tell(CommandKind.RECORD)
        plain.tell(CommandKind.RECORD)
        busy.order(2, BUY, 1, 980)
        busy.cancel(2, busy.seq)
    for talk in (plain, busy):
        talk.order(2, BUY, 2, 990)
    assert plain.engine.state_hash() == busy.engine.state_hash()
    for talk in (plain, busy):
        talk.cancel(2, keep)
    assert plain.engine.state_hash() == busy.engine.state_hash()


def test_every_kind_of_change_shows() -> None:
    engine = Engine()
    talk = Talk(engine)
    seen = {engine.state_hash()}
    for seq, change in enumerate(
        (
            Command(kind=CommandKind.RECORD),
            Command(kind=CommandKind.DEPOSIT, account=2, amount_fen=1),
            Command(kind=CommandKind.SET_FEES, rate_ppm=1),
            Command(kind=CommandKind.HALT),
            Command(kind=CommandKind.OPEN_ACCOUNT, owner=2),
            Command(kind=CommandKind.DAY_ROLL, date=20230103),
        ),
        start=1,
    ):
        engine.submit(change._replace(seq=talk.seq + seq))
        seen.add(engine.state_hash())
    assert len(seen) == 7


def test_two_orders_at_one_price_swapped_are_another_state() -> None:
    """The same totals, another queue."""
    hashes = set()
    for lots in ((1, 2), (2, 1)):
        engine = Engine()
        talk = Talk(engine)
        for quantity in lots:
            talk.order(2, BUY, quantity, 990)
        hashes.add(engine.state().orders.tobytes())
    assert len(hashes) == 2
