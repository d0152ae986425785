"""Other engines run in processes of their own; one that cannot says why."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

import pytest

from load_tests.benchmarks import peer_environment, peer_rates
from load_tests.benchmarks.peer_environment import NotRun, python_of, run_step
from load_tests.benchmarks.peer_rates import run_peer, traded_lots
from load_tests.flows.book_flows import book_records, standard
from matching_engine import OrderBook

NAIVE = """
def prepare(messages):
    resting, traded = [], []

    def run():
        for action, number, side, price, lots in messages:
            if action == 2:
                resting[:] = [order for order in resting if order[1] != number]
                continue
            sign = -1 if side else 1
            for order in sorted(order for order in resting if order[2] != side):
                if sign * order[3] <= sign * price and lots:
                    taken = min(lots, order[4])
                    traded.append(taken)
                    lots -= taken
                    order[4] -= taken
            resting[:] = [order for order in resting if order[4]]
            if lots and action == 0:
                resting.append([sign * -price, number, side, price, lots])

    return run, lambda: sum(traded)
"""


BROKEN = "def prepare(messages):\n    raise ValueError('cannot')\n"


@pytest.fixture
def adapters(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder for adapters of this test, with the real runner."""
    shutil.copy(peer_rates.ADAPTERS / "run.py", tmp_path)
    monkeypatch.setattr(peer_rates, "ADAPTERS", tmp_path)
    return tmp_path


def test_a_peer_that_matches_as_we_do_trades_the_same(adapters: Path) -> None:
    (adapters / "drive_naive.py").write_text(NAIVE)
    commands = book_records(standard(2_000, accounts=0))
    found = run_peer(Path(sys.executable), "naive", commands)
    assert found["traded_lots"] == traded_lots(OrderBook(1).process(commands)) > 1_000
    assert found["seconds"] > 0


def test_a_peer_that_fails_says_why_in_a_sentence(adapters: Path) -> None:
    (adapters / "drive_broken.py").write_text(BROKEN)
    with pytest.raises(NotRun, match=r"^it failed \(ValueError: cannot\)$"):
        run_peer(Path(sys.executable), "broken", book_records(standard(10)))


def test_a_peer_that_cannot_be_installed_says_why(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(peer_environment, "ENVIRONMENTS", tmp_path)
    with pytest.raises(NotRun, match=r"^it needs Python 99\.0 or newer with venv, and there is none on PATH$"):
        python_of(peer_rates.ADAPTERS / "bourse.txt", (99, 0))
    with pytest.raises(NotRun, match=r"^it cannot be installed \(ERROR: No matching distribution .*no-such-engine"):
        run_step(sys.executable, "-m", "pip", "install", "--no-index", "no-such-engine")
