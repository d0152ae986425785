"""kill -9 under load: all that was acknowledged is there afterwards, and the venue recovers by itself."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from matching_engine import Engine
from matching_engine.records import CommandKind
from services.journal.sqlite import SqliteJournal
from services.journal.verify import verify
from services.sequencer.recovery import recover
from tests.integration.killed_writer import ACCOUNT

pytestmark = pytest.mark.rig

ACKNOWLEDGMENTS = 1_500


def run_and_kill(path: Path) -> list[tuple[int, int, int]]:
    """The deposits that the writer acknowledged before it was killed."""
    command = [sys.executable, "-m", "tests.integration.killed_writer", str(path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as writer:
        assert writer.stdout is not None
        lines = [writer.stdout.readline() for _ in range(ACKNOWLEDGMENTS)]
        writer.kill()
        lines += writer.stdout.readlines()
    assert writer.returncode == -9
    if not lines[-1].endswith("\n"):
        lines.pop()  # It died while it wrote this line.
    acknowledged = [tuple(map(int, line.split())) for line in lines]
    return [(seq, request_id, amount_fen) for seq, request_id, amount_fen in acknowledged]


@pytest.mark.anyio
async def test_every_acknowledged_command_survives(tmp_path: Path) -> None:
    path = tmp_path / "journal"
    ledger: list[tuple[int, int, int]] = []
    for kills in (1, 2):
        ledger += run_and_kill(path)
        journal = await SqliteJournal.open(path)
        engine = Engine()
        done = await recover(engine, journal)
        commands = [command for row in [row async for row in journal.read(0)] for command in row.command_list]
        assert [command.seq for command in commands] == list(range(1, done.last_seq + 1))
        deposits = {c.seq: (c.seq, c.request_id, c.amount_fen) for c in commands if c.kind == CommandKind.DEPOSIT}
        assert [deposits.get(seq) for seq, _, _ in ledger] == ledger
        assert len({seq for seq, _, _ in ledger}) == len(ledger) >= kills * ACKNOWLEDGMENTS
        assert engine.cash(ACCOUNT) == (sum(amount_fen for _, _, amount_fen in deposits.values()), 0)
        assert (await verify(journal)).good
        await journal.close()
