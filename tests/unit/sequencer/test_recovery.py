"""Recovery: it gives the same state, or is refused with the number of the command."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from matching_engine import Engine
from matching_engine.records import EVENT, Command
from services.commands.administrative import change_cash, open_account
from services.commands.attachments import AccountText
from services.journal import JournalCorrupt
from services.journal.sqlite import SqliteJournal
from services.journal.verify import verify
from services.sequencer.recovery import recover
from tests.model.naive_engine import NaiveEngine
from tests.unit.read_model.history import day_roll
from tests.unit.sequencer.venue import running, venue

pytestmark = pytest.mark.anyio
SENDER = Command(gateway_id=1)


@pytest.fixture
async def path(tmp_path: Path) -> Path:
    """A journal of three batches: a day, an account, two deposits to it."""
    place = tmp_path / "journal"
    batches = [
        [day_roll(SENDER, 20230926)],
        [open_account(SENDER, AccountText(name="Baotou Magnets"))],
        [change_cash(SENDER, 2, 1_000), change_cash(SENDER, 2, 500)],
    ]
    async with venue(place) as one, running(one):
        for submissions in batches:
            for submission in submissions:
                await one.inbox.put(submission)
            await one.next_batch()
    return place


async def test_a_fresh_engine_comes_to_the_same_state(path: Path) -> None:
    async with venue(path) as one:
        progress: list[int] = []
        engine = Engine()
        done = await recover(engine, one.journal, progress.append)
        assert (done.last_seq, done.commands, progress) == (4, 4, [1, 2, 4])
        assert engine.cash(2) == (1_500, 0)
        assert engine.trading_date == 20230926
        assert engine.state_hash() == one.engine.state_hash()


async def test_an_empty_journal_needs_no_recovery(tmp_path: Path) -> None:
    journal = await SqliteJournal.open(tmp_path / "journal")
    done = await recover(Engine(), journal)
    assert (done.last_seq, done.commands) == (0, 0)
    await journal.close()


class Generous(NaiveEngine):
    """Another engine: it books one fen more."""

    def deposit(self, c: Command) -> None:
        super().deposit(c._replace(amount_fen=c.amount_fen + (c.amount_fen == 500)))


async def test_an_engine_that_would_answer_otherwise_is_refused_at_the_command(path: Path) -> None:
    journal = await SqliteJournal.open(path)
    with pytest.raises(JournalCorrupt, match="re-executed, seq 4 makes other events than the journal holds") as corrupt:
        await recover(Generous(), journal)
    assert corrupt.value.seq == 4
    await journal.close()


async def forge(path: Path, **changes: bytes) -> None:
    """Rewrites the last batch with a correct hash and checksum, as a forger would."""
    journal = await SqliteJournal.open(path)
    batch = await journal.last_batch()
    await journal.close()
    assert batch is not None
    with closing(sqlite3.connect(path)) as connection, connection:
        forged = replace(batch, **changes)  # type: ignore[arg-type]
        connection.execute("UPDATE rows SET data = ? WHERE first_seq = ?", (forged.encode(), batch.first_seq))


async def last_events(path: Path) -> bytes:
    journal = await SqliteJournal.open(path, read_only=True)
    batch = await journal.last_batch()
    await journal.close()
    assert batch is not None
    return batch.events


async def test_verification_reads_the_chain_and_on_request_proves_it(path: Path) -> None:
    journal = await SqliteJournal.open(path, read_only=True)
    last = await journal.last_batch()
    assert last is not None
    progress: list[int] = []
    plain = await verify(journal, on_progress=progress.append)
    assert (plain.good, plain.batches, plain.commands, plain.last_seq) == (True, 3, 4, 4)
    assert (plain.last_hash, plain.state_hash, progress) == (last.hash, None, [1, 2, 4])
    engine = Engine()
    proved = await verify(journal, engine=engine)
    assert (proved.good, proved.state_hash) == (True, engine.state_hash())
    await journal.close()


@pytest.mark.parametrize("kept", [0, EVENT.itemsize])
async def test_only_the_proof_sees_events_that_were_forged_with_their_hash(path: Path, kept: int) -> None:
    events = await last_events(path)
    await forge(path, events=events[:kept])
    journal = await SqliteJournal.open(path, read_only=True)
    assert (await verify(journal)).good
    proved = await verify(journal, engine=Engine())
    await journal.close()
    seq = 4 if kept else 3
    assert (proved.good, proved.error_seq, proved.batches, proved.last_seq) == (False, seq, 2, 2)
    assert proved.error == f"re-executed, seq {seq} makes other events than the journal holds for it"
    assert proved.state_hash is None


async def test_verification_names_the_first_damage_and_what_is_good_before_it(path: Path) -> None:
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("UPDATE rows SET data = x'00' WHERE first_seq = 2")
    journal = await SqliteJournal.open(path, read_only=True)
    result = await verify(journal)
    await journal.close()
    assert (result.good, result.batches, result.last_seq, result.error_seq) == (False, 1, 1, 2)
    assert result.error == "the row stored for seq 2 is damaged: a row of 1 bytes is shorter than a row's header"


async def test_misnumbered_commands_are_refused(path: Path) -> None:
    journal = await SqliteJournal.open(path, read_only=True)
    batch = await journal.last_batch()
    await journal.close()
    assert batch is not None
    await forge(path, commands=batch.commands[160:] + batch.commands[:160])
    journal = await SqliteJournal.open(path)
    with pytest.raises(JournalCorrupt, match="the commands of the row from seq 3 are misnumbered"):
        await recover(Engine(), journal)
    await journal.close()
