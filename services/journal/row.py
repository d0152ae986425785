"""A journal row: header, commands, events, attachments; what a feed entry carries, too.

Layout, little-endian: HEADER (magic, formats, epoch, sequence numbers, counts, sizes, journal id, inbox position, the
previous row's hash), then the packed COMMAND records, the packed EVENT records, each attachment behind its 4-byte length;
at the end this row's hash (BLAKE2b-256 over all before it) and a CRC-32 over all before that, so that a flipped bit and a
rewritten history are both seen.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from matching_engine.records import Command, Event, unpack_commands, unpack_events


@dataclass(frozen=True)
class Row:
    """One batch: commands first_seq…last_seq and every event they made, as it stands on the device."""

    journal_id: bytes
    epoch: int
    first_seq: int
    last_seq: int
    inbox_position: int
    previous_hash: bytes
    commands: bytes
    events: bytes
    attachments: tuple[bytes, ...] = ()

    @cached_property
    def command_list(self) -> list[Command]:
        """The commands as Python values, decoded once for all readers in a process."""
        return list(unpack_commands(self.commands))

    @cached_property
    def event_list(self) -> list[Event]:
        """The events as Python values, decoded once for all readers in a process."""
        return list(unpack_events(self.events))
