"""Cuts the sockets of those who follow accounts and the market, and kills the venue, again and again; compares what they heard.

    python -m tests.faults resume --count 300 --seed 1

Two members trade with each other, and rest some orders away from the price; the operator busts a trade now and then. Each
member follows `orders`, `fills` and `balances`, one of them `trades` and the book with all its levels, and the operator
`drop_copy`, with the Python client, through a proxy; each member's ledger is read on by its cursor. Others join in the middle.
After a number of acknowledgements drawn from the seed the proxy resets its connections; every sixth time the whole venue is
killed (SIGKILL) and started again. Nobody does anything about it: subscriptions resume, a book begins anew.

At the end, with the last orders resting and again when all are canceled, what each channel told must be what the venue has:
every fill, trade and bust once and in order, every order as it stands, each change of the balances as the ledger has it, every
level of the book. The ledger must have each order's reserve, each fill and each bust once, and lead to the account's balances.
A snapshot after the first one means that the venue could not tell what was missed.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import AsyncExitStack, ExitStack
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory

from rex_client import RexClient

from tests.faults.resume_audience import Audience, drawn_joins
from tests.faults.resume_stage import RestingOrders, Stage, bust_some
from tests.faults.rig import Advance, Report, Rig, scratch
from tests.faults.tcp_proxy import TcpProxy, server_of
from tests.faults.traders import Trader, open_traders
from tests.faults.venue_process import Mutant, VenueProcess, serve
from tests.patience import PATIENCE_S

CUTS_A_KILL = 6
"""Every sixth cut is a kill of the venue."""
FEWEST, MOST = 1, 200
"""The fewest and the most acknowledgements before a cut."""


class OneVenue:
    """The embedded venue; some of its harms kill it."""

    def __init__(self, folder: Path, report: Report, random: Random, mutant: Mutant | None) -> None:
        self._folder, self._report, self.random, self._mutant = folder, report, random, mutant
        self._harms = self._left = 0
        self._reached = asyncio.Event()
        self._trading: list[asyncio.Task[None]] = []
        self.traders: list[Trader] = []
        self._process = ExitStack()
        self.venue = self._start()
        self.proxy = TcpProxy(server_of(self.venue.url))

    def _start(self) -> VenueProcess:
        return self._process.enter_context(serve(self._folder, mutant=self._mutant))

    def close(self) -> None:
        """Kills the venue."""
        self._process.close()

    async def trade(self, acknowledgements: int) -> None:
        """See Stage."""
        if not self._trading:
            self._trading = [
                asyncio.create_task(trader.trade(self.venue.url, self._on_acknowledged)) for trader in self.traders
            ]
        self._left, self._reached = acknowledgements, asyncio.Event()
        await self._reached.wait()

    def _on_acknowledged(self) -> None:
        self._left -= 1
        if self._left == 0:
            self._reached.set()

    async def stop_trading(self) -> None:
        """See Stage."""
        for trader in self.traders:
            trader.is_stopping = True
        await self._traded()

    async def _traded(self) -> None:
        await asyncio.wait(self._trading)
        self._trading.clear()

    async def harm(self) -> None:
        """Busts a trade or not; then cuts the followers' connections, or kills the venue."""
        await bust_some(self.venue, self.traders[0], self.random, self._report)
        self._harms += 1
        if self._harms % CUTS_A_KILL != CUTS_A_KILL // 2:
            await self.proxy.cut()
            self._report.add("cuts_of_sockets")
            return
        self.close()
        # They end by themselves. A call canceled just when its server has gone may lose idle connections: httpcore closes them
        # in turn, and a task's cancellation ends that.
        await self._traded()
        self.venue = self._start()
        self.proxy.target = server_of(self.venue.url)
        self._report.add("kills")


def run(cuts: int, seed: int, advance: Advance, *, mutant: Mutant | None = None) -> Report:
    """Harms the venue or its sockets `cuts` times."""
    report = Report("resume", {"cuts_of_sockets": 0, "kills": 0, "busts": 0})
    with TemporaryDirectory(dir=scratch()) as work:
        stage = OneVenue(Path(work) / "rex-data", report, Random(seed), mutant)
        try:
            asyncio.run(follow_through(stage, cuts, report, advance))
        finally:
            stage.close()
    return report


async def follow_through(stage: Stage, cuts: int, report: Report, advance: Advance) -> None:
    """Lets everyone listen through so many harms, and compares what they heard with the venue: while orders rest, and after."""
    stage.traders = await open_traders(stage.venue)
    resting = [RestingOrders(trader) for trader in stage.traders]
    joins = drawn_joins(stage.random, cuts)
    async with AsyncExitStack() as opened:
        await opened.enter_async_context(stage.proxy.running())
        audience = Audience(stage, f"http://127.0.0.1:{stage.proxy.port}", opened)
        await audience.begin()
        for number in range(cuts):
            await _change(resting, stage)
            audience.ask_readers()
            await _trade(stage, audience, joins.get(number))
            await stage.harm()
            advance()
        await stage.trade(MOST)
        await _change(resting, stage)  # The books began anew with the last harm, and must follow to the end.
        await stage.stop_trading()
        await audience.end_reading()
        await audience.compare(report)
        if report.holds:
            await _cancel_all(stage)
            await audience.compare(report)
        audience.leave()


async def _trade(stage: Stage, audience: Audience, joiner: Sequence[str] | None) -> None:
    """Lets the members trade; somebody may join meanwhile, or at the instant of the harm."""
    acknowledgements = stage.random.randint(FEWEST, MOST)
    if joiner is not None:
        before = stage.random.choice([acknowledgements, stage.random.randint(FEWEST, acknowledgements)])
        await stage.trade(before)
        await audience.join(joiner)
        acknowledgements -= before
    if acknowledgements:
        await stage.trade(acknowledgements)


async def _change(resting: list[RestingOrders], stage: Stage) -> None:
    for orders in resting:
        await orders.change(stage.venue.url, stage.random)


async def _cancel_all(stage: Stage) -> None:
    for trader in stage.traders:
        async with RexClient(stage.venue.url, trader.key, patience_s=PATIENCE_S) as client:
            await client.mass_cancel("*")


RIG = Rig("resume", run, "cuts", short=20, long=300)
