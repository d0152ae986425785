"""Order entry: a key and a request become a command; the command's first event becomes the answer.

REST awaits `place`, `place_batch`, `amend`, `cancel`, `mass_cancel` and `execute`. The WebSocket does not wait: it
builds a command with `…_command` and hands it to `pending.submit` (websocket/order_pipeline.py).
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from typing import Any, NamedTuple

from matching_engine.records import Command, CommandKind, Event, EventKind
from services.gateway.order_entry.answers import Answers
from services.gateway.order_entry.history import OrderHistory
from services.gateway.order_entry.order_body import OrderBody
from services.gateway.order_entry.order_command import AmendBody, amend, mass_cancel, new_order
from services.gateway.order_entry.pending_requests import PendingRequests
from services.gateway.problems import ProblemError, field_problem, problem_of
from services.messaging import Inbox, Submission
from services.venue_state.errors import BadField
from services.venue_state.instruments import VenueInstrument
from services.venue_state.keys import ApiKey
from services.venue_state.orders import VenueOrder
from services.venue_state.state import VenueState


class Outcome(NamedTuple):
    """The outcome of one order of a batch: the order as it stands, or the problem."""

    order: VenueOrder | None = None
    problem: ProblemError | None = None


class OrderEntry:
    """Orders, amends and cancels, and the commands of operators and administrators."""

    def __init__(self, state: VenueState, inbox: Inbox, history: OrderHistory, *, gateway_id: int = 1) -> None:
        self._state = state
        self.pending = PendingRequests(inbox, gateway_id)
        self.answers = Answers(state, history)
        self._lookups: set[asyncio.Task[VenueOrder]] = set()

    # ------------------------------------------------------------------ a request and its answer

    async def place(self, key: ApiKey, body: OrderBody) -> tuple[VenueOrder, bool]:
        """Places an order; returns it as the engine left it, and True if the request repeats an earlier order."""
        command = self.order_command(key, body)
        event = await self.pending.send(key, command)
        return await self._order_of(command, event), event.kind == EventKind.REPEATED

    async def place_batch(self, key: ApiKey, bodies: Sequence[OrderBody]) -> list[Outcome]:
        """Places orders in one journal batch; returns an outcome for each body. A body with an invalid field is not sent: its
        outcome is the problem."""
        account = key.trading_account()
        commands: list[Command | ProblemError] = []
        for body in bodies:
            try:
                commands.append(new_order(self.pending.next_sender(key), self._state, account, body))
            except (ProblemError, BadField) as error:
                commands.append(problem_of(error))
        sent = [command for command in commands if isinstance(command, Command)]
        answers = iter(await self._outcomes(key, sent))
        return [next(answers) if isinstance(command, Command) else Outcome(problem=command) for command in commands]

    async def cancel(self, key: ApiKey, *, order_id: int = 0, client_order_id: str = "") -> VenueOrder:
        """The canceled order; raises problem `unknown_order` or `order_not_open`."""
        command = self.cancel_command(key, order_id, client_order_id)
        return await self._order_of(command, await self.pending.send(key, command))

    async def amend(self, key: ApiKey, body: AmendBody, *, order_id: int = 0, client_order_id: str = "") -> VenueOrder:
        """The amended order; raises problem `unknown_order`, `order_not_open`, or the engine's reason."""
        named = self.order_named(key, order_id, client_order_id)
        command = self.amend_command(named, body)
        if command is None:
            return await self.find_not_open(named)
        return await self._order_of(command, await self.pending.send(key, command))

    async def mass_cancel(self, key: ApiKey, symbol: str, side: str | None, account: int | None) -> Event:
        """Cancels the orders; returns the MASS_CANCELED event. By then every order has ended."""
        return self.carried_out(await self.pending.send(key, self.mass_cancel_command(key, symbol, side, account)))

    async def execute(self, key: ApiKey, build: Callable[[Command], Submission]) -> Event:
        """Sends the administrative submission that `build` makes from a sender; returns its first event. Raises problem
        `declined`."""
        sender = self.pending.next_sender(key)
        return self.carried_out(await self.pending.send_submission(sender, build(sender)))

    # ------------------------------------------------------------------ commands

    def order_command(self, key: ApiKey, body: OrderBody) -> Command:
        """A NEW_ORDER command; raises a 422 problem that names the field."""
        return new_order(self.pending.next_sender(key), self._state, key.trading_account(), body)

    def cancel_command(self, key: ApiKey, order_id: int, client_order_id: str) -> Command:
        """A CANCEL command; either order_id or client_order_id names the order.

        A key with `operate` that is bound to no account may cancel any order, by order_id.
        """
        account = 0 if order_id and "operate" in key.scopes and not key.account else key.trading_account()
        return self.pending.next_sender(key)._replace(
            kind=CommandKind.CANCEL,
            account=account,
            order_id=order_id,
            client_order_id=client_order_id.encode("ascii"),
        )

    def order_named(self, key: ApiKey, order_id: int, client_order_id: str) -> Command:
        """A command with only its sender, its account, and the order_id or client_order_id: `amend_command` completes it."""
        return self.pending.next_sender(key)._replace(
            account=key.trading_account(), order_id=order_id, client_order_id=client_order_id.encode("ascii")
        )

    def amend_command(self, named: Command, body: AmendBody) -> Command | None:
        """An AMEND command for the order that `named` names; None if the order is not open and its NEW_ORDER is not pending."""
        instrument = self._instrument_of_order(named)
        return None if instrument is None else amend(named, instrument, body)

    def mass_cancel_command(self, key: ApiKey, symbol: str, side: str | None, account: int | None) -> Command:
        """A MASS_CANCEL command for the key's account. A key with `operate` gives any account; None then means all accounts."""
        number = key.account
        if number:
            key.require("trade" if account in (None, number) else "operate")
        else:
            key.require("operate")
            number = account or 0
            if number and number not in self._state.accounts:
                raise field_problem("unknown_account", "account", f"no account has the number {number}")
        return mass_cancel(self.pending.next_sender(key), self._state, number, symbol, side)

    def _instrument_of_order(self, named: Command) -> VenueInstrument | None:
        """The instrument of the order, if the account's order is open or its NEW_ORDER is pending; otherwise None."""
        orders, instruments = self._state.orders, self._state.instruments
        if named.order_id:
            order = orders.open.get(named.order_id)
            return instruments[order.instrument] if order and order.account == named.account else None
        # An open order comes first: the engine refuses its client_order_id to every pending NEW_ORDER.
        order = orders.known_as(named.account, named.client_order_id.decode("ascii"))
        if order is not None and order.leaves_lots:
            return instruments[order.instrument]
        command = self.pending.new_order(named.account, named.client_order_id)
        return None if command is None else instruments[command.instrument]

    # ------------------------------------------------------------------ events

    def carried_out(self, event: Event) -> Event:
        """Returns the event of a mass cancel or administrative command; raises problem `declined` if the engine rejected it."""
        if event.kind == EventKind.REJECTED:
            raise self.answers.declined(event)
        return event

    def find_in_history(self, command: Command, event: Event) -> asyncio.Task[VenueOrder]:
        """Asks the read database for an order that is not in memory. The request counts as under way until the task ends."""
        self.pending.under_way.begin_again(command.actor)
        return self._look_up(command.actor, self.answers.in_history(command, event))

    def find_not_open(self, named: Command) -> asyncio.Task[VenueOrder]:
        """A task that raises the problem of an order that is not open. The request counts as under way until the task ends."""
        self.pending.under_way.begin(named.actor, 1)
        return self._look_up(named.actor, self._raise_not_open(named))

    async def _raise_not_open(self, named: Command) -> VenueOrder:
        raise await self.answers.not_open(named)

    def _look_up(self, key_id: int, work: Coroutine[Any, Any, VenueOrder]) -> asyncio.Task[VenueOrder]:
        task = asyncio.create_task(work)
        self._lookups.add(task)  # The event loop itself holds tasks by weak references only.
        task.add_done_callback(self._lookups.discard)
        task.add_done_callback(lambda _: self.pending.under_way.end(key_id))
        return task

    async def _order_of(self, command: Command, event: Event) -> VenueOrder:
        order = self.answers.in_memory(command, event)
        return await self.find_in_history(command, event) if order is None else order

    async def _outcomes(self, key: ApiKey, commands: Sequence[Command]) -> list[Outcome]:
        if not commands:
            return []
        try:
            events = await self.pending.send_all(key, commands)
        except ProblemError as problem:
            if problem.code != "outcome_unknown":
                raise  # Nothing of the batch was taken in.
            return [Outcome(problem=problem)] * len(commands)
        # Every look-up begins before the first is awaited.
        begun = [self._begin_answer(command, event) for command, event in zip(commands, events, strict=True)]
        return [await _outcome_of(answer) for answer in begun]

    def _begin_answer(self, command: Command, event: Event) -> VenueOrder | ProblemError | asyncio.Task[VenueOrder]:
        """The order, the problem, or the look-up that finds one of the two."""
        try:
            order = self.answers.in_memory(command, event)
        except ProblemError as problem:
            return problem
        return self.find_in_history(command, event) if order is None else order


async def _outcome_of(answer: VenueOrder | ProblemError | asyncio.Task[VenueOrder]) -> Outcome:
    if isinstance(answer, ProblemError):
        return Outcome(problem=answer)
    if isinstance(answer, VenueOrder):
        return Outcome(answer)
    try:
        return Outcome(await answer)
    except Exception as error:
        return Outcome(problem=problem_of(error))
