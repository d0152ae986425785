"""Cuts the power of a venue's disk in the middle of load, again and again, and looks for every acknowledged order.

    python -m tests.faults.power_cut --cycles 500 --seed 1

A whole `rex serve` keeps its folder on a loop-mounted ext4 image (`loop_disk.py`). Two members trade over WebSocket and REST;
at a number of acknowledgements drawn from the seed the power is cut, the process killed, the image mounted again. Then
`rex journal verify --prove` must call the journal good, the venue must start, and each order that was ever acknowledged in
this folder must be there: once, with its id, filled at least as far. Orders that were never answered are sent again. Every
ten cycles begin a fresh disk.

What it can show: an acknowledgement that was given before its row was on the device. The mutant (`mutants.py`,
PRAGMA synchronous=OFF) is caught within 8 cycles. What it cannot show: a device that lies about a flush; and an
acknowledgement that was read after the cut began. An fdatasync that is under way when the power goes may return 0 for data
that is not there, so the venue, which on this machine is still running, acknowledges it; with a real power cut nobody is there
to say so. Such late acknowledgements are counted (`late_kept`, `late_lost`, `times_late_ones_were_lost`) and not owed.
"""

from __future__ import annotations

import asyncio
import json
import sys
from functools import partial
from random import Random

from tests.faults.loop_disk import LoopDisk, loop_disk
from tests.faults.rig import Advance, Report, Rig, main
from tests.faults.traders import Trader, check_ledgers, load_until, open_traders
from tests.faults.venue_process import DidNotStart, Mutant, VenueProcess, rex, serve

CYCLES_A_DISK = 10
FEWEST, MOST = 5, 600
"""Acknowledgements before a cut."""
LINGER_S = (0.0, 0.002, 0.01)
"""How long the process goes on without power: what it acknowledges then is what a real cut would not let it say."""


def run(cycles: int, seed: int, advance: Advance, *, mutant: Mutant | None = None) -> Report:
    """So many cuts; with a mutant it ends at the first broken promise. Raises CannotRun."""
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
    """Cuts on one disk; after each the venue that comes back is checked and is the next one's victim. How many were made."""
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
