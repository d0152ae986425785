"""Order entry: a request and a key become a command; the reply to the command becomes an outcome."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from typing import Any, NamedTuple

from matching_engine.records import Command, CommandKind, Event, EventKind, Reason, pack_commands
from services.gateway.ids import unknown_order
from services.gateway.order_entry.history import OrderHistory
from services.gateway.order_entry.order_body import OrderBody
from services.gateway.order_entry.order_command import AmendBody, amend, mass_cancel, new_order
from services.gateway.order_entry.pending_requests import OnReply, PendingRequests, into
from services.gateway.problems import ProblemError, declined, field_problem, problem_of
from services.messaging import Inbox, Submission
from services.venue_state.errors import BadField
from services.venue_state.instruments import Instrument
from services.venue_state.keys import ApiKey
from services.venue_state.orders import VenueOrder
from services.venue_state.reasons import reason_text
from services.venue_state.state import VenueState


class Outcome(NamedTuple):
    """What became of an order, an amend or a cancel: the order as it stands, or the problem."""

    order: VenueOrder | None = None
    repeated: bool = False
    problem: ProblemError | None = None


_CANCELS = frozenset({CommandKind.CANCEL, CommandKind.MASS_CANCEL})
"""They are handed over one by one, so the first command of a submission says what it is."""

OnOutcome = Callable[[Outcome], None]
"""Called once, in the event loop, after the row is on the device and applied to the state. Must not raise."""


class OrderEntry(PendingRequests):
    """Orders, amends and cancels, and what operators and administrators ask for."""

    def __init__(self, state: VenueState, inbox: Inbox, history: OrderHistory, *, gateway_id: int = 1) -> None:
        super().__init__(inbox, gateway_id)
        self._state = state
        self._history = history
        self._on_their_way: dict[tuple[int, bytes], int] = {}
        """Instruments of the orders that have no reply yet, by account and client_order_id; the first of an id counts."""
        self._lookups: set[asyncio.Task[None]] = set()

    # ------------------------------------------------------------------ orders, as callbacks (the WebSocket's way)

    async def submit_order(self, key: ApiKey, body: OrderBody, on_outcome: OnOutcome) -> None:
        """Checks an order and hands it over; returns when the inbox has it, `on_outcome` comes later.

        Raises ProblemError (4xx, with 429 `too_many_requests`, or 503 `inbox_full`), and then `on_outcome` is never called.
        """
        command = new_order(self.next_sender(key.key_id), self._state, key.trading_account(), body)
        await self._submit(key, [command], [self._on_order_reply(command, on_outcome)])

    async def submit_cancel(
        self, key: ApiKey, on_outcome: OnOutcome, *, order_id: int = 0, client_order_id: str = ""
    ) -> None:
        """Asks to cancel the order named by one of its two ids; otherwise as `submit_order`.

        A key with `operate` that is bound to no account may cancel any order, by order_id.
        """
        account = 0 if order_id and "operate" in key.scopes and not key.account else key.trading_account()
        command = self.next_sender(key.key_id)._replace(
            kind=CommandKind.CANCEL,
            account=account,
            order_id=order_id,
            client_order_id=client_order_id.encode("ascii"),
        )
        await self._submit(key, [command], [lambda reply: self._change_reply(command, reply, on_outcome)])

    async def submit_amend(
        self, key: ApiKey, body: AmendBody, on_outcome: OnOutcome, *, order_id: int = 0, client_order_id: str = ""
    ) -> None:
        """Asks to amend the account's order named by one of its two ids; otherwise as `submit_order`."""
        named = Command(
            account=key.trading_account(), order_id=order_id, client_order_id=client_order_id.encode("ascii")
        )
        instrument = self._instrument_of(named)
        if instrument is None:
            self.under_way.begin(key.key_id, 1)
            self._look_up(key.key_id, self._not_open(named), on_outcome)
            return
        command = amend(self.next_sender(key.key_id), instrument, body)._replace(
            account=named.account, order_id=order_id, client_order_id=named.client_order_id
        )
        await self._submit(key, [command], [lambda reply: self._change_reply(command, reply, on_outcome)])

    async def submit_mass_cancel(
        self, key: ApiKey, symbol: str, side: str | None, account: int | None, on_reply: OnReply
    ) -> None:
        """Asks to cancel every open order of the key's account; a key with `operate` names any account, or None: all of them.

        `on_reply` gets the MASS_CANCELED event, or the problem that took its place.
        """
        number = key.account
        if number:
            key.require("trade" if account in (None, number) else "operate")
        else:
            key.require("operate")
            number = account or 0
            if number and number not in self._state.accounts:
                raise field_problem("unknown_account", "account", f"no account has the number {number}")
        command = mass_cancel(self.next_sender(key.key_id), self._state, number, symbol, side)
        await self._submit(key, [command], [lambda reply: on_reply(self._or_problem(reply))])

    # ------------------------------------------------------------------ orders, awaited (the REST way)

    async def place(self, key: ApiKey, body: OrderBody) -> tuple[VenueOrder, bool]:
        """The order as it stands after the engine has looked at it, and whether it was there already."""
        outcome: asyncio.Future[Outcome] = asyncio.get_running_loop().create_future()
        await self.submit_order(key, body, into(outcome))
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
                command = new_order(self.next_sender(key.key_id), self._state, account, body)
            except (ProblemError, BadField) as error:
                outcome.set_result(Outcome(problem=problem_of(error)))
            else:
                commands.append(command)
                on_replies.append(self._on_order_reply(command, into(outcome)))
        if commands:
            await self._submit(key, commands, on_replies)
        return [await outcome for outcome in outcomes]

    async def cancel(self, key: ApiKey, *, order_id: int = 0, client_order_id: str = "") -> VenueOrder:
        """The canceled order; raises a problem `unknown_order` or `order_not_open`."""
        outcome: asyncio.Future[Outcome] = asyncio.get_running_loop().create_future()
        await self.submit_cancel(key, into(outcome), order_id=order_id, client_order_id=client_order_id)
        return _order_of(await outcome)[0]

    async def amend(self, key: ApiKey, body: AmendBody, *, order_id: int = 0, client_order_id: str = "") -> VenueOrder:
        """The amended order; raises a problem `unknown_order`, `order_not_open`, or the engine's reason."""
        outcome: asyncio.Future[Outcome] = asyncio.get_running_loop().create_future()
        await self.submit_amend(key, body, into(outcome), order_id=order_id, client_order_id=client_order_id)
        return _order_of(await outcome)[0]

    async def mass_cancel(self, key: ApiKey, symbol: str, side: str | None, account: int | None) -> Event:
        """The MASS_CANCELED event, when every order has ended."""
        reply: asyncio.Future[Event | ProblemError] = asyncio.get_running_loop().create_future()
        await self.submit_mass_cancel(key, symbol, side, account, into(reply))
        return _event_of(await reply)

    async def execute(self, key: ApiKey, build: Callable[[Command], Submission]) -> Event:
        """An administrative submission, built from its sender; returns its first event, or raises problem `declined`."""
        sender = self.next_sender(key.key_id)
        reply: asyncio.Future[Event | ProblemError] = asyncio.get_running_loop().create_future()
        await self.hand_over(key.key_id, build(sender), [sender.request_id], [into(reply)])
        return _event_of(self._or_problem(await reply))

    # ------------------------------------------------------------------ handing over

    async def _submit(self, key: ApiKey, commands: list[Command], on_replies: list[OnReply]) -> None:
        new_orders: dict[tuple[int, bytes], int] = {}
        for command in commands:
            client_id = command.account, command.client_order_id
            if (
                command.kind == CommandKind.NEW_ORDER
                and command.client_order_id
                and client_id not in self._on_their_way
            ):
                self._on_their_way[client_id] = new_orders[client_id] = command.instrument
        submission = Submission(pack_commands(commands), (), key.account, commands[0].kind in _CANCELS)
        try:
            await self.hand_over(key.key_id, submission, [command.request_id for command in commands], on_replies)
        except BaseException:
            for client_id in new_orders:
                self._on_their_way.pop(client_id, None)
            raise

    # ------------------------------------------------------------------ replies

    def _on_order_reply(self, command: Command, on_outcome: OnOutcome) -> OnReply:
        return lambda reply: self._order_reply(command, reply, on_outcome)

    def _order_reply(self, command: Command, reply: Event | ProblemError, on_outcome: OnOutcome) -> None:
        if command.client_order_id:
            self._on_their_way.pop((command.account, command.client_order_id), None)
        if isinstance(reply, ProblemError):
            on_outcome(Outcome(problem=reply))
        elif reply.kind == EventKind.REPEATED:
            self._look_up_again(command, self._past(reply.order_id, repeated=True), on_outcome)
        elif reply.kind == EventKind.REJECTED and reply.reason == Reason.CLIENT_ORDER_ID_REUSED:
            message = "was used for another order; the same id may only repeat the same body"
            on_outcome(Outcome(problem=field_problem("client_order_id_reused", "client_order_id", message)))
        else:
            self._tell(command, reply.order_id, on_outcome)

    def _change_reply(self, command: Command, reply: Event | ProblemError, on_outcome: OnOutcome) -> None:
        """The reply to a cancel or an amend."""
        if isinstance(reply, ProblemError):
            on_outcome(Outcome(problem=reply))
        elif reply.kind != EventKind.REJECTED:
            self._tell(command, reply.order_id, on_outcome)
        elif reply.reason == Reason.UNKNOWN_ORDER:
            self._look_up_again(command, self._not_open(command), on_outcome)
        else:
            order = self._state.orders.get(reply.order_id)
            on_outcome(Outcome(problem=self._declined(reply, order)))

    def _or_problem(self, reply: Event | ProblemError) -> Event | ProblemError:
        if isinstance(reply, ProblemError) or reply.kind != EventKind.REJECTED:
            return reply
        return self._declined(reply)

    def _declined(self, event: Event, order: VenueOrder | None = None) -> ProblemError:
        """`order` is what an amend was about: the refusal repeats the command, which names neither its instrument nor side."""
        number, side = (event.instrument, event.side) if order is None else (order.instrument, order.side)
        instruments = self._state.instruments
        instrument = instruments[number] if number < len(instruments) else None
        account = self._state.accounts.get(event.account)
        return declined(event.reason, reason_text(event.reason, side, account, instrument))

    def _tell(self, command: Command, order_id: int, on_outcome: OnOutcome) -> None:
        order = self._state.orders.get(order_id)
        if order is None:  # More orders ended in its row, after it, than memory keeps.
            self._look_up_again(command, self._past(order_id), on_outcome)
        else:
            on_outcome(Outcome(order))

    async def _past(self, order_id: int, *, repeated: bool = False) -> Outcome:
        return Outcome(await self._history.order(order_id), repeated)

    def _instrument_of(self, named: Command) -> Instrument | None:
        """Of an order of the account that is open or on its way to the engine; None: it ended, or never was."""
        orders, client_id = self._state.orders, (named.account, named.client_order_id)
        if named.order_id:
            order = orders.open.get(named.order_id)
            return self._state.instruments[order.instrument] if order and order.account == named.account else None
        # An order that is open has the id: the engine refuses it to any other on its way.
        order = orders.known_as(named.account, named.client_order_id.decode("ascii"))
        number = order.instrument if order and order.leaves_lots else self._on_their_way.get(client_id)
        return None if number is None else self._state.instruments[number]

    async def _not_open(self, named: Command) -> Outcome:
        # The engine knows open orders only; whether this one ended or never was, the past tells.
        account = named.account or None
        if named.order_id:
            order = await self._history.order(named.order_id)
        else:
            client_order_id = named.client_order_id.decode("ascii")
            order = self._state.orders.known_as(named.account, client_order_id)
            if order is None:
                found = await self._history.orders(account, client_order_id=client_order_id, limit=1)
                order = found[0] if found else None
        if order is None or account not in (None, order.account):
            return Outcome(problem=unknown_order())
        detail = f"Order {order.order_id} is {order.state}: there is nothing left to cancel or amend."
        return Outcome(problem=ProblemError(409, "order_not_open", detail))

    def _look_up_again(self, command: Command, work: Coroutine[Any, Any, Outcome], on_outcome: OnOutcome) -> None:
        """The row ended the request; it is under way once more until the past has been asked."""
        self.under_way.begin(command.actor, 1, only_cancels=True)  # There is room: its own.
        self._look_up(command.actor, work, on_outcome)

    def _look_up(self, key_id: int, work: Coroutine[Any, Any, Outcome], on_outcome: OnOutcome) -> None:
        """Answers from the past, which takes a moment, without holding up the replies behind it."""
        task = asyncio.create_task(self._answer(key_id, work, on_outcome))
        self._lookups.add(task)
        task.add_done_callback(self._lookups.discard)

    async def _answer(self, key_id: int, work: Coroutine[Any, Any, Outcome], on_outcome: OnOutcome) -> None:
        try:
            outcome = await work
        except Exception as error:
            outcome = Outcome(problem=problem_of(error))
        finally:
            self.under_way.end(key_id)
        on_outcome(outcome)


def _order_of(outcome: Outcome) -> tuple[VenueOrder, bool]:
    if outcome.problem is not None:
        raise outcome.problem
    assert outcome.order is not None
    return outcome.order, outcome.repeated


def _event_of(reply: Event | ProblemError) -> Event:
    if isinstance(reply, ProblemError):
        raise reply
    return reply
