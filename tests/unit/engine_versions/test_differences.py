"""The differences between the events of two versions: by kind of event, with the first command, in words."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from matching_engine.records import EVENT, Event, EventKind, unpack_events
from services.engine_versions.differences import RULES, Differences
from services.journal.batch import NO_HASH, JournalBatch

TRADE = Event(seq=5, kind=EventKind.TRADE, order_id=5, price_ticks=100, quantity_lots=3, fee_fen=7, amount_fen=300)
LEVEL = Event(seq=5, kind=EventKind.LEVEL, price_ticks=100, quantity_lots=2, instrument=4)
OTHER_LEVEL = LEVEL._replace(price_ticks=101)


def pack_events(events: list[Event]) -> bytes:
    return np.array(events, EVENT).tobytes()


def differences(then: list[Event], now: list[Event]) -> list[str]:
    batch = JournalBatch(bytes(16), 1, 5, 6, 0, NO_HASH, b"", pack_events(then), (), 2)
    found = Differences()
    found.add(batch, now)
    return [str(difference) for difference in found.found]


def test_the_same_events_are_no_difference() -> None:
    assert differences([TRADE, LEVEL], list(unpack_events(pack_events([TRADE, LEVEL])))) == []


def test_an_event_that_differs_is_described_by_its_fields() -> None:
    now = TRADE._replace(fee_fen=8, amount_fen=301)
    assert differences([TRADE, LEVEL], [now, LEVEL]) == [
        "TRADE (rule 1.1, 7.1) differs from seq 5 on, in 1 command: amount_fen was 300 and is 301, fee_fen was 7 and"
        " is 8"
    ]


def test_an_event_that_one_version_does_not_make_is_described() -> None:
    described = "one of instrument 4, price_ticks 100, quantity_lots 2"
    assert differences([TRADE], [TRADE, LEVEL]) == [
        f"LEVEL (rule 1.9) differs from seq 5 on, in 1 command: version 2 made none, this version makes {described}"
    ]
    assert differences([TRADE, LEVEL], [TRADE]) == [
        f"LEVEL (rule 1.9) differs from seq 5 on, in 1 command: version 2 made {described}, this version makes none"
    ]


def test_another_order_is_a_difference_too() -> None:
    assert differences([LEVEL, OTHER_LEVEL], [OTHER_LEVEL, LEVEL]) == [
        "LEVEL (rule 1.9) differs from seq 5 on, in 1 command: the same events in another order"
    ]


def test_commands_are_counted_and_the_first_one_is_shown() -> None:
    later = [event._replace(seq=6) for event in (TRADE, LEVEL)]
    found = Differences()
    batch = JournalBatch(bytes(16), 1, 5, 6, 0, NO_HASH, b"", pack_events([TRADE, LEVEL, *later]), (), 2)
    found.add(batch, [later[1]])
    found.add(replace(batch, events=pack_events([TRADE._replace(seq=9)])), [])
    [trade, level] = found.found
    assert (trade.event, trade.first_seq, trade.commands) == ("TRADE", 5, 3)
    assert (level.event, level.first_seq, level.commands) == ("LEVEL", 5, 1)


def test_every_kind_of_event_has_its_rule() -> None:
    assert set(RULES) == set(EventKind)
