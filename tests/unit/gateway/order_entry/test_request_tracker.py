"""Requests without a reply, and the journal batches that answer them."""

from __future__ import annotations

import pytest

from matching_engine.records import CommandKind, Event, EventKind, pack_commands, struct_of
from services.gateway.order_entry.request_tracker import RequestTracker
from services.journal.batch import NO_HASH, JournalBatch
from services.messaging.in_process import InProcessInbox
from services.venue_state.keys import ApiKey

pytestmark = pytest.mark.anyio

DESK = ApiKey(7, 2, "desk", frozenset({"trade"}))


async def test_a_note_in_place_of_a_request_ends_the_request_of_who_sent_it() -> None:
    pending = RequestTracker(InProcessInbox(), 1)
    sent = pending.next_sender(DESK)._replace(kind=CommandKind.NEW_ORDER, account=2, client_order_id=b"a")
    events = await pending.submit_all(DESK, [sent])
    assert pending.in_flight[DESK.key_id] == 1
    note = sent._replace(kind=CommandKind.RECORD, seq=1, actor=0, account=0, client_order_id=b"")
    recorded = struct_of(Event).pack(*Event(seq=1, kind=EventKind.RECORDED))
    pending.resolve(JournalBatch(bytes(16), 1, 1, 1, 0, NO_HASH, pack_commands([note]), recorded))
    assert [event.kind for event in await events if isinstance(event, Event)] == [EventKind.RECORDED]
    assert (pending.waiting, pending.in_flight[DESK.key_id]) == (0, 0)
    assert pending.new_order(2, b"a") is None
