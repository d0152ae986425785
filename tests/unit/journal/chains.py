"""Batches that form a chain, for tests of the chain and not of the engine's events."""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from hashlib import blake2b

import numpy as np

from matching_engine.records import EVENT, Command, CommandKind, Event, EventKind, pack_commands
from services.journal.batch import HEADER, NO_HASH, BatchHeader, JournalBatch

JOURNAL_ID = bytes(range(16))


def packed_events(seqs: Sequence[int]) -> bytes:
    """A RECORDED event for each seq."""
    return np.array([tuple(Event(seq=seq, kind=EventKind.RECORDED)) for seq in seqs], EVENT).tobytes()


def next_batch(
    previous: JournalBatch | None,
    commands: int = 2,
    *,
    journal_id: bytes = JOURNAL_ID,
    epoch: int = 1,
    attachments: tuple[bytes, ...] = (b"a text", b""),
) -> JournalBatch:
    """A batch of RECORD commands that continues `previous`, or begins a journal."""
    first_seq = 1 if previous is None else previous.last_seq + 1
    seqs = range(first_seq, first_seq + commands)
    return JournalBatch(
        journal_id=journal_id,
        epoch=epoch,
        first_seq=first_seq,
        last_seq=first_seq + commands - 1,
        inbox_position=7,
        previous_hash=NO_HASH if previous is None else previous.hash,
        commands=pack_commands([Command(kind=CommandKind.RECORD, seq=seq, time_ns=seq * 1_000) for seq in seqs]),
        events=packed_events(seqs),
        attachments=attachments,
    )


def chain(sizes: Sequence[int], *, journal_id: bytes = JOURNAL_ID, epoch: int = 1) -> list[JournalBatch]:
    """Batches with these numbers of commands, from the start of a journal."""
    batches: list[JournalBatch] = []
    for size in sizes:
        batches.append(next_batch(batches[-1] if batches else None, size, journal_id=journal_id, epoch=epoch))
    return batches


def sealed(data: bytes, *, with_hash: bool) -> bytes:
    """The bytes as a forger would leave them: with a correct CRC, and a correct hash or the old one."""
    body, digest = data[:-36], data[-36:-4]
    if with_hash:
        digest = blake2b(body, digest_size=32).digest()
    return body + digest + zlib.crc32(body + digest).to_bytes(4, "little")


def with_header(batch: JournalBatch, **changes: object) -> bytes:
    """The batch's bytes with other values in its header, and a new hash and CRC."""
    data = batch.encode()
    header = BatchHeader._make(HEADER.unpack_from(data))._replace(**changes)  # type: ignore[arg-type]
    return sealed(HEADER.pack(*header) + data[HEADER.size :], with_hash=True)
