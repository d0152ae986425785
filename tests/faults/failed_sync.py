"""Makes an fsync of the journal fail, kills the venue, continues with a new one, cuts the power, and looks for every order.

    python -m tests.faults.failed_sync --trials 20 --seed 1

After a failed fsync the kernel marks the pages as written (`thin_disk.py`). The venue that saw the failure stops and
acknowledges nothing more; but the next venue may read those pages as if they were on the device, and append its batches after
them. If the power is then cut, the pages and everything after them are lost, acknowledged or not. A trial: load; writes to new
blocks fail until the venue reports that it is not ready; kill -9; new blocks can be written again; a new venue; load; power
cut. Each order that either venue acknowledged must then be there.

In every other trial the load has ended before writes to new blocks fail. Then it is not the fsync of the log that fails (the
log was synced with each acknowledgement) but the fsync of the database, when an idle venue checkpoints its log. On ext4,
another write of such a page does not reach the device: the block was to be marked as written when its first write ended, and
never is. So a venue that repeats the checkpoint, sees it succeed and empties the log has lost the log's commits.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable
from random import Random
from time import monotonic

import httpx
from rex_client import RexClient

from services.files.data_folder import JOURNAL_FILE
from services.journal.connections import log_of
from services.scaled.launch import DidNotStart
from tests.faults.power_cut import cut
from tests.faults.rig import Advance, Report, Rig, main
from tests.faults.thin_disk import ThinDisk, thin_disk
from tests.faults.traders import Trader, check_ledgers, load_until, open_traders
from tests.faults.venue_process import VenueProcess, serve
from tests.patience import PATIENCE_S, AsyncHttpClient

BEFORE, AFTER = (20, 150), (20, 100)
"""The acknowledgements (fewest, most) before writes to new blocks fail, and those of the next venue before the cut."""


def run(trials: int, seed: int, advance: Advance) -> Report:
    """Runs `trials` trials, each on a new disk. Raises CannotRun."""
    report = Report("failed_sync", {"syncs_failed": 0, "syncs_failed_at_rest": 0, "trials_with_a_loss": 0})
    random = Random(seed)
    for trial in range(1, trials + 1):
        held = len(report.broken)
        with thin_disk() as disk:
            try:
                asyncio.run(_one_disk(disk, random, report, at_rest=trial % 2 == 0))
            except DidNotStart as reason:
                report.broken.append(f"trial {trial}: {reason}")
        report.add("trials_with_a_loss", int(len(report.broken) > held))
        advance()
    report.counts["promises_broken"] = len(report.broken)
    return report


async def _one_disk(disk: ThinDisk, random: Random, report: Report, *, at_rest: bool) -> None:
    load = _load_and_rest_until_a_sync_fails if at_rest else _load_until_a_sync_fails
    with serve(disk.folder) as venue:
        traders = await open_traders(venue)
        await load(disk, venue, traders, random.randint(*BEFORE), report)
    disk.relieve()
    for trader in traders:
        trader.ledger.owe_late_ones()
    with serve(disk.folder) as venue:
        await check_ledgers(venue.url, traders, report)
        await load_until(venue, traders, random.randint(*AFTER), lambda: cut(disk, venue, 0.0))
    disk.restart()
    with serve(disk.folder) as venue:
        await check_ledgers(venue.url, traders, report)


async def _load_until_a_sync_fails(
    disk: ThinDisk, venue: VenueProcess, traders: list[Trader], acknowledgements: int, report: Report
) -> None:
    async with asyncio.TaskGroup() as tasks:
        filled = asyncio.Event()

        def harm() -> None:
            disk.fill()
            filled.set()

        tasks.create_task(load_until(venue, traders, acknowledgements, harm))
        await filled.wait()
        report.add("syncs_failed", int(await _is_not_ready(venue.url)))
        venue.kill()


async def _load_and_rest_until_a_sync_fails(
    disk: ThinDisk, venue: VenueProcess, traders: list[Trader], acknowledgements: int, report: Report
) -> None:
    has_failed, until_s = False, monotonic() + PATIENCE_S
    while not has_failed and monotonic() < until_s:
        disk.relieve()
        for trader in traders:
            async with RexClient(venue.url, trader.key) as client:
                for _ in range(acknowledgements // len(traders)):
                    trader.ledger.acknowledge(await client.place_order(trader.next_order()))
        disk.fill()
        has_failed = await _is_not_ready(venue.url, lambda: _log_bytes(disk) == 0)
    report.add("syncs_failed_at_rest", int(has_failed))
    venue.kill()


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


def _log_bytes(disk: ThinDisk) -> int:
    return log_of(disk.folder / JOURNAL_FILE).stat().st_size


RIG = Rig("failed_sync", run, "trials", short=5, long=50)

if __name__ == "__main__":
    sys.exit(main(RIG, __doc__))
