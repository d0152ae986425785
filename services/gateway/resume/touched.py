"""The ids of the orders that rows of the journal touched, found without making Python values of their events."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from matching_engine.records import EVENT, EventKind
from services.journal.batch import JournalBatch
from services.venue_state.state import EVERY_ACCOUNT

_OF_ORDERS = np.isin(
    np.arange(256),
    [
        EventKind.ACCEPTED,
        EventKind.REJECTED,
        EventKind.TRADE,
        EventKind.CANCELED,
        EventKind.PREVENTED,
        EventKind.EXPIRED,
        EventKind.REPLACED,
        EventKind.TRIGGERED,
    ],
)
"""By kind: whether `order_id` is the id of an order that the event changed, or refused."""


def touched_orders(batches: Sequence[JournalBatch], account: int) -> list[int]:
    """The ids of the account's orders (EVERY_ACCOUNT: of all) that the events name, ascending."""
    events = np.frombuffer(b"".join([batch.events for batch in batches]), EVENT)
    events = events[_OF_ORDERS[events["kind"]]]
    makers = events[events["kind"] == EventKind.TRADE]
    if account != EVERY_ACCOUNT:
        events = events[events["account"] == account]
        makers = makers[makers["maker_account"] == account]
    refused = events["seq"][events["kind"] == EventKind.REJECTED]  # A refused order has the number of its command.
    order_ids: list[int] = np.unique(np.concatenate((events["order_id"], makers["maker_order_id"], refused))).tolist()
    return order_ids
