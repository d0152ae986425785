"""`rex gateway`, simulated: the composition of services/scaled/gateway.py below HTTP. A request is a call of order entry."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any

from matching_engine.records import COMMAND
from services.gateway.order_entry.history import OrderHistory
from services.gateway.order_entry.order_entry import OrderEntry
from services.gateway.problems import ProblemError, problem_of
from services.gateway.reader import GatewayReader
from services.journal.batch import JournalBatch
from services.journal.postgres.journal import PostgresJournal
from services.market_data import Market
from services.messaging import Submission
from services.messaging.link.client import Link
from services.messaging.link.confirmed import ConfirmedJournal
from services.read_model.past_trades import ListPage
from services.scaled.gateway import at_end
from services.venue.application import PROJECTED_S, told_when
from services.venue.parts import Parts, cancel
from services.venue_state.errors import BadField, NotAllowed
from services.venue_state.orders import VenueOrder
from services.venue_state.state import VenueState
from tests.simulation.database import URL
from tests.simulation.process import Process
from tests.simulation.read_model import ReadModel
from tests.simulation.requests import Attempt, Reply
from tests.simulation.sequencer_process import SECRET

if TYPE_CHECKING:
    from tests.simulation.venue import Venue

ATTEMPT: ContextVar[Attempt | None] = ContextVar("attempt", default=None)
Respond = Callable[[Reply], None]


class ModelHistory(OrderHistory):
    """The history in the simulated read database."""

    def __init__(self, state: VenueState, model: ReadModel) -> None:
        self._state = state
        self._model = model
        self._reached = told_when(model.waiters.reached, PROJECTED_S)

    async def order(self, order_id: int) -> VenueOrder | None:
        """See OrderHistory."""
        known = self._state.orders.get(order_id)
        if known is not None:
            return known
        await self._reached(self._state.last_seq)
        columns = self._model.order(order_id)
        return None if columns is None else VenueOrder.from_columns(columns)

    async def orders(
        self, account: int | None, *, client_order_id: str | None = None, page: ListPage, **_rest: Any
    ) -> list[VenueOrder]:
        """The orders of an account with this client_order_id: what order entry asks."""
        await self._reached(self._state.last_seq)
        columns = [self._model.order(order_id) or {} for order_id in self._model.orders]
        found = [
            VenueOrder.from_columns(one)
            for one in columns
            if account in (None, one["account"]) and one["client_order_id"] == client_order_id
        ]
        return found[: page.limit]


class WatchedLink(Link):
    """The link: each request notes what of it was handed over."""

    async def put(self, submission: Submission) -> None:
        """See Link."""
        attempt = ATTEMPT.get()
        if attempt is not None:
            attempt.note(submission.commands, COMMAND.itemsize)
        await super().put(submission)


class WatchedState(VenueState):
    """The gateway's memory: the promises see what it answers from."""

    def __init__(self, venue: Venue, name: str) -> None:
        super().__init__()
        self._venue = venue
        self._name = name

    def apply(self, batch: JournalBatch) -> None:
        """See VenueState."""
        self._venue.world.note(f"{self._name} applies {batch.first_seq}-{batch.last_seq}")
        self._venue.promises.applied(self._name, batch)
        super().apply(batch)


class GatewayProcess:
    """An order gateway. `serves` is true when its memory is at the journal's end."""

    def __init__(self, venue: Venue, process: Process, _life: int) -> None:
        self._venue = venue
        self.process = process
        self.serves = False
        self.journal: PostgresJournal | None = None
        self.state: WatchedState
        self.link: Link
        self.entry: OrderEntry

    async def run(self) -> None:
        """Loads, follows, serves until an error ends it."""
        journal = self.journal = await PostgresJournal.open(URL)
        running: list[asyncio.Task[None]] = []
        async with asyncio.TaskGroup() as tasks:
            parts = Parts(tasks, self._fault)
            try:
                running.append(parts.start(journal.watch(), "journal"))
                link = self.link = WatchedLink(journal, SECRET)
                running.append(parts.start(link.run(), "link"))
                state = self.state = WatchedState(self._venue, self.process.name)
                market = Market()
                history = ModelHistory(state, self._venue.model)
                gateway_id = self._venue.next_gateway_id()
                self.entry = OrderEntry(state, link, history, market, gateway_id=gateway_id)
                reader = GatewayReader(
                    ConfirmedJournal(journal, link),
                    link,
                    state=state,
                    market=market,
                    pending=self.entry.pending,
                    fan_out=lambda _changes: None,
                )
                running.append(parts.start(reader.run(), "gateway reader"))
                await at_end(reader, journal)
                self.serves = True
                await asyncio.wait(running, return_when=asyncio.FIRST_COMPLETED)
            finally:
                self.serves = False
                await cancel(running)

    def _fault(self, error: BaseException) -> None:
        self._venue.world.note(f"{self.process.name}: {type(error).__name__}")

    def receive(self, attempt: Attempt, respond: Respond) -> None:
        """A request has arrived."""
        if not self.serves or not self.process.alive:
            attempt.refused = True
            respond(Reply(problem="not_connected"))
            return
        ATTEMPT.set(attempt)
        asyncio.create_task(self._answer(attempt, respond))  # noqa: RUF006  its process keeps it

    async def _answer(self, attempt: Attempt, respond: Respond) -> None:
        try:
            reply = await attempt.request.carry_out(self, attempt)
        except (ProblemError, BadField, NotAllowed) as error:
            problem = problem_of(error)
            reply = Reply(problem=problem.code, detail=problem.detail)
        except asyncio.CancelledError:
            raise
        except Exception as error:
            if self.process.alive:
                self._venue.world.broken(f"a request was answered 500: {error!r}")
            raise
        if not self.process.alive:
            return
        attempt.settle(reply)
        self._venue.world.note(f"{self.process.name} answers {attempt} {reply}")
        respond(reply)
