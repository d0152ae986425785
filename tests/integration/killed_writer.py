"""A writer to be killed: endless deposits, each acknowledged on standard output once its batch is published.

    python -m tests.integration.killed_writer JOURNAL

A line is `seq request_id amount_fen`; a request's id is its amount in fen, so the reader can check both.
"""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

from matching_engine.records import Command, CommandKind, pack_commands
from services.commands.administrative import open_account
from services.commands.attachments import AccountText
from services.messaging import Submission
from tests.unit.read_model.history import day_roll
from tests.unit.sequencer.venue import Venue, running, venue

ACCOUNT = 2
AT_ONCE = 64
"""Deposits in flight: enough that batches hold several, and that a batch is being written whenever the process dies."""


async def deposit(one: Venue, amount_fen: int) -> None:
    command = Command(kind=CommandKind.DEPOSIT, account=ACCOUNT, amount_fen=amount_fen, request_id=amount_fen)
    await one.inbox.put(Submission(pack_commands([command])))


async def main(path: Path) -> None:
    async with venue(path) as one, running(one):
        if one.engine.last_seq == 0:
            await one.inbox.put(day_roll(Command(), 20230926))
            await one.inbox.put(open_account(Command(), AccountText(name="Baotou Magnets")))
        amount_fen = one.engine.last_seq + 1_000
        for _ in range(AT_ONCE):
            await deposit(one, amount_fen)
            amount_fen += 1
        while True:
            batch = await one.next_batch()
            for command in batch.command_list:
                if command.kind == CommandKind.DEPOSIT:
                    print(command.seq, command.request_id, command.amount_fen)  # noqa: T201
                    await deposit(one, amount_fen)
                    amount_fen += 1
            sys.stdout.flush()


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1])))
