"""Requests without a reply: commands handed to the inbox, and the journal batches that answer them.

The triple (gateway_id, incarnation, request_id) identifies a request. The request's command carries it into the journal batch.
Each start draws a random incarnation, so a command of an earlier run of this gateway never matches a request of this run. A
request without a batch after `REPLY_SECONDS` ends as `outcome_unknown`: its command may still be carried out, and a retry with
the same client_order_id returns the outcome. If the inbox can withdraw it, it ends as `not_ready`: it was not carried out.

`in_flight` counts each request of a key from the hand-over to the inbox until the reply or problem.
"""

from __future__ import annotations

import asyncio
import math
import secrets
from collections import Counter
from collections.abc import Awaitable, Sequence
from functools import cached_property
from operator import attrgetter
from typing import Protocol

from matching_engine.records import Command, CommandKind, Event, pack_commands
from services.commands.attachments import RequestSkipped, read_decision
from services.gateway.order_entry.in_flight import InFlight, too_many_requests
from services.gateway.problems import ProblemError, command_skipped, not_taken_in, outcome_unknown
from services.journal.batch import JournalBatch
from services.messaging import Inbox, InboxFull, ShareFull, Submission
from services.messaging.read_only import ReadOnly
from services.venue_state.keys import ApiKey

MAX_GIVEN_UP = 65_536
"""So many requests that ended as `outcome_unknown` are remembered."""

REPLY_SECONDS = 10.0
"""How long a request waits for its batch. A healthy venue takes milliseconds."""

# As ints: each command is compared with them.
_NEW_ORDER, _RECORD = int(CommandKind.NEW_ORDER), int(CommandKind.RECORD)
_SKIPPED = b'{"type":"request_skipped"'
_CANCELS = frozenset({CommandKind.CANCEL, CommandKind.MASS_CANCEL})

_new_command = tuple.__new__
_kind = attrgetter("kind")


class ReplyHandler(Protocol):
    """Receives the reply to a command: the event loop calls one of the two methods, once. Neither method may raise."""

    def on_event(self, event: Event) -> None:
        """The command's first event; its batch is durable and applied to the state."""

    def on_problem(self, problem: ProblemError) -> None:
        """The batch did not arrive in time, or the venue has stopped: `outcome_unknown`, or `not_ready` if the command was
        withdrawn."""


FirstEvent = Event | ProblemError
"""What answers a command: its first event, or why there is none."""

_Waiting = tuple[float, Command, ReplyHandler]
"""Deadline (seconds of the event loop's clock), command, handler."""


class RequestTracker:
    """Hands commands to the inbox and matches journal batches to the requests that wait for them.

    `send…` waits for the reply, `submit` returns when the inbox has the command. Both raise ProblemError if the inbox got no
    command: 503 `inbox_full` or `not_ready`; 429 `too_many_requests` if the key has too many requests without a reply, or its
    account too many commands in the inbox. `send…` also raises 503 `outcome_unknown`, and `not_ready` if its commands were
    withdrawn. If a caller of `send…` is canceled during the wait, the venue still processes its command, and the request
    counts for its key until the reply.
    """

    def __init__(self, inbox: Inbox, gateway_id: int) -> None:
        self._inbox = inbox
        self._sender = Command(gateway_id=gateway_id, incarnation=secrets.randbits(32) | 1)
        self._sender_fields = self._sender[4:]
        self._request_id = 0
        self._waiting: dict[int, _Waiting] = {}
        """By request_id, oldest first."""
        self._new_orders: dict[tuple[int, bytes], Command] = {}
        """The NEW_ORDER commands in `_waiting`, by account and client_order_id. Of several with the same id, only the first."""
        self._given_up: dict[int, None] = {}
        """The requests that ended as `outcome_unknown` and have no batch yet, oldest first."""
        self._forgotten_id = 0
        """The newest of them that is no longer remembered."""
        self.in_flight = InFlight()
        self.refused: Counter[str] = Counter()
        """The number of refused requests by problem code."""
        self._closed = False

    @cached_property
    def _loop(self) -> asyncio.AbstractEventLoop:
        return asyncio.get_running_loop()  # Before Python 3.12 each call asks the system for the number of the process.

    @property
    def waiting(self) -> int:
        """How many commands were handed over and have no reply yet."""
        return len(self._waiting)

    def next_sender(self, key: ApiKey) -> Command:
        """A command with only the fields of its sender: this gateway, a new request_id, and the key as `actor`."""
        self._request_id += 1
        # seq, time_ns, request_id, actor: `_replace` would cost four times as much.
        return _new_command(Command, (0, 0, self._request_id, key.key_id) + self._sender_fields)  # noqa: RUF005  faster

    def new_order(self, account: int, client_order_id: bytes) -> Command | None:
        """The account's NEW_ORDER with this client_order_id that has no reply yet, or None."""
        return self._new_orders.get((account, client_order_id))

    def may_be_executed(self, request_id: int) -> bool:
        """Whether a request that was handed over may be executed yet, for all that is known. False: its batch was taken, or the
        inbox can withdraw it."""
        if request_id in self._given_up:
            return not self._inbox.withdraw(request_id)
        return request_id in self._waiting or request_id <= self._forgotten_id

    # ------------------------------------------------------------------ handing over

    async def send(self, key: ApiKey, command: Command) -> Event:
        """Sends an order, an amend or a cancel; returns its first event."""
        return await self._send(_submission(key, (command,)), command)

    async def send_submission(self, sender: Command, submission: Submission) -> Event:
        """Sends a submission, the first command of which has this sender; returns the first event of that command."""
        return await self._send(submission, sender)

    def submit(self, key: ApiKey, commands: Sequence[Command], handlers: Sequence[ReplyHandler]) -> Awaitable[None]:
        """Hands commands that share one journal batch to the inbox; later each handler gets the reply to its command. If this
        raises, no handler gets a call."""
        return self._hand_over(_submission(key, commands), commands, handlers)

    async def submit_all(self, key: ApiKey, commands: Sequence[Command]) -> asyncio.Future[list[FirstEvent]]:
        """Hands commands that share one journal batch to the inbox. The future gets the first event of each, in their order, or
        its problem."""
        return await self._begin(_submission(key, commands), commands)

    async def _send(self, submission: Submission, command: Command) -> Event:
        (event,) = await (await self._begin(submission, (command,)))
        if isinstance(event, ProblemError):
            raise event
        return event

    async def _begin(self, submission: Submission, commands: Sequence[Command]) -> asyncio.Future[list[FirstEvent]]:
        handler = _FirstEvents(len(commands))
        await self._hand_over(submission, commands, [handler] * len(commands))
        return handler.events

    async def _hand_over(
        self, submission: Submission, commands: Sequence[Command], handlers: Sequence[ReplyHandler]
    ) -> None:
        if self._closed:
            raise ProblemError(503, "not_ready", "The venue has stopped; nothing of this request was taken in.")
        try:
            self.in_flight.begin(commands[0].actor, len(commands), submission.only_cancels)
            # Adds the requests to `_waiting` before `put`: their batch may arrive before `put` returns.
            deadline = self._loop.time() + REPLY_SECONDS
            for command, handler in zip(commands, handlers, strict=True):
                self._waiting[command.request_id] = (deadline, command, handler)
                if command.client_order_id and command.kind == _NEW_ORDER:
                    self._new_orders.setdefault((command.account, command.client_order_id), command)
            await self._inbox.put(submission)
        except BaseException as error:
            for command in commands:
                if self._remove(command.request_id) is not None:
                    self.in_flight.end(command.actor)
            problem = _refusal(error)
            if problem is None:
                raise
            self.refused[problem.code] += 1
            raise problem from None

    # ------------------------------------------------------------------ replies

    def resolve(self, batch: JournalBatch) -> None:
        """Replies to every request with a command in this batch. The batch is already applied to the state."""
        if not (self._waiting or self._given_up):
            return
        gateway_id, incarnation = self._sender.gateway_id, self._sender.incarnation
        first_events: dict[int, Event] = {}
        for event in batch.event_list:
            first_events.setdefault(event.seq, event)
        ended: dict[int, int] = {}  # by key
        for command in batch.command_list:
            if command.incarnation == incarnation and command.gateway_id == gateway_id:
                waiting = self._remove(command.request_id)
                if waiting is None:
                    self._given_up.pop(command.request_id, None)
                    continue
                _, sent, handler = waiting  # A note in place of `sent` is the venue's own.
                ended[sent.actor] = ended.get(sent.actor, 0) + 1
                problem = _skipped(command, batch) if command.kind == _RECORD else None
                if problem is None:
                    handler.on_event(first_events[command.seq])
                else:
                    handler.on_problem(problem)
        for key_id, count in ended.items():
            self.in_flight.end(key_id, count)

    def close(self) -> None:
        """No more replies will come: requests that wait end as in `give_up`, new ones are refused as `not_ready`."""
        self._closed = True
        self.give_up(math.inf)

    def give_up(self, now: float) -> None:
        """Ends every request with a deadline before `now` (seconds of the event loop's clock): as `not_ready` if the inbox can
        withdraw it, otherwise as `outcome_unknown`."""
        overdue = []
        for request_id, (deadline, _, _) in self._waiting.items():
            if deadline > now:
                break  # `_waiting` is ordered by deadline.
            overdue.append(request_id)
        for request_id in overdue:
            if self._inbox.withdraw(request_id):
                problem = not_taken_in()
            else:
                problem = outcome_unknown()
                self._remember(request_id)
            waiting = self._remove(request_id)
            if waiting is not None:
                _, command, handler = waiting
                self.in_flight.end(command.actor)
                handler.on_problem(problem)

    def _remember(self, request_id: int) -> None:
        self._given_up[request_id] = None
        if len(self._given_up) > MAX_GIVEN_UP:
            oldest = next(iter(self._given_up))
            del self._given_up[oldest]
            self._forgotten_id = max(self._forgotten_id, oldest)

    def _remove(self, request_id: int) -> _Waiting | None:
        """Removes the request from `_waiting`; returns it, or None if it was not there. The caller ends it in `under_way`."""
        waiting = self._waiting.pop(request_id, None)
        if waiting is None:
            return None
        _, command, _ = waiting
        if command.client_order_id:
            client_id = command.account, command.client_order_id
            if self._new_orders.get(client_id) is command:
                del self._new_orders[client_id]
        return waiting


class _FirstEvents:
    """The first events of `count` commands of one submission, for the coroutine that awaits `events`."""

    __slots__ = ("_count", "_events", "events")

    def __init__(self, count: int) -> None:
        self._count = count
        self._events: list[FirstEvent] = []
        self.events: asyncio.Future[list[FirstEvent]] = asyncio.get_running_loop().create_future()

    def on_event(self, event: FirstEvent) -> None:
        self._events.append(event)
        if len(self._events) == self._count and not self.events.done():  # Already done if the coroutine was canceled.
            self.events.set_result(self._events)

    on_problem = on_event


def _submission(key: ApiKey, commands: Sequence[Command]) -> Submission:
    only_cancels = commands[0].kind != _NEW_ORDER and _CANCELS.issuperset(map(_kind, commands))
    return Submission(pack_commands(commands), (), key.account, only_cancels)


def _skipped(command: Command, batch: JournalBatch) -> ProblemError | None:
    """The problem that answers a request in place of which the venue took in a note (services/sequencer/skips.py)."""
    attachment = batch.attachments[command.attachment - 1] if command.attachment else b""
    if not attachment.startswith(_SKIPPED):
        return None
    decision = read_decision(attachment)
    return command_skipped(decision.skip) if isinstance(decision, RequestSkipped) else None


def _refusal(error: BaseException) -> ProblemError | None:
    """The problem that answers a refused request; None if `error` is not a refusal."""
    match error:
        case ProblemError():
            return error
        case ShareFull():
            return too_many_requests("This account has reached its limit of commands in the inbox.")
        case ReadOnly():
            return ProblemError(503, "read_only", "This gateway only reads: send the request to an order gateway.")
        case InboxFull():
            detail = "The inbox is full for now; nothing of this request was taken in."
            return ProblemError(503, "inbox_full", detail)
        case _:
            return None
