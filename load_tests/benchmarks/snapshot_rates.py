"""What a snapshot costs: taking one and loading one with a million open orders; a start from one with a tail after it, beside a
start that executes the whole journal."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Iterator
from pathlib import Path
from time import process_time

import numpy as np

from load_tests.benchmarks.batches import batches_of
from load_tests.benchmarks.measurement import Effort, Measurement, median_seconds
from load_tests.flows.book_flows import NARROW, Records, standard
from load_tests.flows.engine_flow import engine_records
from matching_engine import Engine
from matching_engine.records import CommandKind, Side, TimeInForce
from services.journal import Journal
from services.journal.batch import NO_HASH, JournalBatch
from services.journal.chain import ChainEnd
from services.journal.sqlite import SqliteJournal
from services.sequencer.recovery import recover, recover_from_snapshot
from services.snapshots.folder import FolderStore
from services.snapshots.record import Snapshot
from services.snapshots.taking import take

ORDERS = 1_000_000
LOAD_S = 4.0
"""What loading a snapshot of ORDERS open orders may take, processor time."""
TAIL, BEFORE = 100_000, 400_000
"""Commands after the snapshot and before it."""
ROW_COMMANDS = 64
"""Commands of a journal row: those of a venue under load."""
AT_MOST = "100 % at most"


def snapshot_measurements(effort: Effort) -> list[Measurement]:
    """Taking, loading, and a start."""
    with tempfile.TemporaryDirectory(prefix="rex-snapshots-") as folder:
        return [*_of_orders(effort), asyncio.run(_start(Path(folder), effort))]


def _of_orders(effort: Effort) -> Iterator[Measurement]:
    orders = effort.messages(ORDERS)
    engine = engine_with(orders, effort.seed)
    end = ChainEnd(engine.last_seq, NO_HASH)
    snapshot = Snapshot.of_engine(engine, bytes(16), end, 0)
    taken, loaded = median_seconds(
        effort.runs,
        lambda: lambda: Snapshot.of_engine(engine, bytes(16), end, 0),
        lambda: lambda: Snapshot.decode(snapshot.data).engine(),
    )
    note = f"{len(snapshot.data):,} bytes, {snapshot.header.state_bytes:,} of state"
    yield Measurement(f"snapshot of {orders:,} open orders: made", taken, "s CPU", note=note)
    bound = LOAD_S * orders / ORDERS
    yield Measurement(f"snapshot of {orders:,} open orders: loaded", loaded, "s CPU", "at most", bound, AT_MOST)


def engine_with(orders: int, seed: int) -> Engine:
    """An engine with so many open orders of 200 accounts in 32 instruments, each with a client order id."""
    chance = np.random.default_rng(seed)
    flow = np.zeros(orders, standard(1, 1, seed).dtype)
    flow["kind"], flow["time_in_force"] = CommandKind.NEW_ORDER, TimeInForce.GTC
    flow["instrument"], flow["account"] = chance.integers(0, 32, orders), chance.integers(2, 202, orders)
    flow["side"] = np.where(np.arange(orders) % 2, Side.BUY, Side.SELL)
    away = chance.integers(1, NARROW.reference_ticks // 20, orders)
    flow["price_ticks"] = NARROW.reference_ticks + np.where(flow["side"] == Side.BUY, -away, away)
    flow["quantity_lots"] = chance.integers(1, 10, orders)
    engine = Engine()
    for part in engine_records(flow, client_ids=True):
        for batch in batches_of(part):
            engine.process(batch)
    if len(engine.state().orders) != orders:
        raise RuntimeError(f"{len(engine.state().orders)} orders are open, not {orders}")
    return engine


async def _start(folder: Path, effort: Effort) -> Measurement:
    before, tail = effort.messages(BEFORE), effort.messages(TAIL)
    opening, records = engine_records(standard(before + tail, 8, effort.seed), client_ids=True)
    commands = np.concatenate([opening, records])
    engine, store = Engine(), FolderStore.of(folder)
    journal = await SqliteJournal.open(folder / "journal.sqlite")
    try:
        end = await _append(journal, engine, commands[:-tail], NO_HASH)
        await take(journal, store)
        await _append(journal, engine, commands[-tail:], end)
        began = process_time()
        found = await recover_from_snapshot(journal, store)
        from_snapshot = process_time() - began
        began = process_time()
        whole = await recover(Engine(), journal)
        executed = process_time() - began
    finally:
        await journal.close()
    if found is None or found[0].state_hash() != engine.state_hash() or whole.last_seq != engine.last_seq:
        raise RuntimeError("a start came to another state")
    name = f"start from a snapshot, {tail:,} commands after it"
    limit = f"the whole journal, {whole.commands:,} commands"
    note = (
        f"rows of {ROW_COMMANDS} commands; the whole: {executed / whole.commands * 1e6:.2f} s CPU per million commands"
    )
    return Measurement(name, from_snapshot, "s CPU", limit, executed, AT_MOST, note=note)


async def _append(journal: Journal, engine: Engine, commands: Records, end: bytes) -> bytes:
    """Executes and appends the commands; returns the hash of the last row."""
    for first in range(0, len(commands), ROW_COMMANDS):
        part = commands[first : first + ROW_COMMANDS]
        batch = JournalBatch(
            journal_id=journal.journal_id,
            epoch=journal.epoch,
            first_seq=int(part["seq"][0]),
            last_seq=int(part["seq"][-1]),
            inbox_position=0,
            previous_hash=end,
            commands=part.tobytes(),
            events=engine.process(part).tobytes(),
        )
        await journal.append(batch)
        end = batch.hash
    return end
