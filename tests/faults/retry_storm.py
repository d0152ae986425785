"""Sends every order up to five times through a proxy that cuts connections, and counts the resulting orders.

    python -m tests.faults retry_storm --count 10000 --seed 1

Two members send orders through `cutting_proxy.py`, over the WebSocket and over REST. An order without a reply is sent again
with its client_order_id, five times in all; some orders are sent again although they got a reply. At the end the venue is read
without the proxy. Each id that was sent must exist at most once, and exactly once if it got a reply; all replies to an id must
name one order; each order's fills must add up to its filled quantity; both sides must have traded the same lots; the accounts
must hold what the fills add up to.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from typing import Any

from rex_client import OutcomeUnknown, RexClient, RexError, Unreachable

from tests.faults.cutting_proxy import CuttingProxy
from tests.faults.rig import Advance, Report, Rig, scratch
from tests.faults.traders import CASH, LOTS, Trader, all_fills, all_orders, open_traders
from tests.faults.venue_process import VenueProcess, serve

TRIES = 5
LANES = 12
"""The lanes of each member; every lane has its own client and so its own connection."""
SEND_AGAIN_ANYWAY = 0.1
REPLY_TIMEOUT_S = 2.0
"""The time-out for one reply: after a cut on the way to the venue, neither a reply nor the connection's end may arrive."""

Json = dict[str, Any]


class Lane:
    """One client behind the proxy, and the replies to its orders."""

    def __init__(self, url: str, trader: Trader, random: Random, report: Report) -> None:
        self._url, self._trader, self._random, self._report = url, trader, random, report
        self._over_socket = random.random() < 0.5
        self._client: RexClient | None = None
        self.answers: dict[str, list[Json]] = {}

    async def send(self, order: Json) -> None:
        """Sends an order until it gets a reply, at most five times."""
        name = order["client_order_id"]
        answers = self.answers.setdefault(name, [])
        for attempt in range(TRIES):
            try:
                async with asyncio.timeout(REPLY_TIMEOUT_S):
                    answers.append(await (await self._connected()).place_order(order))
            except (OutcomeUnknown, Unreachable, TimeoutError):
                self._report.add("unanswered_sends")
                await self.close()
                continue
            except RexError as problem:
                self._report.broken.append(f"{name} is answered {problem}")
            self._report.add("sent_again", int(attempt > 0))
            if self._random.random() > SEND_AGAIN_ANYWAY:
                return
        self._report.add("never_answered", int(not answers))

    async def _connected(self) -> RexClient:
        if self._client is None:
            self._client = RexClient(self._url, self._trader.key)
            if self._over_socket:
                await self._client.connect()
        return self._client

    async def close(self) -> None:
        client, self._client = self._client, None
        if client is not None:
            await client.close()


def run(ids: int, seed: int, advance: Advance) -> Report:
    """Sends `ids` orders, half of them by each member."""
    report = Report("retry_storm", {"sent_again": 0, "unanswered_sends": 0, "never_answered": 0})
    with TemporaryDirectory(dir=scratch()) as work, serve(Path(work) / "rex-data") as venue:
        asyncio.run(_storm(venue, ids, Random(seed), report, advance))
    return report


async def _storm(venue: VenueProcess, ids: int, random: Random, report: Report, advance: Advance) -> None:
    traders = await open_traders(venue)
    proxy = CuttingProxy(venue.url, random)
    async with proxy.running():
        lanes = {trader.side: [Lane(proxy.url, trader, random, report) for _ in range(LANES)] for trader in traders}
        async with asyncio.TaskGroup() as tasks:
            for trader in traders:
                orders = (trader.next_order() for _ in range(ids // len(traders)))
                for lane in lanes[trader.side]:
                    tasks.create_task(_work(lane, orders, advance))
    report.counts |= {f"connections_{fate}": count for fate, count in proxy.fates.items()}
    filled: Counter[str] = Counter()
    for trader in traders:
        answers = {name: found for lane in lanes[trader.side] for name, found in lane.answers.items()}
        async with RexClient(venue.url, trader.key) as client:
            orders_there, fills = await all_orders(client), await all_fills(client)
            report.broken += _ids_off(answers, orders_there)
            report.broken += _fills_off(trader, orders_there, fills, await client.account())
        report.add("orders", len(orders_there))
        filled[trader.side] = sum(fill["quantity"] for fill in fills)
    if len(set(filled.values())) != 1:
        report.broken.append(f"lots bought and sold differ: {dict(filled)}")


async def _work(lane: Lane, orders: Iterator[Json], advance: Advance) -> None:
    """Sends the member's next order until there is none."""
    for order in orders:
        await lane.send(order)
        advance()
    await lane.close()


def _ids_off(answers: dict[str, list[Json]], orders: list[Json]) -> Iterator[str]:
    times = Counter(order["client_order_id"] for order in orders)
    order_ids = {order["client_order_id"]: order["order_id"] for order in orders}
    yield from (f"{name} is there {count} times" for name, count in times.items() if count > 1)
    yield from (f"{name} is there and was never sent" for name in times if name not in answers)
    for name, given in answers.items():
        ids = {answer["order_id"] for answer in given}
        if given and ids != {order_ids.get(name)}:
            yield f"{name} was answered as {sorted(ids)} and is order {order_ids.get(name)}"


def _fills_off(trader: Trader, orders: list[Json], fills: list[Json], account: Json) -> Iterator[str]:
    lots: Counter[str] = Counter()
    paid = Decimal()
    for fill in fills:
        lots[fill["order_id"]] += fill["quantity"]
        paid += Decimal(fill["amount"]) * (1 if trader.side == "buy" else -1) + Decimal(fill["fee"])
    for order in orders:
        if lots[order["order_id"]] != order["cum_qty"]:
            yield f"{order['client_order_id']} says {order['cum_qty']} filled, its fills {lots[order['order_id']]}"
    held = sum(holding["quantity"] for holding in account["holdings"])
    traded = lots.total() * (1 if trader.side == "buy" else -1)
    if (Decimal(account["cash"]), held) != (Decimal(CASH) - paid, LOTS + traded):
        yield f"the {trader.side}er holds {account['cash']} yuan and {held} lots, and its fills say otherwise"


RIG = Rig("retry_storm", run, "ids", short=500, long=10_000)
