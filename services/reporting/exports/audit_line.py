"""A line of the audit trail: an order event, named as FIX execution reports are. A trade is two lines.

| event | what happened | MsgType, ExecType |
|---|---|---|
| new | an order was accepted | 8, 0 |
| replace | an order was amended | 8, 5 |
| trigger | a stop became active | 8, L |
| trade | an order traded: a line for each of the two | 8, F |
| cancel | an order ended before it was filled | 8, 4 |
| expire | an order's time ended | 8, C |
| prevented | self-trade prevention took lots: the order ended, or is smaller | 8, 4 or D |
| reject | an order was refused | 8, 8 |
| cancel_reject | a cancel or an amend was refused | 9, none |
| bust | an operator took a trade back: a line for each of the two orders | 8, H |

A repeated order (same client order id, same body) changes nothing and has no line.
"""

from __future__ import annotations

from typing import NamedTuple


class Line(NamedTuple):
    """An order event. Prices are ticks, amounts fen; None: the event has none."""

    seq: int
    event_number: int
    """Counts the events of the command `seq` from 1; both lines of a trade have the number of their event."""
    time_ns: int
    trading_date: int
    account: int
    owner: int
    """The owner group of the account."""
    key_id: int
    """The API key that sent the order, or last amended it."""
    command_key_id: int
    """The API key that sent the command `seq`; 0: the venue itself, such as its schedule."""
    order_id: int
    client_order_id: str | None
    instrument: int
    event: str
    msg_type: str
    exec_type: str | None
    side: str | None
    price_ticks: int | None
    quantity_lots: int | None
    """Lots that the event is about: ordered, traded, canceled, or the change of an amended order."""
    leaves_lots: int | None
    """Lots that are open after the event."""
    trade_id: int | None
    counter_order_id: int | None
    counter_account: int | None
    amount_fen: int | None
    fee_fen: int | None
    liquidity: str | None
    """`passive`, `aggressive`, or `auction`."""
    phase: str | None
    """The instrument's phase when the event was made; of a trade the phase that it was made in."""
    reason: str | None
    row_hash: str
    """Of the journal row that holds the command."""
