"""What every reader of the journal needs of a command's text.

Who takes commands from another process checks them before they have a number: a command that is journaled is read by every
reader at every start, and one that cannot be read would end them all.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from struct import Struct
from typing import NamedTuple

from matching_engine.records import COMMAND, CommandKind
from services.commands.attachments import (
    AccountText,
    BustText,
    ChangeText,
    DelistText,
    HaltText,
    ListingText,
    UnknownRecord,
    read_decision,
)
from services.messaging import Submission

_READERS: dict[int, Callable[[bytes], object]] = {
    CommandKind.OPEN_ACCOUNT: AccountText.model_validate_json,
    CommandKind.LIST_INSTRUMENT: ListingText.model_validate_json,
    CommandKind.CHANGE_INSTRUMENT: ChangeText.model_validate_json,
    CommandKind.DELIST_INSTRUMENT: DelistText.model_validate_json,
    CommandKind.BUST_TRADE: BustText.model_validate_json,
    CommandKind.RECORD: read_decision,
    CommandKind.HALT: HaltText.model_validate_json,
}
"""How the text of a command of each kind is read; the other kinds have none."""

_MAY_HAVE_NONE = {CommandKind.HALT}
"""Kinds of which a command may have no text."""

assert COMMAND.fields is not None
_NUMBER, _KIND = (int(COMMAND.fields[name][1]) for name in ("attachment", "kind"))
_PLACES = Struct(f"<{_NUMBER}xH{_KIND - _NUMBER - 2}xB{COMMAND.itemsize - _KIND - 1}x")
"""The fields `attachment` and `kind` of a command: for an order alone this takes 1 µs, with numpy 18."""


class Unreadable(ValueError):
    """A command whose text a reader needs and cannot read; the sentence says which."""


class Trouble(NamedTuple):
    """A text that cannot be read."""

    place: int
    """That of its command, from 0 on."""
    number: int
    """That by which the command names it, from 1 on; 0: it names none."""
    sentence: str


def check_readable(submission: Submission) -> None:
    """Raises Unreadable for a submission that a reader could not read: a command has a text that is missing, damaged, of
    another kind or of a newer version, or a text has not exactly one command. Bytes that are no commands are the inbox's to
    refuse."""
    commands, attachments = submission.commands, submission.attachments
    if len(commands) % _PLACES.size:
        return
    told = _told(commands)
    if sorted(number for _, number, _ in told if number) != [*range(1, len(attachments) + 1)]:
        raise Unreadable(f"the commands do not name each of {len(attachments)} texts once")
    for place, _, sentence in _troubles(told, attachments):
        raise Unreadable(f"command {place + 1} of {len(commands) // _PLACES.size}: {sentence}")


def troubles_of(commands: bytes, attachments: tuple[bytes, ...]) -> Iterator[Trouble]:
    """The texts of packed commands that cannot be read."""
    return _troubles(_told(commands), attachments)


def _told(commands: bytes) -> list[tuple[int, int, int]]:
    """Place, number of the text and kind of each command that has a text or needs one."""
    return [
        (place, number, kind)
        for place, (number, kind) in enumerate(_PLACES.iter_unpack(commands))
        if number or (kind in _READERS and kind not in _MAY_HAVE_NONE)
    ]


def _troubles(told: list[tuple[int, int, int]], attachments: tuple[bytes, ...]) -> Iterator[Trouble]:
    for place, number, kind in told:
        sentence = _trouble_with(kind, attachments[number - 1] if 0 < number <= len(attachments) else None)
        if sentence is not None:
            yield Trouble(place, number, sentence)


def _trouble_with(kind: int, text: bytes | None) -> str | None:
    read = _READERS.get(kind)
    if read is None:
        return None if text is None else f"a command of kind {kind} has no text"
    if text is None:
        return f"{CommandKind(kind).name} needs a text"
    try:
        found = read(text)
    except ValueError as error:
        return f"its text cannot be read: {str(error)[:200]}"
    if isinstance(found, UnknownRecord):
        return f"this version of REX has no record of the kind {found.type!r}"
    return None
