"""The planted ring: three members who sell to each other in a circle, at prices inside the spread, and end where they began.

It is what a screen for wash trading must find. `labels.py` writes down which trades are its own.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from matching_engine.records import EVENT, EventKind, Side, TimeInForce
from services.simulator.year.day_shape import SECOND_NS
from services.simulator.year.orders import SimulatedMarket, limit_orders

MEMBERS = (17, 23, 29)
"""Three traders, as indexes of `members()`."""

SYMBOL = "NDFEB-42H"
SLICES = (3, 8, 12, 16)
"""The slices of a day in which the circle trades once."""

_LEG_FEN = 45_000_000
_APART_NS, _LEG_NS = 2 * SECOND_NS, 40 * SECOND_NS
"""From a sell to the buy that takes it, and from one leg to the next."""


def ring_orders(
    rng: np.random.Generator, market: SimulatedMarket, instrument: int, fair_ticks: Any, start_ns: int
) -> Any:
    """The six orders of one circle: each member sells at the fair price, and the next one buys it two seconds later."""
    commands = limit_orders(2 * len(MEMBERS), TimeInForce.DAY)
    price = int(np.rint(fair_ticks[instrument]))
    sellers = market.accounts[list(MEMBERS)]
    commands["account"][0::2], commands["account"][1::2] = sellers, np.roll(sellers, -1)
    commands["side"][0::2] = Side.SELL
    commands["side"][1::2] = Side.BUY
    commands["time_in_force"][1::2] = TimeInForce.IOC
    commands["instrument"], commands["price_ticks"] = instrument, price
    commands["quantity_lots"] = max(
        1, round(_LEG_FEN * rng.uniform(0.8, 1.2) / (price * int(market.tick_value_fen[instrument])))
    )
    start_ns += int(rng.uniform(60, 600)) * SECOND_NS
    legs = start_ns + _LEG_NS * np.arange(len(MEMBERS))
    commands["time_ns"][0::2], commands["time_ns"][1::2] = legs, legs + _APART_NS
    return commands


def ring_trades(events: bytes, order_ids: set[int]) -> list[int]:
    """The ids of the trades both of whose orders are the ring's."""
    found = np.frombuffer(events, EVENT)
    trades = found[found["kind"] == EventKind.TRADE]
    return [
        int(trade["seq"]) << 20 | int(trade["number"])
        for trade in trades
        if int(trade["order_id"]) in order_ids and int(trade["maker_order_id"]) in order_ids
    ]
