"""The parts of a venue that hold memory, without processes, files and clocks, and how many entries they hold."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from matching_engine import Engine
from matching_engine.records import COMMAND, CommandKind, Event
from services.alerts.following import FollowedAlerts
from services.gateway.order_entry.request_tracker import RequestTracker
from services.gateway.problems import ProblemError
from services.journal.batch import NO_HASH, JournalBatch
from services.market_data import Market
from services.messaging import Submission
from services.messaging.in_process import InProcessInbox
from services.messaging.link.window import LinkWindow
from services.sequencer.repeats import OnceInbox
from services.sequencer.sequencer import assemble
from services.venue_state.alerts import VenueAlerts
from services.venue_state.keys import ApiKey
from services.venue_state.orders import ENDED_LIMIT, VenueOrders
from services.venue_state.state import VenueState
from tests.unit.read_model.history import JOURNAL_ID, SENDER

MANY = 1_000_000
OPERATOR = ApiKey(key_id=SENDER.actor, account=0, name="operator", scopes=frozenset({"operate"}))

Sizes = dict[str, int]


class _Unheard:
    """Waits for a reply and does nothing with it."""

    def on_event(self, event: Event) -> None:
        """See ReplyHandler."""

    def on_problem(self, problem: ProblemError) -> None:
        """See ReplyHandler."""
        raise problem


class _Link(OnceInbox):
    """The inbox of a leader, and before it the window of a gateway."""

    def __init__(self, window: LinkWindow, inbox: InProcessInbox) -> None:
        super().__init__(inbox)
        self._window = window

    async def put(self, submission: Submission) -> None:
        self._window.add(submission, sent=True, now_s=0.0)
        await super().put(submission)


class Venue:
    """The parts of a venue that hold memory, without processes, files and clocks."""

    def __init__(self, ended_limit: int = ENDED_LIMIT) -> None:
        self.engine = Engine()
        self.inbox = InProcessInbox()
        self.window = LinkWindow(MANY)
        self.once = _Link(self.window, self.inbox)
        self.state = VenueState()
        self.state.orders = VenueOrders(ended_limit)
        self.market = Market()
        self.followed = FollowedAlerts(VenueAlerts(), 0)
        self.pending = RequestTracker(self.once, 1)
        self._hash = NO_HASH

    async def run(self, *submissions: Submission, at_ns: int) -> JournalBatch:
        """Runs them as one batch, and lets every reader apply it."""
        for submission in submissions:
            await OnceInbox.put(self.once, submission)  # of another gateway: past the window
        taken: list[Submission] = []
        while self.inbox.depth:
            taken += await self.inbox.take(MANY, MANY * COMMAND.itemsize)
            taken += self.inbox.take_late(MANY, MANY * COMMAND.itemsize)
        first_seq = self.engine.last_seq + 1
        commands, attachments = assemble([], taken, first_seq, at_ns)
        events = self.engine.process(commands).tobytes()
        last_seq = self.engine.last_seq
        batch = JournalBatch(JOURNAL_ID, 1, first_seq, last_seq, 0, self._hash, commands.tobytes(), events, attachments)
        self._hash = batch.hash
        self.window.answer(batch)
        self.state.apply(batch)
        self.market.apply(batch)
        self.pending.resolve(batch)
        self.once.learn(batch)
        self.followed.apply(batch)
        return batch

    async def order(self, account: int, side: int, ticks: int, name: str, time_in_force: int) -> None:
        """Hands an order of one lot to the inbox, as a gateway does."""
        command = self.pending.next_sender(OPERATOR)._replace(
            kind=CommandKind.NEW_ORDER, account=account, side=side, price_ticks=ticks, quantity_lots=1,
            client_order_id=name.encode(), order_type=1, time_in_force=time_in_force,
        )  # fmt: skip
        await self.pending.submit(OPERATOR, [command], [_Unheard()])

    async def cancel(self, account: int, name: str) -> None:
        """Hands a cancel to the inbox."""
        command = self.pending.next_sender(OPERATOR)._replace(
            kind=CommandKind.CANCEL, account=account, client_order_id=name.encode()
        )
        await self.pending.submit(OPERATOR, [command], [_Unheard()])

    def sizes(self) -> Sizes:
        """The number of entries of everything that is held, by place."""
        found = {f"Engine.{name}": len(rows) for name, rows in self.engine.state()._asdict().items()}
        seen: set[int] = set()
        for holder in (self.state, self.market, self.once, self.window, self.pending, self.followed):
            for place, size in entries(holder, seen):
                found[place] = found.get(place, 0) + size
        return found


def entries(holder: object, seen: set[int]) -> Iterator[tuple[str, int]]:
    """The place and the number of entries of every container that can be reached from an object of the services, but for those
    in `seen`, to which it adds."""
    waiting: list[tuple[str, object]] = [(type(holder).__name__, holder)]
    while waiting:
        place, found = waiting.pop()
        if id(found) in seen or isinstance(found, str | bytes | int | float | type(None)):
            continue
        seen.add(id(found))
        if isinstance(found, dict):
            yield place, len(found)
            waiting += [(f"{place}[]", value) for value in found.values()]
        elif hasattr(found, "__len__") and hasattr(found, "__iter__") and not hasattr(found, "_fields"):
            yield place, len(found)
            waiting += [(f"{place}[]", value) for value in found]
        elif any(kind.__module__.startswith("services.") for kind in type(found).__mro__):
            waiting += [(f"{place}.{name}", value) for name, value in _attributes(found)]


def _attributes(found: object) -> Iterable[tuple[str, object]]:
    names = [*getattr(found, "__dict__", ())]
    for kind in type(found).__mro__:
        names += getattr(kind, "__slots__", ())
    return [(name, getattr(found, name)) for name in names if not callable(getattr(found, name, len))]
