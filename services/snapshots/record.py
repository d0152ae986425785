"""A snapshot and its bytes: self-contained and sealed.

Layout, little-endian:

HEADER        magic, format, engine version, seq, time taken, journal id, hash of the journal's row, state hash, state bytes
body          deflate (RFC 1950) of the canonical bytes of the state (`matching_engine.snapshot.state`)
seal          BLAKE2b-256 of everything before it

The seal shows damage, not forgery: whoever may write the snapshots may write the journal beside them, too.
"""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from hashlib import blake2b
from struct import Struct
from typing import NamedTuple

from matching_engine import ENGINE_VERSION, Engine
from matching_engine.snapshot.state import State, StateError, from_bytes, snapshot_bytes
from services.journal.chain import ChainEnd
from services.snapshots.errors import SnapshotRefused

MAGIC = b"REXSNP\r\n"
"""Contains a line end, so that a transfer in text mode damages it visibly."""

SNAPSHOT_FORMAT = 1
"""Version of the layout above. The state has a format of its own, within its bytes."""

HASH_BYTES = 32
MOST_STATE_BYTES = 64 * 2**30
"""A snapshot that promises a larger state is damaged or forged."""

_LEVEL = 1
"""Of deflate. Level 6 takes several times as long and leaves little less."""


class SnapshotHeader(NamedTuple):
    """The fields before the state."""

    magic: bytes
    snapshot_format: int
    engine_version: int
    seq: int
    """The last command. It is the last one of its journal row."""
    taken_ns: int
    """When the snapshot was taken, nanoseconds since 1970."""
    journal_id: bytes
    row_hash: bytes
    """The hash of the journal row that ends at `seq`."""
    state_hash: bytes
    """BLAKE2b-256 of the canonical bytes of the state."""
    state_bytes: int
    """Their number."""

    @property
    def end(self) -> ChainEnd:
        """The end of the chain at which the snapshot stands."""
        return ChainEnd(self.seq, self.row_hash)


HEADER = Struct(f"<8sHHQQ16s{HASH_BYTES}s{HASH_BYTES}sQ")


@dataclass(frozen=True)
class Snapshot:
    """The state of an engine after the command `header.seq`, sealed. Made by `of_engine` or `decode`."""

    header: SnapshotHeader
    data: bytes
    """The bytes of the snapshot, as they are stored."""

    @classmethod
    def of_engine(cls, engine: Engine, journal_id: bytes, end: ChainEnd, taken_ns: int) -> Snapshot:
        """The snapshot of an engine that has executed the journal up to `end`, the end of a row."""
        state = snapshot_bytes(engine.state())
        header = SnapshotHeader(
            magic=MAGIC,
            snapshot_format=SNAPSHOT_FORMAT,
            engine_version=ENGINE_VERSION,
            seq=end.last_seq,
            taken_ns=taken_ns,
            journal_id=journal_id,
            row_hash=end.hash,
            state_hash=_digest(state),
            state_bytes=len(state),
        )
        body = HEADER.pack(*header) + zlib.compress(state, _LEVEL)
        return cls(header, body + _digest(body))

    @classmethod
    def decode(cls, data: bytes) -> Snapshot:
        """The snapshot in these bytes. Raises SnapshotRefused if a byte differs from what was written, or if it is intact and
        of another format or engine version."""
        header = read_header(data)
        if len(data) < HEADER.size + HASH_BYTES or _digest(memoryview(data)[:-HASH_BYTES]) != data[-HASH_BYTES:]:
            raise SnapshotRefused("is damaged: its hash is wrong")
        if header.snapshot_format != SNAPSHOT_FORMAT:
            raise SnapshotRefused(f"has format {header.snapshot_format}, and this REX reads format {SNAPSHOT_FORMAT}")
        if header.engine_version != ENGINE_VERSION:
            raise SnapshotRefused(
                f"was made by engine version {header.engine_version}, and this REX runs version {ENGINE_VERSION}"
            )
        return cls(header, data)

    def engine(self) -> Engine:
        """A new engine with this state. Raises SnapshotRefused if the state is not the one that was sealed, or cannot be."""
        try:
            engine = Engine.from_state(self._state())
        except StateError as error:
            raise SnapshotRefused(f"cannot be loaded: {error}") from error
        if engine.last_seq != self.header.seq:
            raise SnapshotRefused(f"says seq {self.header.seq} and holds the state at seq {engine.last_seq}")
        return engine

    def _state(self) -> State:
        inflate = zlib.decompressobj()
        size = self.header.state_bytes
        if size > MOST_STATE_BYTES:
            raise SnapshotRefused(f"cannot have the {size:,} bytes of state that it says")
        try:
            state = inflate.decompress(memoryview(self.data)[HEADER.size : -HASH_BYTES], size + 1)
        except zlib.error as error:
            raise SnapshotRefused(f"cannot be decompressed: {error}") from error
        if len(state) != size or not inflate.eof or inflate.unused_data or _digest(state) != self.header.state_hash:
            raise SnapshotRefused("does not hold the state that its header says")
        return from_bytes(state)


def read_header(data: bytes) -> SnapshotHeader:
    """The header at the beginning of a snapshot's bytes, unchecked but for its magic. Raises SnapshotRefused."""
    if len(data) < HEADER.size:
        raise SnapshotRefused(f"is damaged: it has {len(data)} bytes and no whole header")
    header = SnapshotHeader._make(HEADER.unpack_from(data))
    if header.magic != MAGIC:
        raise SnapshotRefused("is no snapshot: it does not begin with the magic bytes of one")
    return header


def header_of(begin: bytes) -> SnapshotHeader | None:
    """The header of a snapshot that begins with these bytes; None if it has none."""
    try:
        return read_header(begin)
    except SnapshotRefused:
        return None


def _digest(data: bytes | memoryview) -> bytes:
    return blake2b(data, digest_size=HASH_BYTES).digest()
