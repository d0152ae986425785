"""The plain Python the engine is written in does what its native build does, byte for byte."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import matching_engine
from matching_engine import OrderBook
from matching_engine.records import BOOK_COMMAND

pytestmark = pytest.mark.slow  # starts processes

SCRIPT = """
import hashlib, sys
import numpy as np
import matching_engine
from matching_engine.records import BOOK_COMMAND
commands = np.frombuffer(sys.stdin.buffer.read(), BOOK_COMMAND)
events = matching_engine.OrderBook(4).process(commands).tobytes()
print(matching_engine.__file__, matching_engine.is_native(), hashlib.sha256(events).hexdigest())
"""


def flow() -> np.ndarray:
    """20,000 commands of a fixed seed: orders of every type, amends, cancels, some that can't be carried out."""
    draw = np.random.default_rng(20_231_201)
    count = 20_000
    commands = np.zeros(count, BOOK_COMMAND)
    commands["kind"] = draw.choice([1, 2, 3, 9], count, p=[0.59, 0.3, 0.1, 0.01])
    late = commands["kind"] != 1
    commands["order_id"] = np.arange(count) - np.where(late, draw.integers(0, 60, count), 0)
    commands["price_ticks"] = draw.integers(-40, 40, count) * draw.choice([1, 1, 1, 3_000, 2**50], count)
    commands["quantity_lots"] = draw.integers(0, 20, count)
    commands["owner"] = draw.integers(0, 5, count)
    commands["account"] = draw.integers(0, 2**32, count)
    commands["instrument"] = draw.integers(0, 4, count)
    commands["side"] = draw.integers(0, 2, count)
    commands["self_trade"] = draw.integers(0, 4, count)
    commands["order_type"] = draw.choice([1, 2, 3, 4], count, p=[0.85, 0.05, 0.05, 0.05])
    market, stop = commands["order_type"] == 2, commands["order_type"] > 2
    commands["time_in_force"] = np.where(stop, 2, draw.integers(3, 5, count))
    commands["time_in_force"] = np.where(
        commands["order_type"] == 1, draw.integers(1, 5, count), commands["time_in_force"]
    )
    rests = (commands["order_type"] == 1) & (commands["time_in_force"] < 3)
    commands["display_lots"] = np.where(rests & (draw.random(count) < 0.2), np.minimum(commands["quantity_lots"], 3), 0)
    commands["flags"] = np.where(late, draw.choice([2, 4, 6], count), rests & (draw.random(count) < 0.1))
    commands["trigger_ticks"] = np.where(stop & ~late, draw.integers(-40, 40, count), 0)
    commands["price_ticks"] *= ~market & (commands["order_type"] != 3)
    for name, flag in (("price_ticks", 2), ("quantity_lots", 4), ("display_lots", 8)):
        commands[name][(commands["kind"] == 3) & (commands["flags"] & flag == 0)] = 0
    return commands


def test_the_uncompiled_book_makes_the_same_events(tmp_path: Path) -> None:
    source = Path(matching_engine.__file__).parent
    ignore = shutil.ignore_patterns("*.so", "*.pyd", "__pycache__")
    shutil.copytree(source, tmp_path / "matching_engine", ignore=ignore)
    commands = flow()
    run = subprocess.run(
        [sys.executable, "-c", SCRIPT],
        input=commands.tobytes(),
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(tmp_path)},
        capture_output=True,
        check=True,
    )
    file, native, digest = run.stdout.decode().rsplit(maxsplit=2)
    assert Path(file).parent == tmp_path / "matching_engine"
    assert native == "False"
    assert digest == hashlib.sha256(OrderBook(4).process(commands).tobytes()).hexdigest()
