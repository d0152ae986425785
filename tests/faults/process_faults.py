"""The leading sequencer is killed, ended or stopped; those who follow the journal are killed, and the read database is rebuilt.

A standby takes over from the leader. One that was stopped goes on afterwards, and must end with exit status 3 and say that it
was deposed, having written nothing. A projector kills itself at a statement drawn from the seed: before it, or when PostgreSQL
has it. Before each rebuild, too, the read database must equal one that was made anew from the journal.
"""

from __future__ import annotations

import asyncio
import signal
from functools import partial

from services.processes.exit_codes import ExitCode
from services.read_model.tables import metadata
from services.scaled.launch import DidNotStart
from tests.faults.promises import AFTER, check_stores
from tests.faults.scaled_mutants import killed_at_statement
from tests.faults.stage import Wired
from tests.integration.postgres_journal import execute

STATEMENTS = range(1, 41)
"""A projector's start takes seven statements, each of its transactions about ten."""
WITHIN = range(10, 11)
"""The third statement of the first transaction: the position is written, and most of the rows are not."""
PROJECTOR = "projector 1"
_ENDS = {signal.SIGKILL: -signal.SIGKILL, signal.SIGTERM: ExitCode.OK, signal.SIGSTOP: ExitCode.OTHER_WRITER}


async def _depose(number: signal.Signals, stage: Wired) -> None:
    """Harms the leader; when a standby takes orders, a stopped leader goes on, and must notice."""
    venue, report = stage.venue, stage.report
    leader = await asyncio.to_thread(venue.leader)
    process, epoch = venue.processes[leader], stage.query("SELECT epoch FROM journal_writer")
    process.signal(number)
    await stage.load.acknowledgements(AFTER)
    report.highest(f"longest_silence_after_{number.name.lower()}_ms", round(stage.load.longest_s * 1000))
    written = f"SELECT count(*), max(last_seq) FROM journal WHERE epoch = {epoch}"
    before = stage.query(written)
    if number == signal.SIGSTOP:
        process.signal(signal.SIGCONT)
    status = await asyncio.to_thread(process.ended)
    said = process.errors.read_text(errors="replace").strip()
    if status != _ENDS[number]:
        report.broken.append(f"after {number.name} the old leader ended with status {status}: {said}")
    if number == signal.SIGSTOP and ("deposed" not in said or "handed over" in said):
        report.broken.append(f"the deposed leader does not say that it was deposed: {said}")
    if stage.query(written) != before:
        report.broken.append(f"after {number.name} the old leader wrote after the take-over")
    await asyncio.to_thread(venue.replace, leader)


OF_LEADER = {
    "sigkill": partial(_depose, signal.SIGKILL),
    "sigterm": partial(_depose, signal.SIGTERM),
    "sigstop": partial(_depose, signal.SIGSTOP),
}


async def _kill_at_a_statement(stage: Wired) -> None:
    """The projector that runs is killed too; the one that kills itself continues from its position."""
    await asyncio.sleep(stage.random.uniform(0.0, 0.06))  # Anywhere within a transaction of the projector.
    venue, mutant = stage.venue, stage.venue.mutants.get("projector")
    number, sent = stage.random.choice(STATEMENTS), stage.random.random() < 0.5
    try:
        process = await asyncio.to_thread(
            venue.restart, PROJECTOR, mutant=partial(killed_at_statement, number, sent=sent, mutant=mutant)
        )
    except DidNotStart:  # It died before it could say that it was ready.
        await asyncio.to_thread(venue.start, PROJECTOR)
        return
    status = await asyncio.to_thread(process.ended)
    if status != -signal.SIGKILL:
        stage.report.broken.append(f"a projector that was to kill itself ended with status {status}: {process.said}")
    await asyncio.to_thread(venue.restart, PROJECTOR)


async def _kill_gateway(stage: Wired) -> None:
    gateways = [name for name in stage.venue.processes if name.startswith("gateway")]
    await asyncio.to_thread(stage.venue.restart, stage.random.choice(gateways))


async def _kill_projector(stage: Wired) -> None:
    await asyncio.sleep(stage.random.uniform(0.0, 0.06))
    await asyncio.to_thread(stage.venue.restart, PROJECTOR)


async def _rebuild(stage: Wired) -> None:
    await check_stores(stage)
    await execute(stage.database_url, f"TRUNCATE {', '.join(metadata.tables)}")
    await (_kill_at_a_statement if stage.random.random() < 0.5 else _kill_projector)(stage)


async def _kill_both(stage: Wired) -> None:
    """A gateway starts while there is no projector."""
    stage.venue.processes[PROJECTOR].signal(signal.SIGKILL)
    await _kill_gateway(stage)
    await _kill_projector(stage)


OF_FOLLOWERS = {
    "statement": _kill_at_a_statement,
    "gateway": _kill_gateway,
    "projector": _kill_projector,
    "rebuild": _rebuild,
    "both": _kill_both,
}
