"""The changes that a run of journal batches makes to the table `orders`.

An order that is new within the run is collected whole. For an older one there are quantities and amounts to add, and values to
set, of which the last one counts.
"""

from __future__ import annotations

from typing import Any

from matching_engine.records import Flag, Side
from services.commands.texts import client_order_id_text
from services.journal.batch import Applied
from services.read_model import tables

_ORDER = {column.name: index for index, column in enumerate(tables.orders.columns)}
ADDED = ("quantity_lots", "leaves_lots", "filled_lots", "filled_fen", "fees_fen", "reserved_fen")
SET = ("price_ticks", "trigger_ticks", "display_lots", "triggered_seq", "state", "reason", "updated_ns", "updated_seq")
CHANGED = tuple(_ORDER[name] for name in (*ADDED, *SET))
"""Indexes of the columns of `orders` that change: first those that are added to, then those that are set."""
(
    QUANTITY, LEAVES, FILLED, FILLED_FEN, FEES, RESERVED,
    PRICE, TRIGGER, DISPLAY, TRIGGERED_SEQ, STATE, REASON, UPDATED_NS, UPDATED_SEQ,
) = CHANGED  # fmt: skip
_NO_CHANGE: list[Any] = [0 if name in ADDED else None for name in _ORDER if name != "order_id"]


class OrderChanges:
    """The changes of all orders of a run."""

    def __init__(self) -> None:
        self.new: dict[int, list[Any]] = {}
        """By order_id: the columns of `orders`."""
        self.old: dict[int, list[Any]] = {}
        """By order_id: the order_id and changes, at the indexes of the columns of `orders`; sums to add, other values to set
        unless None."""

    def enter(self, applied: Applied, state: str, trading_date: int) -> None:
        """Adds a new order; state is `new` or `rejected`."""
        event, command, _ = applied
        self.new[command.seq] = [
            command.seq,
            command.account,
            client_order_id_text(command.client_order_id),
            command.instrument,
            command.side,
            command.order_type,
            command.time_in_force,
            command.self_trade,
            command.flags,
            event.price_ticks,
            command.trigger_ticks,
            command.display_lots,
            command.time_s,
            0,
            command.quantity_lots,
            event.leaves_lots,
            0,
            0,
            0,
            event.reserve_fen,
            state,
            event.reason,
            command.actor,
            trading_date,
            command.time_ns,
            command.time_ns,
            command.seq,
            event.reserve_fen if command.side == Side.BUY else event.leaves_lots,
        ]

    def replace(self, applied: Applied) -> None:
        """Amends an order: price and change of quantity from REPLACED, trigger and display quantity from the command."""
        event, command, _ = applied
        order = self._change(event.order_id, applied)
        order[PRICE] = event.price_ticks
        if command.flags & Flag.CHANGE_TRIGGER:
            order[TRIGGER] = command.trigger_ticks
        if command.flags & Flag.CHANGE_DISPLAY:
            order[DISPLAY] = command.display_lots
        order[QUANTITY] += event.quantity_lots
        order[LEAVES] += event.quantity_lots
        order[RESERVED] += event.reserve_fen

    def trigger(self, applied: Applied) -> None:
        """Marks a stop order as triggered; its order_type stays."""
        self._change(applied.event.order_id, applied)[TRIGGERED_SEQ] = applied.event.seq

    def fill(self, applied: Applied, order_id: int, fee_fen: int, reserve_fen: int) -> None:
        """Fills one order of a trade."""
        event = applied.event
        order = self._change(order_id, applied)
        order[LEAVES] -= event.quantity_lots
        order[FILLED] += event.quantity_lots
        order[FILLED_FEN] += event.amount_fen
        order[FEES] += fee_fen
        order[RESERVED] += reserve_fen
        if order[STATE] is not None:  # an older order's state is computed from its quantities when they are written
            order[STATE] = "partially_filled" if order[LEAVES] else "filled"

    def decrement(self, applied: Applied) -> None:
        """Takes the quantity that self-trade prevention removed from an order that stays open."""
        event = applied.event
        order = self._change(event.order_id, applied)
        order[QUANTITY] -= event.quantity_lots
        order[LEAVES] -= event.quantity_lots
        order[RESERVED] += event.reserve_fen

    def end(self, applied: Applied) -> None:
        """Ends an order: canceled, expired, or prevented with nothing left."""
        event = applied.event
        order = self._change(event.order_id, applied)
        order[LEAVES] -= event.quantity_lots
        order[RESERVED] += event.reserve_fen
        order[STATE] = tables.END_STATES[event.kind]
        order[REASON] = event.reason

    def _change(self, order_id: int, applied: Applied) -> list[Any]:
        """The changes of an order, or the new order itself; both have their values at the same indexes."""
        order = self.new.get(order_id) or self.old.get(order_id)
        if order is None:
            order = self.old[order_id] = [order_id, *_NO_CHANGE]
        order[UPDATED_NS] = applied.command.time_ns
        order[UPDATED_SEQ] = applied.event.seq
        return order
