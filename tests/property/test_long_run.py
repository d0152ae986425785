"""The long run reports every kind of difference, live and against recorded answers."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import pytest

from matching_engine import Engine
from matching_engine.records import Command, Event
from matching_engine.snapshot import state
from tests.patience import PATIENCE_S
from tests.property import long_run

pytestmark = pytest.mark.slow  # starts processes

COUNT = 60
WRONG_AT = 70


class Like:
    """A wrapper of an engine: `Engine` itself cannot be inherited from."""

    def __init__(self) -> None:
        self.engine = Engine()

    def submit(self, command: Command) -> list[Event]:
        return self.engine.submit(command)

    def process(self, commands: Any) -> Any:
        return self.engine.process(commands)

    def state(self) -> state.State:
        return self.engine.state()

    def state_hash(self) -> str:
        return state.state_hash(self.state())

    @property
    def next_deadline_ns(self) -> int:
        return self.engine.next_deadline_ns


class Silent(Like):
    def submit(self, command: Command) -> list[Event]:
        events = super().submit(command)
        return events[1:] if command.seq == WRONG_AT else events


class Late(Like):
    @property
    def next_deadline_ns(self) -> int:
        return self.engine.next_deadline_ns + (self.engine.last_seq == WRONG_AT)


class Rich(Like):
    def state(self) -> state.State:
        kept = super().state()
        if self.engine.last_seq == WRONG_AT:
            kept.accounts["cash_fen"][-1] += 1
        return kept


class Batched(Like):
    def process(self, commands: Any) -> Any:
        events = super().process(commands)
        events["quantity_lots"][-1] += 1
        return events


class Broken(Like):
    def submit(self, command: Command) -> list[Event]:
        if command.seq == WRONG_AT:
            raise ArithmeticError("broken")
        return super().submit(command)


WRONG = [
    (Silent, "engine:"),
    (Late, "next deadline: engine"),
    (Rich, "state, accounts:"),
    (Batched, "the events of one batch differ"),
    (Broken, "the engine raises ArithmeticError('broken')"),
]


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_an_engine_like_the_naive_engine_has_no_difference(seed: int) -> None:
    found, kept = long_run.compared(seed, COUNT, None)
    assert found is None
    assert long_run.compared(seed, COUNT, kept) == (None, kept)


@pytest.mark.parametrize("live", [True, False], ids=["live", "kept"])
@pytest.mark.parametrize(("engine", "words"), WRONG)
def test_a_wrong_engine_is_told(engine: type[Like], words: str, live: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    _, kept = long_run.compared(1, COUNT, None)
    monkeypatch.setattr(long_run, "Engine", engine)
    found, _ = long_run.compared(1, COUNT, None if live else kept)
    assert found is not None
    assert words in found
    assert engine is Batched or f"command {WRONG_AT}:" in found


def test_answers_that_nobody_gives_are_told() -> None:
    _, kept = long_run.compared(1, COUNT, None)
    found, _ = long_run.compared(1, COUNT, bytes(long_run.DIGEST_BYTES) + kept[long_run.DIGEST_BYTES :])
    assert found == "seed 1: the answers differ from the naive engine's, but not again"


def started(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "tests.property.long_run", "--seeds", "3", "--commands", str(COUNT), *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE_S)


def test_a_run_is_kept_and_compared_with(tmp_path: Path) -> None:
    file = str(tmp_path / "answers.zip")
    last_line = f"3 seeds x {COUNT} commands, 0 differences"
    for arguments in (["--record", file], ["--answers", file, "--jobs", "2"]):
        done = started(*arguments)
        assert done.stdout.splitlines()[1:] == [last_line]
        assert (done.returncode, done.stderr) == (0, "")


def test_a_difference_is_printed_and_fails_the_run(tmp_path: Path) -> None:
    file = tmp_path / "answers.zip"
    with ZipFile(file, "w") as archive:
        for seed in range(3):
            _, kept = long_run.compared(seed, COUNT, None)
            archive.writestr(str(seed), kept if seed != 1 else bytes(len(kept[:32])) + kept[32:])
    done = started("--answers", str(file))
    assert done.stdout.splitlines()[1:] == [
        "seed 1: the answers differ from the naive engine's, but not again",
        f"3 seeds x {COUNT} commands, 1 differences",
    ]
    assert done.returncode == 1
    beyond = started("--answers", str(file), "--start", "2")
    assert beyond.stdout.splitlines()[1:3] == ["seed 3: no answers are kept", "seed 4: no answers are kept"]


DYING = """
import os, signal
from tests.property import long_run

class Dying:
    def submit(self, command):
        os.kill(os.getpid(), signal.SIGKILL)

long_run.Engine = Dying
print(long_run.compared_in_a_copy(7, 60))
"""


def test_an_engine_that_takes_its_process_down_is_told() -> None:
    done = subprocess.run(
        [sys.executable, "-c", DYING], capture_output=True, text=True, timeout=PATIENCE_S, cwd=os.getcwd()
    )
    expected = (f"seed 7: the process ended with {-signal.SIGKILL}", b"")
    assert done.stdout == f"{expected}\n"
