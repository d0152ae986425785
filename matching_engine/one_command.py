"""One command and its events as Python values, for the compiled engine: `pack_commands` and `unpack_events` in C, with no
bytes in between. An array of records is the fast way; this is the way of a single call."""

from __future__ import annotations

from typing import Any

import cython
import numpy as np

from matching_engine.event_log import EventLog
from matching_engine.records import COMMAND, Command, Event

if not cython.compiled:  # when compiled, this stands in the .pxd
    from matching_engine.pools import is_integer
    from matching_engine.records import CLIENT_ORDER_ID_BYTES

    FIELDS = len(Command._fields)
    TEXT = Command._fields.index("client_order_id")


class OneCommand:
    """Room for a command (compiled only)."""

    def __init__(self) -> None:
        self.rows: Any = np.zeros(1, COMMAND)

    def read(self, command: Command) -> None:
        """Takes a command over. Raises OverflowError for a value its field cannot hold."""
        if not isinstance(command, tuple) or len(command) != FIELDS:
            raise OverflowError("a command has 30 fields")
        values = cython.cast(tuple, command)  # A plain tuple's items are reached faster.
        for n in range(FIELDS):
            if n != TEXT and not is_integer(values[n]):
                raise OverflowError(f"{values[n]!r} is no integer")
        self.rows[0].seq = values[0]
        self.rows[0].time_ns = values[1]
        self.rows[0].request_id = values[2]
        self.rows[0].actor = values[3]
        self.rows[0].order_id = values[4]
        self.rows[0].price_ticks = values[5]
        self.rows[0].quantity_lots = values[6]
        self.rows[0].display_lots = values[7]
        self.rows[0].trigger_ticks = values[8]
        self.rows[0].amount_fen = values[9]
        self.rows[0].incarnation = values[10]
        self.rows[0].account = values[11]
        self.rows[0].owner = values[12]
        self.rows[0].date = values[13]
        self.rows[0].rate_ppm = values[14]
        self.rows[0].taker_rate_ppm = values[15]
        self.rows[0].gateway_id = values[16]
        self.rows[0].instrument = values[17]
        self.rows[0].attachment = values[18]
        self.rows[0].kind = values[19]
        self.rows[0].side = values[20]
        self.rows[0].order_type = values[21]
        self.rows[0].time_in_force = values[22]
        self.rows[0].self_trade = values[23]
        self.rows[0].flags = values[24]
        self.rows[0].phase = values[25]
        self.rows[0].account_class = values[26]
        self.rows[0].number = values[27]
        if not isinstance(values[TEXT], bytes):
            raise OverflowError("a client order id is bytes")
        text = cython.cast(bytes, values[TEXT])
        if len(text) > CLIENT_ORDER_ID_BYTES:
            raise OverflowError("a client order id has at most 36 bytes")
        memset(cython.address(self.rows[0].client_order_id[0]), 0, CLIENT_ORDER_ID_BYTES)  # type: ignore[name-defined] # noqa: F821
        memcpy(cython.address(self.rows[0].client_order_id[0]), bytes_of(text), len(text))  # type: ignore[name-defined] # noqa: F821
        self.rows[0].time_s = values[29]


def events_of(log: EventLog) -> list[Event]:
    """The events in the log, which is empty again (compiled only)."""
    events = []
    for i in range(log.size):
        events.append(event_tuple(Event, cython.address(log.rows[i])))  # type: ignore[name-defined] # noqa: F821
    log.size = 0
    return events
