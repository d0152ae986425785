"""Texts of commands: which ones the venue takes in, how every reader of the journal has them, and how a terminal shows them."""

from __future__ import annotations

import re

CONTROL = r"\u0000-\u001f\u007f-\u009f\u2028-\u202e\u2066-\u2069"
"""C0, DEL and C1, line and paragraph separators, and what overrides the direction of writing: such a text shows other than it
is, or commands the terminal that shows it. For a class of a regular expression, also in a schema."""
_CONTROL = re.compile(f"[{CONTROL}]")


def control_character(text: str) -> str | None:
    """The first character, as `U+001B`, for which the venue does not take the text in; None: there is none."""
    found = _CONTROL.search(text)
    return None if found is None else f"U+{ord(found[0]):04X}"


def visible(text: str) -> str:
    """The text for a terminal: control characters as `\\u001b`. Only a forged journal holds some."""
    return _CONTROL.sub(lambda found: f"\\u{ord(found[0]):04x}", text)


def storable(text: str) -> str:
    """The text with the replacement character U+FFFD in place of each NUL, which PostgreSQL cannot store."""
    return text.replace("\0", "\ufffd")


_LAST = 2**63 - 1
"""The largest integer of SQLite and PostgreSQL."""


def storable_value(value: object) -> object:
    """A field's value as every database of REX can store it. Raises ValueError for a number that none can."""
    if isinstance(value, tuple):
        return tuple(map(storable_value, value))
    if isinstance(value, int) and not -_LAST <= value <= _LAST:
        raise ValueError(f"must be {-_LAST} to {_LAST}")
    return storable(value) if isinstance(value, str) else value


def client_order_id_text(client_order_id: bytes) -> str:
    """A command's client_order_id: ASCII by contract. latin-1 decodes every byte, so that no command can stop a reader."""
    return storable(client_order_id.decode("latin-1"))
