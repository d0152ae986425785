"""The proof of the figure: a year's turnover by four computations at one sequence number.

Compared is what was traded, gross − busted: the engine knows no decisions. What decisions exclude from it is compared apart:
SQL, from the tables of decisions and trades, with the decoder, which applies the journal's decisions anew.

1. the counter of the running engine, which the caller reads between two batches
2. SQL over the single trades of the read database, without busted ones
3. re-execution of the journaled commands up to that number in a fresh engine, each batch's events compared byte for byte
4. a decoder of the journal's rows that shares no code with REX and computes each trade's amount, fees and day anew (audit.py);
   an auditor can run it alone

The first three share the engine's multiplication. The other tables of the read database are compared as well: all of them with
what the projector makes of the journal, and money, goods and open orders with the re-executed engine (proof.py).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from sqlalchemy.ext.asyncio import AsyncEngine

from matching_engine import Engine
from services.journal import Journal
from services.journal.batch import JournalBatch
from services.journal.errors import JournalCorrupt
from services.read_model.audit.proof import ReadDatabaseProof
from services.read_model.database import path_of
from services.reporting.audit import Audit, Damaged, Decoder
from services.reporting.proof_processes import (
    OnProgress,
    SlowestPart,
    at_once,
    check_same_files,
    found_by_process,
    work_of,
)
from services.reporting.queries import read_position, sum_of_busts, sum_of_excluded, sum_of_trades
from services.reporting.re_execution import FigureUnavailable, OnBatch, replay
from services.values.decimals import yuan_text


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


def ignore_progress(_seq: int, _last_seq: int) -> None:
    """For a caller who shows no progress."""


async def compute_figure(
    year: int,
    *,
    seq: int,
    engine_counter_fen: int | None,
    read_database: AsyncEngine,
    journal: Journal,
    place: Path | str | None = None,
    on_progress: OnProgress = ignore_progress,
) -> Figure:
    """The four computations at seq, which the read database must have reached.

    The caller reads seq and the counter of the running engine together, between two commands. A fresh engine re-executes the
    journal. `place` is the journal's SQLite file or the URL of its database: with it, the comparison of a long proof with a
    rebuilt read database runs in a process of its own, at a position of the read database that is that of this process or
    later. Calls on_progress with what the slowest part has reached.

    Raises FigureUnavailable; ReadDatabaseFailed where there is no room for the rebuilt read database and no process makes it;
    and the journal's errors: JournalCorrupt where a re-executed command does not make the journaled events.
    """
    path, engine, decoder = path_of(read_database), Engine(), Decoder(year, seq)
    work = None if place is None else work_of(place, path, seq)
    slowest = SlowestPart(1 if work is None else 2, seq, on_progress)
    with ReadDatabaseProof(path, journal.journal_id, engine, rebuilds=work is None) as proof:
        counted_fen, excluded_fen = await _sums(read_database, year, seq)
        replayed_fen, found = await at_once(
            _re_execute(
                journal,
                engine,
                year,
                seq,
                proof,
                [lambda batch: slowest.reached(0, batch.last_seq), partial(decode, decoder)],
            ),
            None if work is None else found_by_process(work, partial(slowest.reached, 1)),
        )
    if not proof.is_done:
        raise FigureUnavailable(f"The read database was not compared: it stands at seq {proof.seq}, within a batch.")
    if found is not None:
        await check_same_files(found, journal, seq, proof.seq)
    return Figure(
        year,
        seq,
        engine_counter_fen,
        counted_fen,
        replayed_fen,
        decoder.audit,
        excluded_fen,
        tuple((found.differences if found is not None else []) or proof.differences),
    )


def decode(decoder: Decoder, batch: JournalBatch) -> None:
    """Gives the decoder the row as it is stored; the decoder decompresses it by itself. Raises JournalCorrupt."""
    try:
        decoder.take(batch.stored)
    except Damaged as damage:
        sentence = str(damage).rstrip(".")
        raise JournalCorrupt(f"the independent decoder cannot read on: {sentence}", batch.first_seq) from damage


async def _sums(read_database: AsyncEngine, year: int, seq: int) -> tuple[int, int]:
    """What SQL adds up at seq: what was traded, and what decisions exclude from it, in fen."""
    async with read_database.connect() as connection:
        position = await read_position(connection)
        if position is None or position["seq"] < seq:
            raise FigureUnavailable(f"The read database has not reached seq {seq}.")
        counted = await sum_of_trades(connection, year, 0, seq) - await sum_of_busts(connection, year, 0, seq)
        return counted.amount_fen, (await sum_of_excluded(connection, year, seq)).amount_fen


async def _re_execute(
    journal: Journal, engine: Engine, year: int, seq: int, proof: ReadDatabaseProof, read: Sequence[OnBatch]
) -> int:
    """The engine's turnover of the year at seq, in fen. Gives the batches up to seq to `read`, and those up to the read
    database's position to the proof."""
    await replay(journal, engine, seq, proof.take, on_read=read, cut_at=proof.seq)
    replayed_fen = engine.turnover_fen(year)
    await replay(journal, engine, max(proof.seq, seq), proof.take)
    return replayed_fen
