"""What happens once in a simulated year beside the ring (ring.py): a volatility auction, a bust, an outage."""

from __future__ import annotations

from typing import Any

import numpy as np

from matching_engine.records import EVENT, EventKind, Reason, Side, TimeInForce
from services.simulator.year.day_shape import SECOND_NS
from services.simulator.year.members import MAKERS
from services.simulator.year.orders import SimulatedMarket, cancels, limit_orders

OUTAGE_FROM, OUTAGE_TO = (13, 20), (14, 15)
"""When the venue is down: hour and minute."""
OUTAGE_SLICES = (10, 11, 12)

PANIC_SYMBOL, PANIC_SLICE = "PRND-OX", 6
_DEEP, _REACHES, _DEEP_LOTS = 0.025, 0.026, 8
"""Makers withdraw their quotes, a bid stands so far below the last price, and a sell reaches it."""
_BEGINS_NS = 3 * SECOND_NS

BUST_SLICE = 5
BUST_REASON = "Simulated: entered with a wrong price."


def panic_orders(market: SimulatedMarket, instrument: int, last_ticks: int, start_ns: int) -> list[Any]:
    """The commands that begin a volatility auction, before other members trade in the slice that begins at start_ns."""
    start_ns += _BEGINS_NS
    withdrawn = cancels(market.accounts[:MAKERS], instrument, start_ns)
    commands = limit_orders(2, TimeInForce.DAY)
    commands["side"][1] = Side.SELL
    commands["time_in_force"][1] = TimeInForce.IOC
    commands["instrument"] = instrument
    commands["account"] = market.accounts[[MAKERS, 0]]  # A maker sells: its own orders are withdrawn.
    commands["price_ticks"] = np.rint(last_ticks * (1 - np.array([_DEEP, _REACHES])))
    commands["quantity_lots"] = _DEEP_LOTS, 4 * _DEEP_LOTS
    commands["time_ns"] = start_ns + np.array([1, 2]) * SECOND_NS
    return [withdrawn, commands]


def begins_volatility_auction(events: bytes) -> bool:
    """Whether an event of these begins one."""
    found = np.frombuffer(events, EVENT)
    return bool(np.any((found["kind"] == EventKind.PHASE_CHANGED) & (found["reason"] == Reason.VOLATILITY)))


def largest_trade(events: bytes) -> int:
    """The id of the largest trade; 0 if there is none."""
    found = np.frombuffer(events, EVENT)
    trades = found[found["kind"] == EventKind.TRADE]
    if not len(trades):
        return 0
    largest = trades[np.argmax(trades["amount_fen"])]
    return int(largest["seq"]) << 20 | int(largest["number"])
