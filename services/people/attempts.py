"""Waits that grow with wrong passwords, for each name and for each address. They end by themselves: no lock is permanent.

Each attempt counts as wrong until it has proven right, so attempts at the same time gain nothing. An address from which a
name has logged in does not wait for the wrong passwords that others enter under that name: strangers cannot keep its owner
out.
"""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable
from functools import lru_cache
from ipaddress import IPv4Address, ip_address, ip_network

from services.venue_state.users import login_name

FREE_OF_NAME = 5
"""Wrong passwords under one name before the next one has to wait."""
FREE_OF_ADDRESS = 20
"""The same for one address, which may be that of an office."""
LONGEST_S = 60.0
"""The waits are 1, 2, 4, … seconds and then this."""
FORGOTTEN_S = 900.0
"""Wrong passwords are forgotten this long after the last one."""
REMEMBERED = 10_000
"""How many names and addresses are remembered; beyond it the longest unused ones are forgotten."""


class TooSoon(Exception):
    """The name or the address has to wait."""

    def __init__(self, wait_s: float) -> None:
        super().__init__()
        self.wait_s = wait_s


class _Wrong:
    """The wrong passwords of one name or address."""

    def __init__(self, now: float) -> None:
        self.count = 0
        self.last = now

    def wait_s(self, free: int, now: float) -> float:
        """How long the next attempt has to wait."""
        if self.count < free:
            return 0.0
        return max(self.last + min(2.0 ** (self.count - free), LONGEST_S) - now, 0.0)


class Attempts:
    """Counts wrong passwords."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        """`clock` counts seconds."""
        self._clock = clock
        self._wrong: OrderedDict[tuple[str, ...], _Wrong] = OrderedDict()
        self._familiar: OrderedDict[tuple[str, str], None] = OrderedDict()
        """Names with addresses from which they have logged in."""

    def begin(self, name: str, address: str) -> None:
        """Counts an attempt, as a wrong one. Raises TooSoon, and counts nothing, where it has to wait."""
        now, free_of = self._clock(), self._counted(name, address)
        wait_s = max(self._seen(key, now).wait_s(free, now) for key, free in free_of)
        if wait_s:
            raise TooSoon(wait_s)
        for key, _ in free_of:
            wrong = self._seen(key, now)
            wrong.count, wrong.last = wrong.count + 1, now

    def succeeded(self, name: str, address: str) -> None:
        """The attempt was right: its name and address have no wrong passwords any more; but those of a stranger stay."""
        for key, _ in self._counted(name, address):
            self._wrong.pop(key, None)
        familiar = login_name(name), network_of(address)
        self._familiar[familiar] = None
        self._familiar.move_to_end(familiar)
        while len(self._familiar) > REMEMBERED:
            self._familiar.popitem(last=False)

    def _counted(self, name: str, address: str) -> tuple[tuple[tuple[str, ...], int], ...]:
        """What an attempt counts for, each with its free number."""
        name, address = login_name(name), network_of(address)
        of_name = ("name", name, address) if (name, address) in self._familiar else ("name", name)
        return (of_name, FREE_OF_NAME), (("address", address), FREE_OF_ADDRESS)

    def _seen(self, key: tuple[str, ...], now: float) -> _Wrong:
        wrong = self._wrong.get(key)
        if wrong is None or now - wrong.last > FORGOTTEN_S:
            wrong = self._wrong[key] = _Wrong(now)
        self._wrong.move_to_end(key)
        while len(self._wrong) > REMEMBERED:
            self._wrong.popitem(last=False)
        return wrong


@lru_cache(maxsize=1024)
def network_of(address: str) -> str:
    """What counts as one address: of IPv6 its first 64 bits, which one host may use as a whole; of an IPv4 address that a proxy
    writes as IPv6 (`::ffff:192.0.2.1`) the IPv4 address: all of these have the same 64 bits."""
    try:
        parsed = ip_address(address)
    except ValueError:
        return address
    if isinstance(parsed, IPv4Address):
        return address
    return str(parsed.ipv4_mapped or ip_network((parsed, 64), strict=False))
