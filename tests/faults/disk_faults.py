"""PostgreSQL's disk loses its power, is full, cannot write, or is read-only; the venue acknowledges nothing then.

power of postgres     the processes of the venue run on, and must recover by themselves
power of everything   they were on the same machine: they are killed, and start again
full                  no room is left: the journal's table cannot grow
full log              no room is left when PostgreSQL begins the next file of its write-ahead log
io error              new blocks cannot be written: the fsync of a checkpoint fails, once
read only             ext4 meets an error and becomes read-only

In the last four the leading sequencer must say so in one sentence that names REX_DATABASE_URL, on /readyz. In every other row
it is killed then: what it had acknowledged without a commit would be lost. After the disk is well again PostgreSQL starts, if
it has ended, and then the power is cut: data that only the memory has are lost. After an error of the disk it is mounted again
before PostgreSQL starts (`postgres_machine.OPTIONS` says why).
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from contextlib import suppress
from functools import partial

from load_tests.servers.server_process import ServerFailed
from tests.faults.postgres_machine import PostgresMachine
from tests.faults.rig import until
from tests.faults.scaled_venue import ScaledVenue, read_health
from tests.faults.stage import Wired
from tests.patience import PATIENCE_S

MOST_SEGMENTS = 12
"""PostgreSQL keeps some files of its log for later: after so many no old one is left."""

Work = Callable[[PostgresMachine], None]


async def _in_thread(work: Callable[[Wired], None], stage: Wired) -> None:
    await asyncio.to_thread(work, stage)


def _cut(stage: Wired) -> None:
    stage.machine.cut_power()
    stage.machine.server.start()


def _cut_everything(stage: Wired) -> None:
    _cut(stage)
    restart_all(stage.venue)


def restart_all(venue: ScaledVenue) -> None:
    """After a power cut of the whole machine: every process of the venue is gone, and starts again."""
    for process in venue.processes.values():
        process.process.kill()
    for name in [*venue.processes]:
        venue.restart(name)


def _harm(harm: Work, mend: Work, kills: bool, stage: Wired) -> None:
    """Harms the disk until the leader says so, kills the leader or not, makes the disk well again, and cuts the power."""
    venue, machine = stage.venue, stage.machine
    leader = venue.leader()
    harm(machine)
    process = venue.processes[leader]
    until(
        lambda: "REX_DATABASE_URL" in " ".join(read_health(process.url).get("causes", ())),
        f"{leader} does not say what it waits for",
    )
    stage.report.add("said_why")
    if kills:
        process.process.kill()
    mend(machine)
    machine.until_it_answers()
    _cut(stage)
    if kills:
        venue.restart(leader)


def _fill_the_log(machine: PostgresMachine) -> None:
    machine.fill()
    with suppress(ServerFailed):
        for _ in range(MOST_SEGMENTS):
            machine.server.query("SELECT pg_switch_wal(); INSERT INTO filler VALUES (1)")


def _fail_a_checkpoint(machine: PostgresMachine) -> None:
    machine.disk.fill()
    deadline = time.monotonic() + PATIENCE_S
    with suppress(ServerFailed):
        while time.monotonic() < deadline:  # Until a new block was among those that it writes.
            machine.server.query("CHECKPOINT")


_DISK: dict[str, tuple[Work, Work]] = {
    "full": (PostgresMachine.fill, PostgresMachine.empty),
    "full log": (_fill_the_log, PostgresMachine.empty),
    "io error": (_fail_a_checkpoint, PostgresMachine.remount),
    "read only": (PostgresMachine.make_read_only, PostgresMachine.remount),
}
_WORKS: dict[str, Callable[[Wired], None]] = {
    "power of postgres": _cut,
    "power of everything": _cut_everything,
    **{name: partial(_harm, *works, False) for name, works in _DISK.items()},
    **{f"{name} and a kill": partial(_harm, *works, True) for name, works in _DISK.items()},
}
HARMS = {name: partial(_in_thread, work) for name, work in _WORKS.items()}
