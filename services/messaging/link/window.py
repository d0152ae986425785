"""The window of a gateway: its submissions without a batch, sent or not, within the bounds of an inbox."""

from __future__ import annotations

import numpy as np

from matching_engine.records import COMMAND
from services.journal.batch import JournalBatch
from services.messaging import Submission
from services.messaging.admission import Admission
from services.messaging.link.frames import sender_of


class Waiting:
    """A submission without a batch."""

    __slots__ = ("abandoned", "added_s", "count", "number", "request_ids", "submission")

    def __init__(self, submission: Submission, count: int, request_ids: tuple[int, ...], added_s: float) -> None:
        self.submission = submission
        self.added_s = added_s
        self.count = count
        self.request_ids = request_ids
        self.number = 0
        """Its place in the order of submissions sent in this epoch, from 1; 0: not sent, and not executed."""
        self.abandoned = False
        """Its requests were answered `outcome_unknown`: it is not sent again."""


class LinkWindow:
    """All commands have the same sender (gateway_id, incarnation); no two submissions have a request id in common."""

    def __init__(self, max_commands: int) -> None:
        self.bounds = Admission(max_commands)
        self._max_withdrawn = max_commands
        self._sender: list[int] | None = None
        """Incarnation and gateway_id."""
        self._waiting: dict[int, Waiting] = {}
        """By every request id, in the order of `add`."""
        self._withdrawn: dict[int, None] = {}
        """The last request ids that were withdrawn, or given up and then proven not to be executed."""
        self._sent = 0
        """The number of the last submission that was sent in this epoch."""

    @property
    def has_sent(self) -> bool:
        """Whether a submission was sent that has no batch yet."""
        return any(waiting.number for waiting in self._waiting.values())

    @property
    def oldest_s(self) -> float | None:
        """When the oldest submission without a batch was added; None if there is none."""
        return next((waiting.added_s for waiting in self._waiting.values()), None)

    def add(self, submission: Submission, *, sent: bool, now_s: float) -> None:
        """Adds a submission; `sent`: it is being sent now. Raises InboxFull, ShareFull, or ValueError for what is no submission
        of this sender."""
        commands = submission.commands
        count = self.bounds.add(*submission)
        request_id, *sender = sender_of(commands)
        if count == 1:
            request_ids: tuple[int, ...] = (request_id,)
        else:
            request_ids = tuple(dict.fromkeys(np.frombuffer(commands, COMMAND)["request_id"].tolist()))
        if self._sender not in (None, sender) or not self._waiting.keys().isdisjoint(request_ids):
            self.bounds.remove(submission.account, count)
            raise ValueError(
                f"request {request_id} has another sender than the others of this window, or was added before"
            )
        self._sender = sender
        waiting = Waiting(submission, count, request_ids, now_s)
        for request_id in request_ids:
            self._waiting[request_id] = waiting
        if sent:
            self._sent += 1
            waiting.number = self._sent

    def withdraw(self, request_id: int) -> bool:
        """See `Inbox.withdraw`. If it answers False, the submission is not sent again should it turn out not to be executed; it
        then answers True."""
        waiting = self._waiting.get(request_id)
        if waiting is None:
            return request_id in self._withdrawn
        if waiting.number:
            waiting.abandoned = True
            return False
        self._take_back(waiting)
        return True

    def answer(self, batch: JournalBatch) -> None:
        """Removes the submissions that are in this batch."""
        if not self._waiting:
            return
        for command in batch.command_list:
            if command.request_id in self._waiting and [command.incarnation, command.gateway_id] == self._sender:
                self._remove(self._waiting[command.request_id])

    def not_taken(self, taken: int) -> None:
        """The sequencer has taken `taken` submissions in this epoch: later ones were not executed. With 0, a new epoch begins:
        nothing that was sent before and has no batch was executed."""
        for waiting in self._each():
            if waiting.number > taken:
                waiting.number = 0
                if waiting.abandoned:
                    self._take_back(waiting)
        self._sent = taken

    def send(self) -> list[Submission]:
        """Every submission that is not sent, oldest first; they count as sent now."""
        unsent = [waiting for waiting in self._each() if not waiting.number]
        for waiting in unsent:
            self._sent += 1
            waiting.number = self._sent
        return [waiting.submission for waiting in unsent]

    def _each(self) -> list[Waiting]:
        return list(dict.fromkeys(self._waiting.values()))

    def _take_back(self, waiting: Waiting) -> None:
        self._remove(waiting)
        self._withdrawn.update(dict.fromkeys(waiting.request_ids))
        while len(self._withdrawn) > self._max_withdrawn:
            del self._withdrawn[next(iter(self._withdrawn))]

    def _remove(self, waiting: Waiting) -> None:
        for request_id in waiting.request_ids:
            del self._waiting[request_id]
        self.bounds.remove(waiting.submission.account, waiting.count)
