"""The mix of a flow, counted from the events of a book that ran it."""

from __future__ import annotations

from typing import NamedTuple

from load_tests.flows.book_flows import Records
from matching_engine.records import BookEvent, CommandKind, EventKind, Reason, TimeInForce


class Mix(NamedTuple):
    """The mix of a flow. Floats are shares of the messages, unless stated otherwise."""

    adds: float
    """New orders that may rest."""
    cancels: float
    amends: float
    immediate: float
    late: float
    """Cancels and amends of orders that have ended."""
    marketable: float
    """The share of the adds that trade at entry."""
    canceled: float
    """The share of canceled orders among the resting orders that ended."""
    peak: int
    """The largest number of resting orders."""
    resting: int
    """The number of resting orders at the end."""
    traded_lots: int
    trades: int

    def __str__(self) -> str:
        return (
            f"adds {self.adds:.0%} ({self.marketable:.0%} of them trade), cancels {self.cancels:.0%}, amends "
            f"{self.amends:.0%}, IOC {self.immediate:.0%}, too late {self.late:.1%}; {self.canceled:.0%} of what rested and "
            f"ended was canceled; up to {self.peak:,} orders rest"
        )


def mix_of(commands: Records, events: Records) -> Mix:
    """Counts BOOK_COMMAND records and all BOOK_EVENT records that they made."""
    open_lots: dict[int, int] = {}
    takers: set[int] = set()
    peak = filled = canceled = late = traded_lots = trades = 0
    for event in map(BookEvent._make, events.tolist()):
        kind, order = event.kind, event.order_id
        if kind == EventKind.TRADE:
            trades += 1
            traded_lots += event.quantity_lots
            takers.add(order)
            filled += _fill(open_lots, event.maker_order_id, event.quantity_lots)
            _fill(open_lots, order, event.quantity_lots)
        elif kind in (EventKind.ACCEPTED, EventKind.REPLACED):
            open_lots[order] = event.leaves_lots
            peak = max(peak, len(open_lots))
        elif kind == EventKind.REJECTED:
            late += event.reason == Reason.UNKNOWN_ORDER
        elif kind in (EventKind.CANCELED, EventKind.SELF_TRADE_PREVENTED):
            del open_lots[order]
            canceled += event.reason == Reason.REQUESTED
    new = commands["kind"] == CommandKind.NEW_ORDER
    immediate = new & (commands["time_in_force"] == TimeInForce.IOC)
    adds = commands["order_id"][new & ~immediate]
    return Mix(
        adds=len(adds) / len(commands),
        cancels=(commands["kind"] == CommandKind.CANCEL).mean(),
        amends=(commands["kind"] == CommandKind.AMEND).mean(),
        immediate=immediate.mean(),
        late=late / len(commands),
        marketable=len(takers.intersection(adds.tolist())) / len(adds),
        canceled=canceled / max(canceled + filled, 1),
        peak=peak,
        resting=len(open_lots),
        traded_lots=traded_lots,
        trades=trades,
    )


def _fill(open_lots: dict[int, int], order: int, lots: int) -> bool:
    """Reduces an order by `lots`; returns whether it is filled."""
    open_lots[order] -= lots
    if open_lots[order]:
        return False
    del open_lots[order]
    return True
