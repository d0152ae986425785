"""The proof of the figure: a year's turnover by four computations at one sequence number.

Compared is what was traded, gross − busted: the engine knows no decisions. What decisions exclude from it is compared apart:
SQL, from the tables of decisions and trades, with the decoder, which applies the journal's decisions anew.

1. the counter of the running engine, which the caller reads between two batches
2. SQL over the single trades of the read database, without busted ones
3. re-execution of the journaled commands up to that number in a fresh engine, each batch's events compared byte for byte;
   where `rex upgrade` sealed a state into the journal, of the commands after it, in an engine with that state
4. a decoder of the journal's rows that shares no code with REX and computes each trade's amount, fees and day anew (audit.py);
   an auditor can run it alone

The first three share the engine's multiplication. The re-executed engine also serves to compare the other tables of the read
database: money, goods, orders, keys (proof.py).
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any, Protocol

import numpy as np
from sqlalchemy.ext.asyncio import AsyncEngine

from matching_engine.records import COMMAND
from services.decimals import yuan_text
from services.journal import Journal
from services.journal.batch import JournalBatch
from services.journal.errors import JournalCorrupt
from services.journal.replay import StateMachine, re_execute
from services.read_database.audit.engine_tables import AuditedEngine
from services.read_database.audit.proof import ReadDatabaseProof
from services.read_database.database import path_of
from services.reporting.audit import Audit, Damaged, Decoder
from services.reporting.queries import read_position, sum_of_busts, sum_of_excluded, sum_of_trades

OnBatch = Callable[[JournalBatch], None]


class TurnoverEngine(StateMachine, AuditedEngine, Protocol):
    """An engine that counts turnover and shows its state."""


class FigureUnavailable(Exception):
    """The read database or the journal does not hold the sequence number that the figure is computed at."""


@dataclass(frozen=True)
class Figure:
    """A year's turnover in fen by four computations: gross − busted, then what decisions exclude from it, by two."""

    year: int
    seq: int
    engine_counter_fen: int | None
    """None where no engine is running (a report from a data folder)."""
    sql_sum_fen: int
    journal_replay_fen: int
    decoder: Audit
    """The sums of the independent decoder, and what in the journal disagrees with them."""
    excluded_sql_fen: int = 0
    """What decisions exclude, from the read database."""
    differences: tuple[str, ...] = ()
    """Other differences between the read database and the engine that re-executed the journal, one sentence each."""
    re_executed_after: int = 0
    """Re-execution began after this sequence number, from a sealed state; 0 where it began with the first command."""

    @property
    def agree(self) -> bool:
        """Whether the computations are equal to the fen, the read database has no differences, and the decoder found nothing in
        the journal that disagrees."""
        return self.sums_agree and not self.differences and self.decoder.agree

    @property
    def sums_agree(self) -> bool:
        """Whether the computations are equal to the fen, of what was traded and of what is excluded."""
        counted = {self.sql_sum_fen, self.journal_replay_fen, self.decoder_fen, self.engine_counter_fen}
        return len(counted - {None}) == 1 and self.excluded_sql_fen == self.decoder.excluded_fen

    @property
    def decoder_fen(self) -> int:
        """What was traded as the independent decoder computes it: gross − busted."""
        return self.decoder.traded_fen

    @property
    def net_fen(self) -> int:
        """The net turnover by SQL: gross − busted − excluded."""
        return self.sql_sum_fen - self.excluded_sql_fen

    def to_json(self) -> dict[str, Any]:
        """JSON values; amounts are decimal strings in yuan."""
        counter = self.engine_counter_fen
        return {
            "year": self.year,
            "seq": self.seq,
            "engine_counter": None if counter is None else yuan_text(counter),
            "sql_sum": yuan_text(self.sql_sum_fen),
            "journal_replay": yuan_text(self.journal_replay_fen),
            "independent_decoder": yuan_text(self.decoder_fen),
            "excluded_sql_sum": yuan_text(self.excluded_sql_fen),
            "excluded_independent_decoder": yuan_text(self.decoder.excluded_fen),
            "net": yuan_text(self.net_fen),
            **self._of_decoder(),
            "decoder_sha256": self.decoder.program_sha256,
            "decoder_disagreements": list(self.decoder.disagreements),
            "re_executed_after": self.re_executed_after,
            "differences": list(self.differences),
            "agree": self.agree,
        }

    def _of_decoder(self) -> dict[str, Any]:
        """What only the decoder adds up, and the journal row that it ended at. `trades` are all, also those that do not
        count."""
        found = self.decoder
        return {
            "gross": yuan_text(found.gross_fen),
            "busted": yuan_text(found.busted_fen),
            "trades": found.trades,
            "busted_trades": found.busted_trades,
            "excluded_trades": found.excluded_trades,
            "row_hash": found.row_hash,
            "journal_id": found.journal_id,
        }


async def compute_figure(
    year: int,
    *,
    seq: int,
    engine_counter_fen: int | None,
    read_database: AsyncEngine,
    journal: Journal,
    fresh_engine: TurnoverEngine,
    every_order: bool = True,
) -> Figure:
    """The four computations at seq, which the read database must have reached.

    The caller reads seq and the counter of the running engine together, between two batches. `fresh_engine` is at the sequence
    number after which this journal is re-executed (`services.engine_versions.upgrades.starting_engine`); `every_order` is
    passed to `ReadDatabaseProof`. Raises FigureUnavailable and the journal's errors: JournalCorrupt where a re-executed command
    does not make the journaled events.
    """
    began_after = fresh_engine.last_seq
    if seq < began_after:
        raise FigureUnavailable(
            f"Seq {seq} cannot be re-executed: an older engine version executed the commands up to seq {began_after}, and"
            " re-execution begins at the state that an upgrade sealed there."
        )
    decoder = Decoder(year, seq)
    decode = partial(_decode, decoder)
    path = path_of(read_database)
    with ReadDatabaseProof(path, fresh_engine, every_order=every_order) as proof:
        async with read_database.connect() as connection:
            position = await read_position(connection)
            if position is None or position["seq"] < seq:
                raise FigureUnavailable(f"The read database has not reached seq {seq}.")
            counted = await sum_of_trades(connection, year, 0, seq) - await sum_of_busts(connection, year, 0, seq)
            excluded = await sum_of_excluded(connection, year, seq)
        await _read_sealed(journal, began_after, decode, proof.take)
        await replay(journal, fresh_engine, seq, proof.take, on_read=decode)
        replayed_fen = fresh_engine.turnover_fen(year)
        await replay(journal, fresh_engine, max(proof.seq, seq), proof.take)
    return Figure(
        year,
        seq,
        engine_counter_fen,
        counted.amount_fen,
        replayed_fen,
        decoder.audit,
        excluded.amount_fen,
        tuple(proof.differences),
        began_after,
    )


def _decode(decoder: Decoder, batch: JournalBatch) -> None:
    """Gives the decoder the bytes of the batch as they are stored."""
    try:
        decoder.take(batch.encode())
    except Damaged as damage:
        sentence = str(damage).rstrip(".")
        raise JournalCorrupt(f"the independent decoder cannot read on: {sentence}", batch.first_seq) from damage


async def _read_sealed(journal: Journal, to_seq: int, *readers: OnBatch) -> None:
    """Passes on the batches before a sealed state, which are not re-executed."""
    if to_seq:
        async for batch in journal.read(0):
            for take in readers:
                take(batch)
            if batch.last_seq == to_seq:
                break


def _ignore(batch: JournalBatch) -> None:
    """Does nothing with a batch that was read."""


async def replay(
    journal: Journal, engine: TurnoverEngine, to_seq: int, on_batch: OnBatch, *, on_read: OnBatch = _ignore
) -> None:
    """Re-executes the journal from the engine's last command up to to_seq, and compares the events of every whole batch.

    Calls on_read with each batch before its commands are re-executed, and on_batch with each whose last command was.
    """
    if to_seq > engine.last_seq:
        async for batch in journal.read(engine.last_seq):
            on_read(batch)
            if batch.last_seq <= to_seq and batch.first_seq == engine.last_seq + 1:
                re_execute(engine, batch)
            else:
                engine.process(_commands(batch, engine.last_seq + 1, to_seq))
            if engine.last_seq == batch.last_seq:
                on_batch(batch)
            if engine.last_seq == to_seq:
                break
            await asyncio.sleep(0)
    if engine.last_seq != to_seq:
        raise FigureUnavailable(f"The journal ends at seq {engine.last_seq}, before seq {to_seq}.")


def _commands(batch: JournalBatch, first_seq: int, to_seq: int) -> Any:
    return np.frombuffer(batch.commands, COMMAND)[first_seq - batch.first_seq : to_seq + 1 - batch.first_seq]
