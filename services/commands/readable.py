"""What every reader of the journal needs of a command's text.

Who takes commands from another process checks them before they have a number: a command that is journaled is read by every
reader at every start, and one that cannot be read would end them all.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from matching_engine.records import COMMAND, CommandKind
from services.commands.attachments import AccountText, BustText, InstrumentText, UnknownRecord, read_decision
from services.messaging import Submission

_READERS: dict[int, Callable[[bytes], object]] = {
    CommandKind.OPEN_ACCOUNT: AccountText.model_validate_json,
    CommandKind.LIST_INSTRUMENT: InstrumentText.model_validate_json,
    CommandKind.BUST_TRADE: BustText.model_validate_json,
    CommandKind.RECORD: read_decision,
}
"""How the text of a command of each kind is read; the other kinds have none."""

_WITH_TEXT = np.array(sorted(_READERS), dtype=np.uint8)


class Unreadable(ValueError):
    """A command whose text a reader needs and cannot read; the sentence says which."""


def check_readable(submission: Submission) -> None:
    """Raises Unreadable for a submission that a reader could not read: its commands are no records, a command has a text that
    is missing, damaged, of another kind or of a newer version, or a text has not exactly one command."""
    size, attachments = len(submission.commands), submission.attachments
    if not size or size % COMMAND.itemsize:
        raise Unreadable(f"{size} bytes are no commands")
    commands = np.frombuffer(submission.commands, COMMAND)
    if sorted(commands["attachment"][commands["attachment"] != 0].tolist()) != [*range(1, len(attachments) + 1)]:
        raise Unreadable(f"the commands do not name each of {len(attachments)} texts once")
    for place, found in enumerate(texts_of(commands, attachments)):
        if found is not None:
            raise Unreadable(f"command {place + 1} of {len(commands)}: {found}")


def texts_of(commands: Any, attachments: tuple[bytes, ...]) -> Iterator[str | None]:
    """For each command of a COMMAND array why its text cannot be read; None where it can, or there is none to read."""
    if not attachments and not np.isin(commands["kind"], _WITH_TEXT).any():
        return
    for kind, number in commands[["kind", "attachment"]].tolist():
        yield _trouble_with(kind, attachments[number - 1] if 0 < number <= len(attachments) else None)


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
        return f"this version of REX has no record of the kind {found.type[:40]!r}"
    return None
