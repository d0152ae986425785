"""The journal as JSON Lines holds all that commands and events hold: from the lines both can be made again."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Mapping
from dataclasses import replace
from random import Random
from typing import Any

import pytest

from matching_engine.records import (
    BOTH_SIDES,
    Command,
    CommandKind,
    Event,
    EventKind,
    Flag,
    OrderType,
    Phase,
    Reason,
    SelfTrade,
    Side,
    TimeInForce,
    pack_commands,
)
from services.journal import JournalBatch
from services.journal.export import export
from services.journal.record_json import _OF_COMMANDS, _OF_EVENTS
from tests.property.engine_flow import flow
from tests.unit.journal.chains import chain
from tests.unit.read_model.history import batches_of

pytestmark = pytest.mark.anyio

CODES: dict[str, Mapping[str, int]] = {
    "side": {**Side.__members__, "BOTH_SIDES": BOTH_SIDES},
    "order_type": OrderType.__members__,
    "time_in_force": TimeInForce.__members__,
    "self_trade": SelfTrade.__members__,
    "phase": Phase.__members__,
    "reason": Reason.__members__,
}


class Stored:
    """The batches of a journal."""

    def __init__(self, batches: list[JournalBatch]) -> None:
        self.batches = batches

    async def read(self, after_seq: int) -> AsyncIterator[JournalBatch]:
        for batch in self.batches:
            if batch.last_seq > after_seq:
                yield batch


async def lines_of(batches: list[JournalBatch], first_seq: int = 1, last_seq: int | None = None) -> list[Any]:
    journal: Any = Stored(batches)
    return [json.loads(line) async for lines in export(journal, first_seq, last_seq) for line in lines.splitlines()]


def values(named: dict[str, Any]) -> dict[str, Any]:
    """The record's values again."""
    unnamed = {name: CODES[name].get(value, value) if name in CODES else value for name, value in named.items()}
    if "flags" in unnamed:
        unnamed["flags"] = sum(Flag[flag] if isinstance(flag, str) else flag for flag in unnamed["flags"])
    if "client_order_id" in unnamed:
        unnamed["client_order_id"] = unnamed["client_order_id"].encode("latin-1")
    return unnamed


async def test_commands_and_events_can_be_made_again_from_the_lines() -> None:
    batches = [batch for _, batch in batches_of(flow(7, 4_000), Random(7))]
    commands: list[Command] = []
    events: list[Event] = []
    for line in await lines_of(batches):
        if "row" not in line:
            command = values(line["command"])
            commands.append(Command(**command | {"kind": _kind(CommandKind, command["kind"])}))
            for event in map(values, line["events"]):
                events.append(Event(**event | {"kind": EventKind[event["kind"]], "seq": commands[-1].seq}))
    assert commands == [command._replace(attachment=0) for batch in batches for command in batch.command_list]
    assert events == [event for batch in batches for event in batch.event_list]
    assert {event.kind for event in events} >= set(_OF_EVENTS)
    assert {command.kind for command in commands} >= set(_OF_COMMANDS)


def _kind(kinds: type[CommandKind], found: Any) -> int:
    return kinds[found] if isinstance(found, str) else int(found)


async def test_the_fields_of_a_kind_are_all_that_the_engine_sets() -> None:
    used: dict[int, set[str]] = {}
    for _, batch in batches_of(flow(6, 4_000), Random(6)):
        for event in batch.event_list:
            fields = {name for name, value in event._asdict().items() if value and name not in ("seq", "kind")}
            used.setdefault(event.kind, set()).update(fields)
    assert {kind: fields - set(_OF_EVENTS.get(kind, "").split()) for kind, fields in used.items()} == {
        kind: set() for kind in used
    }


async def test_rows_begin_with_their_hashes_and_texts_are_values() -> None:
    first, second, third = chain([2, 3, 1])
    lines = await lines_of([first, second, third], first_seq=4, last_seq=6)
    assert [next(iter(line)) for line in lines] == ["row", "command", "command", "row", "command"]
    assert lines[0]["row"] == {
        "first_seq": 3,
        "last_seq": 5,
        "epoch": 1,
        "engine_version": second.engine_version,
        "previous_hash": first.hash.hex(),
        "hash": second.hash.hex(),
    }
    assert [line["command"]["seq"] for line in lines if "command" in line] == [4, 5, 6]
    assert lines[1]["events"] == [{"kind": "RECORDED"}]
    assert await lines_of([first, second], first_seq=6) == []


@pytest.mark.parametrize(
    ("attachment", "text"), [(b'{"name":"\xe9\x95\xa8"}', {"name": "镨"}), (b"a text", "a text"), (b"\xff", "\\xff")]
)
async def test_a_text_that_is_no_json_is_shown_as_it_is(attachment: bytes, text: Any) -> None:
    (batch,) = chain([1])
    with_text = Command(kind=CommandKind.RECORD, seq=1, attachment=1)
    batch = replace(batch, commands=pack_commands([with_text]), attachments=(attachment,))
    assert (await lines_of([batch]))[1]["text"] == text
