"""A journal batch of one RECORD command, which a tool appends to a stopped venue's journal: a skip."""

from __future__ import annotations

import numpy as np

from matching_engine.records import COMMAND, Command, CommandKind, pack_commands
from services.journal import Journal
from services.journal.batch import NO_HASH, JournalBatch
from services.journal.replay import StateMachine


def lone_record(journal: Journal, engine: StateMachine, last: JournalBatch | None, attachment: bytes) -> JournalBatch:
    """The batch after `last`, which the engine has executed. Its command has the time of the last one, so that a wrong clock
    cannot enter the journal."""
    seq, time_ns = engine.last_seq + 1, 0 if last is None else last.time_ns
    command = pack_commands([Command(kind=CommandKind.RECORD, seq=seq, time_ns=time_ns, attachment=1)])
    return JournalBatch(
        journal_id=journal.journal_id,
        epoch=journal.epoch,
        first_seq=seq,
        last_seq=seq,
        inbox_position=0,
        previous_hash=NO_HASH if last is None else last.hash,
        commands=command,
        events=engine.process(np.frombuffer(command, COMMAND)).tobytes(),
        attachments=(attachment,),
    )
