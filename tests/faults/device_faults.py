"""An embedded venue is killed, its disk loses its power, a sync fails, or the device fails.

A power cut detects an acknowledgement that was sent before its batch was durable. It does not detect a device that reports a
flush it has not made, nor a false acknowledgement that is read after the cut began: an fdatasync that is under way when the
power is cut may return 0 for data that are not on the device, and the venue, which still runs on this machine, acknowledges
them; at a real power cut it would be off. Such late acknowledgements are counted (`late_kept`, `late_lost`,
`times_late_ones_were_lost`) and not owed.

After a failed fsync the kernel marks the pages as written (`thin_disk.py`). The venue that saw the failure acknowledges nothing
more, and is killed; but the next one may read those pages as if they were on the device, and append its batches after them. If
the power is then cut, the pages and everything after them are lost: a power cut follows. At rest it is not the fsync of the log
that fails (the log was synced with each acknowledgement) but that of the database, when an idle venue checkpoints its log. On
ext4, another write of such a page does not reach the device: the block was to be marked as written when its first write ended,
and never is. So a venue that repeats the checkpoint, sees it succeed and empties the log has lost the log's commits.

A device that fails refuses every read and write (EIO). The process must end by itself, with status 4 and one sentence, and
never with a traceback, whatever its readers ask meanwhile. Which file meets the device first differs from trial to trial.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from time import monotonic

import httpx
from rex_client import RexClient

from services.files.data_folder import JOURNAL_FILE
from services.journal.connections import log_of
from services.processes.exit_codes import ExitCode
from tests.faults.folder import Folder
from tests.faults.venue_process import VenueProcess
from tests.patience import PATIENCE_S, AsyncHttpClient

MOST = 600
"""The most acknowledgements before a kill or a cut."""
LINGER_S = (0.0, 0.002, 0.01)
"""How long the process runs on after the cut. At a real power cut it could send no acknowledgement in this time."""
MOST_BEFORE_A_FAILURE = 200
READERS = 4
READ = ("/v1/reports/turnover/2026", "/v1/orders?state=all", "/v1/reports/journal/1", "/v1/admin/log")


async def kill(folder: Folder, venue: VenueProcess) -> None:
    """SIGKILL. Every acknowledgement counts, even one that is read after it."""
    await folder.load_until(venue, MOST, venue.kill)
    folder.owe_late_ones()
    await folder.prove("a kill")


async def cut_power(folder: Folder, venue: VenueProcess) -> None:
    """The power is cut, the process is killed, and the disk is mounted again."""
    lingers_s = folder.random.choice(LINGER_S)

    def cut() -> None:
        folder.disk.cut()
        asyncio.get_running_loop().call_later(lingers_s, venue.kill)

    await folder.load_until(venue, MOST, cut)
    venue.kill()
    folder.disk.restart()
    await folder.prove("a power cut")


async def fail_sync(folder: Folder, venue: VenueProcess) -> None:
    """New blocks cannot be written until the venue reports that it is not ready; then it is killed."""
    async with asyncio.TaskGroup() as tasks:
        filled = asyncio.Event()

        def harm() -> None:
            folder.disk.fill()
            filled.set()

        load = tasks.create_task(folder.load_until(venue, MOST_BEFORE_A_FAILURE, harm, fewest=20))
        load.add_done_callback(lambda _: filled.set())  # Where the venue has ended before.
        await filled.wait()
        _count(folder, "syncs_failed", has_failed=await _is_not_ready(venue.url))
        venue.kill()
    folder.disk.relieve()
    folder.owe_late_ones()


async def fail_sync_at_rest(folder: Folder, venue: VenueProcess) -> None:
    """The same after the load: again until the venue has not emptied its log before."""
    has_failed, until_s = False, monotonic() + PATIENCE_S
    while not has_failed and monotonic() < until_s:
        folder.disk.relieve()
        for trader in folder.traders:
            async with RexClient(venue.url, trader.key) as client:
                for _ in range(folder.random.randint(10, 75)):
                    trader.ledger.acknowledge(await client.place_order(trader.next_order()))
        folder.disk.fill()
        has_failed = await _is_not_ready(venue.url, lambda: _log_bytes(folder) == 0)
    _count(folder, "syncs_failed_at_rest", has_failed=has_failed)
    venue.kill()
    folder.disk.relieve()


def _count(folder: Folder, name: str, *, has_failed: bool) -> None:
    """A sync that did not fail shows nothing."""
    folder.report.add(name, int(has_failed))
    if not has_failed:
        folder.report.broken.append("no sync has failed, though no block could be written")


async def _is_not_ready(url: str, is_at_rest: Callable[[], bool] = lambda: False) -> bool:
    """Waits until the venue reports that it is not ready, or is gone. False after PATIENCE_S, or when the venue `is_at_rest`:
    it has emptied its log before writes failed, and no other fsync comes."""
    async with AsyncHttpClient(base_url=url) as client:
        try:
            async with asyncio.timeout(PATIENCE_S):
                while (await client.get("/readyz")).is_success:
                    if is_at_rest():
                        return False
        except TimeoutError:
            return False
        except httpx.TransportError:
            return True
    return True


def _log_bytes(folder: Folder) -> int:
    return log_of(folder.path / JOURNAL_FILE).stat().st_size


async def fail(folder: Folder, venue: VenueProcess) -> None:
    """The device fails under orders and reads."""
    await _fail(folder, venue, at_rest=False)


async def fail_at_rest(folder: Folder, venue: VenueProcess) -> None:
    """No orders are under way."""
    await _fail(folder, venue, at_rest=True)


async def _fail(folder: Folder, venue: VenueProcess, *, at_rest: bool) -> None:
    async with asyncio.TaskGroup() as readers:
        for _ in range(READERS):
            readers.create_task(_read(folder, venue))
        if at_rest:
            folder.disk.cut()
        else:
            await folder.load_until(venue, MOST_BEFORE_A_FAILURE, folder.disk.cut)
    status, said = await asyncio.to_thread(venue.ended), venue.said
    if status != ExitCode.DEVICE_FAILED:
        folder.report.broken.append(f"the venue ended with status {status}: {said.strip()[-300:]}")
    elif "Traceback (most recent call last)" in said or "rex: " not in said:
        folder.report.broken.append(f"it did not say in a sentence why it ended: {said.strip()[-300:]}")
    folder.disk.restart()


async def _read(folder: Folder, venue: VenueProcess) -> None:
    """Reads until the venue is gone."""
    key = {"authorization": f"Bearer {venue.operator_key}"}
    async with AsyncHttpClient(base_url=venue.url, headers=key) as client:
        try:
            while True:
                for path in READ:
                    folder.report.add("reads_refused", int((await client.get(path)).status_code == 503))
        except httpx.TransportError:
            return
