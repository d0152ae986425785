"""The rates of other matching engines that Python can call, each in a virtual environment and process of its own.

They run the flow of `book` with one call a message; `OrderBook` runs it both so and in batches. Orders in this flow have no
owner, since most peers have no self-trade prevention.
"""

from __future__ import annotations

import json
import subprocess
import tempfile
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from load_tests.benchmarks.batches import batches_of, processing
from load_tests.benchmarks.book_rates import CALL_FIELDS, MESSAGES
from load_tests.benchmarks.measurement import Effort, Work, median_seconds
from load_tests.benchmarks.peer_environment import NotRun, clean_environment, python_of
from load_tests.flows.book_flows import Records, book_records, standard
from matching_engine import OrderBook
from matching_engine.records import CommandKind, EventKind, TimeInForce

ADAPTERS = Path(__file__).parent / "peers"
RUNS = 3
RUN_TIMEOUT_S = 300


class Peer(NamedTuple):
    """A peer; `module` is the name of its adapter (drive_….py) and its requirements file (….txt)."""

    module: str
    messages: int = MESSAGES
    """How many messages of the flow it runs: fewer for a peer that would take minutes."""
    least_python: tuple[int, int] = (3, 11)
    note: str = ""

    @property
    def requirement(self) -> str:
        """Its name on PyPI and its pinned version, `name==version`."""
        return (ADAPTERS / f"{self.module}.txt").read_text().split()[0]


PEERS = (
    Peer(
        "limit_order_book",
        least_python=(3, 13),
        note="C++; reports no trades; an IOC is a limit order and a cancel",
    ),
    Peer("liquibook", note="C++; without a listener, so without events"),
    Peer("bourse", note="Rust; trades in a list; an IOC is a limit order and a cancel"),
    Peer("matching_engine", least_python=(3, 12), note="Python; events"),
    Peer("lightmatchingengine", note="Python; trades; an IOC is a limit order and a cancel"),
    Peer("order_matching", 5_000, note="Python; trades; an IOC is a limit order and a cancel"),
)


@dataclass(frozen=True)
class PeerResult:
    """The measured rates; or `not_run`, the reason why there are none."""

    peer: str
    version: str
    note: str
    messages: int = 0
    rate: float = 0
    """Messages a second, one call each."""
    ours_called: float = 0
    ours_in_batches: float = 0
    traded_lots: int = 0
    ours_traded_lots: int = 0
    python: str = ""
    not_run: str = ""

    @property
    def agreement(self) -> str:
        """Whether it traded the same quantity as `OrderBook`."""
        if self.traded_lots == self.ours_traded_lots:
            return "the same"
        return f"{self.traded_lots - self.ours_traded_lots:+,} of {self.ours_traded_lots:,} lots"

    def to_json(self) -> dict[str, Any]:
        """All fields, for the result file."""
        return asdict(self)


def peer_results(effort: Effort) -> list[PeerResult]:
    """The results of all peers, one after another, each beside our book."""
    commands = book_records(standard(effort.messages(MESSAGES), 1, effort.seed, accounts=0))
    return [_result(peer, commands[: peer.messages]) for peer in PEERS]


def _result(peer: Peer, commands: Records) -> PeerResult:
    name, _, version = peer.requirement.partition("==")
    name = name.partition("[")[0]
    try:
        python = python_of(ADAPTERS / f"{peer.module}.txt", peer.least_python)
        found = run_peer(python, peer.module, commands)
    except NotRun as reason:
        return PeerResult(name, version, peer.note, not_run=str(reason))
    count, batches = len(commands), batches_of(commands)
    called, in_batches = median_seconds(RUNS, _calling(commands), processing(partial(OrderBook, 1), batches))
    return PeerResult(
        peer=name,
        version=version,
        note=peer.note,
        messages=count,
        rate=count / found["seconds"],
        ours_called=count / called,
        ours_in_batches=count / in_batches,
        traded_lots=found["traded_lots"],
        ours_traded_lots=traded_lots(OrderBook(1).process(commands)),
        python=found["python"],
    )


def run_peer(python: Path, module: str, commands: Records) -> dict[str, Any]:
    """Runs an adapter on the commands; returns the object that run.py prints. Raises NotRun."""
    with tempfile.NamedTemporaryFile(prefix="rex-peer-flow-") as file:
        _messages(commands).tofile(file.name)
        command = [str(python), str(ADAPTERS / "run.py"), f"drive_{module}", file.name, str(RUNS)]
        try:
            done = subprocess.run(
                command, capture_output=True, text=True, timeout=RUN_TIMEOUT_S, env=clean_environment(), check=False
            )
        except subprocess.TimeoutExpired:
            raise NotRun(f"it took longer than {RUN_TIMEOUT_S} s") from None
    if done.returncode:
        last = (done.stderr.strip().splitlines() or [f"exit status {done.returncode}"])[-1]
        raise NotRun(f"it failed ({last})")
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def traded_lots(events: Records) -> int:
    """The quantity of all trades in lots, each counted once."""
    return int(events["quantity_lots"][events["kind"] == EventKind.TRADE].sum(dtype="i8"))


def _messages(commands: Records) -> Records:
    """The commands as the five-column array of 64-bit integers that run.py reads."""
    action = np.select(
        [commands["kind"] == CommandKind.CANCEL, commands["time_in_force"] == TimeInForce.IOC], [2, 1], default=0
    )
    fields = ("order_id", "side", "price_ticks", "quantity_lots")
    return np.stack([action, *[commands[field].astype("i8") for field in fields]], axis=1).astype("<i8")


def _calling(commands: Records) -> Any:
    calls = list(zip(*[commands[name].tolist() for name in CALL_FIELDS], strict=True))

    def prepare() -> Work:
        submit = OrderBook(1).submit

        def run() -> None:
            for call in calls:
                submit(*call)

        return run

    return prepare
