"""The rows of the table `orders`, computed from a run of the journal's batches with arrays: another way than the projector's.

An array has a row for each column of the table and a column for each order, in order of their ids; all values are int64. What
is a text in the table is kept beside it (client order ids) or computed at the end (states).
"""

from __future__ import annotations

from typing import Any

import numpy as np

from matching_engine.records import COMMAND, CommandKind, EventKind, Flag, Reason, Side
from services.commands.texts import client_order_id_text
from services.read_database import tables

COLUMNS = [column.name for column in tables.orders.columns]
_ROW = {name: row for row, name in enumerate(COLUMNS)}
_CLIENT_ORDER_ID, _STATE = _ROW["client_order_id"], _ROW["state"]
_FROM_COMMAND = {
    "order_id": "seq",
    "account": "account",
    "instrument": "instrument",
    "side": "side",
    "order_type": "order_type",
    "time_in_force": "time_in_force",
    "self_trade": "self_trade",
    "flags": "flags",
    "trigger_ticks": "trigger_ticks",
    "display_lots": "display_lots",
    "expires_s": "time_s",
    "quantity_lots": "quantity_lots",
    "actor": "actor",
    "created_ns": "time_ns",
}
_FROM_EVENT = {
    "price_ticks": "price_ticks",
    "leaves_lots": "leaves_lots",
    "reserved_fen": "reserve_fen",
    "reason": "reason",
}
_ENTERING = np.array([EventKind.ACCEPTED, EventKind.REJECTED])
_ENDING = np.array([EventKind.CANCELED, EventKind.EXPIRED, EventKind.PREVENTED])
_TOUCHING = np.array([*_ENDING, EventKind.TRADE, EventKind.REPLACED, EventKind.TRIGGERED])
_LEAVES = _ROW["leaves_lots"]
_STATES = {int(EventKind.ACCEPTED): "new", int(EventKind.REJECTED): "rejected", **tables.END_STATES}
"""By the event that changed the state last; after a TRADE it depends on what is open."""


class OrderRows:
    """Takes runs of the journal from the first one on (`add`), and keeps the orders that are open."""

    def __init__(self) -> None:
        self._rows = np.empty((len(COLUMNS), 0), np.int64)
        self._client_order_ids = np.empty(0, COMMAND["client_order_id"])

    def add(self, commands: Any, events: Any, dates: Any) -> list[tuple[Any, ...]]:
        """Takes the next run: COMMAND and EVENT records, and the trading date of each event. Returns the rows of the orders
        that have ended in it. Events of orders that were never entered or have ended before are ignored."""
        self._enter(commands, events, dates)
        self._fill(events)
        self._reduce(events)
        self._amend(commands, events)
        self._end(commands, events)
        ended = self._rows[_LEAVES] <= 0
        found = self._as_tuples(ended)
        self._rows, self._client_order_ids = self._rows[:, ~ended], self._client_order_ids[~ended]
        return found

    def open_orders(self) -> list[tuple[Any, ...]]:
        """The rows of the orders that are open now."""
        return self._as_tuples(self._rows[_LEAVES] > 0)

    def _enter(self, commands: Any, events: Any, dates: Any) -> None:
        answers = np.isin(events["kind"], _ENTERING)
        events, dates = events[answers], dates[answers]
        own = commands[events["seq"] - commands["seq"][0]]
        refused = (own["kind"] == CommandKind.NEW_ORDER) & (events["reason"] != Reason.CLIENT_ORDER_ID_REUSED)
        # An order that reuses a client order id has no row: a query for this id must find the earlier order.
        entered = (events["kind"] == EventKind.ACCEPTED) | refused
        own, events = own[entered], events[entered]
        rows = np.zeros((len(COLUMNS), len(events)), np.int64)
        for column, field in _FROM_COMMAND.items():
            rows[_ROW[column]] = own[field]
        for column, field in _FROM_EVENT.items():
            rows[_ROW[column]] = events[field]
        rows[_ROW["first_reserve"]] = np.where(own["side"] == Side.BUY, events["reserve_fen"], events["leaves_lots"])
        rows[_ROW["updated_ns"]], rows[_ROW["updated_seq"]] = own["time_ns"], own["seq"]
        rows[_ROW["trading_date"]], rows[_STATE] = dates[entered], events["kind"]
        self._rows = np.concatenate((self._rows, rows), axis=1)
        self._client_order_ids = np.concatenate((self._client_order_ids, own["client_order_id"]))

    def _known(self, order_ids: Any) -> tuple[Any, Any]:
        """Which of these orders have a row here, and the places of those."""
        ours, wanted = self._rows[0], order_ids.astype(np.int64)
        places = np.searchsorted(ours, wanted)
        known = places < len(ours)
        known[known] = ours[places[known]] == wanted[known]
        return known, places[known]

    def _fill(self, events: Any) -> None:
        trades = events[events["kind"] == EventKind.TRADE]
        for order, fee, buys in (("order_id", "fee_fen", Side.BUY), ("maker_order_id", "maker_fee_fen", Side.SELL)):
            known, places = self._known(trades[order])
            fills = trades[known]
            self._add_up("leaves_lots", places, -fills["quantity_lots"])
            self._add_up("filled_lots", places, fills["quantity_lots"])
            self._add_up("filled_fen", places, fills["amount_fen"])
            self._add_up("fees_fen", places, fills[fee])
            # The event holds the reserve of the buyer, who is the taker where the taker's side is BUY.
            self._add_up("reserved_fen", places, np.where(fills["side"] == buys, fills["reserve_fen"], 0))

    def _reduce(self, events: Any) -> None:
        """CANCELED, EXPIRED and PREVENTED take lots from what is open; PREVENTED also from the quantity of an order that
        stays open."""
        gone = events[np.isin(events["kind"], _ENDING)]
        known, places = self._known(gone["order_id"])
        gone = gone[known]
        self._add_up("leaves_lots", places, -gone["quantity_lots"])
        self._add_up("reserved_fen", places, gone["reserve_fen"])
        stays = _stays_open(gone)
        self._add_up("quantity_lots", places[stays], -gone["quantity_lots"][stays])

    def _amend(self, commands: Any, events: Any) -> None:
        """REPLACED and TRIGGERED. Of several values for one order, numpy keeps the last."""
        amends = events[events["kind"] == EventKind.REPLACED]
        known, places = self._known(amends["order_id"])
        amends = amends[known]
        for column, field in (
            ("quantity_lots",) * 2,
            ("leaves_lots", "quantity_lots"),
            ("reserved_fen", "reserve_fen"),
        ):
            self._add_up(column, places, amends[field])
        self._rows[_ROW["price_ticks"], places] = amends["price_ticks"]
        own = commands[amends["seq"] - commands["seq"][0]]
        for column, flag in (("trigger_ticks", Flag.CHANGE_TRIGGER), ("display_lots", Flag.CHANGE_DISPLAY)):
            changes = own["flags"] & flag != 0
            self._rows[_ROW[column], places[changes]] = own[column][changes]
        stops = events[events["kind"] == EventKind.TRIGGERED]
        known, places = self._known(stops["order_id"])
        self._rows[_ROW["triggered_seq"], places] = stops["seq"][known]

    def _end(self, commands: Any, events: Any) -> None:
        """Sets state and reason by the last event that changes them, and the time of the last event of any kind.

        Until the table is made, a state is the kind of that event."""
        trades = events["kind"] == EventKind.TRADE
        ends = np.isin(events["kind"], _ENDING) & ~_stays_open(events)
        last, last_of_state = np.full((2, self._rows.shape[1]), -1)
        for order, touching in (("order_id", np.isin(events["kind"], _TOUCHING)), ("maker_order_id", trades)):
            known, places = self._known(events[order][touching])
            numbers = np.flatnonzero(touching)[known]
            np.maximum.at(last, places, numbers)
            of_state = (trades | ends)[numbers]
            np.maximum.at(last_of_state, places[of_state], numbers[of_state])
        touched = last >= 0
        seqs = events["seq"][last[touched]]
        self._rows[_ROW["updated_seq"], touched] = seqs
        self._rows[_ROW["updated_ns"], touched] = commands["time_ns"][seqs - commands["seq"][0]]
        places = np.flatnonzero(last_of_state >= 0)
        self._rows[_STATE, places] = events["kind"][last_of_state[places]]
        places = places[ends[last_of_state[places]]]
        self._rows[_ROW["reason"], places] = events["reason"][last_of_state[places]]

    def _add_up(self, column: str, places: Any, amounts: Any) -> None:
        np.add.at(self._rows[_ROW[column]], places, amounts)

    def _as_tuples(self, chosen: Any) -> list[tuple[Any, ...]]:
        rows = self._rows[:, chosen]
        columns: list[list[Any]] = [row.tolist() for row in rows]
        client_order_ids = self._client_order_ids[chosen].tolist()
        columns[_CLIENT_ORDER_ID] = [client_order_id_text(text) if text else "" for text in client_order_ids]
        columns[_STATE] = [
            _state(kind, leaves_lots) for kind, leaves_lots in zip(columns[_STATE], columns[_LEAVES], strict=True)
        ]
        return list(zip(*columns, strict=True))


def _stays_open(events: Any) -> Any:
    """Which of these events prevent a trade with the owner's own order and leave some of the order."""
    return (events["kind"] == EventKind.PREVENTED) & (events["leaves_lots"] != 0)


def _state(kind: int, leaves_lots: int) -> str:
    if kind == EventKind.TRADE:
        return "partially_filled" if leaves_lots else "filled"
    return _STATES[kind]
