"""The records: what the journal stores, a replay reads and the engine consumes, byte for byte.

Two records travel through the venue, COMMAND in and EVENT out. Both are fixed-size, little-endian and naturally
aligned; `NewOrder`, `CancelOrder`, `Trade` are *kinds* of them, not classes. `records.pxd` mirrors the layouts and
codes for the compiled engine; `tests/unit/matching_engine/test_records.py` holds the two together.

Units end a name: prices are integer ticks of the instrument, quantities integer lots, money integer fen (0.01 yuan),
times nanoseconds since 1970 UTC, dates the integer yyyymmdd of a trading day in Asia/Shanghai. An account, order or
seq of 0 means "none".

What a command's fields mean, by kind (a field not named is 0)
--------------------------------------------------------------
every kind        seq, time_ns (stamped by the sequencer); request_id, incarnation, gateway_id, actor (who sent it)
NEW_ORDER         account, instrument, side, order_type, time_in_force, self_trade, price_ticks (0 for MARKET),
                  quantity_lots, client_order_id (may be empty); flags, trigger_ticks, display_lots must be 0 as yet
CANCEL            account (0: an operator, any order), order_id, or order_id 0 and client_order_id
OPEN_ACCOUNT      owner (the group whose members never trade with each other; 0: the account itself), account_class
DEPOSIT, WITHDRAW account, amount_fen
RECEIVE, RELEASE  account, instrument, quantity_lots: warehouse receipts booked in, goods handed out
LIST_INSTRUMENT   instrument (must be the next number), amount_fen (what one tick is worth on one lot),
                  price_ticks (the first reference price), rate_ppm (daily band either way), quantity_lots (largest order)
SET_FEES          rate_ppm (maker), taker_rate_ppm
SET_PHASE         instrument (or ALL_INSTRUMENTS), phase: CLOSED or CONTINUOUS, moved by the venue's schedule
HALT, RESUME      instrument (or ALL_INSTRUMENTS), moved by an operator; a halt outlives changes of phase
DAY_ROLL          date: the trading day that begins
RECORD            attachment: a key, a target or another decision the engine has no use for

What an event's fields mean, by kind
------------------------------------
every kind        seq (of its command), kind, reason
ACCEPTED          order_id, account, instrument, side, order_type, price_ticks, quantity_lots, leaves_lots (= quantity),
                  reserve_fen (a buy's reserve); a sell reserves quantity_lots of inventory
REPEATED          order_id and account of the earlier order with this client_order_id and the same body; nothing changed
REJECTED          order_id (the command's seq for a NEW_ORDER, the target for a CANCEL), account, instrument, side,
                  price_ticks, quantity_lots, reason
TRADE             order_id, account (taker); maker_order_id, maker_account; side (the taker's); price_ticks (the maker's);
                  quantity_lots; leaves_lots (the taker's); amount_fen (notional); fee_fen (taker), maker_fee_fen;
                  reserve_fen (change of the *buyer's* reserve, ≤ 0); number (n of the trade id, from 1)
CANCELED          order_id, account, instrument, side, price_ticks, quantity_lots (what is canceled), reserve_fen (≤ 0)
EXPIRED           like CANCELED
PREVENTED         like CANCELED, for a self-trade; maker_order_id is the own order it would have met
LEVEL             instrument, side, price_ticks, quantity_lots (total now), number (orders now); 0 and 0: the level is gone
ACCOUNT_OPENED    account
BALANCE_CHANGED   account, amount_fen (signed), or instrument and quantity_lots (signed)
INSTRUMENT_LISTED instrument, price_ticks (the first reference price)
SETTLED           instrument, price_ticks (settlement price, the new reference; `band` gives the day's edges from it),
                  quantity_lots and amount_fen (the ended day's volume and turnover)
FEES_SET          (the command says the rates)
PHASE_CHANGED     instrument (or ALL_INSTRUMENTS), phase (HALTED after HALT; after RESUME the schedule's phase)
DAY_ROLLED        date
RECORDED          (the command's attachment says what)

The events of one command stand in this order: ACCEPTED | REPEATED | REJECTED (or the kind of its own that an
administrative command has), TRADE*, CANCELED | PREVENTED | EXPIRED, LEVEL* (maker prices in the order they traded, then the
order's own). Each event states every change it makes, so each balance is a sum over events:

* ACCEPTED, CANCELED, EXPIRED, PREVENTED move `reserve_fen` of reserved cash (buy) or ±quantity_lots of reserved
  inventory (sell).
* TRADE moves, for the buyer: cash −(amount + own fee), reserved cash +reserve_fen, inventory +quantity; for the seller: cash
  +(amount − own fee), inventory −quantity, reserved inventory −quantity; for VENUE: cash +(fee_fen + maker_fee_fen).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from enum import IntEnum
from struct import Struct
from typing import NamedTuple

import numpy as np

RECORD_FORMAT = 1
"""Number of the layouts and meanings in this file; a journal row of another format is refused with a sentence."""

VENUE = 1
"""The venue's own account, present from the start: it earns the fees."""

ALL_INSTRUMENTS = 0xFFFF
"""The `instrument` of a command that concerns every instrument."""


class CommandKind(IntEnum):
    """What a command asks for."""

    NEW_ORDER = 1
    CANCEL = 2
    OPEN_ACCOUNT = 16
    DEPOSIT = 17
    WITHDRAW = 18
    RECEIVE = 19
    RELEASE = 20
    LIST_INSTRUMENT = 32
    SET_FEES = 33
    SET_PHASE = 34
    HALT = 35
    RESUME = 36
    DAY_ROLL = 37
    RECORD = 48


class EventKind(IntEnum):
    """What happened."""

    ACCEPTED = 1
    REPEATED = 2
    REJECTED = 3
    TRADE = 4
    CANCELED = 5
    PREVENTED = 6
    EXPIRED = 7
    LEVEL = 8
    ACCOUNT_OPENED = 16
    BALANCE_CHANGED = 17
    INSTRUMENT_LISTED = 32
    FEES_SET = 33
    PHASE_CHANGED = 34
    DAY_ROLLED = 35
    SETTLED = 36
    RECORDED = 48


class Side(IntEnum):
    """Who gives money and who gives goods."""

    BUY = 0
    SELL = 1


class OrderType(IntEnum):
    """LIMIT trades at its price or better; MARKET at whatever rests within the day's band."""

    LIMIT = 1
    MARKET = 2


class TimeInForce(IntEnum):
    """How long an order waits. A MARKET order never waits: it must be IOC."""

    DAY = 1
    GTC = 2
    IOC = 3


class SelfTrade(IntEnum):
    """What happens to an order that would meet one of its own owner group."""

    CANCEL_NEWEST = 0


class Phase(IntEnum):
    """What an instrument does. CLOSED and HALTED take cancels only."""

    CLOSED = 0
    CONTINUOUS = 1
    HALTED = 2


class Reason(IntEnum):
    """Why a command was refused or an order ended. Numbers are stable; refusals are in order of precedence."""

    NONE = 0
    # A command that cannot be read.
    UNKNOWN_COMMAND = 1
    UNKNOWN_ACCOUNT = 4
    CLIENT_ORDER_ID_REUSED = 8
    UNKNOWN_INSTRUMENT = 12
    INVALID_SIDE = 16
    INVALID_ORDER_TYPE = 20
    INVALID_TIME_IN_FORCE = 24
    INVALID_SELF_TRADE = 28
    INVALID_OPTION = 32
    INVALID_QUANTITY = 36
    INVALID_PRICE = 40
    INVALID_AMOUNT = 44
    INVALID_RATE = 48
    INVALID_PHASE = 52
    INVALID_DATE = 56
    # A command that can be read, and that the venue declines.
    TOO_MANY = 64
    MARKET_CLOSED = 68
    INSTRUMENT_HALTED = 72
    PRICE_ABOVE_BAND = 80
    PRICE_BELOW_BAND = 84
    VALUE_TOO_LARGE = 88
    INSUFFICIENT_FUNDS = 92
    INSUFFICIENT_INVENTORY = 96
    UNKNOWN_ORDER = 100
    DUPLICATE_ORDER_ID = 104
    # Why an order that was accepted ended without being filled.
    REQUESTED = 160
    IMMEDIATE_OR_CANCEL = 164
    NO_LIQUIDITY = 168
    SELF_TRADE = 172
    END_OF_DAY = 176
    OUTSIDE_BAND = 180


MAX_QUANTITY_LOTS = 10**9
"""The largest quantity an instrument may allow for one order."""

MAX_PRICE_TICKS = 2**31 - 1
"""The highest price an account-keeping engine takes."""

MAX_BOOK_PRICE_TICKS = 2**62 - 1
"""A bare `OrderBook` takes any 63-bit price: from -MAX_BOOK_PRICE_TICKS - 1 to this."""

MAX_AMOUNT_FEN = 10**16
"""The largest notional, reserve, deposit or sum of deposits: a hundred trillion yuan, far inside 64 bits."""

MAX_RATE_PPM = 999_999
"""The largest fee or band, in millionths."""

CLIENT_ORDER_ID_BYTES = 36

COMMAND = np.dtype(
    [
        ("seq", "<u8"),
        ("time_ns", "<i8"),
        ("request_id", "<u8"),
        ("actor", "<u8"),
        ("order_id", "<u8"),
        ("price_ticks", "<i8"),
        ("quantity_lots", "<i8"),
        ("display_lots", "<i8"),
        ("trigger_ticks", "<i8"),
        ("amount_fen", "<i8"),
        ("incarnation", "<u4"),
        ("account", "<u4"),
        ("owner", "<u4"),
        ("date", "<u4"),
        ("rate_ppm", "<u4"),
        ("taker_rate_ppm", "<u4"),
        ("gateway_id", "<u2"),
        ("instrument", "<u2"),
        ("attachment", "<u2"),
        ("kind", "u1"),
        ("side", "u1"),
        ("order_type", "u1"),
        ("time_in_force", "u1"),
        ("self_trade", "u1"),
        ("flags", "u1"),
        ("phase", "u1"),
        ("account_class", "u1"),
        ("reserved_u2", "<u2"),
        ("client_order_id", f"S{CLIENT_ORDER_ID_BYTES}"),
        ("reserved_u4", "<u4"),
    ]
)
"""160 bytes. `actor` is the key that asked; `attachment` the 1-based number of a text in the journal row, 0: none."""

EVENT = np.dtype(
    [
        ("seq", "<u8"),
        ("order_id", "<u8"),
        ("maker_order_id", "<u8"),
        ("price_ticks", "<i8"),
        ("quantity_lots", "<i8"),
        ("leaves_lots", "<i8"),
        ("amount_fen", "<i8"),
        ("fee_fen", "<i8"),
        ("maker_fee_fen", "<i8"),
        ("reserve_fen", "<i8"),
        ("account", "<u4"),
        ("maker_account", "<u4"),
        ("number", "<u4"),
        ("date", "<u4"),
        ("instrument", "<u2"),
        ("kind", "u1"),
        ("reason", "u1"),
        ("side", "u1"),
        ("order_type", "u1"),
        ("phase", "u1"),
        ("reserved_u1", "u1"),
    ]
)
"""104 bytes: 13 words."""

BOOK_COMMAND = np.dtype(
    [
        ("order_id", "<u8"),
        ("price_ticks", "<i8"),
        ("quantity_lots", "<i8"),
        ("tag", "<i8"),
        ("account", "<u4"),
        ("owner", "<u4"),
        ("instrument", "<u2"),
        ("kind", "u1"),
        ("side", "u1"),
        ("order_type", "u1"),
        ("time_in_force", "u1"),
        ("self_trade", "u1"),
        ("flags", "u1"),
    ]
)
"""48 bytes: what a bare `OrderBook` takes. `tag` is eight bytes of the caller's own, given back with the order's events."""

BOOK_EVENT = np.dtype(
    [
        ("order_id", "<u8"),
        ("maker_order_id", "<u8"),
        ("price_ticks", "<i8"),
        ("quantity_lots", "<i8"),
        ("tag", "<i8"),
        ("account", "<u4"),
        ("maker_account", "<u4"),
        ("instrument", "<u2"),
        ("kind", "u1"),
        ("side", "u1"),
        ("reason", "u1"),
        ("reserved_u1", "u1"),
        ("reserved_u2", "<u2"),
    ]
)
"""56 bytes: what a bare `OrderBook` returns. `tag` is the maker's in a TRADE and the order's own in any other event."""


class Command(NamedTuple):
    """One COMMAND as Python values, fields in the record's order; build one with `Command(kind=…, …)`."""

    seq: int = 0
    time_ns: int = 0
    request_id: int = 0
    actor: int = 0
    order_id: int = 0
    price_ticks: int = 0
    quantity_lots: int = 0
    display_lots: int = 0
    trigger_ticks: int = 0
    amount_fen: int = 0
    incarnation: int = 0
    account: int = 0
    owner: int = 0
    date: int = 0
    rate_ppm: int = 0
    taker_rate_ppm: int = 0
    gateway_id: int = 0
    instrument: int = 0
    attachment: int = 0
    kind: int = 0
    side: int = 0
    order_type: int = 0
    time_in_force: int = 0
    self_trade: int = 0
    flags: int = 0
    phase: int = 0
    account_class: int = 0
    reserved_u2: int = 0
    client_order_id: bytes = b""
    reserved_u4: int = 0


class Event(NamedTuple):
    """One EVENT as Python values, fields in the record's order."""

    seq: int = 0
    order_id: int = 0
    maker_order_id: int = 0
    price_ticks: int = 0
    quantity_lots: int = 0
    leaves_lots: int = 0
    amount_fen: int = 0
    fee_fen: int = 0
    maker_fee_fen: int = 0
    reserve_fen: int = 0
    account: int = 0
    maker_account: int = 0
    number: int = 0
    date: int = 0
    instrument: int = 0
    kind: int = 0
    reason: int = 0
    side: int = 0
    order_type: int = 0
    phase: int = 0
    reserved_u1: int = 0

    @property
    def trade_id(self) -> int:
        """A trade's id, derived from its command's sequence number."""
        return self.seq << 20 | self.number


class BookEvent(NamedTuple):
    """One BOOK_EVENT as Python values, fields in the record's order."""

    order_id: int = 0
    maker_order_id: int = 0
    price_ticks: int = 0
    quantity_lots: int = 0
    tag: int = 0
    account: int = 0
    maker_account: int = 0
    instrument: int = 0
    kind: int = 0
    side: int = 0
    reason: int = 0
    reserved_u1: int = 0
    reserved_u2: int = 0


_COMMAND_STRUCT = Struct(f"<QqQQQqqqqqIIIIIIHHHBBBBBBBBH{CLIENT_ORDER_ID_BYTES}sI")
_EVENT_STRUCT = Struct("<QQQqqqqqqqIIIIHBBBBBB")


def pack_commands(commands: Iterable[Command]) -> bytes:
    """The bytes of a COMMAND array; raises `struct.error` for a value its field cannot hold."""
    return b"".join([_COMMAND_STRUCT.pack(*command) for command in commands])


def unpack_commands(data: bytes) -> Iterator[Command]:
    """The commands in the bytes of a COMMAND array. `client_order_id` comes without its padding."""
    for values in _COMMAND_STRUCT.iter_unpack(data):
        yield Command._make((*values[:28], values[28].rstrip(b"\0"), values[29]))


def unpack_events(data: bytes) -> Iterator[Event]:
    """The events in the bytes of an EVENT array."""
    return map(Event._make, _EVENT_STRUCT.iter_unpack(data))


def band(reference_ticks: int, rate_ppm: int) -> tuple[int, int]:
    """The lowest and highest price of a day: inside the band, so the low edge rounds up and the high edge down."""
    low = -(-reference_ticks * (1_000_000 - rate_ppm) // 1_000_000)
    return max(low, 1), reference_ticks * (1_000_000 + rate_ppm) // 1_000_000
