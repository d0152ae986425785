"""Errors of the venue's state. They know no HTTP: services/gateway/problems.py maps each to a problem.

BadField     the value of a field is not a valid price, quantity, amount or rate; names the field
NotAllowed   the key lacks a scope, or an account
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
