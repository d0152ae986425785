"""Order entry: a key and a request become a command; the command's first event becomes the answer.

REST awaits `place`, `batch`, `amend`, `cancel`, `mass_cancel` and `execute`. The WebSocket does not wait: it
builds a command with `…_command` and hands it to `pending.submit` (websocket/order_pipeline.py).
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Coroutine, Sequence
from typing import Any, Concatenate, ParamSpec

from matching_engine.records import Command, Event, EventKind
from services.commands.administrative import Decided, record
from services.commands.attachments import ProposalEnded
from services.gateway.order_entry.answers import Answers
from services.gateway.order_entry.cancel_all import CancelAll
from services.gateway.order_entry.four_eyes import (
    ASKED,
    CONFIRMED,
    Proposed,
    act_that_waits,
    check_act,
    confirming,
    key_of_ending,
    key_of_request,
    proposal_ended,
    proposal_of,
    with_reason,
)
from services.gateway.order_entry.history import OrderHistory
from services.gateway.order_entry.idempotency import REQUEST_KEY, Idempotency, RequestKey
from services.gateway.order_entry.mixed_batch import MixedBatches, Outcome, instrument_of_order
from services.gateway.order_entry.order_body import BatchEntry, OrderBody
from services.gateway.order_entry.order_command import AmendBody, OrderRef, amend, cancel, mass_cancel, new_order
from services.gateway.order_entry.order_test import OrderTests
from services.gateway.order_entry.request_tracker import RequestTracker
from services.gateway.problems import ProblemError, field_problem
from services.market_data import Market
from services.messaging import Inbox, Submission
from services.venue_state.keys import ApiKey
from services.venue_state.orders import VenueOrder
from services.venue_state.state import VenueState

Built = ParamSpec("Built")


class OrderEntry:
    """Orders, amends and cancels, and the commands of operators and administrators."""

    def __init__(
        self,
        state: VenueState,
        inbox: Inbox,
        history: OrderHistory,
        market: Market,
        *,
        gateway_id: int = 1,
        acts_of_two: Collection[str] = (),
    ) -> None:
        self._state = state
        self.acts_of_two = frozenset(acts_of_two)
        """The acts that need a second person, as `services/commands/acts.py` names them."""
        self.tests = OrderTests(state, market, history)
        self.pending = RequestTracker(inbox, gateway_id)
        self.answers = Answers(state, history)
        self.batches = MixedBatches(state, self.pending, self.answers)
        self.cancel_all = CancelAll(lambda key: self.mass_cancel(key, "*", None, key.trading_account()))
        self._idempotency = Idempotency(state, self.pending.may_be_executed)
        self._lookups: set[asyncio.Task[VenueOrder]] = set()

    # ------------------------------------------------------------------ a request and its answer

    async def place(self, key: ApiKey, body: OrderBody) -> tuple[VenueOrder, bool]:
        """Places an order; returns it as the engine left it, and True if the request repeats an earlier order."""
        command = self.order_command(key, body)
        event = await self.pending.send(key, command)
        return await self._order_of(command, event), event.kind == EventKind.DUPLICATE

    async def batch(self, key: ApiKey, entries: Sequence[BatchEntry]) -> list[Outcome]:
        """Carries out requests in one journal batch; returns an outcome for each. One with an invalid field is not sent: its
        outcome is the problem."""
        return await self.batches.outcomes(await self.batches.hand_over(key, entries))

    async def cancel(self, key: ApiKey, *, order_id: int = 0, client_order_id: str = "") -> VenueOrder:
        """The canceled order; raises problem `unknown_order` or `order_not_open`."""
        command = self.cancel_command(key, order_id, client_order_id)
        return await self._order_of(command, await self.pending.send(key, command))

    async def amend(self, key: ApiKey, body: AmendBody, *, order_id: int = 0, client_order_id: str = "") -> VenueOrder:
        """The amended order; raises problem `unknown_order`, `order_not_open`, or the engine's reason."""
        ref = OrderRef(key.trading_account(), order_id, client_order_id.encode("ascii"))
        command = self.amend_command(key, ref, body)
        if command is None:
            return await self.find_not_open(key, ref)
        return await self._order_of(command, await self.pending.send(key, command))

    async def mass_cancel(self, key: ApiKey, symbol: str, side: str | None, account: int | None) -> Event:
        """Cancels the orders; returns the MASS_CANCELED event. By then every order has ended."""
        return self.carried_out(await self.pending.send(key, self.mass_cancel_command(key, symbol, side, account)))

    async def execute(
        self,
        key: ApiKey,
        build: Callable[Concatenate[Command, Built], Submission],
        *arguments: Built.args,
        **options: Built.kwargs,
    ) -> Event:
        """Sends the administrative submission that `build` makes of a sender and these arguments; returns its first event.
        Raises problem `declined`.

        A request with an idempotency key that was carried out before is not sent: its seq and account are returned. An act that
        needs a second person becomes a proposal, and `Proposed` is raised (four_eyes.py). Key, confirmation and proposal are of
        the HTTP request's first command.
        """
        sender = self.pending.next_sender(key)
        event, _ = await self._act(key, sender, build(sender, *arguments, **options))
        return event

    async def record(self, key: ApiKey, decision: Decided, *, repeatable: bool = True) -> Event:
        """Journals a decision, as `execute` does. A repeat of one that is not `repeatable` raises 409 `already_carried_out`."""
        sender = self.pending.next_sender(key)
        event, is_repeat = await self._act(key, sender, record(sender, decision))
        if is_repeat and not repeatable:
            detail = f"The request was carried out by command {event.seq}; its answer is shown once."
            raise ProblemError(409, "already_carried_out", detail)
        return event

    async def _act(self, key: ApiKey, sender: Command, submission: Submission) -> tuple[Event, bool]:
        """Carries out an act, confirms it or proposes it. True: the request is a repeat."""
        request, asked, confirmed = REQUEST_KEY.get(), ASKED.get(), CONFIRMED.get()
        REQUEST_KEY.set(None)
        ASKED.set(None)
        CONFIRMED.set(None)
        if confirmed:
            check_act(submission, confirmed)
            proposal = confirmed.proposal
            return await self._end(key, sender, confirming(submission, key, proposal), proposal, "confirmed"), False
        act = act_that_waits(submission, self.acts_of_two) if asked else None
        if asked and act:
            proposed = record(sender, proposal_of(asked, act))
            event, _ = await self._once(key_of_request(request), sender, proposed)
            raise Proposed(event.seq, act)
        return await self._once(request, sender, with_reason(submission, asked))

    def is_repeat(self) -> bool:
        """Whether the HTTP request has the idempotency key of an earlier one. Then `execute` tells the answer again, also that
        of a proposal, or refuses."""
        request = REQUEST_KEY.get()
        return request is not None and self._idempotency.knows(request)

    async def end_proposal(self, key: ApiKey, ended: ProposalEnded) -> Event:
        """Rejects or withdraws a proposal; returns the event of the record, also where this person has done so before. Raises
        problem `proposal_ended` if another decision was first."""
        sender = self.pending.next_sender(key)
        return await self._end(key, sender, record(sender, ended), ended.proposal, ended.outcome)

    async def _end(self, key: ApiKey, sender: Command, submission: Submission, proposal: int, outcome: str) -> Event:
        try:
            event, _ = await self._once(key_of_ending(proposal, outcome, key), sender, submission)
        except ProblemError as problem:
            raise proposal_ended(proposal) if problem.code == "idempotency_key_reused" else problem from None
        return event

    async def _once(self, request: RequestKey | None, sender: Command, submission: Submission) -> tuple[Event, bool]:
        async def send(submission: Submission) -> Event:
            return self.carried_out(await self.pending.send_submission(sender, submission))

        if request is None:
            return await send(submission), False
        return await self._idempotency.once(request, submission, send)

    # ------------------------------------------------------------------ commands

    def order_command(self, key: ApiKey, body: OrderBody) -> Command:
        """A NEW_ORDER command; raises a 422 problem that names the field."""
        return new_order(self.pending.next_sender(key), self._state, key.trading_account(), body)

    def cancel_command(self, key: ApiKey, order_id: int, client_order_id: str) -> Command:
        """A CANCEL command; either order_id or client_order_id names the order."""
        return cancel(self.pending.next_sender(key), key, order_id, client_order_id)

    def amend_command(self, key: ApiKey, ref: OrderRef, body: AmendBody) -> Command | None:
        """An AMEND command; None if the order is not open and its NEW_ORDER is not pending."""
        instrument = instrument_of_order(ref, self._state, self.pending)
        return None if instrument is None else amend(self.pending.next_sender(key), ref, instrument, body)

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

    # ------------------------------------------------------------------ events

    def carried_out(self, event: Event) -> Event:
        """Returns the event of a mass cancel or administrative command; raises problem `declined` if the engine rejected it."""
        if event.kind == EventKind.REJECTED:
            raise self.answers.declined(event)
        return event

    def find_in_history(self, command: Command, event: Event) -> asyncio.Task[VenueOrder]:
        """Asks the read database for an order that is not in memory. The request counts as under way until the task ends."""
        self.pending.in_flight.begin_again(command.actor)
        return self._look_up(command.actor, self.answers.in_history(command, event))

    def find_not_open(self, key: ApiKey, ref: OrderRef) -> asyncio.Task[VenueOrder]:
        """A task that raises the problem of an order that is not open. The request counts as under way until the task ends."""
        self.pending.in_flight.begin(key.key_id, 1)
        return self._look_up(key.key_id, self._raise_not_open(ref))

    async def _raise_not_open(self, ref: OrderRef) -> VenueOrder:
        raise await self.answers.not_open(ref)

    def _look_up(self, key_id: int, work: Coroutine[Any, Any, VenueOrder]) -> asyncio.Task[VenueOrder]:
        task = asyncio.create_task(work)
        self._lookups.add(task)  # The event loop itself holds tasks by weak references only.
        task.add_done_callback(self._lookups.discard)
        task.add_done_callback(lambda _: self.pending.in_flight.end(key_id))
        return task

    async def _order_of(self, command: Command, event: Event) -> VenueOrder:
        order = self.answers.in_memory(command, event)
        return await self.find_in_history(command, event) if order is None else order
