"""Lets the device of a running venue fail, under orders and reads, and looks at how the venue ends.

    python -m tests.faults.failed_device --trials 24 --seed 1

A `rex serve` has its folder on a loop-mounted ext4 image (`loop_disk.py`), and the file system is shut down under it: from then
on every read and write of journal and read database is refused (EIO). Which file meets it first differs from trial to trial. In
every third trial no orders are under way. The process must end by itself, with status 4 and one sentence, and never with a
traceback, whatever its readers ask meanwhile.
"""

from __future__ import annotations

import asyncio
import sys
from random import Random

import httpx

from services.processes.exit_codes import ExitCode
from tests.faults.loop_disk import LoopDisk, loop_disk
from tests.faults.rig import Advance, Report, Rig, main
from tests.faults.traders import load_until, open_traders
from tests.faults.venue_process import VenueProcess, serve
from tests.patience import AsyncHttpClient

READERS = 4
READ = ("/v1/reports/turnover/2026", "/v1/orders?state=all", "/v1/reports/journal/1", "/v1/admin/log")
FEWEST, MOST = 5, 200
"""Acknowledgements before the device fails."""
RESTING = 3
"""In every such trial no orders are under way."""


def run(trials: int, seed: int, advance: Advance) -> Report:
    """Runs `trials` trials, each on a new disk. Raises CannotRun."""
    report = Report("failed_device", {"reads_refused": 0})
    random = Random(seed)
    for trial in range(1, trials + 1):
        with loop_disk() as disk:
            asyncio.run(_one_disk(disk, random.randint(FEWEST, MOST), trial % RESTING == 0, report))
        advance()
    return report


async def _one_disk(disk: LoopDisk, acknowledgements: int, at_rest: bool, report: Report) -> None:
    with serve(disk.folder) as venue:
        traders = await open_traders(venue)
        async with asyncio.TaskGroup() as readers:
            for _ in range(READERS):
                readers.create_task(_read(venue, report))
            if at_rest:
                disk.cut()
            else:
                await load_until(venue, traders, acknowledgements, disk.cut)
        status, said = await asyncio.to_thread(venue.ended), venue.said
    if status != ExitCode.DEVICE_FAILED:
        report.broken.append(f"the venue ended with status {status}: {said.strip()[-300:]}")
    elif "Traceback (most recent call last)" in said or "rex: " not in said:
        report.broken.append(f"it did not say in a sentence why it ended: {said.strip()[-300:]}")


async def _read(venue: VenueProcess, report: Report) -> None:
    """Reads until the venue is gone."""
    key = {"authorization": f"Bearer {venue.operator_key}"}
    async with AsyncHttpClient(base_url=venue.url, headers=key) as client:
        try:
            while True:
                for path in READ:
                    report.add("reads_refused", int((await client.get(path)).status_code == 503))
        except httpx.TransportError:
            return


RIG = Rig("failed_device", run, "trials", short=6, long=24)

if __name__ == "__main__":
    sys.exit(main(RIG, __doc__))
