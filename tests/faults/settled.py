"""What must be true of a scaled venue after a fault: it recovers by itself, asking settles every unknown outcome, nothing that
was acknowledged is lost."""

from __future__ import annotations

import asyncio
import signal
import time
from collections.abc import Callable
from contextlib import AsyncExitStack
from functools import partial
from typing import Any, NamedTuple

from rex_client import OutcomeUnknown, RexClient, RexError, Unreachable

from services.processes.exit_codes import ExitCode
from tests.faults.rebuilt_postgres import check_rows, prove
from tests.faults.rig import Report
from tests.faults.scaled_venue import ScaledVenue, TooLate, read_health
from tests.faults.take_over import Load
from tests.faults.traders import SYMBOL, Trader
from tests.patience import PATIENCE_S

DEPOSED = (ExitCode.OTHER_WRITER,)
"""The statuses with which a sequencer may end after a fault that made another one claim the journal."""


class OpenGateway(NamedTuple):
    """A gateway and the operator's key, as `open_traders` takes them."""

    url: str
    operator_key: str


def replace_ended(venue: ScaledVenue, report: Report) -> None:
    """Waits until one sequencer leads, and starts each ended process again. A sequencer may have ended with DEPOSED; any other
    end is a broken promise. Raises TooLate."""
    deadline = time.monotonic() + PATIENCE_S
    while len(_leaders(venue)) != 1:
        if time.monotonic() > deadline:
            raise TooLate(f"these sequencers lead: {_leaders(venue)}")
        time.sleep(0.05)
    for name, process in [*venue.processes.items()]:
        status = process.process.exitcode
        if status is None:
            continue
        report.add("processes_ended")
        if not (name.startswith("sequencer") and status in DEPOSED):
            report.broken.append(f"{name} ended with status {status}: {process.said}")
        venue.restart(name)


def _leaders(venue: ScaledVenue) -> list[str]:
    return [
        name
        for name, process in venue.processes.items()
        if name.startswith("sequencer") and read_health(process.url).get("role") == "leader"
    ]


async def acknowledged_again(venue: ScaledVenue, load: Load, count: int, report: Report) -> None:
    """Waits for acknowledgements of orders that are sent from now on. Raises TimeoutError if none come, and at once if a
    promise is broken or a gateway has ended."""
    gateways = [process for name, process in venue.processes.items() if name.startswith("gateway")]
    waiting = asyncio.create_task(load.acknowledgements(count))
    try:
        while not waiting.done():
            await asyncio.wait([waiting], timeout=0.1)
            if report.broken or any(gateway.process.exitcode is not None for gateway in gateways):
                raise TimeoutError("since a promise is broken")
        waiting.result()
    finally:
        waiting.cancel()


async def ask(venue: ScaledVenue, traders: list[Trader], load: Load, report: Report) -> None:
    """Asks about every order with an unknown outcome, at both gateways: GET by client_order_id, then the same order again. All
    answers must be of one order."""
    names, load.unknown = sorted(load.unknown), set()
    report.add("asked", len(names))
    for trader in traders:
        async with AsyncExitStack() as opened:
            clients = [await opened.enter_async_context(RexClient(url, trader.key)) for url in venue.gateways()]
            own = [name for name in names if name.startswith(trader.side)]
            await asyncio.gather(*(_ask(trader, name, clients, report) for name in own))


async def _ask(trader: Trader, name: str, clients: list[RexClient], report: Report) -> None:
    found = (await _answered(partial(clients[0].orders, client_order_id=name)))["orders"]
    again = await asyncio.gather(
        *(_answered(partial(client.place_order, trader.order_named(name))) for client in clients)
    )
    ids = {order["order_id"] for order in (*found, *again)}
    if len(ids) != 1 or len(found) > 1:
        report.broken.append(f"{name} is {len(ids)} orders on asking: {sorted(ids)}")
    report.add("found_on_asking", len(found))
    for order in again:
        trader.ledger.acknowledge(order)


async def _answered(call: Callable[[], Any]) -> Any:
    """The answer of the venue; asks again while it says that it cannot answer yet."""
    deadline = time.monotonic() + PATIENCE_S
    while True:
        try:
            return await call()
        except (RexError, OutcomeUnknown, Unreachable) as problem:
            if time.monotonic() > deadline or (isinstance(problem, RexError) and problem.status not in (429, 503)):
                raise
            await asyncio.sleep(0.1)


async def conclude(venue: ScaledVenue, traders: list[Trader], load: Load, report: Report) -> None:
    """After the last trial: asks, then looks for every order and compares the stores. At the end there is no projector."""
    try:
        await asyncio.to_thread(replace_ended, venue, report)
        await ask(venue, traders, load, report)
        await _check_orders(venue, traders, load, report)
        await check_stores(venue, report)
    except (RexError, OutcomeUnknown, Unreachable, TooLate) as problem:
        said = {name: process.said for name, process in venue.processes.items() if process.said}
        report.broken.append(f"whoever asks is answered: {problem}; the processes say: {said}")


async def _check_orders(venue: ScaledVenue, traders: list[Trader], load: Load, report: Report) -> None:
    """Every acknowledged order is there, once; none that was refused is. The load has ended."""
    report.add("acknowledged", load.acknowledged)
    report.add("refused", len(load.refused))
    for trader in traders:
        orders = await _answered(partial(trader.orders, venue.gateways()[0]))
        report.broken += trader.ledger.broken(orders, "order")
        executed = {order["client_order_id"] for order in orders}
        report.broken += [f"{name} was refused and is there" for name in sorted(load.refused & executed)]
        await _check_gateways(venue, trader, report)


async def _check_gateways(venue: ScaledVenue, trader: Trader, report: Report) -> None:
    """Nobody trades any more: every gateway soon answers the same book and the same balances."""
    async with AsyncExitStack() as opened:
        clients = [await opened.enter_async_context(RexClient(url, trader.key)) for url in venue.gateways()]
        deadline = time.monotonic() + PATIENCE_S
        while True:
            found = [(await client.depth(SYMBOL), await client.account()) for client in clients]
            if all(each == found[0] for each in found):
                return
            if time.monotonic() > deadline:
                report.broken.append(f"the gateways differ on the {trader.side}er's balances or the book: {found}")
                return


async def check_stores(venue: ScaledVenue, report: Report) -> None:
    """The journal, executed again, has the same events; the read database is row for row what the journal says. Kills the
    projector."""
    venue.processes["projector 1"].signal(signal.SIGKILL)
    await asyncio.to_thread(venue.processes["projector 1"].ended)
    await prove(venue.database_url, report)
    await check_rows(venue.database_url, report)
