"""The messages of a link, all binary. Up: SUBMISSIONS. Down: first HELLO, then one message for each journal batch.

The gateway opens the WebSocket with two headers, else the answer is 401 or 400 and nothing of the venue:
    Authorization: Bearer <link secret>
    X-Rex-Link: 32 hexadecimal digits, drawn at random by each gateway process

Up, one or more submissions in a message, each:
    account u32 | commands u32 (bytes) | attachments u16 (number) | only_cancels u8 | padding u8
    the packed COMMAND records, then each attachment after its length u32

Down:
    HELLO: b"REXLINK\\n", version u16, journal_id 16 bytes, epoch u64, last_seq u64, taken u64
    a batch: its bytes, as the journal holds them (they begin with the magic of a batch)

All integers are little-endian. `taken` is the number of submissions that this sequencer has taken from this gateway process, on
earlier links too: the gateway sends what comes after them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from struct import Struct
from typing import NamedTuple

from matching_engine.records import COMMAND
from services.messaging import Submission

MAGIC = b"REXLINK\n"
VERSION = 1

WINDOW_COMMANDS = 16_384
"""The most commands of one gateway that wait for their batch."""

LINK_HEADER = "X-Rex-Link"

MAX_SUBMISSION_BYTES = 4 * 1024 * 1024
"""The most bytes of one submission with its attachments."""
MAX_UP_BYTES = 8 * 1024 * 1024
"""The most bytes of one message to the sequencer."""
CHUNK_BYTES = 64 * 1024
"""A message with several submissions ends with the one that reaches this size."""
MAX_DOWN_BYTES = 64 * 1024 * 1024
"""The most bytes of one message to a gateway. A gateway reads a larger batch in the journal."""

PING_S = 1.0
"""Seconds between two pings of each end."""
PING_TIMEOUT_S = 2.0
"""An end that does not answer a ping for so many seconds is given up."""
CLOSE_S = 1.0
"""How long the closing handshake may take."""

assert COMMAND.fields is not None
_REQUEST_ID, _INCARNATION, _GATEWAY_ID = (
    int(COMMAND.fields[name][1]) for name in ("request_id", "incarnation", "gateway_id")
)
_SENDER = Struct(f"<{_REQUEST_ID}xQ{_INCARNATION - _REQUEST_ID - 8}xI{_GATEWAY_ID - _INCARNATION - 4}xH")
_HELLO = Struct("<8sH16sQQQ")
_HEAD = Struct("<IIHBx")
_LENGTH = Struct("<I")


class LinkRefused(Exception):
    """The other end does not speak this protocol, or sent bytes that are none of its messages."""


class Hello(NamedTuple):
    """What a sequencer says first."""

    journal_id: bytes
    epoch: int
    last_seq: int
    """The last command whose batch was published before this link began; later batches follow on the link."""
    taken: int
    """How many submissions the sequencer has taken from this gateway process."""


def sender_of(commands: bytes) -> tuple[int, int, int]:
    """request_id, incarnation and gateway_id of the first command."""
    request_id, incarnation, gateway_id = _SENDER.unpack_from(commands)
    return request_id, incarnation, gateway_id


def pack_hello(hello: Hello) -> bytes:
    """The bytes of a HELLO."""
    return _HELLO.pack(MAGIC, VERSION, *hello)


def unpack_hello(message: bytes) -> Hello:
    """Raises LinkRefused for anything but a HELLO of this version."""
    if len(message) != _HELLO.size or not message.startswith(MAGIC):
        raise LinkRefused("the other end is no sequencer of REX")
    _, version, *hello = _HELLO.unpack(message)
    if version != VERSION:
        raise LinkRefused(f"the sequencer speaks version {version} of the link, this gateway version {VERSION}")
    return Hello(*hello)


def pack_submissions(submissions: Iterable[Submission]) -> bytes:
    """One message with these submissions."""
    parts: list[bytes] = []
    for commands, attachments, account, only_cancels in submissions:
        parts += (_HEAD.pack(account, len(commands), len(attachments), only_cancels), commands)
        for text in attachments:
            parts += (_LENGTH.pack(len(text)), text)
    return b"".join(parts)


def pack_messages(submissions: Iterable[Submission]) -> Iterator[bytes]:
    """Messages of about CHUNK_BYTES with these submissions."""
    chunk: list[Submission] = []
    size = 0
    for submission in submissions:
        chunk.append(submission)
        size += len(submission.commands)
        if submission.attachments:
            size += sum(map(len, submission.attachments))
        if size >= CHUNK_BYTES:
            yield pack_submissions(chunk)
            chunk, size = [], 0
    if chunk:
        yield pack_submissions(chunk)


def unpack_submissions(message: bytes) -> Iterator[Submission]:
    """The submissions of a message. Raises LinkRefused where the bytes end too early."""
    position, end = 0, len(message)
    while position < end:
        if position + _HEAD.size > end:
            raise LinkRefused("a submission is cut off")
        account, size, count, only_cancels = _HEAD.unpack_from(message, position)
        position += _HEAD.size
        commands = message[position : position + size]
        position += size
        attachments = []
        for _ in range(count):
            if position + _LENGTH.size > end:
                raise LinkRefused("an attachment is cut off")
            (length,) = _LENGTH.unpack_from(message, position)
            position += _LENGTH.size
            attachments.append(message[position : position + length])
            position += length
        if position > end:
            raise LinkRefused("a submission is cut off")
        yield Submission(commands, tuple(attachments), account, bool(only_cancels))
