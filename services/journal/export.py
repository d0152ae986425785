"""The journal as JSON Lines: what its rows hold, by name, for people and programs outside REX.

A line is an object. One with `row` begins a row of the journal; each other line is a command of that row, with the events that
it made and its text (names, reasons, hashes of keys; a password's hash is left out).

    {"row":{"first_seq":7,"last_seq":8,"epoch":1,"engine_version":5,"previous_hash":"…","hash":"…"}}
    {"command":{"kind":"DEPOSIT","seq":7,…,"account":2,"amount_fen":100},"text":null,"events":[{"kind":"BALANCE_CHANGED",…}]}
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from typing import Any

import msgspec

from services.journal import Journal, JournalBatch
from services.journal.record_json import PASSWORD_HASH, command_json, event_json

_encode = msgspec.json.Encoder().encode


async def export(journal: Journal, first_seq: int, last_seq: int | None) -> AsyncIterator[bytes]:
    """The lines of each batch with commands from first_seq to last_seq (None: to the journal's end).

    A batch at either end may hold more commands: they are left out, and the line `row` is that of the whole row. Raises
    JournalCorrupt at the first row that is damaged.
    """
    async for batch in journal.read(first_seq - 1):
        if last_seq is not None and batch.first_seq > last_seq:
            return
        chosen = range(first_seq, batch.last_seq + 1 if last_seq is None else last_seq + 1)
        yield b"".join(_encode(line) + b"\n" for line in _lines(batch, chosen))


def _lines(batch: JournalBatch, chosen: range) -> Iterator[dict[str, Any]]:
    yield {
        "row": {
            "first_seq": batch.first_seq,
            "last_seq": batch.last_seq,
            "epoch": batch.epoch,
            "engine_version": batch.engine_version,
            "previous_hash": batch.previous_hash.hex(),
            "hash": batch.hash.hex(),
        }
    }
    events: dict[int, list[dict[str, Any]]] = {}
    for event in batch.event_list:
        if event.seq in chosen:
            events.setdefault(event.seq, []).append(event_json(event))
    texts = (b"", *batch.attachments)
    for command in batch.command_list:
        if command.seq in chosen:
            yield {
                "command": command_json(command),
                "text": _text(texts[command.attachment]),
                "events": events.get(command.seq, []),
            }


def _text(attachment: bytes) -> Any:
    """The JSON value in an attachment, or its text if it is none; None where there is no attachment."""
    try:
        value = msgspec.json.decode(attachment) if attachment else None
    except msgspec.DecodeError:
        return attachment.decode(errors="backslashreplace")
    if isinstance(value, dict):
        value.pop(PASSWORD_HASH, None)
    return value
