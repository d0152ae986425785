"""The work of `rex snapshot`, and what it says of it.

Apart from the commands, since it imports the engine and both databases: `rex --help` starts without them.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from rich.markup import escape

from services.cli.terminal import progress
from services.sequencer.clock import shanghai_text
from services.snapshots.taking import Taken
from services.snapshots.verifying import SnapshotVerification
from services.snapshots.verifying import verify as verify_all
from services.venue.at_rest import at_rest
from services.venue.standing_snapshots import store_of, take_at


async def take_snapshot(place: str | Path, show: bool) -> Taken:
    """Takes one. Shows a bar where `show` is true."""
    with progress(show) as bar:
        task = bar.add_task("executing the journal", total=None)
        return await take_at(place, lambda seq: bar.update(task, completed=seq))


async def verify_snapshots(place: str | Path, show: bool) -> SnapshotVerification:
    """Verifies all. Shows a bar where `show` is true."""
    async with at_rest(place) as venue:
        with progress(show) as bar:
            task = bar.add_task("following", total=None)
            return await verify_all(venue.journal, store_of(place), lambda seq: bar.update(task, completed=seq))


def lines_of_taken(taken: Taken) -> Iterator[str]:
    """What was done, for people; the log has said what was passed over."""
    if taken.header is None:
        yield "The journal is empty: there is nothing to take."
        return
    at = f"seq {taken.header.seq:,}, state hash {taken.header.state_hash.hex()}"
    if not taken.size_bytes:
        yield f"The last snapshot is good and stands at the journal's end already: {at}."
        return
    followed = (
        f"followed from the one at seq {taken.followed_from:,}" if taken.followed_from else "the whole journal executed"
    )
    yield f"Snapshot at {at}; {taken.size_bytes:,} bytes; {followed}."
    if taken.removed:
        yield f"Removed: {', '.join(f'seq {seq:,}' for seq in taken.removed)}."


def lines_of_verified(found: SnapshotVerification) -> Iterator[str]:
    """What was found, for people."""
    if not found.snapshots:
        yield "There is no snapshot: a start executes the whole journal."
    for one in found.snapshots:
        header = one.kept.header
        if one.error is not None:
            yield escape(f"BAD   {one.error}")
        elif header is not None:
            taken, size = shanghai_text(header.taken_ns), f"{one.kept.size_bytes:,} bytes"
            yield f"good  seq {one.kept.seq:,}, taken {taken}, {size}, followed to seq {one.followed_to or 0:,}"
    if found.state_hash is not None:
        yield f"The journal ends at seq {found.last_seq:,}. State hash {found.state_hash}."
