"""Requests that an administrator has taken out because their commands trip an assertion of the engine (`rex journal skip`).

Such a command stops the writer before the commit, so the journal does not hold it; but a gateway sends it again to the next
leader, and a member sends it again by itself. A record in the journal (`CommandSkipped`) names the request. The inbox of a
venue with such records takes in, in place of that request or an equal one, notes that change nothing: their batch answers the
sender. A skip is recorded while nothing leads the venue, so a running one learns of none.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from hashlib import blake2b
from struct import Struct, calcsize
from typing import NamedTuple

import numpy as np

from matching_engine.records import COMMAND, Command, CommandKind, unpack_commands, widths
from services.commands.attachments import CommandSkipped, Recorded, RequestSkipped, read_decision
from services.journal.batch import JournalBatch
from services.messaging import Inbox, Submission
from services.sequencer.repeats import noted

_SENDER_FIELDS = ("request_id", "incarnation", "gateway_id")
"""In the order of a command's bytes."""

_SENDER = Struct(
    "<"
    + "".join(
        width.struct if name in _SENDER_FIELDS else f"{calcsize(f'<{width.struct}')}x"
        for name, width in widths(Command).items()
    )
)
"""Unpacks the _SENDER_FIELDS from a command's bytes."""

_BY_SENDER = [
    (offset, bytes(kind.itemsize))
    for name, (kind, offset, *_) in (COMMAND.fields or {}).items()
    if name in ("seq", "time_ns", *_SENDER_FIELDS)
]
"""The fields that are others when the same request is sent again: where each begins in a command's bytes, and zeros for it."""

_MARK = b'{"type":"command_skipped"'
_COPY = f"Copy it from the sentence of the sequencer that stopped, such as 1-2882343476-7-{'0123456789abcdef' * 2}"
_FORM = re.compile(r"(\d{1,5})-(\d{1,10})-(\d{1,20})-([0-9a-f]{32})")


class SkippedRequest(NamedTuple):
    """A request by its sender and its content, written GATEWAY-INCARNATION-REQUEST-DIGEST."""

    gateway_id: int
    incarnation: int
    request_id: int
    digest: str
    """BLAKE2b-128 of what `digests_of` says, without what depends on the sender, in hex."""

    @classmethod
    def of(cls, submission: Submission, place: int) -> SkippedRequest:
        """The request of the submission's command at this place (from 0)."""
        command = list(unpack_commands(submission.commands))[place]
        return cls(command.gateway_id, command.incarnation, command.request_id, digests_of(submission)[place])

    @classmethod
    def parse(cls, text: str) -> SkippedRequest:
        """The request that a sequencer named when it stopped. Raises ValueError for any other text."""
        found = _FORM.fullmatch(text)
        if found is None:
            raise ValueError(f"{text!r} names no request. {_COPY}")
        gateway_id, incarnation, request_id, digest = found.groups()
        one = cls(int(gateway_id), int(incarnation), int(request_id), digest)
        for field in _SENDER_FIELDS:
            if getattr(one, field) > (most := np.iinfo(COMMAND[field]).max):
                raise ValueError(f"{text!r} names no request: its {field} is more than {most}. {_COPY}")
        return one

    def __str__(self) -> str:
        return "-".join(map(str, self))


def digests_of(submission: Submission) -> list[str]:
    """For each command the digest of its request, the same whoever sends it and whenever. An order or cancel is a request by
    itself, whatever it came with; commands with attachments are one together."""
    size, commands = COMMAND.itemsize, bytearray(submission.commands)
    starts = range(0, len(commands), size)
    for begin in starts:
        for place, blank in _BY_SENDER:
            commands[begin + place : begin + place + len(blank)] = blank
    if not submission.attachments:
        return [blake2b(commands[begin : begin + size], digest_size=16).hexdigest() for begin in starts]
    digest = blake2b(commands, digest_size=16)
    for attachment in submission.attachments:
        digest.update(len(attachment).to_bytes(4, "little") + attachment)
    return [digest.hexdigest()] * len(starts)


def described(due: int, submissions: Iterable[Submission], place: int) -> str:
    """The command at this place (from 0) of those that ran together: first `due` of the venue's own, then the submissions'.
    Empty where the fault names none of them."""
    if place < 0:
        return ""
    if place < due:
        return "a command of the venue's own timers, which cannot be skipped"
    place -= due
    for submission in submissions:
        commands = list(unpack_commands(submission.commands))
        if place < len(commands):
            command = commands[place]
            return (
                f"{CommandKind(command.kind).name} of account {command.account}, request"
                f" {SkippedRequest.of(submission, place)}. docs/runbook.md, 'A command stops the venue', says how to go on"
            )
        place -= len(commands)
    return ""


def read_skip(attachment: bytes) -> CommandSkipped | None:
    """The skip that an attachment records; None for any other attachment."""
    if not attachment.startswith(_MARK):
        return None
    decision: Recorded = read_decision(attachment)
    return decision if isinstance(decision, CommandSkipped) else None


class Skips:
    """The skips of the journal's last REMEMBERED_COMMANDS commands (repeats.py). Where there are any, they cost each order 2 µs
    of CPU."""

    def __init__(self) -> None:
        self._by_sender: dict[tuple[int, ...], int] = {}
        self._by_digest: dict[str, int] = {}

    def __bool__(self) -> bool:
        """Whether there are any."""
        return bool(self._by_digest)

    def learn(self, batch: JournalBatch) -> None:
        """Remembers what the batch skips."""
        for number, attachment in enumerate(batch.attachments, start=1):
            if (skip := read_skip(attachment)) is not None:
                self.add(batch.seq_of_attachment(number), skip)

    def add(self, seq: int, skip: CommandSkipped) -> None:
        """Remembers the skip that was recorded at this seq."""
        self._by_sender[skip.request_id, skip.incarnation, skip.gateway_id] = seq
        self._by_digest[skip.digest] = seq

    def seqs_of(self, submission: Submission) -> list[int | None]:
        """For each command the seq of the skip of its request, or of an equal one; None where there is none."""
        senders = _SENDER.iter_unpack(submission.commands)
        seqs = [
            self._by_sender.get(sender, self._by_digest.get(digest))
            for sender, digest in zip(senders, digests_of(submission), strict=True)
        ]
        if submission.attachments:
            return [next(filter(None, seqs), None)] * len(seqs)
        return seqs

    def before(self, inbox: Inbox) -> Inbox:
        """The inbox that refuses what is skipped; `inbox` itself where nothing is."""
        return SkippingInbox(inbox, self) if self else inbox


class SkippingInbox:
    """An inbox that takes in, in place of each command of a skipped request, a note that it was skipped."""

    def __init__(self, inbox: Inbox, skips: Skips) -> None:
        self._inbox = inbox
        self._skips = skips

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
        """See Inbox."""
        seqs = self._skips.seqs_of(submission)
        if any(seqs):
            notes = [None if seq is None else RequestSkipped(skip=seq).to_bytes() for seq in seqs]
            submission = noted(submission, notes)
        await self._inbox.put(submission)
