"""Requests on their way: commands handed to the inbox, and the journal batches that answer them.

A request is known by (gateway_id, incarnation, request_id), which travel in its command and come back in the journal batch.
The incarnation is drawn anew at each start, so a batch written for an earlier life of this gateway is never taken for a
reply. A request whose batch does not come within `REPLY_SECONDS` ends as `outcome_unknown`: its command may still be carried
out, and a retry with the same client_order_id tells.

A request counts for its key, in `under_way`, from the hand-over to its reply, or to the problem in its place.
"""

from __future__ import annotations

import asyncio
import math
import secrets
from collections import Counter
from collections.abc import Callable
from typing import TypeVar

from matching_engine.records import Command, Event
from services.gateway.order_entry.under_way import UnderWay, too_many_requests
from services.gateway.problems import ProblemError, outcome_unknown
from services.journal.batch import JournalBatch
from services.messaging import Inbox, InboxFull, ShareFull, Submission

REPLY_SECONDS = 10.0
"""How long a request waits for its batch. A healthy venue takes milliseconds."""

OnReply = Callable[["Event | ProblemError"], None]
"""Takes the first event of a command, or the problem that took its place. Called once, in the event loop, after the batch is on
the device and applied to the state. Must not raise."""


class PendingRequests:
    """Hands commands to the inbox and matches journal batches to the requests that wait for them."""

    def __init__(self, inbox: Inbox, gateway_id: int) -> None:
        self._inbox = inbox
        self._sender = Command(gateway_id=gateway_id, incarnation=secrets.randbits(32) | 1)
        self._request_id = 0
        self._waiting: dict[int, tuple[float, int, OnReply]] = {}
        """By request_id: when to give up, whose key, whom to tell."""
        self.under_way = UnderWay()
        self.refused: Counter[str] = Counter()
        """Requests that were not taken in, by the code of the problem."""
        self._closed = False

    @property
    def waiting(self) -> int:
        """How many commands were handed over whose batch has not come yet."""
        return len(self._waiting)

    def next_sender(self, actor: int) -> Command:
        """The sender of the next command: an id of its own, and the key that asks."""
        self._request_id += 1
        return self._sender._replace(request_id=self._request_id, actor=actor)

    async def hand_over(
        self, key_id: int, submission: Submission, request_ids: list[int], on_replies: list[OnReply]
    ) -> None:
        """Returns when the inbox has it. Raises a problem, and then no reply ever comes: 503 `inbox_full` or `not_ready`, or
        429 `too_many_requests` where the key has too many requests under way, or its account too many commands in the inbox."""
        if self._closed:
            raise ProblemError(503, "not_ready", "The venue has stopped; nothing of this request was taken in.")
        try:
            self.under_way.begin(key_id, len(request_ids), submission.only_cancels)
            # The requests wait before the inbox has them: their batch may be here before `put` returns.
            deadline = asyncio.get_running_loop().time() + REPLY_SECONDS
            for request_id, on_reply in zip(request_ids, on_replies, strict=True):
                self._waiting[request_id] = (deadline, key_id, on_reply)
            await self._inbox.put(submission)
        except BaseException as error:
            for request_id in request_ids:
                if self._waiting.pop(request_id, None) is not None:
                    self.under_way.end(key_id)
            problem = _not_taken_in(error)
            if problem is None:
                raise
            self.refused[problem.code] += 1
            raise problem from None

    def resolve(self, batch: JournalBatch) -> None:
        """Tells every request that waits for a command of this batch. The batch is already applied to the state."""
        if not self._waiting:
            return
        gateway_id, incarnation = self._sender.gateway_id, self._sender.incarnation
        first_events: dict[int, Event] = {}
        for event in batch.event_list:
            first_events.setdefault(event.seq, event)
        for command in batch.command_list:
            if command.incarnation == incarnation and command.gateway_id == gateway_id:
                waiting = self._waiting.pop(command.request_id, None)
                if waiting is not None:
                    _, key_id, on_reply = waiting
                    self.under_way.end(key_id)
                    on_reply(first_events[command.seq])

    def close(self) -> None:
        """No more replies will come: what waits ends as `outcome_unknown`, what comes is not taken in."""
        self._closed = True
        self.give_up(math.inf)

    def give_up(self, now: float) -> None:
        """Ends every request whose time is over (`now` of the event loop's clock) as `outcome_unknown`."""
        overdue = []
        for request_id, (deadline, _, _) in self._waiting.items():
            if deadline > now:
                break  # Requests wait in the order they came.
            overdue.append(request_id)
        for request_id in overdue:
            _, key_id, on_reply = self._waiting.pop(request_id)
            self.under_way.end(key_id)
            on_reply(outcome_unknown())


def _not_taken_in(error: BaseException) -> ProblemError | None:
    """What the client is told; None: what went wrong is no refusal."""
    match error:
        case ProblemError():
            return error
        case ShareFull():
            return too_many_requests("This account has as many commands waiting as one account may.")
        case InboxFull():
            detail = "The venue takes no more commands just now; nothing of this request was taken in."
            return ProblemError(503, "inbox_full", detail)
        case _:
            return None


T = TypeVar("T")


def into(future: asyncio.Future[T]) -> Callable[[T], None]:
    """A callback that resolves a future."""

    def set_result(result: T) -> None:
        if not future.done():  # The client may have gone away.
            future.set_result(result)

    return set_result
