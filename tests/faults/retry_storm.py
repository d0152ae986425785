"""Sends every order and deposit up to five times through a proxy that cuts connections, and counts what came of them.

    python -m tests.faults retry_storm --count 10000 --seed 1

Two members send orders through `cutting_proxy.py`, over the WebSocket and over REST. An order without a reply is sent again
with its client_order_id, five times in all; some orders are sent again although they got a reply. So are an operator's deposits
into a third account, each with an Idempotency-Key and an amount of its own. At the end the venue is read
without the proxy. Each id that was sent must exist at most once, and exactly once if it got a reply; all replies to an id must
name one order; each order's fills must add up to its filled quantity; both sides must have traded the same lots; the accounts
must hold what the fills add up to. Each deposit must be booked at most once, exactly once if it got a reply, with the seq that
each reply names.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator
from decimal import Decimal
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from typing import Any

from rex_client import OutcomeUnknown, RexClient, RexError, Unreachable, pages

from tests.faults.cutting_proxy import CuttingProxy
from tests.faults.rig import Advance, Report, Rig, scratch
from tests.faults.traders import CASH, LOTS, Trader, all_fills, all_orders, open_traders
from tests.faults.venue_process import VenueProcess, serve

TRIES = 5
LANES = 12
"""The lanes of each member; every lane has its own client and so its own connection."""
DEPOSIT_LANES = 4
ORDERS_A_DEPOSIT = 5
SEND_AGAIN_ANYWAY = 0.1
DEPOSIT_AGAIN_ANYWAY = 0.5
REPLY_TIMEOUT_S = 2.0
"""The time-out for one reply: after a cut on the way to the venue, neither a reply nor the connection's end may arrive."""

Json = dict[str, Any]
Request = tuple[str, Callable[[RexClient], Awaitable[Json]]]
"""The name by which the venue knows a repeat, and how the request is sent once."""


class Lane:
    """One client behind the proxy, and the replies to its requests."""

    def __init__(self, url: str, key: str, random: Random, report: Report, again: float = SEND_AGAIN_ANYWAY) -> None:
        self._url, self._key, self._random, self._report, self._again = url, key, random, report, again
        self._over_socket = random.random() < 0.5
        self._client: RexClient | None = None
        self.answers: dict[str, list[Json]] = {}

    async def send(self, request: Request) -> None:
        """Sends a request until it gets a reply, at most five times."""
        name, send_once = request
        answers = self.answers.setdefault(name, [])
        for attempt in range(TRIES):
            try:
                async with asyncio.timeout(REPLY_TIMEOUT_S):
                    answers.append(await send_once(await self._connected()))
            except (OutcomeUnknown, Unreachable, TimeoutError):
                self._report.add("unanswered_sends")
                await self.close()
                continue
            except RexError as problem:
                self._report.broken.append(f"{name} is answered {problem}")
            self._report.add("sent_again", int(attempt > 0))
            if self._random.random() > self._again:
                return
        self._report.add("never_answered", int(not answers))

    async def _connected(self) -> RexClient:
        if self._client is None:
            self._client = RexClient(self._url, self._key)
            if self._over_socket:
                await self._client.connect()
        return self._client

    async def close(self) -> None:
        client, self._client = self._client, None
        if client is not None:
            await client.close()


def run(ids: int, seed: int, advance: Advance) -> Report:
    """Sends `ids` orders, half of them by each member, and a deposit for every fifth of them."""
    report = Report("retry_storm", {"sent_again": 0, "unanswered_sends": 0, "never_answered": 0})
    with TemporaryDirectory(dir=scratch()) as work, serve(Path(work) / "rex-data") as venue:
        asyncio.run(_storm(venue, ids, Random(seed), report, advance))
    return report


async def _storm(venue: VenueProcess, ids: int, random: Random, report: Report, advance: Advance) -> None:
    traders = await open_traders(venue)
    async with RexClient(venue.url, venue.operator_key) as operator:
        saver = (await operator.open_account("saver"))["account"]
    proxy = CuttingProxy(venue.url, random)
    async with proxy.running():
        lanes = {trader.side: [Lane(proxy.url, trader.key, random, report) for _ in range(LANES)] for trader in traders}
        depositing = [
            Lane(proxy.url, venue.operator_key, random, report, DEPOSIT_AGAIN_ANYWAY) for _ in range(DEPOSIT_LANES)
        ]
        deposits = (_deposit(saver, number) for number in range(1, ids // ORDERS_A_DEPOSIT + 1))
        async with asyncio.TaskGroup() as tasks:
            for trader in traders:
                orders = (_order(trader.next_order()) for _ in range(ids // len(traders)))
                for lane in lanes[trader.side]:
                    tasks.create_task(_work(lane, orders, advance))
            for lane in depositing:
                tasks.create_task(_work(lane, deposits, lambda: None))
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
    await _compare_deposits(venue, saver, depositing, report)


def _order(order: Json) -> Request:
    return order["client_order_id"], lambda client: client.place_order(order)


def _deposit(account: int, number: int) -> Request:
    name, amount = f"deposit-{number}", _amount_of(number)
    return name, lambda client: client.change_cash(account, amount, idempotency_key=name)


def _amount_of(number: int) -> str:
    """Nobody else's."""
    return f"{number}.00"


async def _work(lane: Lane, requests: Iterator[Request], advance: Advance) -> None:
    """Sends the next request until there is none."""
    for request in requests:
        await lane.send(request)
        advance()
    await lane.close()


async def _compare_deposits(venue: VenueProcess, account: int, lanes: list[Lane], report: Report) -> None:
    seqs: dict[str, list[int]] = {}
    async with RexClient(venue.url, venue.operator_key) as operator:
        async for page in pages(operator.cash_movements, account=account):
            for booked in page["cash_movements"]:
                seqs.setdefault(booked["amount"], []).append(booked["seq"])
    for name, given in (answer for lane in lanes for answer in lane.answers.items()):
        booked = seqs.pop(_amount_of(int(name.split("-")[1])), [])
        if len(booked) > 1 or any([answer["seq"]] != booked for answer in given):
            report.broken.append(f"{name} was answered {given} and is booked as {booked}")
        report.add("deposits", len(booked))
        report.add("deposits_answered_again", int(len(given) > 1))
    if seqs:
        report.broken.append(f"nobody sent the deposits {seqs}")


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
