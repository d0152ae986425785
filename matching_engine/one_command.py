"""A single command and its events as Python values, for the compiled engine: `pack_commands` and `unpack_events` in C, without
the bytes between them. Many commands go faster as an array of records."""

from __future__ import annotations

from typing import Any

import cython
import numpy as np

from matching_engine.event_log import EventLog
from matching_engine.records import COMMAND, Command, Event

if not cython.compiled:  # when compiled, these stand in the .pxd
    from matching_engine.pools import is_integer
    from matching_engine.records import CLIENT_ORDER_ID_BYTES

    COMMAND_FIELDS = len(Command._fields)
    CLIENT_ORDER_ID_FIELD = Command._fields.index("client_order_id")


class OneCommand:
    """Room for a command (compiled only)."""

    def __init__(self) -> None:
        self.rows: Any = np.zeros(1, COMMAND)

    def read(self, command: Command) -> None:
        """Copies a command into the row. Raises OverflowError for a value that its field cannot hold."""
        if not isinstance(command, tuple) or len(command) != COMMAND_FIELDS:
            raise OverflowError(f"a command has {COMMAND_FIELDS} fields")
        values = cython.cast(tuple, command)  # A plain tuple's items are reached faster.
        for n in range(COMMAND_FIELDS):
            if n != CLIENT_ORDER_ID_FIELD and not is_integer(values[n]):
                raise OverflowError(f"{values[n]!r} is no integer")
        fill_command(cython.address(self.rows[0]), values)  # type: ignore[name-defined] # noqa: F821
        if not isinstance(values[CLIENT_ORDER_ID_FIELD], bytes):
            raise OverflowError("a client order id is bytes")
        text = cython.cast(bytes, values[CLIENT_ORDER_ID_FIELD])
        if len(text) > CLIENT_ORDER_ID_BYTES:
            raise OverflowError(f"a client order id has at most {CLIENT_ORDER_ID_BYTES} bytes")
        memset(cython.address(self.rows[0].client_order_id[0]), 0, CLIENT_ORDER_ID_BYTES)  # type: ignore[name-defined] # noqa: F821
        memcpy(cython.address(self.rows[0].client_order_id[0]), bytes_of(text), len(text))  # type: ignore[name-defined] # noqa: F821


def events_of(log: EventLog) -> list[Event]:
    """The events in the log, which is empty afterwards (compiled only)."""
    events = []
    for i in range(log.size):
        event = new_tuple(Event, EVENT_FIELDS)  # type: ignore[name-defined] # noqa: F821
        fill_event(event, cython.address(log.rows[i]))  # type: ignore[name-defined] # noqa: F821
        check_tuple(event)  # type: ignore[name-defined] # noqa: F821
        events.append(event)
    log.size = 0
    return events
