"""All kinds of load at once, for a given time, over restarts and trading days: the venue may not grow.

    python -m tests.faults soak --count 7200 --seed 1

The load on a `rex serve`: two members place and cancel orders; subscribers connect, read for a while and leave; clients that
never read stay until others replace them; pages are opened. A trading day takes a minute. The first fifth of the time has
four lives of the venue, ended by SIGTERM and SIGKILL in turn; the last life has the rest. Every second the memory, descriptors
and sockets of the venue's processes are read; a table is printed to standard error. The last life goes on until clients of
every kind have come.

The promises: after the warm-up, a quarter of the last life, memory grows by less than 1 MB an hour, by least squares (more than
twice the error of the slope above that is a broken promise); when all clients have left, each process has as many sockets as
before they came, and no more descriptors than its pools hold; no order failed; no temporary file and no file in the data folder
is left but journal, read database, keys, snapshots and their companions. The first lives are not judged by their memory, nor
is one of less than five minutes.
"""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from time import monotonic

from services.files.data_folder import JOURNAL_FILE, READ_DATABASE_FILE
from services.snapshots.folder import SNAPSHOTS_FOLDER
from services.venue.first_start import KEYS_FILE
from services.venue.key_uses import KEY_USES_FILE
from tests.faults.process_figures import figures
from tests.faults.rig import Advance, Report, Rig
from tests.faults.soak_figures import Watch, left_behind, when_all_have_left
from tests.faults.soak_load import ClientFailed, SoakLoad
from tests.faults.soak_mutants import soaked
from tests.faults.traders import Trader, open_traders
from tests.faults.venue_process import VenueProcess, serve
from tests.patience import AsyncHttpClient

SHORT_LIVES = 4
SHORT = 0.05
"""The part of the time that each of the first lives has."""
KEPT = (JOURNAL_FILE, READ_DATABASE_FILE, KEYS_FILE, KEY_USES_FILE, SNAPSHOTS_FOLDER)


def run(seconds: int, seed: int, advance: Advance) -> Report:
    """Runs the soak for `seconds`."""
    report, random = (
        Report("soak", {"orders": 0, "subscribers": 0, "deaf_clients": 0, "pages": 0, "cancels": 0}),
        Random(seed),
    )
    lives = [max(1, int(seconds * SHORT))] * SHORT_LIVES if seconds >= 2 * SHORT_LIVES else []
    lives.append(seconds - sum(lives))
    with TemporaryDirectory() as work:
        folder, temporary = Path(work) / "rex-data", Path(work) / "tmp"
        temporary.mkdir()
        mutant, traders = partial(soaked, time.time_ns(), temporary), list[Trader]()
        for number, lasts_s in enumerate(lives):
            with serve(folder, mutant=mutant) as venue:
                is_last = number == len(lives) - 1
                try:
                    watch = asyncio.run(_life(venue, traders, lasts_s, random, report, advance, is_last=is_last))
                except ClientFailed as failed:
                    report.broken.append(str(failed))
                    break
                if is_last or number % 2:
                    if (status := venue.stop()) != 0:
                        report.broken.append(f"the venue ended with status {status}: {venue.said.strip()}")
                else:
                    venue.process.kill()
                    venue.ended()
                report.add("lives")
            sys.stderr.write(watch.table())
        report.broken += [f"{name} is left in the folder for temporary files" for name in left_behind(temporary)]
        others = [name for name in left_behind(folder) if not name.startswith(KEPT)]
        report.broken += [f"{name} is left in the data folder" for name in others]
    return report


async def _life(
    venue: VenueProcess,
    traders: list[Trader],
    seconds: int,
    random: Random,
    report: Report,
    advance: Advance,
    *,
    is_last: bool,
) -> Watch:
    traders += [] if traders else await open_traders(venue)
    async with AsyncHttpClient(base_url=venue.url) as client:
        (await client.get("/ui/")).raise_for_status()  # It starts the process that makes reports, which stays.
    stays, watch = _pids(venue), Watch()
    before = {name: figures(pid) for name, pid in stays.items()}
    async with SoakLoad([venue.url], traders, random, report, pages=venue.url) as load:
        began_s = monotonic()
        for second in load.seconds(seconds) if is_last else range(seconds):
            await asyncio.sleep(max(0.0, began_s + second + 1 - monotonic()))
            watch.look(stays)
            load.check()
            advance()
    report.counts["orders"] += load.orders
    after = await when_all_have_left(stays, before)
    watch.judge(before, after, report, memory=is_last)
    return watch


def _pids(venue: VenueProcess) -> Mapping[str, int]:
    """The venue, and the processes that it has started and that stay."""
    children = [
        int(pid) for listed in Path(f"/proc/{venue.pid}/task").glob("*/children") for pid in listed.read_text().split()
    ]
    return {"venue": venue.pid, **{f"child {number}": pid for number, pid in enumerate(sorted(children), start=1)}}


RIG = Rig("soak", run, "seconds", short=60, long=1_800)
