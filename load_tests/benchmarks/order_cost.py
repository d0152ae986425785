"""What an order costs the processes of the embedded venue, by the way in which it comes, and another gateway in the same run.

With two cores or more, the servers are pinned to one and the load, this process, to another. The order process answers; the
projector, a process of its own, writes the read database beside it.
"""

from __future__ import annotations

import asyncio
import os
import platform
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from functools import partial
from itertools import islice
from pathlib import Path
from statistics import median
from typing import NamedTuple

from load_tests.benchmarks import http_load, paced_orders, websocket_load
from load_tests.benchmarks.gateway_peer import peer_gateway
from load_tests.benchmarks.gateway_rates import ACCOUNTS, CONNECTIONS, Servers, rest_rate, servers, websocket_rate
from load_tests.benchmarks.measurement import Effort, Measurement, process_s, with_children
from load_tests.benchmarks.peer_environment import NotRun

BATCH = 100
"""Orders of a REST batch."""
FRAME_BATCH = 50
"""Orders of a WebSocket batch."""
FRAME_WINDOW = 2
"""WebSocket batches under way on each connection."""
PACED_S = 10
LOOK_S = 0.3
REST_S = 120
IDLE_S = 0.01
"""Processes that use less CPU than this between two looks have done their work. On a full core the projector is behind."""

Load = Callable[[int], Awaitable[float]]
"""Sends about so many orders; returns how many were answered a second."""


class _Cost(NamedTuple):
    """Of one load: orders a second, and microseconds of CPU an order of each process."""

    rate: float
    us: list[float]


def order_cost_measurements(effort: Effort) -> list[Measurement]:
    """CPU of the order process an order, a row for each way in; replies at half the WebSocket maximum."""
    return asyncio.run(_measured(effort))


async def _measured(effort: Effort) -> list[Measurement]:
    async with servers() as ours:
        with _pinned_apart() as pin:
            pids = with_children(ours.venue_pid)
            pin(pids)
            at_64 = partial(rest_rate, ours, "/v1/orders", ours.venue_port, CONNECTIONS)
            found = [await _beside_peer(at_64, pids, pin, effort)]
            for name, load, orders, at_least in (
                ("REST batch of 100", partial(_rest_batches, ours), 40_000, "20 µs or less"),
                ("WebSocket batch of 50", partial(_websocket_batches, ours), 40_000, "15 µs or less"),
                (
                    "REST, 1 connection",
                    partial(rest_rate, ours, "/v1/orders", ours.venue_port, 1),
                    1_500,
                    "400 µs or less",
                ),
            ):
                costs = [await _cost(load, pids, effort.messages(orders)) for _ in range(1 + effort.runs)][1:]
                found.append(_row(name, costs, at_least))
            single = partial(websocket_rate, ours, "/v1/ws", ours.venue_port)
            costs = [await _cost(single, pids, effort.messages(24_000)) for _ in range(1 + effort.runs)][1:]
            found.append(_row("WebSocket, single frames", costs, "45 µs or less"))
            return found + await _replies(ours, median(cost.rate for cost in costs) / 2, effort)


async def _cost(load: Load, pids: Sequence[int], orders: int) -> _Cost:
    before = [process_s(pid) for pid in pids]
    rate = await load(orders)
    await _at_rest(pids)
    return _Cost(rate, [(process_s(pid) - began) / orders * 1e6 for pid, began in zip(pids, before, strict=True)])


async def _at_rest(pids: Sequence[int]) -> None:
    """Waits until these processes, of which the first has started the others, are idle, and it has no others. Raises
    TimeoutError after REST_S."""
    spent_s, before_s = sum(map(process_s, pids)), 0.0
    async with asyncio.timeout(REST_S):
        while spent_s - before_s > IDLE_S or set(with_children(pids[0])) - set(pids):
            await asyncio.sleep(LOOK_S)
            spent_s, before_s = sum(map(process_s, pids)), spent_s


def _row(name: str, costs: Sequence[_Cost], at_least: str, note: str = "") -> Measurement:
    order_us, projector_us = (median(cost.us[number] for cost in costs) for number in (0, 1))
    rate = median(cost.rate for cost in costs)
    said = f"{rate:,.0f} orders/s; the projector's process: {projector_us:.0f} µs{note}"
    return Measurement(f"CPU of the order process an order: {name}", order_us, "µs", at_least=at_least, note=said)


async def _beside_peer(
    ours: Load, pids: Sequence[int], pin: Callable[[Sequence[int]], None], effort: Effort
) -> Measurement:
    """The row of 64 connections, in turns with the other gateway where that can run."""
    name, at_least, orders = f"REST, {CONNECTIONS} connections", "100 µs or less", effort.messages(12_800)
    turns = range(1 + effort.runs)
    try:
        with peer_gateway() as peer:
            pin([peer.pid])
            theirs = partial(peer.rest_rate, CONNECTIONS)
            both = [(await _cost(ours, pids, orders), await _cost(theirs, [peer.pid], orders)) for _ in turns][1:]
    except NotRun as reason:
        costs = [await _cost(ours, pids, orders) for _ in turns][1:]
        return _row(name, costs, at_least, f"; matching-engine's gateway is not run: {reason}")
    ratio = median(cost.rate / other.rate for cost, other in both)
    rate, us = median(other.rate for _, other in both), median(other.us[0] for _, other in both)
    note = f"; {ratio:.2f} × matching-engine's gateway (at least 1.8 ×): {rate:,.0f} orders/s, {us:.0f} µs "
    note += f"(Python {peer.python}, ours {platform.python_version()})"
    return _row(name, [cost for cost, _ in both], at_least, note)


async def _rest_batches(ours: Servers, orders: int) -> float:
    def posts(account: int) -> Iterator[bytes]:
        bodies, host, key = ours.bodies(), f"127.0.0.1:{ours.venue_port}", ours.accounts[account].key
        for _ in range(max(orders // ACCOUNTS // BATCH, 1)):
            yield http_load.post("/v1/orders/batch", host, b'{"orders":[%b]}' % b",".join(islice(bodies, BATCH)), key)

    return (await http_load.load(ours.venue_port, [posts(number) for number in range(ACCOUNTS)])).rate("200") * BATCH


async def _websocket_batches(ours: Servers, orders: int) -> float:
    def frames() -> Iterator[bytes]:
        bodies = ours.bodies()
        for number in range(max(orders // ACCOUNTS // FRAME_BATCH, 1)):
            places = b",".join(b'{"place":%b}' % body for body in islice(bodies, FRAME_BATCH))
            yield websocket_load.text_frame(
                b'{"method":"batch","params":{"requests":[%b]},"req_id":%d}' % (places, number)
            )

    def kind(payload: bytes) -> str:
        return "batch" if payload.count(b'"order_id"') == FRAME_BATCH else payload[:200].decode()

    keys, streams = [account.key for account in ours.accounts], [frames() for _ in ours.accounts]
    found = await websocket_load.load(ours.venue_port, "/v1/ws", keys, streams, FRAME_WINDOW, kind)
    return found.rate("batch") * FRAME_BATCH


async def _replies(ours: Servers, rate: float, effort: Effort) -> list[Measurement]:
    """The time from when an order is due to its reply, at this rate of single WebSocket frames."""
    found = await paced_orders.replies(ours, rate, effort.messages(int(PACED_S * rate)))
    return [
        Measurement(
            f"reply to a WebSocket order at half the maximum rate, {which}",
            found.replied[which] / 1000,
            "ms",
            at_least=f"{bound} ms or less",
            note=f"{rate:,.0f} orders/s, from when each was due; sent {found.sent[which] / 1000:.1f} ms after that",
        )
        for which, bound in (("p50", 2), ("p99", 10))
    ]


@contextmanager
def _pinned_apart() -> Iterator[Callable[[Sequence[int]], None]]:
    """Pins this process to one core, until the block ends; yields what pins processes to another. Nothing with one core."""
    cores = sorted(os.sched_getaffinity(0))
    if len(cores) < 2:
        yield lambda _pids: None
        return
    os.sched_setaffinity(0, {cores[0]})
    try:
        yield partial(_pin, cores[1])
    finally:
        os.sched_setaffinity(0, cores)


def _pin(core: int, pids: Sequence[int]) -> None:
    for pid in pids:
        for thread in Path(f"/proc/{pid}/task").iterdir():
            with suppress(ProcessLookupError):
                os.sched_setaffinity(int(thread.name), {core})
