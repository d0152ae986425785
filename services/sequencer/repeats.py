"""Administrative requests that come twice with one idempotency key, by two gateways: the leader executes the first only.

Each gateway knows what the journal has, and what it has under way itself. What another gateway has under way only the leader
sees.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from matching_engine.records import COMMAND, EVENT, CommandKind, EventKind
from services.commands.attachments import RequestKeyed, RequestRepeated, read_decision
from services.journal.batch import JournalBatch
from services.messaging import Feed, Inbox, InboxFull, Submission
from services.messaging.tail import Readable, tail
from services.venue_state.keyed_requests import REMEMBERED

REMEMBERED_COMMANDS = 100_000
"""So many commands of the journal a new leader reads for requests that an older leader executed."""

_MARK = b'{"type":"request_keyed"'
"""How the record begins. A name or a reason may hold the same words."""


class OnceInbox:
    """The inbox of a leader with several gateways: of a request that comes again it takes in a note that it did."""

    def __init__(self, inbox: Inbox) -> None:
        self._inbox = inbox
        self._names: dict[tuple[int, str], None] = {}
        """The requests that were taken in or found in the journal. Refused ones are not among them: they may come again."""

    @property
    def depth(self) -> int:
        """See Inbox."""
        return self._inbox.depth

    @property
    def largest_share(self) -> int:
        """See Inbox."""
        return self._inbox.largest_share

    def withdraw(self, request_id: int) -> bool:
        """See Inbox."""
        return self._inbox.withdraw(request_id)

    async def put(self, submission: Submission) -> None:
        """See Inbox. A repeat becomes as many RECORD commands of the same sender, which change nothing."""
        keyed = _keyed(submission.attachments[-1]) if submission.attachments else None
        if keyed is None:
            await self._inbox.put(submission)
            return
        name = keyed.actor, keyed.key
        if name in self._names:
            repeated = RequestRepeated(actor=keyed.actor, key=keyed.key).to_bytes()
            count = len(submission.commands) // COMMAND.itemsize
            await self._inbox.put(noted(submission, [repeated] * count))
            return
        self._remember(name)
        try:
            await self._inbox.put(submission)
        except InboxFull:
            del self._names[name]
            raise

    async def follow(self, journal: Readable, feed: Feed, after_seq: int) -> None:
        """Learns from every batch after after_seq. Runs until it is canceled."""
        async for batch in tail(journal, feed, after_seq):
            self.learn(batch)

    def learn(self, batch: JournalBatch) -> None:
        """Remembers the requests that the batch carried out, and forgets those that it refused."""
        for number, attachment in enumerate(batch.attachments, start=1):
            keyed = _keyed(attachment)
            if keyed is None:
                continue
            seq = batch.seq_of_attachment(number)
            events = np.frombuffer(batch.events, EVENT)
            of_request = events[(events["seq"] >= seq - keyed.commands) & (events["seq"] < seq)]
            if (of_request["kind"] == EventKind.REJECTED).any():
                self._names.pop((keyed.actor, keyed.key), None)
            else:
                self._remember((keyed.actor, keyed.key))

    def _remember(self, name: tuple[int, str]) -> None:
        self._names[name] = None
        if len(self._names) > REMEMBERED:
            del self._names[next(iter(self._names))]


def noted(submission: Submission, notes: Sequence[bytes | None]) -> Submission:
    """In place of each command that has a note, a RECORD command of the same sender with the note as its attachment: it changes
    nothing, and its batch answers. Commands without a note stay; they have no attachments."""
    commands = np.frombuffer(bytearray(submission.commands), COMMAND)
    attachments = tuple(dict.fromkeys(note for note in notes if note is not None))
    for place, note in enumerate(notes):
        if note is not None:
            nothing = np.zeros((), COMMAND)
            for field in ("request_id", "incarnation", "gateway_id"):
                nothing[field] = commands[place][field]
            nothing["kind"], nothing["attachment"] = CommandKind.RECORD, attachments.index(note) + 1
            commands[place] = nothing
    return submission._replace(commands=commands.tobytes(), attachments=attachments)


def _keyed(attachment: bytes) -> RequestKeyed | None:
    if not attachment.startswith(_MARK):
        return None
    decision = read_decision(attachment)
    return decision if isinstance(decision, RequestKeyed) else None
