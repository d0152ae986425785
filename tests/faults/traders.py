"""Two members who trade with each other over WebSocket and REST, each sending the next order when a reply arrives."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from decimal import Decimal
from typing import Any, Protocol

from rex_client import OutcomeUnknown, RexClient, RexError, Unreachable, pages

from tests.faults.ledger import Ledger
from tests.faults.rig import Report
from tests.faults.venue_process import VenueProcess
from tests.integration.postgres_journal import until
from tests.patience import PATIENCE_S, AsyncHttpClient

SYMBOL = "NDFEB-N35"
CASH = "900000000000.00"
LOTS = 50_000_000
SOCKET_LANES = 24
REST_LANES = 3
PAGE = 500
AFTER = 100

Json = dict[str, Any]


class OpenVenue(Protocol):
    """A venue's URL and its operator's key."""

    @property
    def url(self) -> str: ...

    @property
    def operator_key(self) -> str: ...


def an_order(side: str, name: str, number: int) -> Json:
    """An order within three ticks of the other side's, so that most orders trade, some in parts, and some rest."""
    return {
        "symbol": SYMBOL,
        "side": side,
        "price": f"{160 + Decimal(number % 3) / 10:.2f}",
        "quantity": 1 + number % 7,
        "time_in_force": "gtc",
        "client_order_id": name,
    }


class Trader:
    """One account, its ledger, and the naming of its orders."""

    def __init__(self, side: str, key: str) -> None:
        self.side, self.key = side, key
        self.ledger = Ledger()
        self.is_stopping = False
        """Whether its lanes end after the replies that they wait for."""
        self._number = 0
        self._counted = 0

    def next_order(self) -> Json:
        self._number += 1
        return self.order_named(f"{self.side}-{self._number}")

    def order_named(self, name: str) -> Json:
        """The order with this client_order_id; always the same one."""
        return an_order(self.side, name, int(name.split("-")[1]))

    async def trade(self, url: str, on_acknowledged: Callable[[], None]) -> None:
        """Places orders on every lane until the venue is gone, or it is stopping."""
        async with RexClient(url, self.key) as client:
            try:
                await client.connect()
            except (Unreachable, RexError):
                return  # The harm was done before this member connected.
            async with asyncio.TaskGroup() as lanes:
                for _ in range(SOCKET_LANES):
                    lanes.create_task(self._lane(client.place_order, on_acknowledged))
                for _ in range(REST_LANES):
                    lanes.create_task(self._lane(client.post_order, on_acknowledged))

    async def _lane(self, place: Callable[[Json], Any], on_acknowledged: Callable[[], None]) -> None:
        while not self.is_stopping:
            order = self.next_order()
            if self.ledger.harmed and time.monotonic() >= self.ledger.allowed_until_s:
                self.ledger.sent_after.add(order["client_order_id"])
            try:
                self.ledger.acknowledge(await place(order))
            except (OutcomeUnknown, Unreachable, RexError):
                self.ledger.unanswered.add(order["client_order_id"])
                return
            on_acknowledged()

    async def retry(self, url: str) -> None:
        """Sends every order without a reply again; their replies are owed from now on."""
        async with RexClient(url, self.key) as client:
            await client.connect()
            names = sorted(self.ledger.unanswered)
            for order in await asyncio.gather(*(client.place_order(self.order_named(name)) for name in names)):
                self.ledger.acknowledge(order)
        self.ledger.unanswered.clear()

    def newly_acknowledged(self) -> int:
        """The number of orders acknowledged since the last call."""
        new = len(self.ledger.owed) - self._counted
        self._counted += new
        return new

    async def orders(self, url: str) -> list[Json]:
        """All orders of the account, read from the venue."""
        async with RexClient(url, self.key) as client:
            return await all_orders(client)


async def all_orders(client: RexClient) -> list[Json]:
    return await every(client.orders, "orders", state="all")


async def all_fills(client: RexClient) -> list[Json]:
    return await every(client.fills, "fills")


async def every(
    call: Callable[..., Awaitable[Json]], name: str, *arguments: Any, limit: int = PAGE, **conditions: Any
) -> list[Json]:
    """All entries of a list that comes in pages."""
    found: list[Json] = []
    async for page in pages(call, *arguments, limit=limit, **conditions):
        found += page[name]
    return found


async def open_traders(venue: OpenVenue) -> list[Trader]:
    """Opens a buyer with cash and a seller with goods, each with a key; also where a leader is still to take over."""
    traders = []
    async with RexClient(venue.url, venue.operator_key, patience_s=PATIENCE_S) as operator:
        for side in ("buy", "sell"):
            account = (await operator.open_account(f"{side}er"))["account"]
            await operator.change_cash(account, CASH)
            await operator.change_inventory(account, SYMBOL, LOTS)
            traders.append(Trader(side, (await operator.issue_key(side, ["read", "trade"], account=account))["key"]))
    return traders


async def key_known(url: str, key: str) -> None:
    """Waits until the gateway at `url` knows a key that another one has issued."""
    headers = {"authorization": f"Bearer {key}"}
    async with AsyncHttpClient(base_url=url, headers=headers) as client:
        await until(lambda: client.get("/v1/account"), lambda answer: answer.status_code != 401)


async def load_until(
    venue: VenueProcess,
    traders: list[Trader],
    acknowledgements: int,
    harm: Callable[[], None],
    *,
    allowed_s: float = 0.0,
) -> None:
    """Trades until a number of orders were acknowledged in this load, then calls `harm`. Returns when every lane has noticed.

    While `harm` runs, no acknowledgement is read and no order is sent: each is either before it began or after it was done. A
    venue that continues as if nothing had happened is stopped once it has acknowledged AFTER orders that were sent after the
    harm; orders sent within `allowed_s` after the harm may be acknowledged and do not count.
    """
    count = 0
    for trader in traders:
        trader.ledger.begin()

    def on_acknowledged() -> None:
        nonlocal count
        count += 1
        if count == acknowledgements:
            for trader in traders:
                trader.ledger.harmed = True
            harm()
            for trader in traders:
                trader.ledger.allowed_until_s = time.monotonic() + allowed_s
        if sum(trader.ledger.after for trader in traders) == AFTER:
            venue.process.terminate()

    async with asyncio.TaskGroup() as load:
        for trader in traders:
            load.create_task(trader.trade(venue.url, on_acknowledged))


async def check_ledgers(url: str, traders: list[Trader], report: Report) -> None:
    """Compares the restarted venue's orders with the members' ledgers; then sends the orders without a reply again."""
    lost_late = 0
    for trader in traders:
        try:
            orders = await trader.orders(url)
            report.broken += trader.ledger.broken(orders, "order")
            kept, lost = trader.ledger.end_harm(orders)
            await trader.retry(url)
        except RexError as problem:
            report.broken.append(f"the {trader.side}er, whom the venue knew, is answered {problem}")
            continue
        report.add("late_kept", kept)
        report.add("late_lost", lost)
        lost_late += lost
    report.add("times_late_ones_were_lost", int(lost_late > 0))
    report.add("acknowledged", sum(trader.newly_acknowledged() for trader in traders))
