"""The clients' own ledger: the orders that the venue acknowledged, recorded outside the venue, and which of them the venue must
still have after a fault (they are owed).

An acknowledgement counts if it was read before the harm (the rig's fault) began. A later one may have been sent before, or may
come from a machine without power (see `device_faults.py`): it is recorded separately, counted, and not owed.
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
    """By client_order_id: the order's state as last acknowledged."""
    late: dict[str, Json] = field(default_factory=dict)
    """By client_order_id: orders acknowledged after the harm began."""
    sent_after: set[str] = field(default_factory=set)
    """Orders sent after the harm and after the allowed time (`allowed_until_s`)."""
    unanswered: set[str] = field(default_factory=set)
    harmed: bool = False
    """Whether the harm has begun."""
    allowed_until_s: float = 0.0
    """On the monotonic clock: orders sent before this time may be acknowledged although the harm is done."""

    def begin(self) -> None:
        """Begins a load: no harm is done yet."""
        self.harmed = False
        self.sent_after.clear()

    def acknowledge(self, order: Json) -> None:
        """Records the venue's reply to an order."""
        (self.late if self.harmed else self.owed)[order["client_order_id"]] = order

    @property
    def after(self) -> int:
        """The number of orders that were both sent and acknowledged after the harm."""
        return len(self.sent_after & self.late.keys())

    def broken(self, orders: Iterable[Json], whose: str) -> list[str]:
        """Sentences on the owed orders that are not, among all the account's `orders`, there once, with the same id, filled at
        least as far."""
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
        """Makes late acknowledgements owed too: for a harm after which none can be made, such as the end of the process."""
        self.owed |= self.late
        self.late.clear()

    def end_harm(self, orders: Iterable[Json]) -> tuple[int, int]:
        """Ends the harm. Returns how many of the late acknowledged orders exist, and how many do not."""
        there = {order["client_order_id"]: order for order in orders}
        kept = sum(name in there and order["order_id"] == there[name]["order_id"] for name, order in self.late.items())
        lost = len(self.late) - kept
        self.late.clear()
        self.begin()
        return kept, lost
