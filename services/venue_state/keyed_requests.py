"""Administrative requests with an idempotency key that were carried out: the last ones, by sender and key.

The journal has them (`RequestKeyed`), so every gateway knows the same ones, also after a restart.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from services.commands.attachments import RequestKeyed

REMEMBERED = 10_000
"""So many requests are remembered; of more, the oldest is forgotten."""


class KeyedRequest(NamedTuple):
    """What a repeat of the request is answered with."""

    digest: str
    """SHA-256 of method, path and body, in hex."""
    seq: int
    """Of the request's first command."""
    account: int = 0
    """The account that it opened; 0: none."""


class KeyedRequests:
    """The remembered requests. Refused ones are not among them: they changed nothing, and may be sent again."""

    def __init__(self) -> None:
        self._by_key: dict[tuple[int, str], KeyedRequest] = {}
        self._refused_seq = 0
        self._opened = 0, 0

    def find(self, actor: int, key: str) -> KeyedRequest | None:
        """The request that this sender sent with this key; None where none is remembered."""
        return self._by_key.get((actor, key))

    def note_refused(self, seq: int) -> None:
        """Notes that a command was refused."""
        self._refused_seq = seq

    def note_opened(self, seq: int, account: int) -> None:
        """Notes that a command opened an account."""
        self._opened = seq, account

    def apply(self, seq: int, keyed: RequestKeyed) -> None:
        """Remembers the request before the RECORD `seq`, unless it was refused."""
        first_seq = seq - keyed.commands
        if self._refused_seq < first_seq:
            opened_seq, account = self._opened
            self.add(keyed, first_seq, account if opened_seq == first_seq else 0)

    def add(self, keyed: RequestKeyed, first_seq: int, account: int = 0) -> None:
        """Remembers a request; its first command has `first_seq`."""
        self._by_key.setdefault((keyed.actor, keyed.key), KeyedRequest(keyed.digest, first_seq, account))
        if len(self._by_key) > REMEMBERED:
            del self._by_key[next(iter(self._by_key))]

    def load(self, recorded: Iterable[tuple[int, RequestKeyed]], carried_out: set[int], opened: dict[int, int]) -> None:
        """Adds recorded requests, oldest first, by the seq of their RECORD. `carried_out`: the commands that were not refused;
        `opened`: the accounts by the commands that opened them."""
        for seq, keyed in recorded:
            first_seq = seq - keyed.commands
            if first_seq in carried_out:
                self.add(keyed, first_seq, opened.get(first_seq, 0))
