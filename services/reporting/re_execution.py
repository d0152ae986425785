"""Re-executes a journal in a fresh engine and compares the events of each batch byte for byte."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from matching_engine import Engine
from matching_engine.records import COMMAND
from services.journal import Journal
from services.journal.batch import JournalBatch
from services.journal.replay import re_execute

OnBatch = Callable[[JournalBatch], None]


class FigureUnavailable(Exception):
    """The read database or the journal does not hold the sequence number that the figure is computed at, or a process that
    computes a part of it failed. The message is a sentence."""


async def replay(
    journal: Journal,
    engine: Engine,
    to_seq: int,
    on_batch: OnBatch,
    *,
    on_read: Sequence[OnBatch] = (),
    cut_at: int = 0,
) -> None:
    """Re-executes the journal from the engine's last command up to to_seq, and compares the events of every whole batch.

    Calls all of on_read with each batch before its commands are re-executed, and on_batch with each whose last command was.
    Where to_seq lies within a batch and is cut_at, on_batch gets the part of the batch up to it.
    """
    if to_seq > engine.last_seq:
        async for batch in journal.read(engine.last_seq):
            for take in on_read:
                take(batch)
            if batch.last_seq <= to_seq and batch.first_seq == engine.last_seq + 1:
                re_execute(engine, batch)
            else:
                engine.process(_commands(batch, engine.last_seq + 1, to_seq))
            if engine.last_seq == batch.last_seq:
                on_batch(batch)
            elif engine.last_seq == cut_at:
                on_batch(batch.up_to(cut_at))
            if engine.last_seq == to_seq:
                break
            await asyncio.sleep(0)
    if engine.last_seq != to_seq:
        raise FigureUnavailable(f"The journal ends at seq {engine.last_seq}, before seq {to_seq}.")


def _commands(batch: JournalBatch, first_seq: int, to_seq: int) -> Any:
    return np.frombuffer(batch.commands, COMMAND)[first_seq - batch.first_seq : to_seq + 1 - batch.first_seq]
