"""What the venue's state refuses. It knows no HTTP: services/gateway/problems.py maps each to a problem, once.

BadField     a field's text or number is no price, quantity, amount or rate here: names the field
NotAllowed   a key may not do what was asked
"""

from __future__ import annotations


class BadField(ValueError):
    """The value of one field cannot be used. `code` is the problem's stable code."""

    def __init__(self, code: str, field: str, message: str) -> None:
        super().__init__(f"{field}: {message}")
        self.code = code
        self.field = field
        self.message = message


class NotAllowed(Exception):
    """The key lacks a scope, or an account. `code` is the problem's stable code."""

    def __init__(self, code: str, detail: str) -> None:
        super().__init__(detail)
        self.code = code
