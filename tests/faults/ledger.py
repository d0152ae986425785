"""The clients' own ledger: what the venue acknowledged to them, kept outside of it, and what is owed after any fault.

An acknowledgement counts where it was read before the harm began. One that is read later may still have been on its way, or
may be a promise of a machine that has no power any more (see `power_cut.py`): it is kept apart, counted and not owed.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

Json = Mapping[str, Any]


@dataclass
class Ledger:
    """One account's orders by client_order_id."""

    owed: dict[str, Json] = field(default_factory=dict)
    """The order as it was last acknowledged."""
    late: dict[str, Json] = field(default_factory=dict)
    """Acknowledged after the harm began."""
    sent_after: set[str] = field(default_factory=set)
    """Sent when the harm was done, and what is allowed after it had passed."""
    unanswered: set[str] = field(default_factory=set)
    harmed: bool = False
    """Whether the harm has begun."""
    allowed_until_s: float = 0.0
    """On the monotonic clock: what is sent before then may be acknowledged although the harm is done."""

    def begin(self) -> None:
        """No harm is done yet."""
        self.harmed = False
        self.sent_after.clear()

    def acknowledge(self, order: Json) -> None:
        """The venue's answer to an order."""
        (self.late if self.harmed else self.owed)[order["client_order_id"]] = order

    @property
    def after(self) -> int:
        """How many orders were both sent and acknowledged when the harm was done."""
        return len(self.sent_after & self.late.keys())

    def broken(self, orders: Iterable[Json], whose: str) -> list[str]:
        """What is owed and not so among all the account's orders: there once, with its id, filled at least as far."""
        found = list(orders)
        times = Counter(order["client_order_id"] for order in found)
        by_id = {order["client_order_id"]: order for order in found}
        faults = [f"{whose} {name} is there {count} times" for name, count in times.items() if count > 1]
        for name, order in self.owed.items():
            now = by_id.get(name)
            if now is None:
                faults.append(f"{whose} {name}, acknowledged as order {order['order_id']}, is lost")
            elif now["order_id"] != order["order_id"]:
                faults.append(f"{whose} {name} was order {order['order_id']} and is {now['order_id']}")
            elif now["cum_qty"] < order["cum_qty"]:
                faults.append(f"{whose} {name} was filled {order['cum_qty']} and is filled {now['cum_qty']}")
        return faults

    def owe_late_ones(self) -> None:
        """For a harm that no acknowledgement can outlive, such as the end of the process that makes them."""
        self.owed |= self.late
        self.late.clear()

    def settle(self, orders: Iterable[Json]) -> tuple[int, int]:
        """The harm is over: of the late acknowledgements, how many are there and how many are not."""
        there = {order["client_order_id"]: order for order in orders}
        kept = sum(name in there and order["order_id"] == there[name]["order_id"] for name, order in self.late.items())
        lost = len(self.late) - kept
        self.late.clear()
        self.begin()
        return kept, lost
