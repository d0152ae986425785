"""What must hold of a scaled venue after every fault, and at the end: it recovers without a hand but a supervisor's, asking
settles every unknown outcome, nothing that was acknowledged is lost."""

from __future__ import annotations

import asyncio
import json
import signal
import time
from collections.abc import Callable, Collection
from contextlib import AsyncExitStack
from functools import partial
from typing import Any

from rex_client import OutcomeUnknown, RexClient, RexError, Unreachable

from services.processes.exit_codes import ExitCode
from tests.faults.rebuilt import check_rows, prove
from tests.faults.rig import Report, until
from tests.faults.scaled_venue import ScaledVenue, read_health
from tests.faults.stage import Stage
from tests.faults.traders import SYMBOL, Trader
from tests.faults.venue_process import rex
from tests.patience import PATIENCE_S

AFTER = 30
"""So many acknowledgements of orders that are sent after a fault show that the venue has recovered."""
DEPOSED = (ExitCode.OTHER_WRITER,)
"""The statuses with which a sequencer may end after a fault that made another one claim the journal."""


async def recovered(stage: Stage, may_end: Collection[int]) -> None:
    """Waits for acknowledgements of orders that are sent from now on; then each process runs, and one sequencer leads. Raises
    TimeoutError, at once if a promise is broken, and TooLate."""
    waiting = asyncio.create_task(stage.load.acknowledgements(AFTER))
    try:
        while not waiting.done():
            await asyncio.wait([waiting], timeout=0.1)
            await asyncio.to_thread(start_again, stage.venue, stage.report, may_end, needed=True)
            if stage.report.broken:
                raise TimeoutError("it does not recover, since a promise is broken")
        waiting.result()
    finally:
        waiting.cancel()
    stage.report.highest("longest_silence_ms", round(stage.load.longest_s * 1000))
    await asyncio.to_thread(until, lambda: len(_leaders(stage.venue)) == 1, "not one sequencer leads")
    await asyncio.to_thread(start_again, stage.venue, stage.report, may_end)


def start_again(
    venue: ScaledVenue, report: Report, may_end: Collection[int] = DEPOSED, *, needed: bool = False
) -> None:
    """What a supervisor does: each process that has ended starts again, on its port. `needed`: not a sequencer while another
    one runs, which must take over by itself. `may_end`: with these statuses may a sequencer end; another process only where
    the journal may have lost what it has read."""
    ended = venue.ended()
    sequencers = {name for name in venue.processes if name.startswith("sequencer")}
    for name, (status, said) in ended.items():
        if needed and name in sequencers and not sequencers <= ended.keys():
            continue
        report.add("processes_ended")
        if status not in may_end or (name not in sequencers and status != ExitCode.JOURNAL_DAMAGED):
            report.broken.append(f"{name} ended with status {status}: {said[-500:].strip()}")
        venue.replace(name)


def _leaders(venue: ScaledVenue) -> list[str]:
    return [
        name
        for name, process in venue.processes.items()
        if name.startswith("sequencer") and read_health(process.url).get("role") == "leader"
    ]


async def ask(stage: Stage) -> None:
    """Asks about every order with an unknown outcome, at both gateways: GET by client_order_id, then the same order again. All
    answers must be of one order."""
    names, stage.load.unknown = sorted(stage.load.unknown), set()
    stage.report.add("asked", len(names))
    for trader in stage.traders:
        async with AsyncExitStack() as opened:
            clients = [await opened.enter_async_context(RexClient(url, trader.key)) for url in stage.venue.gateways()]
            own = [name for name in names if name.startswith(trader.side)]
            await asyncio.gather(*(_ask(trader, name, clients, stage.report) for name in own))


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


async def conclude(stage: Stage) -> None:
    """After the last fault, when the load has ended: looks for every order, and compares gateways and stores. At the end there
    is no projector."""
    report = stage.report
    report.add("acknowledged", stage.load.acknowledged)
    report.add("refused", len(stage.load.refused))
    await ask(stage)
    for trader in stage.traders:
        orders = await _answered(partial(trader.orders, stage.venue.url))
        report.broken += trader.ledger.broken(orders, "order")
        executed = {order["client_order_id"] for order in orders}
        report.broken += [f"{name} was refused and is there" for name in sorted(stage.load.refused & executed)]
        await _check_gateways(stage.venue, trader, report)
    await check_stores(stage)
    proof = await asyncio.to_thread(rex, "journal", "verify", "--database-url", stage.database_url, "--prove", "--json")
    if proof.exit_status or not json.loads(proof.out)["good"]:
        report.broken.append(f"verify says: {proof.out}{proof.err}")
    report.add("journals_verified")
    stage.compare_servers()


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


async def check_stores(stage: Stage) -> None:
    """The journal, executed again, has the same events; the read database is row for row what the journal says. Kills the
    projector."""
    projector = stage.venue.processes["projector 1"]
    projector.signal(signal.SIGKILL)
    await asyncio.to_thread(projector.ended)
    await prove(stage.database_url, stage.report)
    await check_rows(stage.database_url, stage.report)
