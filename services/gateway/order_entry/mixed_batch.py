"""Mixed batches: places, amends and cancels that share one submission and one journal batch, with one result each."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Iterator, Sequence
from functools import cached_property, partial
from typing import Any, NamedTuple

import msgspec

from matching_engine.records import Command
from services.gateway.ids import ORDER_IDS
from services.gateway.order_entry.answers import Answers
from services.gateway.order_entry.order_body import AmendParams, BatchEntry, CancelParams, OrderBody
from services.gateway.order_entry.order_command import OrderRef, amend, cancel, new_order
from services.gateway.order_entry.request_tracker import FirstEvent, RequestTracker
from services.gateway.problems import ProblemError, field_problem, problem_of
from services.venue_state.errors import BadField, NotAllowed
from services.venue_state.instruments import VenueInstrument
from services.venue_state.keys import ApiKey
from services.venue_state.orders import VenueOrder
from services.venue_state.state import VenueState


class Outcome(msgspec.Struct):
    """The outcome of one request of a batch: the order as it stands, or the problem."""

    order: VenueOrder | None = None
    problem: ProblemError | None = None


Prepared = Command | ProblemError | OrderRef
"""A request of a batch: its command, the problem of an invalid field, or (an amend) an order that is not open: the history says
whether it ended or never was."""


class HandedOver(NamedTuple):
    """A batch that the inbox has. `events` has the first event of each command among `prepared`, in order."""

    key_id: int
    prepared: list[Prepared]
    events: asyncio.Future[list[FirstEvent]] | None


def named_order(params: AmendParams | CancelParams) -> tuple[int, str]:
    """(order_id, "") or (0, client_order_id); raises a 422 problem if neither or both are given."""
    if (params.order_id is None) == (params.client_order_id is None):
        raise field_problem("validation_failed", "order_id", "give either order_id or client_order_id")
    return 0 if params.order_id is None else ORDER_IDS.number(params.order_id), params.client_order_id or ""


class MixedBatches:
    """Hands batches over, and finds the outcome of each of their requests."""

    def __init__(self, state: VenueState, pending: RequestTracker, answers: Answers) -> None:
        self._state = state
        self._pending = pending
        self._answers = answers

    async def hand_over(self, key: ApiKey, entries: Sequence[BatchEntry]) -> HandedOver:
        """Hands the requests to the inbox as one submission; a request with an invalid field is left out of it. Raises the
        problem of the whole batch: the inbox took nothing."""
        prepared = _Preparation(key, self._state, self._pending).all(entries)
        commands = [command for command in prepared if type(command) is Command]
        return HandedOver(key.key_id, prepared, await self._pending.submit_all(key, commands) if commands else None)

    async def outcomes(self, batch: HandedOver) -> list[Outcome]:
        """One outcome for each request, in order. Raises the problem of the whole batch where nothing of it was carried out."""
        events = [] if batch.events is None else await batch.events
        for event in events[:1]:
            if isinstance(event, ProblemError) and event.code == "not_ready":
                raise event
        arrived = iter(events)
        found = [self._outcome(batch.key_id, one, arrived) for one in batch.prepared]
        if all(type(one) is Outcome for one in found):
            return found  # type: ignore[return-value]
        # Every look-up begins before the first is awaited.
        return await asyncio.gather(*[_of(one) if isinstance(one, Outcome) else one for one in found])

    def _outcome(
        self, key_id: int, one: Prepared, events: Iterator[FirstEvent]
    ) -> Outcome | Coroutine[Any, Any, Outcome]:
        if isinstance(one, ProblemError):
            return Outcome(problem=one)
        if isinstance(one, OrderRef):
            return self._looked_up(key_id, partial(self._of_not_open, one))
        event = next(events)
        if isinstance(event, ProblemError):
            return Outcome(problem=event)
        try:
            order = self._answers.in_memory(one, event)
        except ProblemError as problem:
            return Outcome(problem=problem)
        if order is not None:
            return Outcome(order)
        return self._looked_up(key_id, partial(self._answers.in_history, one, event))

    def _looked_up(self, key_id: int, work: Callable[[], Awaitable[VenueOrder]]) -> Coroutine[Any, Any, Outcome]:
        """The outcome of a look-up, which counts as under way from now on."""
        self._pending.in_flight.begin_again(key_id)

        async def look_up() -> Outcome:
            try:
                return Outcome(await work())
            except Exception as error:
                return Outcome(problem=problem_of(error))
            finally:
                self._pending.in_flight.end(key_id)

        return look_up()

    async def _of_not_open(self, ref: OrderRef) -> VenueOrder:
        raise await self._answers.not_open(ref)


async def _of(outcome: Outcome) -> Outcome:
    return outcome


class _Preparation:
    """Turns the requests of one batch into commands."""

    def __init__(self, key: ApiKey, state: VenueState, pending: RequestTracker) -> None:
        self._key = key
        self._state = state
        self._pending = pending
        self._placed: dict[bytes, int] = {}
        """The instruments of the batch's own new orders, by client_order_id: later requests of the batch may amend them."""

    @cached_property
    def _account(self) -> int:
        return self._key.trading_account()

    def all(self, entries: Sequence[BatchEntry]) -> list[Prepared]:
        """A command for each request; where a field is invalid, the problem."""
        prepared: list[Prepared] = []
        for entry in entries:
            try:
                prepared.append(self._one(entry))
            except (ProblemError, BadField, NotAllowed) as error:
                prepared.append(problem_of(error))
        return prepared

    def _one(self, entry: BatchEntry) -> Command | OrderRef:
        if type(entry) is OrderBody:
            command = new_order(self._pending.next_sender(self._key), self._state, self._account, entry)
            if command.client_order_id:
                self._placed.setdefault(command.client_order_id, command.instrument)
            return command
        if type(entry) is CancelParams:
            return cancel(self._pending.next_sender(self._key), self._key, *named_order(entry))
        assert isinstance(entry, AmendParams)
        return self._amend(entry)

    def _amend(self, entry: AmendParams) -> Command | OrderRef:
        order_id, client_order_id = named_order(entry)
        ref = OrderRef(self._account, order_id, client_order_id.encode("ascii"))
        instrument = instrument_of_order(ref, self._state, self._pending)
        if instrument is None:
            number = self._placed.get(ref.client_order_id)
            if number is None:
                return ref
            instrument = self._state.instruments[number]
        return amend(self._pending.next_sender(self._key), ref, instrument, entry)


def instrument_of_order(ref: OrderRef, state: VenueState, pending: RequestTracker) -> VenueInstrument | None:
    """The instrument of the order, if the account's order is open or its NEW_ORDER is pending; otherwise None."""
    orders, instruments = state.orders, state.instruments
    if ref.order_id:
        order = orders.open.get(ref.order_id)
        return instruments[order.instrument] if order and order.account == ref.account else None
    # An open order comes first: the engine refuses its client_order_id to every pending NEW_ORDER.
    order = orders.known_as(ref.account, ref.client_order_id.decode("ascii"))
    if order is not None and order.leaves_lots:
        return instruments[order.instrument]
    command = pending.new_order(ref.account, ref.client_order_id)
    return None if command is None else instruments[command.instrument]
