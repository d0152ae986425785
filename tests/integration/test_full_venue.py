"""A venue with as many open orders as it may have. The uncompiled engine, whose own tests are elsewhere, would take 2.6 GB."""

from __future__ import annotations

import numpy as np

from matching_engine import Engine
from matching_engine.limits import MAX_OPEN_ORDERS
from matching_engine.records import MAX_SLICES, CommandKind, Event, EventKind, Reason, Side
from tests.unit.matching_engine.engine_talk import Talk


def nearly_full() -> Talk:
    """Icebergs of a hundred slices, as many as fit; account 2 has lots for one more."""
    talk = Talk(Engine())
    iceberg(talk, MAX_SLICES)
    kept = talk.engine.state()
    orders = np.repeat(kept.orders, MAX_OPEN_ORDERS // MAX_SLICES)
    orders["order_id"] += np.arange(len(orders), dtype="u8")
    kept.venue["last_seq"] = orders["order_id"][-1]
    kept.holdings["lots"][0] = kept.holdings["reserved_lots"][0] = len(orders) * MAX_SLICES
    talk.engine = Engine.from_state(kept._replace(orders=orders))
    talk.seq = talk.engine.last_seq
    talk.tell(CommandKind.RECEIVE, account=2, quantity_lots=MAX_SLICES)
    return talk


def iceberg(talk: Talk, lots: int) -> Event:
    return talk.order(2, Side.SELL, lots, 1000, display_lots=1)[0]


def test_orders_and_refills_fill_the_venue_to_the_last_place() -> None:
    talk = nearly_full()
    places = MAX_OPEN_ORDERS % MAX_SLICES
    assert iceberg(talk, places + 1).reason == Reason.TOO_MANY
    assert iceberg(talk, places).kind == EventKind.ACCEPTED
    assert talk.order(2, Side.SELL, 1, 1000)[0].reason == Reason.TOO_MANY
    assert Engine.from_state(talk.engine.state()).state_hash() == talk.engine.state_hash()
