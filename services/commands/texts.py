"""Texts of commands as every reader of the journal has them: without NUL, which PostgreSQL cannot store."""

from __future__ import annotations


def storable(text: str) -> str:
    """The text with the replacement character U+FFFD in place of each NUL."""
    return text.replace("\0", "\ufffd")


def client_order_id_text(client_order_id: bytes) -> str:
    """A command's client_order_id: ASCII by contract. latin-1 decodes every byte, so that no command can stop a reader."""
    return storable(client_order_id.decode("latin-1"))
