"""The native build and the plain Python give the same results, under any hash seed."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from hashlib import blake2b
from pathlib import Path

import numpy as np
import pytest

import matching_engine
from matching_engine import Engine, pools
from matching_engine.records import (
    ALL_INSTRUMENTS,
    VENUE,
    Command,
    CommandKind,
    OrderType,
    Phase,
    Side,
    TimeInForce,
)
from tests.long import some
from tests.model.naive_engine import NaiveEngine
from tests.property.engine_flow import array, flow, numbered

pytestmark = pytest.mark.slow  # starts processes

SEEDS = range(8)
LENGTH = 400
SCRIPT = """
import matching_engine
from tests.property.test_engine_builds import account_of_flows
print(matching_engine.is_native(), account_of_flows(matching_engine.Engine, restored=True))
"""


def account_of_flows(engine_type: type[Engine] | type[NaiveEngine], restored: bool = False) -> str:
    """A hash of the events and the state hashes of fixed flows; if `restored`, the engine is restored from its state
    half-way."""
    digest = blake2b()
    for commands in (*(flow(seed, LENGTH) for seed in SEEDS), crowd()):
        engine = engine_type()
        first, second = np.array_split(array(commands), 2)
        digest.update(engine.process(first).tobytes())
        if restored:
            engine = Engine.from_state(engine.state())
        digest.update(engine.process(second).tobytes())
        digest.update(engine.state_hash().encode())
    return digest.hexdigest()


def crowd() -> list[Command]:
    """First more years, trades of a day, client order ids and orders with an expiry than a new engine's tables have room for;
    then as many instants, at which the orders expire."""
    sell = Command(
        kind=CommandKind.NEW_ORDER, account=VENUE, side=Side.SELL, order_type=OrderType.LIMIT,
        time_in_force=TimeInForce.GTC, price_ticks=100, quantity_lots=1,
    )  # fmt: skip
    trade = [sell, sell._replace(account=2, side=Side.BUY)]
    commands = [
        Command(kind=CommandKind.SET_PHASE, instrument=ALL_INSTRUMENTS, phase=Phase.CONTINUOUS),
        Command(kind=CommandKind.LIST_INSTRUMENT, amount_fen=1, price_ticks=100, quantity_lots=1),
        Command(kind=CommandKind.OPEN_ACCOUNT),
        Command(kind=CommandKind.DEPOSIT, account=2, amount_fen=10**6),
        Command(kind=CommandKind.RECEIVE, account=VENUE, quantity_lots=1_000),
    ]
    for year in range(2001, 2021):
        commands += [Command(kind=CommandKind.DAY_ROLL, date=year * 10_000 + 101), *trade]
    commands += 150 * trade
    for n in range(1, 301):
        order = sell._replace(client_order_id=b"%d" % n, time_in_force=TimeInForce.GTD, time_s=n * 7 % 301 + 1)
        commands.append(order)
    commands += [Command(kind=CommandKind.TIME, time_ns=n * 10**9) for n in range(len(commands))]
    return numbered(commands)


@pytest.fixture(scope="module")
def folder_without_native_code(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("plain")
    source = Path(matching_engine.__file__).parent
    ignore = shutil.ignore_patterns("*.so", "*.pyd", "__pycache__")
    shutil.copytree(source, folder / "matching_engine", ignore=ignore)
    for name in ("model", "property"):
        shutil.copytree(Path(__file__).parents[1] / name, folder / "tests" / name, ignore=ignore)
    shutil.copy(Path(__file__).parents[1] / "long.py", folder / "tests")
    return folder


def run(folder: Path, hash_seed: str) -> list[str]:
    environment = {**os.environ, "PYTHONPATH": str(folder), "PYTHONHASHSEED": hash_seed}
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT], cwd=folder, env=environment, capture_output=True, text=True, check=True
    )
    return done.stdout.split()


def test_pools_that_begin_with_one_row_and_grow_agree(monkeypatch: pytest.MonkeyPatch) -> None:
    expected = account_of_flows(Engine, restored=True)
    monkeypatch.setattr(pools, "FIRST_ORDERS", 1)
    monkeypatch.setattr(pools, "FIRST_PAGES", 1)
    assert account_of_flows(Engine, restored=True) == expected == account_of_flows(Engine)


def test_the_naive_engine_agrees() -> None:
    assert account_of_flows(NaiveEngine) == account_of_flows(Engine)


@pytest.mark.parametrize("hash_seed", some(["random", "0", "1"]))
def test_plain_python_agrees_under_any_hash_seed(folder_without_native_code: Path, hash_seed: str) -> None:
    assert run(folder_without_native_code, hash_seed) == ["False", account_of_flows(Engine)]


def test_this_build_does_not_depend_on_the_hash_seed() -> None:
    folder = Path(matching_engine.__file__).parent.parent
    expected = [str(matching_engine.is_native()), account_of_flows(Engine)]
    assert [run(folder, "2"), run(folder, "3")] == [expected, expected]
