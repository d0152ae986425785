"""Cuts the power of a venue's disk under load, again and again, and looks for every acknowledged order.

    python -m tests.faults.power_cut --cycles 500 --seed 1

A `rex serve` has its folder on a loop-mounted ext4 image (`loop_disk.py`). Two members trade over WebSocket and REST. After a
number of acknowledgements drawn from the seed, the power is cut, the process is killed, and the image is mounted again. Then
`rex journal verify --prove` must call the journal good, the venue must start, and each order that was ever acknowledged in
this folder must be there: once, with its id, filled at least as far. Orders without a reply are sent again. After every ten
cycles a new disk begins.

The rig detects an acknowledgement that was sent before its batch was durable: it catches the mutant (`mutants.py`, PRAGMA
synchronous=OFF) within 8 cycles. It does not detect a device that reports a flush it has not made, nor a false acknowledgement
that is read after the cut began. An fdatasync that is under way when the power is cut may return 0 for data that are not on the
device, and the venue, which still runs on this machine, acknowledges them; at a real power cut the venue would be off. Such
late acknowledgements are counted (`late_kept`, `late_lost`, `times_late_ones_were_lost`) and not owed.
"""

from __future__ import annotations

import asyncio
import json
import sys
from functools import partial
from random import Random

from services.scaled.launch import DidNotStart
from tests.faults.loop_disk import LoopDisk, loop_disk
from tests.faults.rig import Advance, Report, Rig, main
from tests.faults.traders import Trader, check_ledgers, load_until, open_traders
from tests.faults.venue_process import Mutant, VenueProcess, rex, serve

CYCLES_A_DISK = 10
FEWEST, MOST = 5, 600
"""The fewest and the most acknowledgements before a cut."""
LINGER_S = (0.0, 0.002, 0.01)
"""How long the process runs on after the cut. At a real power cut it could send no acknowledgement in this time."""


def run(cycles: int, seed: int, advance: Advance, *, mutant: Mutant | None = None) -> Report:
    """Runs `cycles` cuts; with a mutant, ends at the first broken promise. Raises CannotRun."""
    report = Report("power_cut")
    random = Random(seed)
    done = 0
    while done < cycles and not report.broken:
        with loop_disk() as disk:
            done += asyncio.run(_one_disk(disk, min(CYCLES_A_DISK, cycles - done), random, report, advance, mutant))
    return report


async def _one_disk(
    disk: LoopDisk, cycles: int, random: Random, report: Report, advance: Advance, mutant: Mutant | None
) -> int:
    """Runs cuts on one disk; the venue that restarts after a cut is checked and then used for the next cut. Returns their
    number."""
    traders: list[Trader] = []
    for cycle in range(cycles + 1):
        try:
            with serve(disk.folder, mutant=mutant) as venue:
                if cycle == 0:
                    traders = await open_traders(venue)
                else:
                    await check_ledgers(venue.url, traders, report)
                    advance()
                if cycle == cycles or report.broken:
                    return cycle
                harm = partial(cut, disk, venue, random.choice(LINGER_S))
                await load_until(venue, traders, random.randint(FEWEST, MOST), harm)
        except DidNotStart as reason:
            report.broken.append(f"after cut {cycle}: {reason}")
            return cycle
        disk.restart()
        proof = rex("journal", "verify", "--data-dir", disk.folder, "--prove", "--json")
        if proof.exit_status != 0 or not json.loads(proof.out)["good"]:
            report.broken.append(f"after cut {cycle + 1} verify says: {proof.out}{proof.err}")
    return cycles


def cut(disk: LoopDisk, venue: VenueProcess, linger_s: float) -> None:
    disk.cut()
    asyncio.get_running_loop().call_later(linger_s, venue.kill)


RIG = Rig("power_cut", run, "cycles", short=20, long=500)

if __name__ == "__main__":
    sys.exit(main(RIG, __doc__))
