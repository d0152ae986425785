"""The clients: traders that place, amend, cancel, look and follow their orders, and an operator. They retry until they know."""

from __future__ import annotations

import asyncio
from collections import deque
from contextvars import copy_context
from random import Random
from typing import Any

from matching_engine.records import Event
from services.gateway.order_entry.order_body import AmendParams, CancelParams, OrderBody
from services.venue_state.orders import VenueOrder
from tests.simulation.gateway_process import GatewayProcess, Respond
from tests.simulation.requests import Amend, Attempt, Batch, Cancel, Deposit, Look, Place, Reply, Request, Told
from tests.simulation.venue import Venue
from tests.unit.read_model.history import REFERENCE_TICKS

SYMBOLS = ("ND-OX", "NDFEB-N42")
PRICES = ("{:.2f}", "{:.4f}")
TICKS = (10.0, 0.0333)
_RETRIED = frozenset({"outcome_unknown", "not_ready", "not_connected", "inbox_full", "too_many_requests"})


class Client:
    """Sends requests over a network that loses, delays, doubles and reorders them and their replies."""

    def __init__(self, venue: Venue, name: str, account: int, key_id: int) -> None:
        self.venue = venue
        self.name = name
        self.account = account
        self.key_id = key_id
        self.chance: Random = venue.world.random(name)
        self.requests: list[Request] = []
        self._asking: set[str] = set()
        self.told: list[Told] = []
        self.gateway = self.chance.choice(("gateway-1", "gateway-2"))

    async def ask(self, request: Request, *, again: bool = True) -> Reply | None:
        """Tries the request until there is a definite answer; `again` False: once. None: the client does not know."""
        self.requests.append(request)
        self._asking.add(request.name)
        reply = await self._ask(request, again=again)
        self._asking.discard(request.name)
        return reply

    def asks(self, request: Request) -> bool:
        """Whether it still tries this request."""
        return request.name in self._asking

    async def _ask(self, request: Request, *, again: bool) -> Reply | None:
        while True:
            reply = await self._try(request)
            if reply is not None and reply.problem not in _RETRIED:
                request.answer = reply
                self.told += reply.orders
                return reply
            if not again:
                return reply
            await asyncio.sleep(self.chance.random() * 0.5)
            if self.chance.random() < 0.5:
                self.gateway = "gateway-2" if self.gateway == "gateway-1" else "gateway-1"

    async def _try(self, request: Request) -> Reply | None:
        loop, weather = self.venue.world.loop, self.venue.weather
        answered: asyncio.Future[Reply] = loop.create_future()
        context = copy_context()

        def arrived(reply: Reply) -> None:
            if not answered.done():
                answered.set_result(reply)

        def respond(reply: Reply) -> None:
            if self.chance.random() >= weather.reply_lost:
                loop.call_later(self.chance.expovariate(1_000), arrived, reply, context=context)

        for _ in range(2 if self.chance.random() < weather.request_doubled else 1):
            attempt = Attempt(request, len(request.attempts))
            request.attempts.append(attempt)
            if self.chance.random() < weather.request_lost:
                attempt.refused = True
                continue
            self._send(attempt, respond)
        try:
            async with asyncio.timeout(self.chance.choice((0.5, 3.0, 12.0))):
                return await answered
        except TimeoutError:
            return None

    def _send(self, attempt: Attempt, respond: Respond) -> None:
        weather = self.venue.weather
        delay_s = self.chance.expovariate(1_000)
        if self.chance.random() < weather.request_late:
            delay_s += self.chance.random() * weather.late_s
        process = self.venue.world.processes.get(self.gateway)
        program = self.venue.programs.get(self.gateway)
        if process is None or not isinstance(program, GatewayProcess):
            attempt.refused = True
            respond(Reply(problem="not_connected"))
            return
        self.venue.world.loop.call_later(delay_s, program.receive, attempt, respond, context=process.context.copy())


class Trader(Client):
    """One account. Some of its orders have no client_order_id, and are tried only once."""

    def __init__(self, venue: Venue, name: str, account: int, key_id: int) -> None:
        super().__init__(venue, name, account, key_id)
        self._count = 0
        self._names: list[str] = []
        self.view: dict[int, Told] = {}
        """Its orders, as a stream of one gateway has shown them."""

    async def trade(self, until_s: float) -> None:
        """Acts until then; returns when it knows the outcome of everything."""
        asking: list[asyncio.Task[Any]] = []
        while self.venue.world.now_s < until_s:
            await asyncio.sleep(self.chance.expovariate(5))
            request, again = self._next()
            asking.append(asyncio.create_task(self.ask(request, again=again)))
        for task in asking:
            await task

    def _next(self) -> tuple[Request, bool]:
        self._count += 1
        name, roll = f"{self.name}-{self._count}", self.chance.random()
        common = name, self.account, self.key_id
        if roll < 0.55 or not self._names:
            named = self.chance.random() < 0.8
            if named:
                self._names.append(name)
            return Place(*common, body=self._body(name if named else None)), named
        target = self.chance.choice(self._names[-10:])
        if roll < 0.7:
            return Cancel(*common, client_order_id=target), True
        if roll < 0.8:
            price = self._price(0)
            body = AmendParams(client_order_id=target, price=price, quantity=self.chance.randint(1, 5))
            return Amend(*common, client_order_id=target, body=body), True
        if roll < 0.9:
            entries: list[OrderBody | CancelParams] = [self._body(f"{name}-{one}") for one in range(3)]
            self._names += [f"{name}-{one}" for one in range(3)]
            entries.append(CancelParams(client_order_id=target))
            return Batch(*common, entries=entries), True
        return Look(*common, client_order_id=target), True

    def _body(self, client_order_id: str | None) -> OrderBody:
        number = self.chance.choice((0, 0, 0, 1))
        return OrderBody(
            symbol=SYMBOLS[number],
            side=self.chance.choice(("buy", "sell")),
            quantity=self.chance.randint(1, 4),
            price=self._price(number),
            time_in_force=self.chance.choice(("gtc", "day", "ioc")),
            client_order_id=client_order_id,
        )

    def _price(self, number: int) -> str:
        return PRICES[number].format((REFERENCE_TICKS + self.chance.randint(-3, 3)) * TICKS[number])

    async def follow(self) -> None:
        """Follows its orders on a gateway's stream; after a break, from a snapshot on another one. Runs until canceled."""
        while True:
            await asyncio.sleep(self.chance.random() * 0.3)
            gateways = self.venue.gateways()
            if gateways:
                await _Stream(self, self.chance.choice(gateways)).run()


class _Stream:
    """A connection that carries the changes of a trader's orders, in order."""

    def __init__(self, trader: Trader, gateway: GatewayProcess) -> None:
        self._trader = trader
        self._gateway = gateway
        self._loop = trader.venue.world.loop
        self._last_s = 0.0
        self._pushed: deque[tuple[Any, Any]] = deque()
        self._open = True
        self._context = copy_context()
        """The client's."""

    async def run(self) -> None:
        """Until the connection breaks."""
        trader, gateway = self._trader, self._gateway
        self._loop.call_later(0.001, self._subscribe, context=gateway.process.context)
        lasts_s = trader.chance.expovariate(0.2)
        ends_s = self._loop.time() + lasts_s
        while gateway.process.alive and self._loop.time() < ends_s:  # noqa: ASYNC110  a dead process tells nobody
            await asyncio.sleep(0.25)
        self._open = False
        if not gateway.process.alive or not gateway.serves:
            return
        gateway.state.order_listeners.pop(trader.account, None)

    def _subscribe(self) -> None:
        gateway, account = self._gateway, self._trader.account
        if not gateway.serves or not self._open:
            return
        orders = gateway.state.orders
        known = [Told.of(one) for one in [*orders.open.values(), *orders.ended.values()] if one.account == account]
        self._push(self._snapshot, known)
        gateway.state.order_listeners[account] = self._changed

    def _changed(self, order: VenueOrder, _event: Event) -> None:
        self._push(self._change, Told.of(order))

    def _push(self, arrive: Any, what: Any) -> None:
        if not self._gateway.process.alive:
            return
        delay_s = self._trader.chance.expovariate(1_000)
        self._last_s = max(self._last_s, self._loop.time() + delay_s)
        self._pushed.append((arrive, what))
        self._loop.call_at(self._last_s, self._arrived, context=self._context)

    def _arrived(self) -> None:
        arrive, what = self._pushed.popleft()
        if self._open:
            arrive(what)

    def _snapshot(self, known: list[Told]) -> None:
        self._trader.view = {one.order_id: one for one in known}
        self._trader.told += known

    def _change(self, told: Told) -> None:
        before = self._trader.view.get(told.order_id)
        if before is not None and before.seq > told.seq:
            self._trader.venue.world.broken(
                f"{self._trader.name} heard of seq {told.seq} after seq {before.seq}: {told}"
            )
        self._trader.view[told.order_id] = told
        self._trader.told.append(told)


class Operator(Client):
    """Books deposits, each with an idempotency key, at both gateways at once; some withdrawals are too large."""

    async def book(self, until_s: float) -> None:
        """Acts until then; returns when it knows the outcome of everything."""
        asking: list[asyncio.Task[Any]] = []
        count = 0
        while self.venue.world.now_s < until_s:
            await asyncio.sleep(self.chance.expovariate(1.5))
            count += 1
            amount_fen = -(10**15) - count if self.chance.random() < 0.2 else 10_000_000 + count
            deposit = Deposit(
                f"{self.name}-{count}",
                0,
                self.key_id,
                to_account=self.chance.choice((2, 3, 4)),
                amount_fen=amount_fen,
            )
            asking.append(asyncio.create_task(self.ask(deposit)))
            if self.chance.random() < 0.4:
                asking.append(asyncio.create_task(self._once_more(deposit)))
        for task in asking:
            await task

    async def _once_more(self, deposit: Deposit) -> None:
        """Another program of the operator sends the same request by the other gateway."""
        await asyncio.sleep(self.chance.random() * 0.1)
        self.gateway = "gateway-2" if self.gateway == "gateway-1" else "gateway-1"
        await self._try(deposit)
