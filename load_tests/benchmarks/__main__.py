"""Runs the benchmarks, prints one table and writes the result to load_tests/results/."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from load_tests.benchmarks import (
    anonymous,
    book_rates,
    decoder_rates,
    durable_rates,
    engine_rates,
    fairness,
    figure_rates,
    gateway_rates,
    order_cost,
    page_rates,
    peer_rates,
    plain_rates,
    projector_lag,
    projector_rates,
    scaled_rates,
    snapshot_rates,
    subscriber_latency,
    take_over,
)
from load_tests.benchmarks.machine import describe
from load_tests.benchmarks.measurement import Effort, Measurement
from load_tests.benchmarks.peer_rates import PeerResult
from matching_engine import build_notice

BENCHMARKS = {
    "book": book_rates.book_measurements,
    "engine": engine_rates.engine_measurements,
    "plain": plain_rates.plain_measurements,
    "durable": durable_rates.durable_measurements,
    "durable-postgres": durable_rates.durable_postgres_measurements,
    "recovery": durable_rates.recovery_measurements,
    "snapshots": snapshot_rates.snapshot_measurements,
    "projector": projector_rates.projector_measurements,
    "projector-lag": projector_lag.projector_lag_measurements,
    "decoder": decoder_rates.decoder_measurements,
    "rest": gateway_rates.rest_measurements,
    "websocket": gateway_rates.websocket_measurements,
    "order-cost": order_cost.order_cost_measurements,
    "scaled": scaled_rates.scaled_measurements,
    "take-over": take_over.take_over_measurements,
    "fairness": fairness.fairness_measurements,
    "figure": figure_rates.figure_measurements,
    "subscribers": subscriber_latency.subscriber_measurements,
    "anonymous": anonymous.anonymous_measurements,
    "pages": page_rates.page_measurements,
}
PEERS = "peers"
RESULTS = Path(__file__).parents[1] / "results"


def main(arguments: Sequence[str] | None = None) -> int:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m load_tests.benchmarks", description=__doc__)
    names = (*BENCHMARKS, PEERS)
    parser.add_argument(
        "--only", nargs="+", choices=names, help="only these (default: all)", metavar="NAME", default=names
    )
    parser.add_argument("--seed", type=int, default=1, help="seed of the order flow (default 1)")
    parser.add_argument("--quick", action="store_true", help="a tenth of the messages: for a trial, not for figures")
    parser.add_argument("--json", action="store_true", help="print the result as JSON instead of a table")
    options = parser.parse_args(arguments)
    effort = Effort(options.seed, options.quick)
    progress = Console(stderr=True)
    result: dict[str, Any] = {"seed": effort.seed, "quick": effort.quick, "engine": build_notice(), **describe()}
    measurements: list[Measurement] = []
    peers: list[PeerResult] = []
    for name in options.only:
        progress.print(f"{name} …", style="dim")
        if name == PEERS:
            peers = peer_rates.peer_results(effort)
        else:
            measurements += BENCHMARKS[name](effort)
    result["figures"] = [measurement.to_json() for measurement in measurements]
    result["peers"] = [peer.to_json() for peer in peers]
    path = write_result(result)
    if options.json:
        print(json.dumps(result, indent=2))
    else:
        _print(measurements, peers)
        machine = result["machine"]
        print(f"{build_notice()} · {machine['processor']}, {machine['cores']} cores · seed {effort.seed} · {path}")
    return 0


def write_result(result: dict[str, Any]) -> Path:
    """Writes the result to a file named by the date; later runs of a day get a number. Returns its path."""
    RESULTS.mkdir(exist_ok=True)
    date = datetime.now().astimezone().date().isoformat()
    number, path = 1, RESULTS / f"{date}.json"
    while path.exists():
        number += 1
        path = RESULTS / f"{date}-{number}.json"
    path.write_text(json.dumps(result, indent=2) + "\n")
    return path


def _print(measurements: Sequence[Measurement], peers: Sequence[PeerResult]) -> None:
    # A file or a pipe has no width, and a table cut off at 80 columns is useless.
    console = Console() if sys.stdout.isatty() else Console(width=180)
    if measurements:
        console.print(table(measurements))
        for measurement in measurements:
            if measurement.flow:
                console.print(f"flow {measurement.flow}")
    if peers:
        console.print(peer_table(peers))


def table(measurements: Sequence[Measurement]) -> Table:
    """The table of all measurements beside their limits."""
    printed = _table(
        "REX beside its limits, in one run on this machine",
        ("what", "measured >", "limit >", "ratio >", "the limit is", "at least", "aim", "note"),
    )
    for measurement in measurements:
        printed.add_row(
            measurement.name,
            f"{_number(measurement.value)} {measurement.unit}",
            "" if measurement.limit is None else _number(measurement.limit),
            "" if measurement.ratio is None else f"{measurement.ratio:.0%}",
            measurement.limit_name,
            measurement.at_least,
            measurement.aim,
            measurement.note,
        )
    return printed


def peer_table(peers: Sequence[PeerResult]) -> Table:
    """The table of other engines beside ours on the same messages."""
    printed = _table(
        "Engines that Python can call, one call a message, on the flow of one instrument",
        ("peer", "messages >", "messages/s >", "REX, one call each >", "REX, in batches >", "traded quantity", "note"),
    )
    for peer in peers:
        name = f"{peer.peer} {peer.version}"
        if peer.not_run:
            printed.add_row(name, "", "not run", "", "", "", peer.not_run)
            continue
        printed.add_row(
            name,
            _number(peer.messages),
            _number(peer.rate),
            f"{_number(peer.ours_called)}: {peer.ours_called / peer.rate:.2f} ×",
            f"{_number(peer.ours_in_batches)}: {peer.ours_in_batches / peer.rate:.2f} ×",
            peer.agreement,
            f"{peer.note}; Python {peer.python}",
        )
    return printed


def _table(title: str, columns: Sequence[str]) -> Table:
    """An empty table. A column name that ends in " >" is aligned to the right."""
    printed = Table(title=title)
    for column in columns:
        printed.add_column(column.removesuffix(" >"), justify="right" if column.endswith(">") else "left")
    return printed


def _number(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.2f}"


if __name__ == "__main__":
    sys.exit(main())
