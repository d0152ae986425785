"""WebSockets without a key: how many of them may follow public market data at once, in all and of one address."""

from __future__ import annotations

from collections import Counter

from services.gateway.problems import ProblemError


class PublicSockets:
    """Counts the connections that follow market data without a key. Others without a key are closed after ten seconds."""

    def __init__(self, most: int, most_per_address: int) -> None:
        self._most = most
        self._most_per_address = most_per_address
        self._by_address: Counter[str] = Counter()

    def enter(self, address: str) -> None:
        """Counts a connection; raises a 429 problem at a bound."""
        if self._by_address.total() >= self._most or self._by_address[address] >= self._most_per_address:
            detail = (
                "As many connections without a key follow market data as may, in all or of this address: use a key."
            )
            raise ProblemError(429, "too_many_websockets", detail)
        self._by_address[address] += 1

    def leave(self, address: str) -> None:
        """Uncounts a connection that `enter` counted."""
        self._by_address[address] -= 1
        if not self._by_address[address]:
            del self._by_address[address]
