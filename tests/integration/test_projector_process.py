"""What a venue knows of its projector's process; the test is the other side of the connection."""

from __future__ import annotations

import asyncio
import os
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import NamedTuple

import pytest

from services.journal.sqlite import SqliteJournal
from services.messaging.in_process import InProcessFeed
from services.read_model.errors import ReadDatabaseDamaged, ReadDatabaseFailed
from services.read_model.projecting import FAULT, ProjectorPlace, Told, rebuilt, talk
from services.read_model.projector_process import ProjectorProcess
from services.read_model.seq_waiters import ProjectorStopped
from tests.integration.raw_http import until
from tests.unit.journal.chains import next_batch

pytestmark = pytest.mark.anyio


class Connected(NamedTuple):
    process: ProjectorProcess
    feed: InProcessFeed
    told: asyncio.StreamReader
    tells: asyncio.StreamWriter


@pytest.fixture
def stand_in() -> int:
    """A process that has ended stands for the projector's."""
    return os.spawnvp(os.P_NOWAIT, "true", ["true"])


@asynccontextmanager
async def connected(stand_in: int) -> AsyncIterator[Connected]:
    """`told` begins behind the first line."""
    ours, its = socket.socketpair()
    feed = InProcessFeed()
    process = ProjectorProcess(stand_in, ours)
    told, tells = await asyncio.open_connection(sock=its)
    running = asyncio.create_task(process.run(Path("journal.sqlite"), Path("read.sqlite"), feed))
    await told.readline()
    await until(lambda: feed.readers == 1)
    try:
        yield Connected(process, feed, told, tells)
    finally:
        running.cancel()
        await asyncio.wait([running])
        tells.close()
        await tells.wait_closed()


async def _reached(with_it: Connected, seq: int) -> None:
    with_it.tells.write(b"%d\n" % seq)
    await until(lambda: with_it.process.seq == seq)


async def test_it_owes_a_position_while_the_journal_has_more(stand_in: int) -> None:
    first = next_batch(None)
    second = next_batch(first)
    async with connected(stand_in) as venue:
        await _reached(venue, first.last_seq - 1)
        assert venue.process.silent_s == 0
        for batch in (first, second):
            await venue.feed.publish(batch)
            assert await venue.told.readline() == b"%d 0\n" % Told.JOURNAL_GOES_ON
            assert venue.process.silent_s > 0
        await _reached(venue, first.last_seq)
        assert venue.process.silent_s > 0, "there is more"
        await _reached(venue, second.last_seq)
        assert venue.process.silent_s == 0


async def test_it_owes_nothing_to_who_waits_for_what_the_journal_has_not(stand_in: int) -> None:
    async with connected(stand_in) as venue:
        await _reached(venue, 5)
        waiting = asyncio.create_task(venue.process.reached(10**6))
        assert await venue.told.readline() == b"%d %d\n" % (Told.SOMEBODY_WAITS, 10**6)
        assert venue.process.silent_s == 0
        waiting.cancel()


async def test_it_owes_nothing_for_a_row_that_it_has_read_for_somebody_who_waited(stand_in: int) -> None:
    first = next_batch(None)
    async with connected(stand_in) as venue:
        await _reached(venue, first.last_seq)
        await venue.feed.publish(first)
        for _ in range(5):
            await asyncio.sleep(0)  # It is not told.
        assert venue.process.silent_s == 0


@pytest.mark.parametrize("anyio_backend", [("asyncio", {"use_uvloop": True})], ids=["uvloop"])  # the venue's own loop
async def test_a_process_that_ends_without_a_word_is_named_whatever_it_was_told_last(stand_in: int) -> None:
    ours, its = socket.socketpair()
    its.setblocking(False)
    feed = InProcessFeed()
    process = ProjectorProcess(stand_in, ours)
    running = asyncio.create_task(process.run(Path("journal.sqlite"), Path("read.sqlite"), feed))
    await asyncio.get_running_loop().sock_recv(its, 2**16)
    await until(lambda: feed.readers == 1)
    its.close()  # The venue's next write fails; it is in one turn of its loop or another that it notices.
    waiting = [asyncio.create_task(process.reached(1))]
    while not waiting[0].done():
        waiting.append(asyncio.create_task(process.reached(1)))
        await asyncio.sleep(0)
    with pytest.raises(ReadDatabaseFailed, match="ended without a reason"):
        await running
    assert {type(error) for error in await asyncio.gather(*waiting, return_exceptions=True)} == {ProjectorStopped}


async def test_the_process_waits_with_its_fault_until_the_venue_has_heard_it(tmp_path: Path) -> None:
    await (await SqliteJournal.open(tmp_path / "journal.sqlite")).close()
    (tmp_path / "read.sqlite").write_text("no database")
    ours, its = socket.socketpair()
    told, tells = await asyncio.open_connection(sock=ours)
    talking = asyncio.create_task(talk(its))
    tells.write(ProjectorPlace(str(tmp_path / "journal.sqlite"), str(tmp_path / "read.sqlite")).line())
    fault = await told.readline()
    assert isinstance(rebuilt(bytes.fromhex(fault.removeprefix(FAULT).decode())), ReadDatabaseDamaged), fault
    for _ in range(3):  # A write to a process that has gone would fail, and its fault would be lost with it.
        tells.write(b"%d 0\n" % Told.JOURNAL_GOES_ON)
        await tells.drain()
    assert not told.at_eof()
    assert not talking.done()
    tells.close()
    await talking
