"""A journal batch: header, commands, events, attachments. The journal stores it, the feed carries it.

Layout, little-endian:

HEADER        magic, formats, epoch, sequence numbers, counts, size, journal id, inbox position, the previous batch's hash
commands      packed COMMAND records
events        packed EVENT records
attachments   each after its length, 4 bytes
hash          BLAKE2b-256 of everything before it: a rewritten history shows
CRC           CRC-32 of everything before it: a flipped bit shows

Every future format keeps the magic at the start and the CRC at the end, so that a reader can distinguish damage from a batch
that another version wrote. Users see a batch as a row of the journal: error sentences call it so.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, partial
from hashlib import blake2b
from itertools import repeat
from struct import Struct
from typing import NamedTuple

import numpy as np

from matching_engine import ENGINE_VERSION
from matching_engine.records import COMMAND, EVENT, RECORD_FORMAT, Command, Event, unpack_commands, unpack_events
from services.journal.errors import JournalCorrupt, JournalRefused
from services.journal.record_layouts import as_today, formats_read, is_read, layouts_of

MAGIC = b"REXROW\r\n"
"""Contains a line end, so that a transfer in text mode damages it visibly."""

BATCH_FORMAT = 1
"""Version of the layout above. Row format 2 is the same batch compressed, on devices only (compression.py)."""

HASH_BYTES = 32
NO_HASH = bytes(HASH_BYTES)
"""The `previous_hash` of a journal's first batch."""


class BatchHeader(NamedTuple):
    """The fields before the records of a batch."""

    magic: bytes
    batch_format: int
    record_format: int
    engine_version: int
    epoch: int
    first_seq: int
    last_seq: int
    size: int
    """Bytes of the whole batch."""
    command_count: int
    event_count: int
    attachment_count: int
    journal_id: bytes
    inbox_position: int
    previous_hash: bytes


HEADER = Struct(f"<8sHHIQQQIIII16sQ{HASH_BYTES}s")
_LENGTH = Struct("<I")
_TRAILER_BYTES = HASH_BYTES + _LENGTH.size


class Applied(NamedTuple):
    """One event, the command that made it, and the command's attachment (empty if it has none)."""

    event: Event
    command: Command
    attachment: bytes


_new_applied: Callable[[tuple[Event, Command, bytes]], Applied] = partial(tuple.__new__, Applied)
"""What `Applied._make` does, at a third of its time."""


@dataclass(frozen=True)
class JournalBatch:
    """The commands first_seq to last_seq and every event they made."""

    journal_id: bytes
    epoch: int
    first_seq: int
    last_seq: int
    inbox_position: int
    previous_hash: bytes
    commands: bytes
    events: bytes
    attachments: tuple[bytes, ...] = ()
    engine_version: int = ENGINE_VERSION
    """The version of the engine that made the events."""

    @cached_property
    def hash(self) -> bytes:
        """BLAKE2b-256 of everything before it in the batch. That includes the previous batch's hash: one link of the chain."""
        return self._encoded[-_TRAILER_BYTES : -_LENGTH.size]

    @cached_property
    def command_list(self) -> list[Command]:
        """The commands as Python values. Decoded once for all readers in the process."""
        return list(unpack_commands(self.commands))

    @cached_property
    def event_list(self) -> list[Event]:
        """The events as Python values. Decoded once for all readers in the process."""
        return list(unpack_events(self.events))

    def applied(self, after_seq: int = 0) -> list[Applied]:
        """The events of the commands after after_seq, in order."""
        if after_seq < self.first_seq:
            return self._applied
        return [applied for applied in self._applied if applied.event.seq > after_seq]

    @cached_property
    def _applied(self) -> list[Applied]:
        """Every event with its command and attachment. Made once for all readers in the process, by calls that run in C."""
        events, commands, first_seq = self.event_list, self.command_list, self.first_seq
        made_by = [commands[event.seq - first_seq] for event in events]
        if not self.attachments:
            return list(map(_new_applied, zip(events, made_by, repeat(b""))))
        texts = (b"", *self.attachments)
        return [
            Applied(event, command, texts[command.attachment]) for event, command in zip(events, made_by, strict=True)
        ]

    def seq_of_attachment(self, number: int) -> int:
        """The seq of the command that has this attachment; they are numbered from 1."""
        (index,) = np.flatnonzero(np.frombuffer(self.commands, COMMAND)["attachment"] == number)
        return self.first_seq + int(index)

    def up_to(self, seq: int) -> JournalBatch:
        """The commands first_seq to seq, which this batch holds, with their events. `hash` stays that of the whole batch."""
        events = np.frombuffer(self.events, EVENT)
        part = replace(
            self,
            last_seq=seq,
            commands=self.commands[: (seq - self.first_seq + 1) * COMMAND.itemsize],
            events=events[events["seq"] <= seq].tobytes(),
        )
        vars(part)["hash"] = self.hash
        return part

    @staticmethod
    def joined(batches: Sequence[JournalBatch]) -> JournalBatch:
        """Batches that follow each other, as one: to compute with arrays. `hash` is that of the last one."""
        texts: list[bytes] = []
        commands = []
        for batch in batches:
            own = np.frombuffer(batch.commands, COMMAND)
            if texts and batch.attachments:
                own = own.copy()
                own["attachment"][own["attachment"] > 0] += len(texts)
            commands.append(own.tobytes())
            texts += batch.attachments
        whole = replace(
            batches[-1],
            first_seq=batches[0].first_seq,
            previous_hash=batches[0].previous_hash,
            commands=b"".join(commands),
            events=b"".join(batch.events for batch in batches),
            attachments=tuple(texts),
        )
        vars(whole)["hash"] = batches[-1].hash
        return whole

    @property
    def command_count(self) -> int:
        """The number of commands."""
        return self.last_seq - self.first_seq + 1

    @property
    def payload_bytes(self) -> int:
        """The size of commands and attachments, in bytes: what `sequencer.MAX_BATCH_BYTES` limits."""
        return len(self.commands) + sum(map(len, self.attachments))

    @property
    def time_ns(self) -> int:
        """The timestamp of its last command, nanoseconds since 1970."""
        return int(np.frombuffer(self.commands, COMMAND)["time_ns"][-1])

    def encode(self) -> bytes:
        """The batch's bytes. Computed once, for the hash and for the device; of a decoded batch, the bytes that it was decoded
        from."""
        return self._encoded

    @cached_property
    def stored(self) -> bytes:
        """The row that the batch was read from, which may be compressed (compression.py); of a batch that was not read from a
        device its bytes."""
        return self._encoded

    @cached_property
    def _encoded(self) -> bytes:
        body = b"".join(self._parts())
        digest = _digest(body)
        return b"".join((body, digest, _LENGTH.pack(zlib.crc32(digest, zlib.crc32(body)))))

    @classmethod
    def decode(cls, data: bytes) -> JournalBatch:
        """The batch in these bytes.

        Raises JournalCorrupt if a byte differs from what was written, JournalRefused if the batch is intact but has another
        format or another engine version. Both say what is wrong and from which seq on.
        """
        header = _checked_header(data)
        view = memoryview(data)
        end_of_commands, end_of_events = ends_of_records(header)
        layouts = layouts_of(header.record_format)
        batch = cls(
            journal_id=header.journal_id,
            epoch=header.epoch,
            first_seq=header.first_seq,
            last_seq=header.last_seq,
            inbox_position=header.inbox_position,
            previous_hash=header.previous_hash,
            commands=as_today(view[HEADER.size : end_of_commands], layouts.command, COMMAND),
            events=as_today(view[end_of_commands:end_of_events], layouts.event, EVENT),
            attachments=_read_attachments(view[end_of_events:-_TRAILER_BYTES], header),
            engine_version=header.engine_version,
        )
        # `_checked_header` has compared the hash with these bytes; to compute it again would double the cost.
        vars(batch)["hash"] = data[-_TRAILER_BYTES : -_LENGTH.size]
        vars(batch)["_encoded"] = data
        return batch

    def break_of_chain(self, journal_id: bytes, last_seq: int, last_hash: bytes) -> str | None:
        """The reason why this batch cannot follow the batch that ends at last_seq with last_hash, or None if it can."""
        if self.journal_id != journal_id:
            return f"seq {self.first_seq} belongs to journal {self.journal_id.hex()}, not to {journal_id.hex()}"
        if self.first_seq != last_seq + 1:
            return f"seq {self.first_seq} does not follow seq {last_seq}: commands are missing or repeated"
        if self.previous_hash != last_hash:
            return f"seq {self.first_seq} does not continue the hash chain: a row before it was changed or lost"
        if len(self.commands) != (self.last_seq - last_seq) * COMMAND.itemsize:
            return f"the row from seq {self.first_seq} does not hold the commands up to seq {self.last_seq}"
        return None

    def _parts(self) -> list[bytes]:
        attachments = [part for text in self.attachments for part in (_LENGTH.pack(len(text)), text)]
        payload_bytes = len(self.commands) + len(self.events) + sum(map(len, attachments))
        header = BatchHeader(
            magic=MAGIC,
            batch_format=BATCH_FORMAT,
            record_format=RECORD_FORMAT,
            engine_version=self.engine_version,
            epoch=self.epoch,
            first_seq=self.first_seq,
            last_seq=self.last_seq,
            size=HEADER.size + payload_bytes + _TRAILER_BYTES,
            command_count=len(self.commands) // COMMAND.itemsize,
            event_count=len(self.events) // EVENT.itemsize,
            attachment_count=len(self.attachments),
            journal_id=self.journal_id,
            inbox_position=self.inbox_position,
            previous_hash=self.previous_hash,
        )
        return [HEADER.pack(*header), self.commands, self.events, *attachments]


def _checked_header(data: bytes) -> BatchHeader:
    """The header, after CRC, formats, engine version, size, hash and counts are checked."""
    if len(data) < HEADER.size + _TRAILER_BYTES:
        raise JournalCorrupt(f"a row of {len(data)} bytes is shorter than a row's header")
    header = BatchHeader._make(HEADER.unpack_from(data))
    seq = header.first_seq
    if header.magic != MAGIC:
        raise JournalCorrupt("a row does not begin with the magic bytes of a row")
    if _LENGTH.unpack(data[-_LENGTH.size :])[0] != zlib.crc32(memoryview(data)[: -_LENGTH.size]):
        raise JournalCorrupt(f"the row from seq {seq} is damaged: its checksum is wrong", seq)
    if header.batch_format != BATCH_FORMAT:
        raise _other_format(seq, f"row format {header.batch_format}", f"row format {BATCH_FORMAT}")
    check_versions(header)
    if header.size != len(data):
        raise JournalCorrupt(f"the row from seq {seq} has {len(data)} bytes, its header says {header.size}", seq)
    if data[-_TRAILER_BYTES : -_LENGTH.size] != _digest(memoryview(data)[:-_TRAILER_BYTES]):
        raise JournalCorrupt(f"the row from seq {seq} was rewritten: its hash is wrong", seq)
    if header.last_seq - seq + 1 != header.command_count:
        sentence = f"the header of the row from seq {seq} to {header.last_seq} says {header.command_count} commands"
        raise JournalCorrupt(sentence, seq)
    if ends_of_records(header)[1] + _TRAILER_BYTES > len(data):
        raise JournalCorrupt(f"the row from seq {seq} is too short for its records", seq)
    return header


def ends_of_records(header: BatchHeader) -> tuple[int, int]:
    """Where commands and events end in the batch's bytes."""
    layouts = layouts_of(header.record_format)
    end_of_commands = HEADER.size + header.command_count * layouts.command.itemsize
    return end_of_commands, end_of_commands + header.event_count * layouts.event.itemsize


def check_versions(header: BatchHeader) -> None:
    """Raises JournalRefused if the batch has a record format that this version does not read, or another engine version:
    only the engine that made the events makes the same again."""
    seq = header.first_seq
    if not is_read(header.record_format):
        raise _other_format(seq, f"record format {header.record_format}", formats_read())
    if header.engine_version != ENGINE_VERSION:
        raise JournalRefused(
            f"the row from seq {seq} was made by engine version {header.engine_version}; this REX runs version"
            f" {ENGINE_VERSION}: use the REX that made it",
            seq,
        )


def _other_format(seq: int, found: str, ours: str) -> JournalRefused:
    return JournalRefused(f"the row from seq {seq} has {found}; this version reads {ours}", seq)


def _digest(data: bytes | memoryview) -> bytes:
    return blake2b(data, digest_size=HASH_BYTES).digest()


def _read_attachments(section: memoryview, header: BatchHeader) -> tuple[bytes, ...]:
    texts: list[bytes] = []
    position = 0
    while position + _LENGTH.size <= len(section):
        start = position + _LENGTH.size
        position = start + _LENGTH.unpack_from(section, position)[0]
        texts.append(bytes(section[start:position]))
    if position != len(section) or len(texts) != header.attachment_count:
        seq = header.first_seq
        raise JournalCorrupt(f"the attachments of the row from seq {seq} have wrong lengths or a wrong number", seq)
    return tuple(texts)
