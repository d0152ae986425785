"""The journal row that holds a sequence number, with its command, that command's text and events, by name.

One way for both modes: the embedded venue reads its SQLite file, the scaled one PostgreSQL, both through `Readable.read`, which
checks CRC, hash and the link to the row before.
"""

from __future__ import annotations

from typing import Any

import msgspec
import numpy as np
from pydantic import Field

from matching_engine.records import (
    COMMAND,
    EVENT,
    Command,
    CommandKind,
    Event,
    EventKind,
    unpack_commands,
    unpack_events,
)
from services.journal import JournalBatch
from services.journal.record_json import PASSWORD_HASH, command_json, event_json
from services.messaging.tail import Readable
from services.reporting.documents import Document, Hash, Time
from services.reporting.drill import links

EVENTS_AT_ONCE = 500
"""How many events an answer has: a day roll may end a hundred thousand orders."""

WITHHELD = frozenset({"key_hash", PASSWORD_HASH})
"""Fields of texts that are kept out of answers. The journal holds no secret; of API keys and passwords it has the hash."""


class JournalRow(Document):
    """A row of the journal: a batch of commands with their events, sealed by one hash."""

    first_seq: int
    last_seq: int
    epoch: int
    engine_version: int
    journal_id: Hash
    previous_hash: Hash
    hash: Hash
    commands: int
    events: int


class JournaledCommand(Document):
    """A command of the journal with its events, and the row that holds them."""

    row: JournalRow
    time_ns: Time
    command: dict[str, Any] = Field(description="Its fields by name, as `rex journal export` has them.")
    text: Any = Field(
        description="What was written with the command: names, reasons, decisions. Null where nothing was."
    )
    withheld: tuple[str, ...] = Field(
        description="Fields of the text that are not shown: hashes of keys and passwords."
    )
    events: tuple[dict[str, Any], ...] = Field(
        description="What the engine answered, in order. A trade, and an order, has `links`."
    )
    events_total: int
    links: dict[str, str] = Field(
        description="`self`; `order`, `trade`, `trades` of the command; `next_events`; `previous_row`, `next_row`"
    )


async def read_row(journal: Readable, seq: int) -> JournalBatch | None:
    """The batch that holds seq; None where the journal ends before it.

    Raises the journal's errors: JournalCorrupt where that row is damaged or does not continue the one before.
    """
    return await anext(journal.read(seq - 1), None)


def journaled_command(
    batch: JournalBatch, seq: int, first_event: int = 0, *, is_last: bool = False
) -> JournaledCommand:
    """The command seq of the batch, with its events from the place first_event on. The last batch has no link to a next one."""
    (command,) = unpack_commands(np.frombuffer(batch.commands, COMMAND)[seq - batch.first_seq].tobytes())
    events = np.frombuffer(batch.events, EVENT)
    own = events[events["seq"] == seq]
    shown = list(unpack_events(own[first_event : first_event + EVENTS_AT_ONCE].tobytes()))
    text, withheld = _text(batch, command.attachment)
    next_event = first_event + len(shown)
    return JournaledCommand(
        row=JournalRow(**_row(batch), commands=batch.command_count, events=len(events)),
        time_ns=command.time_ns,
        command=command_json(command),
        text=text,
        withheld=withheld,
        events=tuple(_event(event) for event in shown),
        events_total=len(own),
        links=_links(batch, command, text, next_event if next_event < len(own) else None, is_last=is_last),
    )


def _row(batch: JournalBatch) -> dict[str, Any]:
    names = ("first_seq", "last_seq", "epoch", "engine_version", "journal_id", "previous_hash", "hash")
    return {name: getattr(batch, name) for name in names}


def _text(batch: JournalBatch, number: int) -> tuple[Any, tuple[str, ...]]:
    """The JSON value of an attachment without what is withheld, and the names of that; None where it is no JSON text."""
    attachment = (b"", *batch.attachments)[number]
    try:
        value = msgspec.json.decode(attachment) if attachment else None
    except msgspec.DecodeError:
        return None, ()
    if not isinstance(value, dict):
        return value, ()
    hidden = tuple(sorted(WITHHELD & value.keys()))
    return {name: told for name, told in value.items() if name not in hidden}, hidden


def _links(
    batch: JournalBatch, command: Command, text: Any, next_event: int | None, *, is_last: bool
) -> dict[str, str]:
    found = {"self": links.journal(command.seq)}
    if command.kind == CommandKind.NEW_ORDER:
        found["order"] = links.order(command.seq)
    elif command.kind in (CommandKind.CANCEL, CommandKind.AMEND) and command.order_id:
        found["order"] = links.order(command.order_id)
    elif command.kind == CommandKind.BUST_TRADE:
        found["trade"] = links.trade(command.order_id)
    elif isinstance(text, dict) and text.get("type") == "trades_decided":
        found["trades"] = links.trades(decision=command.seq)
    if next_event is not None:
        found["next_events"] = links.journal(command.seq, first_event=next_event)
    if batch.first_seq > 1:
        found["previous_row"] = links.journal(batch.first_seq - 1)
    if not is_last:
        found["next_row"] = links.journal(batch.last_seq + 1)
    return found


def _event(event: Event) -> dict[str, Any]:
    """The event by name, with links to the trade and the orders that it names."""
    found: dict[str, Any] = {}
    if event.kind == EventKind.TRADE:
        found["trade"] = links.trade(event.trade_id)
    elif event.kind == EventKind.TRADE_BUSTED:
        found["trade"] = links.trade(event.order_id)
    if event.order_id and event.kind != EventKind.TRADE_BUSTED:
        found["order"] = links.order(event.order_id)
    if event.maker_order_id:
        found["maker_order"] = links.order(event.maker_order_id)
    return event_json(event) | ({"links": found} if found else {})
