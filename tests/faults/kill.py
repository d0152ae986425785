"""Kills a whole venue under load (SIGKILL), again and again, and looks for every acknowledged order and every row.

    python -m tests.faults.kill --kills 300 --seed 1

The process is killed after a number of acknowledgements drawn from the seed. The restarted venue must have each order that was
ever acknowledged in this folder: once, with its id, filled at least as far. Orders without a reply are sent again. Its read
database must equal, row by row in every table, one rebuilt from the journal, and `rex journal verify --prove` must call the
journal good. After every ten kills a new folder begins. Every acknowledgement counts, even one that is read after the kill: the
process had sent it before it died.
"""

from __future__ import annotations

import asyncio
import json
import sys
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory

from services.journal.errors import JournalError
from services.read_model.errors import ReadDatabaseRefused
from services.scaled.launch import DidNotStart
from tests.faults.rebuilt import differences
from tests.faults.rig import Advance, Report, Rig, main
from tests.faults.traders import Trader, check_ledgers, load_until, open_traders
from tests.faults.venue_process import Mutant, rex, serve

KILLS_A_FOLDER = 10
FEWEST, MOST = 5, 600
"""The fewest and the most acknowledgements before a kill."""


def run(kills: int, seed: int, advance: Advance, *, mutant: Mutant | None = None) -> Report:
    """Runs `kills` kills; with a mutant, those of one folder at most."""
    report = Report("kill")
    random = Random(seed)
    for first in range(0, kills, KILLS_A_FOLDER):
        with TemporaryDirectory() as work:
            count = min(KILLS_A_FOLDER, kills - first)
            asyncio.run(_one_folder(Path(work) / "rex-data", count, random, report, advance, mutant))
    return report


async def _one_folder(
    folder: Path, kills: int, random: Random, report: Report, advance: Advance, mutant: Mutant | None
) -> None:
    traders: list[Trader] = []
    for kill in range(kills + 1):
        try:
            with serve(folder, mutant=mutant) as venue:
                if kill == 0:
                    traders = await open_traders(venue)
                else:
                    for trader in traders:
                        trader.ledger.owe_late_ones()
                    await check_ledgers(venue.url, traders, report)
                    advance()
                if kill == kills or (mutant and report.broken):
                    return
                await load_until(venue, traders, random.randint(FEWEST, MOST), venue.kill)
        except DidNotStart as reason:
            report.broken.append(f"after kill {kill}: {reason}")
            return
        try:
            report.broken += [f"after kill {kill + 1} {fault}" for fault in await differences(folder)]
            report.add("rebuilt_row_for_row")
        except (JournalError, ReadDatabaseRefused) as error:
            report.broken.append(f"after kill {kill + 1}: {error}")
        proof = rex("journal", "verify", "--data-dir", folder, "--prove", "--json")
        if proof.exit_status != 0 or not json.loads(proof.out)["good"]:
            report.broken.append(f"after kill {kill + 1} verify says: {proof.out}{proof.err}")


RIG = Rig("kill", run, "kills", short=20, long=300)

if __name__ == "__main__":
    sys.exit(main(RIG, __doc__))
