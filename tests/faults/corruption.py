"""Damages one file of a killed venue's folder, with every kind of damage, and checks that the damage is noticed.

    python -m tests.faults corruption --count 2000 --seed 1

The folder is that of a venue that was killed under load: journal and read database both have data in their main file and in
their write-ahead log, and the read database is at the journal's end. For each damage, one file of a copy of the folder is
damaged; then `rex journal verify --prove`, `rex report YEAR --prove` and a start run on it. The result is

    detected   one of the three reports it in a sentence, with a non-zero status
    healed     everything acknowledged is there; the read database was rebuilt from the journal
    harmless   everything acknowledged is there; nothing had to be done
    wrong      a command is lost and one of the three reports "good"; a different figure with status 0; the started venue's data
               differ from the journal; a traceback; a process that hangs; or, if the journal was damaged, the advice to
               remove the read database, the only witness of the loss

`wrong` breaks the promise. The rig also counts the damages of each file, and how often each of the three was wrong.
"""

from __future__ import annotations

import asyncio
import json
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import ExitStack, closing
from dataclasses import dataclass
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory

from services.files.data_folder import JOURNAL_FILE, READ_DATABASE_FILE
from services.journal.errors import JournalError
from services.journal.sqlite import SqliteJournal
from services.read_model.errors import ReadDatabaseRefused
from services.read_model.projector import catch_up
from services.read_model.sqlite_writer import SqliteWriter
from services.scaled.launch import DidNotStart
from tests.faults.damage import damage
from tests.faults.rebuilt import Rebuilt, differences, rebuild
from tests.faults.rig import Advance, Report, Rig, scratch
from tests.faults.traders import load_until, open_traders
from tests.faults.venue_process import Finished, rex, serve

ORDERS = 300
"""The orders acknowledged before the clean stop, and again before the kill."""
FILES = {
    JOURNAL_FILE: 6,
    f"{JOURNAL_FILE}-wal": 12,
    READ_DATABASE_FILE: 4,
    f"{READ_DATABASE_FILE}-wal": 4,
    "keys.json": 2,
    f"{JOURNAL_FILE}.lock": 1,
}
"""The weight with which each file is chosen."""
WITNESS = "remove it, and the next start"
HISTORY = ("trades", "busts", "daily_turnover", "target")
"""The tables on which the acceptance of no order depends."""


@dataclass(frozen=True)
class Victim:
    """A killed venue's folder, and the answers of the three for an undamaged copy."""

    folder: Path
    rebuilt: Rebuilt
    verified: dict[str, object]
    reported: dict[str, object]


def run(damages: int, seed: int, advance: Advance) -> Report:
    """Applies `damages` damages, each to a new copy."""
    report = Report("corruption", {"detected": 0, "healed": 0, "harmless": 0, "wrong": 0})
    random = Random(seed)
    with TemporaryDirectory(dir=scratch()) as work:
        victim = asyncio.run(_victim(Path(work) / "victim"))
        for number in range(damages):
            copy = Path(work) / "copy"
            shutil.copytree(victim.folder, copy)
            [name] = random.choices(list(FILES), list(FILES.values()))
            what = f"damage {number} to {name} ({damage(copy / name, random)})"
            _judge(victim, copy, name, what, report)
            shutil.rmtree(copy)
            advance()
    return report


async def _victim(folder: Path) -> Victim:
    running = folder.with_name("running")
    with serve(running) as venue:
        traders = await open_traders(venue)
        await load_until(venue, traders, ORDERS, venue.process.terminate)
        venue.stop()
    with ExitStack() as opened:
        while True:
            with serve(running) as venue:
                # A connection stays open: the projector ends by itself after the kill, and the last connection to close would
                # checkpoint the log into the main file.
                reading = opened.enter_context(closing(sqlite3.connect(running / READ_DATABASE_FILE)))
                reading.execute("SELECT * FROM position").fetchone()
                await load_until(venue, traders, ORDERS, venue.kill)
            if (running / f"{JOURNAL_FILE}-wal").stat().st_size:
                break  # Otherwise it was killed right after a checkpoint emptied its log.
        journal = await SqliteJournal.open(running / JOURNAL_FILE, read_only=True)
        await catch_up(SqliteWriter(running / READ_DATABASE_FILE), journal)
        shutil.copytree(running, folder)
        await journal.close()
    for name in FILES:
        assert (folder / name).stat().st_size, f"{name} is to have something that can be damaged"
    copy = folder.with_name("undamaged")
    shutil.copytree(folder, copy)
    verified, reported = _verify(copy), _report(copy, str(_year(copy)))
    return Victim(folder, await rebuild(copy), _answer(verified), _answer(reported))


def _answer(finished: Finished) -> dict[str, object]:
    """The part of its answer that concerns the journal, without what it says of the read database and of paths."""
    found: dict[str, object] = json.loads(finished.out)
    found.pop("witness", None)
    found.pop("checked", None)
    return found


def _year(folder: Path) -> int:
    """The year of the folder's trading day. Reading it may checkpoint the read database's log into its main file."""
    with closing(sqlite3.connect(folder / READ_DATABASE_FILE)) as connection:
        (trading_date,) = connection.execute("SELECT trading_date FROM position").fetchone()
    return int(trading_date) // 10_000


def _verify(folder: Path) -> Finished:
    return rex("journal", "verify", "--data-dir", folder, "--prove", "--json")


def _report(folder: Path, year: str) -> Finished:
    return rex("report", year, "--data-dir", folder, "--prove", "--json")


def _judge(victim: Victim, copy: Path, name: str, what: str, report: Report) -> None:
    """Runs the three commands on the damaged copy and counts the result."""
    of_journal = name.startswith(JOURNAL_FILE) and not name.endswith(".lock")
    wrong: list[str] = []
    sentences: list[str] = []
    for who, finished, expected in (
        ("verify", _verify(copy), victim.verified),
        ("report", _report(copy, str(victim.reported["year"])), victim.reported),
    ):
        if finished.exit_status == 0 and _answer(finished) == expected:
            continue
        if finished.exit_status == 0:
            wrong.append(f"{who} says another thing with status 0")
            continue
        sentences.append(f"{who}: {finished.out}{finished.err}")
        wrong += [f"{who} {fault}" for fault in _not_a_sentence(finished)]
    started = _start(victim, copy)
    sentences += [started.refused] if started.refused else []
    wrong += started.wrong
    if of_journal and any(WITNESS in sentence for sentence in sentences):
        wrong.append("advice: remove the read database, the only witness")
    _count(report, name, what, wrong, bool(sentences), started.rebuilt)


def _count(report: Report, name: str, what: str, wrong: list[str], detected: bool, healed: bool) -> None:
    verdict = "wrong" if wrong else "detected" if detected else "healed" if healed else "harmless"
    report.add(verdict)
    report.add(f"{verdict}:{name}")
    for fault in wrong:
        report.add(f"wrong_{fault.split()[0].rstrip(':')}")
    if wrong:
        report.broken.append(f"{what}: {'; '.join(wrong)}")


def _not_a_sentence(finished: Finished) -> Iterator[str]:
    said = finished.out + finished.err
    if finished.is_traceback:
        yield f"ends in a traceback: {said.strip().splitlines()[-1]}"
    elif finished.exit_status is None or finished.exit_status < 0:
        yield f"hangs or is killed by a signal ({finished.exit_status})"
    elif not said.strip():
        yield f"says nothing (status {finished.exit_status})"


@dataclass
class Started:
    """The result of a start on the damaged folder."""

    refused: str = ""
    rebuilt: bool = False
    wrong: tuple[str, ...] = ()


def _start(victim: Victim, copy: Path) -> Started:
    try:
        with serve(copy) as venue:
            venue.kill()
            said = venue.said
    except DidNotStart as refusal:
        finished = Finished(refusal.exit_status, "", refusal.said)
        return Started(str(refusal), wrong=tuple(f"start {fault}" for fault in _not_a_sentence(finished)))
    try:
        wrong = asyncio.run(_holds_another(victim, copy))
    except (JournalError, ReadDatabaseRefused, sqlite3.Error) as error:
        wrong = [f"start serves what cannot be read: {error}"]
    return Started(rebuilt="rebuil" in said.lower(), wrong=tuple(wrong))


async def _holds_another(victim: Victim, copy: Path) -> list[str]:
    """The differences between the started venue's data and the undamaged venue's. The former may have journaled more."""
    now = await rebuild(copy)
    seq = victim.rebuilt.last_seq
    if now.hashes.get(seq) != victim.rebuilt.hashes[seq]:
        return [f"start serves a journal that has lost commands: it ended at seq {seq} and reaches {now.last_seq}"]
    faults = await differences(copy, now)
    return [
        f"{'history' if fault.table in HISTORY else 'start'} is another than the journal makes: {fault}"
        for fault in faults
    ]


RIG = Rig("corruption", run, "damages", short=60, long=2_000)
