"""The walk of `rex journal verify`, and what it says of what it found.

Apart from the command, since it imports the engine and both databases: `rex --help` starts without them.
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple

import typer
from rich.markup import escape

from matching_engine import Engine
from services.cli.terminal import progress
from services.commands.readable import troubles_of
from services.journal import Journal, JournalBatch, JournalError, JournalRefused
from services.journal.archives.checking import CheckedArchives
from services.journal.sqlite import SqliteJournal
from services.journal.verify import Verification
from services.journal.verify import verify as walk
from services.journal.witness import Witness
from services.read_model.audit.proof import ReadDatabaseProof
from services.read_model.errors import ReadDatabaseForeign
from services.snapshots.proof import SnapshotProof
from services.values.decimals import counted
from services.venue.at_rest import at_rest
from services.venue.standing_snapshots import store_of

_ADVICE = (
    "If that line is whole and of this journal, the journal was changed at or before that row since the line was noted: start"
    " nothing on it and keep all files. Older lines say how far it is still true; restore a copy for which this line is found"
    " (docs/durability.md)"
)
"""Where the journal holds another row than `--expect` says."""


class VerifiedJournal(NamedTuple):
    """What the walk found."""

    result: Verification
    note: str
    """What the read database remembers, or why it is no witness."""
    differences: list[str]
    """Of the read database, where the journal was proved: what it holds otherwise."""
    snapshots: SnapshotProof
    archives: CheckedArchives | None
    """Of a journal in a folder that is good so far, if the archives are good, too."""

    @property
    def good(self) -> bool:
        """Whether journal, read database and snapshots are as they should be."""
        return self.result.good and not self.differences and not self.snapshots.differences


def witness_of(text: str) -> Witness:
    """What `SEQ:HASH` says; anything else is bad usage."""
    match = re.fullmatch(r"([1-9]\d{0,18}):([0-9a-fA-F]{64})", text)
    if match is None:
        raise typer.BadParameter(
            f"'{text}' is not SEQ:HASH: a sequence number from 1 on and the 64 hexadecimal digits of a hash",
            param_hint="--expect",
        )
    return Witness(int(match[1]), bytes.fromhex(match[2]), f"--expect {text}", _ADVICE)


async def verify_journal(
    place: str | Path, prove: bool, expected: list[Witness], show: bool, archives: Path | None = None
) -> VerifiedJournal:
    """Walks the journal in a folder or at a URL; `prove` also re-executes it. Shows a bar where `show` is true.

    `archives` is the folder of the archived days, if it is not in the data folder."""
    async with at_rest(place, archives=archives) as venue:
        journal = venue.journal
        foreign, read_database, archived = [], None, None
        try:
            read_database, note = await venue.witness()
        except ReadDatabaseForeign as other:
            note = str(other)
            foreign = [note]
        snapshots = await SnapshotProof.of(store_of(place), journal.journal_id)
        engine = Engine() if prove else None
        with progress(show) as bar, contextlib.ExitStack() as held:
            proof = None
            if engine is not None and not foreign:
                file = await venue.read_database_file(Path(held.enter_context(TemporaryDirectory())) / "copy.sqlite")
                proof = held.enter_context(ReadDatabaseProof(file, journal.journal_id, engine))
            task = bar.add_task("verifying", total=await _length(journal))
            result = await walk(
                journal,
                engine=engine,
                witnesses=[*expected, *([read_database] if read_database is not None else []), *snapshots.witnesses],
                on_progress=lambda seq: bar.update(task, completed=seq),
                on_batch=partial(_take, engine, proof, snapshots),
            )
            if result.good and isinstance(journal, SqliteJournal):
                try:
                    archived = await journal.check_archives()
                except JournalError as error:
                    result = _with_error(result, error)
        return VerifiedJournal(result, note, proof.differences if proof is not None else foreign, snapshots, archived)


def _take(
    engine: Engine | None, proof: ReadDatabaseProof | None, snapshots: SnapshotProof, batch: JournalBatch
) -> None:
    """Compares the read database and the snapshots, each at its place. Raises JournalRefused for a text that no reader could
    read."""
    if proof is not None:
        proof.take(batch)
    if engine is not None:
        snapshots.take(batch, engine)
        _check_texts(batch)


def _check_texts(batch: JournalBatch) -> None:
    """Reads each text that a command names."""
    for place, number, sentence in troubles_of(batch.commands, batch.attachments):
        if number:
            seq = batch.first_seq + place
            raise JournalRefused(f"seq {seq}: {sentence}", seq)


def _with_error(result: Verification, error: JournalError) -> Verification:
    return replace(
        result,
        error=str(error),
        operator_sentence=error.operator_sentence,
        error_seq=error.seq or result.last_seq + 1,
    )


async def _length(journal: Journal) -> int | None:
    """The last sequence number; None where the last row is damaged, which the walk will find and name."""
    try:
        last = await journal.last_batch()
    except JournalError:
        return None
    return last.last_seq if last else 0


def document(found: VerifiedJournal, witnesses: list[Witness]) -> dict[str, Any]:
    """For programs: the object that `--json` prints."""
    result = found.result
    return {
        "good": found.good,
        "journal_id": result.journal_id.hex(),
        "rows": result.batches,
        "commands": result.commands,
        "last_seq": result.last_seq,
        "last_hash": result.last_hash.hex(),
        "state_hash": result.state_hash,
        "error_seq": result.error_seq,
        "error": result.error,
        "witness": found.note,
        "snapshots": {"seqs": found.snapshots.seqs, "differences": found.snapshots.differences},
        "archives": found.archives._asdict() if found.archives is not None else None,
        "expected": [
            {"seq": witness.seq, "hash": witness.hash.hex(), "found": witness in result.confirmed}
            for witness in witnesses
        ],
        "differences": found.differences,
    }


def lines(found: VerifiedJournal) -> Iterator[str]:
    """For people, with rich's markup."""
    result = found.result
    verdict = "[green]good[/green]"
    if not result.good:
        verdict = f"[red]bad at seq {result.error_seq}[/red]: {escape(str(result.operator_sentence))}"
    yield f"{counted(result.batches, 'row')}, {counted(result.commands, 'command')}, last seq {result.last_seq:,}: {verdict}"
    yield f"last hash   {result.last_hash.hex()}"
    if result.good and result.last_seq:
        yield f"to keep     {result.last_seq}:{result.last_hash.hex()}"
    yield f"witness     {escape(found.note)}"
    if found.snapshots.seqs:
        yield f"snapshots   at {', '.join(f'seq {seq:,}' for seq in found.snapshots.seqs)}"
    if found.archives is not None and found.archives.days:
        yield f"archives    {_archives_sentence(found.archives)}"
    if result.state_hash is not None:
        yield f"state hash  {result.state_hash}"
    for difference in found.differences:
        yield f"[red]read database[/red]  {escape(difference)}"
    for difference in found.snapshots.differences:
        yield f"[red]snapshot[/red]  {escape(difference)}"


def _archives_sentence(archives: CheckedArchives) -> str:
    days = counted(archives.days, "day")
    later = f"; {archives.later_days:,} of them after the journal's last command" if archives.later_days else ""
    return f"{days} up to {archives.last_day}, all files as sealed{later}"
