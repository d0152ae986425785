"""The clients of a soak: members who trade, subscribers who come and go, clients that never read, pages."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from contextlib import asynccontextmanager
from random import Random

import httpx
from rex_client import OutcomeUnknown, RexClient, RexError, Unreachable

from tests.faults.deaf_client import DeafClient
from tests.faults.rig import Report
from tests.faults.traders import Trader
from tests.patience import PATIENCE_S, AsyncHttpClient

DEAF = 10
PACE_S = 0.1
"""The time between two orders of a member. A soak looks for what grows: more load would find no more, and on a machine
with other work it ends at a reply that comes too late."""
DEAF_EVERY_S = 0.5
"""The time between two clients that never read, at each address."""
REST_S = 0.2
"""How long a client waits after the venue did not answer."""
_REFUSALS = (429, 503)


class ClientFailed(Exception):
    """An order failed, or a request had no answer."""


class SoakLoad:
    """Every kind of load at once, from `__aenter__` to `__aexit__`, each client at the next of the addresses in turn."""

    def __init__(
        self,
        urls: Sequence[str],
        traders: Sequence[Trader],
        random: Random,
        report: Report,
        *,
        pages: str = "",
        harmed: bool = False,
    ) -> None:
        """`pages`: where pages are opened; none without it. `harmed`: processes die under the load, so requests may fail."""
        self._urls, self._traders, self._random, self._report = urls, traders, random, report
        self._pages, self._harmed = pages, harmed
        self._tasks: list[asyncio.Task[None]] = []
        self.orders = 0

    async def __aenter__(self) -> SoakLoad:
        works = [self._trades(trader, self._url(number)) for number, trader in enumerate(self._traders)]
        for number, url in enumerate(self._urls):
            works += [self._subscribes(url, number), self._stays_deaf(url, number)]
        if self._pages:
            works.append(self._opens_pages)
        self._tasks = [asyncio.create_task(self._again_and_again(work)) for work in works]
        return self

    async def __aexit__(self, *_: object) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.wait(self._tasks)
        self.check()

    def seconds(self, count: int) -> Iterator[int]:
        """So many seconds, numbered, and more until every kind of client has come; PATIENCE_S more at most."""
        for second in range(count + PATIENCE_S):
            if second >= count and self._has_every_kind():
                return
            yield second

    def _has_every_kind(self) -> bool:
        kinds = ("subscribers", "deaf_clients", *(("pages",) if self._pages else ()))
        return self.orders > 0 and all(self._report.counts[kind] for kind in kinds)

    def check(self) -> None:
        """Raises ClientFailed where a client got another answer than it may get."""
        for task in self._tasks:
            if task.done() and not task.cancelled() and (error := task.exception()) is not None:
                raise ClientFailed(f"a client was not answered as it should be: {error!r}") from error

    def _url(self, number: int) -> str:
        return self._urls[number % len(self._urls)]

    async def _again_and_again(self, work: Callable[[], Awaitable[None]]) -> None:
        """Runs it until it is canceled. Where the venue is harmed, a client begins anew after it was not answered."""
        while True:
            try:
                await work()
            except (OutcomeUnknown, Unreachable, OSError, httpx.TransportError) as error:
                self._unanswered(error)
            except RexError as error:
                if error.status not in _REFUSALS:
                    raise
                self._unanswered(error)
            await asyncio.sleep(REST_S)

    def _unanswered(self, error: Exception) -> None:
        if not self._harmed:
            raise error
        self._report.add("unanswered")

    def _trades(self, trader: Trader, url: str) -> Callable[[], Awaitable[None]]:
        async def trade() -> None:
            async with RexClient(url, trader.key) as client:
                await client.connect()
                while True:
                    order = await client.place_order(trader.next_order())
                    self.orders += 1
                    if order["leaves_qty"] and self._random.random() < 0.5:
                        await self._cancel(client, order["order_id"])
                    await asyncio.sleep(PACE_S)

        return trade

    async def _cancel(self, client: RexClient, order_id: str) -> None:
        try:
            await client.cancel_order(order_id=order_id)
            self._report.add("cancels")
        except RexError as problem:
            if problem.code != "order_not_open":
                raise
            self._report.add("cancels_too_late")

    def _subscribes(self, url: str, number: int) -> Callable[[], Awaitable[None]]:
        async def subscribe() -> None:
            trader = self._traders[number % len(self._traders)]
            async with RexClient(url, trader.key) as client:
                pushes = client.subscribe(["depth", "trades", "ticker", "orders"], ["*"])
                for _ in range(self._random.randint(1, 200)):
                    await anext(pushes)
                self._report.add("subscribers")

        return subscribe

    def _stays_deaf(self, url: str, number: int) -> Callable[[], Awaitable[None]]:
        async def stay_deaf() -> None:
            async with _closing_all() as deaf:
                while True:
                    key = self._traders[number % len(self._traders)].key
                    deaf.append(await asyncio.to_thread(DeafClient, url, key))
                    self._report.add("deaf_clients")
                    if len(deaf) > DEAF:
                        deaf.pop(0).close()
                    await asyncio.sleep(DEAF_EVERY_S)

        return stay_deaf

    async def _opens_pages(self) -> None:
        async with AsyncHttpClient(base_url=self._pages) as client:
            while True:
                page = await client.get("/ui/")
                page.raise_for_status()
                self._report.add("pages")
                await asyncio.sleep(0.25)


@asynccontextmanager
async def _closing_all() -> AsyncIterator[list[DeafClient]]:
    clients: list[DeafClient] = []
    try:
        yield clients
    finally:
        for client in clients:
            client.close()
