"""Order entry: a request and a key become a command; the reply to the command becomes an outcome.

A request is known by (gateway_id, incarnation, request_id), which travel in its command and come back in the journal row.
The incarnation is drawn anew at each start, so a row written for an earlier life of this gateway is never taken for a
reply. A request whose row does not come within `REPLY_SECONDS` ends as `outcome_unknown`: its command may still be carried
out, and a retry with the same client_order_id tells.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Callable, Coroutine, Sequence
from typing import Any, NamedTuple, TypeVar

from matching_engine.records import (
    Command,
    CommandKind,
    Event,
    EventKind,
    OrderType,
    Reason,
    Side,
    TimeInForce,
    pack_commands,
)
from services.gateway.history import OrderHistory
from services.gateway.keys import ApiKey
from services.gateway.order_body import OrderBody
from services.gateway.problems import ProblemError, declined, field_problem, outcome_unknown, problem_of
from services.gateway.state import VenueState
from services.gateway.venue_orders import VenueOrder
from services.journal.row import Row
from services.messaging import Inbox, InboxFull, Submission

REPLY_SECONDS = 10.0
"""How long a request waits for its row. A healthy venue takes milliseconds."""

SIDES = {"buy": int(Side.BUY), "sell": int(Side.SELL)}
ORDER_TYPES = {"limit": int(OrderType.LIMIT), "market": int(OrderType.MARKET)}
TIMES_IN_FORCE = {"day": int(TimeInForce.DAY), "gtc": int(TimeInForce.GTC), "ioc": int(TimeInForce.IOC)}


class Outcome(NamedTuple):
    """What became of an order or a cancel: the order as it stands, or the problem."""

    order: VenueOrder | None = None
    repeated: bool = False
    problem: ProblemError | None = None


OnOutcome = Callable[[Outcome], None]
"""Called once, in the event loop, after the row is on the device and applied to the state. Must not raise."""

OnReply = Callable[["Event | ProblemError"], None]
"""Takes the first event of a command, or the problem that took its place."""


class OrderEntry:
    """Hands commands to the inbox and matches journal rows to the requests that wait for them."""

    def __init__(self, state: VenueState, inbox: Inbox, history: OrderHistory, *, gateway_id: int = 1) -> None:
        self._state = state
        self._inbox = inbox
        self._history = history
        self._sender = Command(gateway_id=gateway_id, incarnation=secrets.randbits(32) | 1)
        self._request_id = 0
        self._waiting: dict[int, tuple[float, OnReply]] = {}  # by request_id: when to give up, whom to tell
        self._lookups: set[asyncio.Task[None]] = set()

    @property
    def waiting(self) -> int:
        """How many commands were handed over whose row has not come yet."""
        return len(self._waiting)

    # ------------------------------------------------------------------ orders, as callbacks (the WebSocket's way)

    async def submit_order(self, key: ApiKey, body: OrderBody, on_outcome: OnOutcome) -> None:
        """Checks an order and hands it over; returns when the inbox has it, `on_outcome` comes later.

        Raises ProblemError (4xx, or 503 `inbox_full`), and then `on_outcome` is never called.
        """
        command = self.new_order(key.trading_account(), key.key_id, body)
        await self._submit([command], [self._on_order_reply(on_outcome)])

    async def submit_cancel(
        self, key: ApiKey, on_outcome: OnOutcome, *, order_id: int = 0, client_order_id: str = ""
    ) -> None:
        """Asks to cancel the order named by one of its two ids; otherwise as `submit_order`.

        A key with `operate` that is bound to no account may cancel any order, by order_id.
        """
        account = 0 if order_id and "operate" in key.scopes and not key.account else key.trading_account()
        command = self._next_sender(key.key_id)._replace(
            kind=CommandKind.CANCEL,
            account=account,
            order_id=order_id,
            client_order_id=client_order_id.encode("ascii"),
        )
        await self._submit([command], [lambda reply: self._cancel_reply(command, reply, on_outcome)])

    # ------------------------------------------------------------------ orders, awaited (the REST way)

    async def place(self, key: ApiKey, body: OrderBody) -> tuple[VenueOrder, bool]:
        """The order as it stands after the engine has looked at it, and whether it was there already."""
        outcome: asyncio.Future[Outcome] = asyncio.get_running_loop().create_future()
        await self.submit_order(key, body, _into(outcome))
        return _order_of(await outcome)

    async def place_batch(self, key: ApiKey, bodies: Sequence[OrderBody]) -> list[Outcome]:
        """All orders of a batch, in one journal row; those that cannot be read end as a problem in their place."""
        account, loop = key.trading_account(), asyncio.get_running_loop()
        outcomes: list[asyncio.Future[Outcome]] = []
        commands: list[Command] = []
        on_replies: list[OnReply] = []
        for body in bodies:
            outcome: asyncio.Future[Outcome] = loop.create_future()
            outcomes.append(outcome)
            try:
                commands.append(self.new_order(account, key.key_id, body))
            except ProblemError as problem:
                outcome.set_result(Outcome(problem=problem))
            else:
                on_replies.append(self._on_order_reply(_into(outcome)))
        if commands:
            await self._submit(commands, on_replies)
        return [await outcome for outcome in outcomes]

    async def cancel(self, key: ApiKey, *, order_id: int = 0, client_order_id: str = "") -> VenueOrder:
        """The canceled order; raises a problem `unknown_order` or `order_not_open`."""
        outcome: asyncio.Future[Outcome] = asyncio.get_running_loop().create_future()
        await self.submit_cancel(key, _into(outcome), order_id=order_id, client_order_id=client_order_id)
        return _order_of(await outcome)[0]

    async def execute(self, key: ApiKey, build: Callable[[Command], Submission]) -> Event:
        """One administrative command, built from its sender; returns its first event, or raises problem `declined`."""
        sender = self._next_sender(key.key_id)
        reply: asyncio.Future[Event | ProblemError] = asyncio.get_running_loop().create_future()
        await self._hand_over(build(sender), [sender.request_id], [_into(reply)])
        event = await reply
        if isinstance(event, ProblemError):
            raise event
        if event.kind == EventKind.REJECTED:
            raise declined(event.reason)
        return event

    # ------------------------------------------------------------------ the reader's side

    def resolve(self, row: Row) -> None:
        """Tells every request that waits for a command of this row. The row is already applied to the state."""
        if not self._waiting:
            return
        gateway_id, incarnation = self._sender.gateway_id, self._sender.incarnation
        first_events: dict[int, Event] = {}
        for event in row.event_list:
            first_events.setdefault(event.seq, event)
        for command in row.command_list:
            if command.incarnation == incarnation and command.gateway_id == gateway_id:
                waiting = self._waiting.pop(command.request_id, None)
                if waiting is not None:
                    waiting[1](first_events[command.seq])

    def give_up(self, now: float) -> None:
        """Ends every request whose time is over (`now` of the event loop's clock) as `outcome_unknown`."""
        overdue = []
        for request_id, (deadline, _) in self._waiting.items():
            if deadline > now:
                break  # Requests wait in the order they came.
            overdue.append(request_id)
        for request_id in overdue:
            self._waiting.pop(request_id)[1](outcome_unknown())

    # ------------------------------------------------------------------ commands

    def new_order(self, account: int, actor: int, body: OrderBody) -> Command:
        """An order as a command; raises a 422 problem that names the field."""
        instrument = self._state.by_symbol.get(body.symbol)
        if instrument is None:
            raise field_problem("unknown_symbol", "symbol", f"no instrument is listed as {body.symbol[:40]!r}")
        is_limit = body.order_type == "limit"
        if is_limit and body.price is None:
            raise field_problem("invalid_price", "price", "a limit order needs one")
        if not is_limit and body.price is not None:
            raise field_problem("invalid_price", "price", "a market order has none")
        if not is_limit and body.time_in_force not in (None, "ioc"):
            raise field_problem("invalid_time_in_force", "time_in_force", "a market order is always ioc")
        price_ticks = 0 if body.price is None else instrument.price_ticks(body.price)
        return self._next_sender(actor)._replace(
            kind=CommandKind.NEW_ORDER,
            account=account,
            instrument=instrument.number,
            side=SIDES[body.side],
            order_type=ORDER_TYPES[body.order_type],
            time_in_force=TIMES_IN_FORCE[body.time_in_force or ("day" if is_limit else "ioc")],
            price_ticks=price_ticks,
            quantity_lots=instrument.quantity_lots(body.quantity),
            client_order_id=b"" if body.client_order_id is None else body.client_order_id.encode("ascii"),
        )

    def _next_sender(self, actor: int) -> Command:
        self._request_id += 1
        return self._sender._replace(request_id=self._request_id, actor=actor)

    async def _submit(self, commands: list[Command], on_replies: list[OnReply]) -> None:
        submission = Submission(pack_commands(commands))
        await self._hand_over(submission, [command.request_id for command in commands], on_replies)

    async def _hand_over(self, submission: Submission, request_ids: list[int], on_replies: list[OnReply]) -> None:
        # The requests wait before the inbox has them: their row may be here before `put` returns.
        deadline = asyncio.get_running_loop().time() + REPLY_SECONDS
        for request_id, on_reply in zip(request_ids, on_replies, strict=True):
            self._waiting[request_id] = (deadline, on_reply)
        try:
            await self._inbox.put(submission)
        except BaseException as error:
            for request_id in request_ids:
                self._waiting.pop(request_id, None)
            if isinstance(error, InboxFull):
                detail = "The venue takes no more commands just now; nothing of this request was taken in."
                raise ProblemError(503, "inbox_full", detail) from None
            raise

    # ------------------------------------------------------------------ replies

    def _on_order_reply(self, on_outcome: OnOutcome) -> OnReply:
        return lambda reply: self._order_reply(reply, on_outcome)

    def _order_reply(self, reply: Event | ProblemError, on_outcome: OnOutcome) -> None:
        if isinstance(reply, ProblemError):
            on_outcome(Outcome(problem=reply))
        elif reply.kind == EventKind.REPEATED:
            self._look_up(self._repeated(reply.order_id), on_outcome)
        elif reply.kind == EventKind.REJECTED and reply.reason == Reason.CLIENT_ORDER_ID_REUSED:
            message = "was used for another order; the same id may only repeat the same body"
            on_outcome(Outcome(problem=field_problem("client_order_id_reused", "client_order_id", message)))
        else:
            on_outcome(Outcome(self._state.orders.get(reply.order_id)))

    def _cancel_reply(self, command: Command, reply: Event | ProblemError, on_outcome: OnOutcome) -> None:
        if isinstance(reply, ProblemError):
            on_outcome(Outcome(problem=reply))
        elif reply.kind == EventKind.REJECTED:
            self._look_up(self._not_canceled(command), on_outcome)
        else:
            on_outcome(Outcome(self._state.orders.get(reply.order_id)))

    async def _repeated(self, order_id: int) -> Outcome:
        return Outcome(await self._history.order(order_id), repeated=True)

    async def _not_canceled(self, command: Command) -> Outcome:
        # The engine knows open orders only; whether this one ended or never was, the past tells.
        account = command.account or None
        if command.order_id:
            order = await self._history.order(command.order_id)
        else:
            client_order_id = command.client_order_id.decode("ascii")
            order = self._state.orders.ended_as(command.account, client_order_id)
            if order is None:
                found = await self._history.orders(account, client_order_id=client_order_id, limit=1)
                order = found[0] if found else None
        if order is None or account not in (None, order.account):
            return Outcome(problem=ProblemError(404, "unknown_order", "There is no such order."))
        detail = f"Order {order.order_id} is {order.state}: there is nothing left to cancel."
        return Outcome(problem=ProblemError(409, "order_not_open", detail))

    def _look_up(self, work: Coroutine[Any, Any, Outcome], on_outcome: OnOutcome) -> None:
        """Answers from the past, which takes a moment, without holding up the replies behind it."""
        task = asyncio.create_task(self._answer(work, on_outcome))
        self._lookups.add(task)
        task.add_done_callback(self._lookups.discard)

    async def _answer(self, work: Coroutine[Any, Any, Outcome], on_outcome: OnOutcome) -> None:
        try:
            outcome = await work
        except Exception as error:
            outcome = Outcome(problem=problem_of(error))
        on_outcome(outcome)


T = TypeVar("T")


def _into(future: asyncio.Future[T]) -> Callable[[T], None]:
    def set_result(result: T) -> None:
        if not future.done():  # The client may have gone away.
            future.set_result(result)

    return set_result


def _order_of(outcome: Outcome) -> tuple[VenueOrder, bool]:
    if outcome.problem is not None:
        raise outcome.problem
    assert outcome.order is not None
    return outcome.order, outcome.repeated
