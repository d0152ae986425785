"""The defence of the figure: a year's turnover by three computations that share no code, at one named sequence number.

1. the engine's own counter, taken by whoever runs the engine between two batches
2. SQL over the single trades of the read database, less those that were busted
3. re-execution of every journaled command up to that number in a fresh engine, each row's events compared byte for byte;
   where an upgrade sealed a state into the journal (`rex upgrade`), of every one after it, in an engine of that state
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from sqlalchemy.ext.asyncio import AsyncEngine

from matching_engine.records import COMMAND
from services.journal import Journal
from services.journal.replay import StateMachine, re_execute
from services.journal.row import Row
from services.reporting.amounts import yuan
from services.reporting.queries import read_position, sum_of_busts, sum_of_trades


class TurnoverEngine(StateMachine, Protocol):
    """An engine that counts turnover."""

    def turnover_fen(self, year: int) -> int:
        """The turnover of a year's trading days, single-sided."""


class FigureUnavailable(Exception):
    """The read database or the journal does not hold the sequence number the figure is asked at."""


@dataclass(frozen=True)
class Figure:
    """A year's turnover in fen, three times."""

    year: int
    seq: int
    engine_counter_fen: int | None
    """None: no engine is running (a report from a data folder)."""
    sql_sum_fen: int
    journal_replay_fen: int
    re_executed_after: int = 0
    """The replay began after this sequence number, from a sealed state; 0: at the journal's start."""

    @property
    def agree(self) -> bool:
        """Whether all there are say the same, to the fen."""
        counted = {self.sql_sum_fen, self.journal_replay_fen, self.engine_counter_fen}
        return len(counted - {None}) == 1

    def to_json(self) -> dict[str, Any]:
        """Exact yuan strings."""
        counter = self.engine_counter_fen
        return {
            "year": self.year,
            "seq": self.seq,
            "engine_counter": None if counter is None else yuan(counter),
            "sql_sum": yuan(self.sql_sum_fen),
            "journal_replay": yuan(self.journal_replay_fen),
            "re_executed_after": self.re_executed_after,
            "agree": self.agree,
        }


async def compute_figure(
    year: int,
    *,
    seq: int,
    engine_counter_fen: int | None,
    read_database: AsyncEngine,
    journal: Journal,
    fresh_engine: TurnoverEngine,
) -> Figure:
    """The three computations at seq, which the read database must have reached.

    The caller reads seq and the counter of the running engine together, between two batches. `fresh_engine` stands where the
    re-execution of this journal begins (`services.journal.upgrades`). Raises FigureUnavailable, and
    what the journal raises: JournalCorrupt where a re-executed command does not make the journaled events.
    """
    async with read_database.connect() as connection:
        position = await read_position(connection)
        if position is None or position["seq"] < seq:
            raise FigureUnavailable(f"The read database has not reached seq {seq}.")
        counted = await sum_of_trades(connection, year, 0, seq) - await sum_of_busts(connection, year, 0, seq)
    began_after = fresh_engine.last_seq
    await replay(journal, fresh_engine, seq)
    return Figure(year, seq, engine_counter_fen, counted.amount_fen, fresh_engine.turnover_fen(year), began_after)


async def replay(journal: Journal, engine: TurnoverEngine, to_seq: int) -> None:
    """Re-executes the journal in a fresh engine up to to_seq and compares the events of every whole row."""
    if to_seq < engine.last_seq:
        raise FigureUnavailable(
            f"Seq {to_seq} cannot be re-executed: other rules made what stands before seq {engine.last_seq + 1}, at which the "
            "journal was upgraded from a sealed state."
        )
    if to_seq > engine.last_seq:
        async for row in journal.read(engine.last_seq):
            if row.last_seq > to_seq:
                engine.process(_commands_up_to(row, to_seq))
            else:
                re_execute(engine, row)
            if engine.last_seq == to_seq:
                break
            await asyncio.sleep(0)
    if engine.last_seq != to_seq:
        raise FigureUnavailable(f"The journal ends at seq {engine.last_seq}, before seq {to_seq}.")


def _commands_up_to(row: Row, seq: int) -> Any:
    return np.frombuffer(row.commands, COMMAND)[: seq + 1 - row.first_seq]
