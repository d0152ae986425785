"""A snapshot's bytes: what was written comes back, and no changed byte goes unnoticed."""

from __future__ import annotations

import zlib
from hashlib import blake2b
from typing import Any

import numpy as np
import pytest

from matching_engine import ENGINE_VERSION, Engine
from matching_engine.records import COMMAND, pack_commands
from matching_engine.snapshot.state import snapshot_bytes
from services.journal.chain import ChainEnd
from services.snapshots.errors import SnapshotRefused
from services.snapshots.record import HEADER, SNAPSHOT_FORMAT, Snapshot, read_header
from tests.property.engine_flow import flow
from tests.unit.journal.chains import JOURNAL_ID

ROW_HASH = bytes(range(32))


@pytest.fixture(scope="module")
def engine() -> Engine:
    one = Engine()
    one.process(np.frombuffer(pack_commands(flow(3, 600)), COMMAND))
    return one


@pytest.fixture(scope="module")
def snapshot(engine: Engine) -> Snapshot:
    return Snapshot.of_engine(engine, JOURNAL_ID, ChainEnd(engine.last_seq, ROW_HASH), 1_700_000_000_000_000_000)


def resealed(snapshot: Snapshot, body: bytes | None = None, **changes: Any) -> bytes:
    """With other values in the header, or another body, and a right seal."""
    header = snapshot.header._replace(**changes)
    data = HEADER.pack(*header) + (snapshot.data[HEADER.size : -32] if body is None else body)
    return data + blake2b(data, digest_size=32).digest()


def test_what_was_written_comes_back(snapshot: Snapshot, engine: Engine) -> None:
    read = Snapshot.decode(snapshot.data)
    assert read == snapshot
    assert read.header.end == ChainEnd(engine.last_seq, ROW_HASH)
    assert read.header.journal_id == JOURNAL_ID
    assert read.header.engine_version == ENGINE_VERSION
    assert read.header.state_hash.hex() == engine.state_hash() == read.engine().state_hash()


def test_each_changed_byte_and_each_missing_one_is_noticed(snapshot: Snapshot) -> None:
    data = bytearray(snapshot.data)
    for place in [*range(HEADER.size), *range(HEADER.size, len(data), 97), *range(len(data) - 33, len(data))]:
        data[place] ^= 1 << place % 8
        with pytest.raises(SnapshotRefused):
            Snapshot.decode(bytes(data))
        data[place] = snapshot.data[place]
    for length in [0, 7, HEADER.size - 1, HEADER.size, HEADER.size + 31, len(data) - 1]:
        with pytest.raises(SnapshotRefused, match="damaged"):
            Snapshot.decode(snapshot.data[:length])
    with pytest.raises(SnapshotRefused, match="damaged"):
        Snapshot.decode(snapshot.data + b"\0")


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"snapshot_format": SNAPSHOT_FORMAT + 1}, f"has format {SNAPSHOT_FORMAT + 1}, and this REX reads format"),
        ({"engine_version": ENGINE_VERSION + 1}, f"made by engine version {ENGINE_VERSION + 1}, and this REX runs"),
        ({"engine_version": ENGINE_VERSION - 1}, f"made by engine version {ENGINE_VERSION - 1}, and this REX runs"),
    ],
)
def test_another_format_and_another_engine_version_are_named(
    snapshot: Snapshot, changes: dict[str, Any], sentence: str
) -> None:
    with pytest.raises(SnapshotRefused, match=sentence):
        Snapshot.decode(resealed(snapshot, **changes))


@pytest.mark.parametrize(
    "changes",
    [{"state_hash": bytes(32)}, {"state_bytes": 5}, {"state_bytes": 2**63}, {"seq": 1}, {"body": b"no deflate"}],
)
def test_a_sealed_snapshot_that_contradicts_itself_is_not_loaded(snapshot: Snapshot, changes: dict[str, Any]) -> None:
    body = changes.pop("body", None)
    with pytest.raises(SnapshotRefused):
        Snapshot.decode(resealed(snapshot, body, **changes)).engine()


def test_a_state_that_cannot_be_is_not_loaded(snapshot: Snapshot, engine: Engine) -> None:
    kept = engine.state()
    accounts = kept.accounts.copy()
    accounts["reserved_fen"][1] += 1
    state = snapshot_bytes(kept._replace(accounts=accounts))
    changes: dict[str, Any] = {"state_hash": blake2b(state, digest_size=32).digest(), "state_bytes": len(state)}
    with pytest.raises(SnapshotRefused, match="cannot be loaded: "):
        Snapshot.decode(resealed(snapshot, zlib.compress(state), **changes)).engine()


def test_a_header_alone_can_be_read(snapshot: Snapshot) -> None:
    assert read_header(snapshot.data[: HEADER.size]) == snapshot.header
    with pytest.raises(SnapshotRefused, match="is no snapshot"):
        read_header(b"x" * 500)
