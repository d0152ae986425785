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
NEW_ORDER         account, instrument, side, order_type, time_in_force, self_trade, price_ticks (0 for MARKET and STOP),
                  quantity_lots, display_lots (0: all of it is shown), trigger_ticks (of STOP and STOP_LIMIT), time_s (when a
                  GTD order expires: seconds since 1970 UTC), flags (POST_ONLY), client_order_id (may be empty)
CANCEL            account (0: an operator, any order), order_id, or order_id 0 and client_order_id
AMEND             account and order as in CANCEL, but never account 0; flags say which of price_ticks, quantity_lots (the new
                  total), display_lots and trigger_ticks change (CHANGE_*), the others are 0
MASS_CANCEL       account (0: an operator, every account's), instrument (or ALL_INSTRUMENTS), side (or BOTH_SIDES)
OPEN_ACCOUNT      owner (the group whose members never trade with each other; 0: the account itself), account_class
DEPOSIT, WITHDRAW account, amount_fen
RECEIVE, RELEASE  account, instrument, quantity_lots: warehouse receipts booked in, goods handed out
SET_ORDER_LIMITS  account, quantity_lots and amount_fen (largest order), number (most open orders); 0: no limit
SET_TURNOVER_LIMIT account, amount_fen: the most it may trade on a trading day; 0: no limit
KILL_SWITCH_ON, KILL_SWITCH_OFF  account (0: the whole venue)
LIST_INSTRUMENT   instrument (must be the next number), amount_fen (what one tick is worth on one lot),
                  price_ticks (the first reference price), rate_ppm (daily band either way), quantity_lots (largest order)
SET_FEES          account_class, rate_ppm (maker), taker_rate_ppm
SET_PHASE         instrument (or ALL_INSTRUMENTS), phase (any but HALTED), moved by the venue's schedule
HALT, RESUME      instrument (or ALL_INSTRUMENTS), moved by an operator; a halt outlives changes of phase
DAY_ROLL          date: the trading day that begins
SET_COLLAR        instrument, rate_ppm: how far beyond the anchor price an order may buy or sell; 0: no collar
SET_VOLATILITY_BAND instrument, rate_ppm (how far from the anchor an order may trade; 0: no band), time_s (how many seconds the
                  auction lasts that a trade beyond it begins)
BUST_TRADE        order_id: the trade's id; attachment: why
TIME              time_ns has passed: put first by the sequencer where `Engine.next_deadline_ns` is reached
RECORD            attachment: a key, a target or another decision the engine has no use for

What an event's fields mean, by kind
------------------------------------
every kind        seq (of its command), kind, reason
ACCEPTED          order_id, account, instrument, side, order_type, price_ticks (of MARKET and STOP the protection price),
                  quantity_lots, leaves_lots (= quantity), reserve_fen (a buy's reserve); a sell reserves quantity_lots
REPEATED          order_id and account of the earlier order with this client_order_id and the same body; nothing changed
REJECTED          order_id (the command's seq for a NEW_ORDER, the target for a CANCEL, AMEND or BUST_TRADE), account,
                  instrument, side, price_ticks, quantity_lots (the command's), reason
REPLACED          order_id, account, instrument, side, order_type, price_ticks (from now on), quantity_lots (the change of its
                  quantity, signed; a sell's reserve changes by as many lots), leaves_lots (from now on), reserve_fen (change)
TRIGGERED         order_id, account, instrument, side, order_type (MARKET or LIMIT: what it is from now on), price_ticks,
                  quantity_lots and leaves_lots (what it seeks)
TRADE             order_id, account (taker); maker_order_id, maker_account; side (the taker's); price_ticks (the maker's);
                  quantity_lots; leaves_lots (the taker's); amount_fen (notional); fee_fen (taker), maker_fee_fen;
                  reserve_fen (change of the *buyer's* reserve, ≤ 0); number (n of the trade id, from 1 in each command); phase.
                  In an auction (phase CALL_AUCTION) nobody takes: side is BUY, order_id the buy, maker_order_id the sell,
                  price_ticks the auction's
CANCELED          order_id, account, instrument, side, price_ticks, quantity_lots (what is canceled), leaves_lots (0),
                  reserve_fen (≤ 0)
EXPIRED           like CANCELED
PREVENTED         like CANCELED, for a self-trade; maker_order_id is the other order of the pair, leaves_lots what is still open
LEVEL             instrument, side, price_ticks, quantity_lots (shown now), number (orders now); 0 and 0: the level is gone
INDICATIVE        instrument, price_ticks, quantity_lots (what would trade), leaves_lots (buys less sells at that price);
                  all 0 while nothing would trade
TRADE_BUSTED      order_id (the trade's id), and the trade's account, maker_account, instrument, side, price_ticks,
                  quantity_lots, amount_fen, fee_fen, maker_fee_fen: all of it is given back
MASS_CANCELED     account, instrument, side (the command's), number (orders canceled)
ACCOUNT_OPENED    account
BALANCE_CHANGED   account, amount_fen (signed), or instrument and quantity_lots (signed)
LIMITS_SET        account (the command says the limits)
KILL_SWITCH_SET   account (0: the venue), number (1: on, 0: off)
INSTRUMENT_LISTED instrument, price_ticks (the first reference price)
SETTLED           instrument, price_ticks (settlement price, the new reference; `band` gives the day's edges from it),
                  quantity_lots and amount_fen (the ended day's volume and turnover)
FEES_SET          (the command says the class and the rates)
COLLAR_SET, VOLATILITY_BAND_SET  instrument (the command says the rest)
PHASE_CHANGED     instrument (or ALL_INSTRUMENTS), phase (the one in force from now on, so HALTED while halted); reason
                  VOLATILITY and number (its length in seconds) where a volatility auction begins
DAY_ROLLED        date
TIME_PASSED       (the command says the time)
RECORDED          (the command's attachment says what)

The events of one command stand in this order
---------------------------------------------
1. ACCEPTED | REPEATED | REJECTED | REPLACED, or the kind of its own that another command has. An AMEND down to what is
   filled, or less, has CANCELED instead.
2. What the order itself does: TRADE and PREVENTED as they happen, then CANCELED; last PHASE_CHANGED where it begins a
   volatility auction.
3. Each order it triggers likewise: TRIGGERED, then as in 2.
4. One LEVEL for each price touched, in the order of first touch, whatever happened there in between: a price is touched
   where an order of the book trades, loses quantity, ends, is replaced (its old price), or comes to rest. A trade of an
   auction touches the buy's price, then the sell's. Waiting stops touch nothing.
5. One INDICATIVE for each instrument in a call auction with a price touched, by instrument; where something would trade, also
   for one that the command has brought into the auction, and after a DAY_ROLL.

Each event states every change it makes, so each balance is a sum over events:

* ACCEPTED, REPLACED, CANCELED, EXPIRED, PREVENTED move `reserve_fen` of reserved cash (buy) or quantity_lots of reserved
  inventory (sell; less where the order ends).
* TRADE moves, for the buyer: cash −(amount + own fee), reserved cash +reserve_fen, inventory +quantity; for the seller: cash
  +(amount − own fee), inventory −quantity, reserved inventory −quantity; for VENUE: cash +(fee_fen + maker_fee_fen).
* TRADE_BUSTED moves cash and inventory back, and no reserves.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Iterator
from enum import IntEnum, IntFlag
from struct import Struct
from typing import NamedTuple

import numpy as np

RECORD_FORMAT = 2
"""Number of the layouts and meanings in this file; a journal row of another format is refused with a sentence."""

VENUE = 1
"""The venue's own account, present from the start: it earns the fees."""

ALL_INSTRUMENTS = 0xFFFF
"""The `instrument` of a command that concerns every instrument."""

BOTH_SIDES = 2
"""The `side` of a MASS_CANCEL that concerns buys and sells."""


class CommandKind(IntEnum):
    """What a command asks for."""

    NEW_ORDER = 1
    CANCEL = 2
    AMEND = 3
    MASS_CANCEL = 4
    OPEN_ACCOUNT = 16
    DEPOSIT = 17
    WITHDRAW = 18
    RECEIVE = 19
    RELEASE = 20
    SET_ORDER_LIMITS = 21
    SET_TURNOVER_LIMIT = 22
    KILL_SWITCH_ON = 23
    KILL_SWITCH_OFF = 24
    LIST_INSTRUMENT = 32
    SET_FEES = 33
    SET_PHASE = 34
    HALT = 35
    RESUME = 36
    DAY_ROLL = 37
    SET_COLLAR = 38
    SET_VOLATILITY_BAND = 39
    BUST_TRADE = 40
    TIME = 41
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
    REPLACED = 9
    TRIGGERED = 10
    INDICATIVE = 11
    TRADE_BUSTED = 12
    MASS_CANCELED = 13
    ACCOUNT_OPENED = 16
    BALANCE_CHANGED = 17
    LIMITS_SET = 18
    KILL_SWITCH_SET = 19
    INSTRUMENT_LISTED = 32
    FEES_SET = 33
    PHASE_CHANGED = 34
    DAY_ROLLED = 35
    SETTLED = 36
    COLLAR_SET = 37
    VOLATILITY_BAND_SET = 38
    TIME_PASSED = 39
    RECORDED = 48


class Side(IntEnum):
    """Who gives money and who gives goods."""

    BUY = 0
    SELL = 1


class OrderType(IntEnum):
    """LIMIT trades at its price or better, MARKET as far as its protection price. STOP and STOP_LIMIT wait until a trade
    reaches their trigger, then are MARKET and LIMIT."""

    LIMIT = 1
    MARKET = 2
    STOP = 3
    STOP_LIMIT = 4


class TimeInForce(IntEnum):
    """How long an order waits: the trading day, until canceled, not at all, not at all and all or nothing, to an instant."""

    DAY = 1
    GTC = 2
    IOC = 3
    FOK = 4
    GTD = 5


class SelfTrade(IntEnum):
    """What happens when an incoming order would meet one of its own owner group."""

    CANCEL_NEWEST = 0
    CANCEL_OLDEST = 1
    CANCEL_BOTH = 2
    DECREMENT = 3


class Flag(IntFlag):
    """Bits of `flags`: POST_ONLY is a NEW_ORDER's, CHANGE_* are an AMEND's."""

    POST_ONLY = 1
    CHANGE_PRICE = 2
    CHANGE_QUANTITY = 4
    CHANGE_DISPLAY = 8
    CHANGE_TRIGGER = 16


class Phase(IntEnum):
    """What an instrument does.

    CONTINUOUS trades at once; in CALL_AUCTION orders rest, may cross and don't trade. The others take cancels only; whoever
    leaves CALL_AUCTION for one that isn't HALTED uncrosses first. HALTED is an operator's.
    """

    CLOSED = 0
    CONTINUOUS = 1
    HALTED = 2
    CALL_AUCTION = 3
    AUCTION_MATCHING = 4


class Reason(IntEnum):
    """Why a command was refused or an order ended. Numbers are stable; refusals are in order of precedence."""

    NONE = 0
    # A command that cannot be read.
    UNKNOWN_COMMAND = 1
    UNKNOWN_ACCOUNT = 4
    CLIENT_ORDER_ID_REUSED = 8
    UNKNOWN_ORDER = 10
    UNKNOWN_TRADE = 11
    UNKNOWN_INSTRUMENT = 12
    INVALID_SIDE = 16
    INVALID_ORDER_TYPE = 20
    INVALID_TIME_IN_FORCE = 24
    INVALID_SELF_TRADE = 28
    INVALID_OPTION = 32
    INVALID_EXPIRY = 34
    INVALID_QUANTITY = 36
    INVALID_DISPLAY = 38
    INVALID_PRICE = 40
    INVALID_TRIGGER = 42
    INVALID_AMOUNT = 44
    INVALID_RATE = 48
    INVALID_PHASE = 52
    INVALID_DATE = 56
    # A command that can be read, and that the venue declines.
    TOO_MANY = 64
    VENUE_KILL_SWITCH = 65
    ACCOUNT_KILL_SWITCH = 66
    MARKET_CLOSED = 68
    INSTRUMENT_HALTED = 72
    NOT_IN_AUCTION = 76
    PRICE_ABOVE_BAND = 80
    PRICE_BELOW_BAND = 84
    PRICE_OUTSIDE_COLLAR = 85
    ORDER_QUANTITY_LIMIT = 86
    OPEN_ORDERS_LIMIT = 87
    VALUE_TOO_LARGE = 88
    ORDER_VALUE_LIMIT = 89
    TURNOVER_LIMIT = 90
    INSUFFICIENT_FUNDS = 92
    INSUFFICIENT_INVENTORY = 96
    DUPLICATE_ORDER_ID = 104
    POST_ONLY_WOULD_TRADE = 108
    # Why an order that was accepted ended without being filled.
    REQUESTED = 160
    IMMEDIATE_OR_CANCEL = 164
    NO_LIQUIDITY = 168
    SELF_TRADE = 172
    END_OF_DAY = 176
    OUTSIDE_BAND = 180
    FILL_OR_KILL = 184
    VOLATILITY = 188
    BELOW_FILLED = 192
    MASS_CANCEL = 196
    EXPIRY_TIME = 200


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

MAX_SLICES = 100
"""An iceberg shows at least this part of its quantity: the least `display_lots` is quantity_lots / MAX_SLICES, rounded up."""

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
        ("number", "<u2"),
        ("client_order_id", f"S{CLIENT_ORDER_ID_BYTES}"),
        ("time_s", "<u4"),
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
        ("trigger_ticks", "<i8"),
        ("quantity_lots", "<u4"),
        ("display_lots", "<u4"),
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
"""48 bytes: what a bare `OrderBook` takes: NEW_ORDER, CANCEL and AMEND."""

BOOK_EVENT = np.dtype(
    [
        ("order_id", "<u8"),
        ("maker_order_id", "<u8"),
        ("price_ticks", "<i8"),
        ("quantity_lots", "<u4"),
        ("leaves_lots", "<u4"),
        ("account", "<u4"),
        ("maker_account", "<u4"),
        ("instrument", "<u2"),
        ("kind", "u1"),
        ("side", "u1"),
        ("reason", "u1"),
        ("order_type", "u1"),
        ("reserved_u2", "<u2"),
    ]
)
"""48 bytes: what a bare `OrderBook` returns: ACCEPTED, REPLACED, REJECTED, TRIGGERED, TRADE, PREVENTED and CANCELED, with the
meanings EVENT gives them, except that REPLACED's quantity_lots is what is open now (like its leaves_lots)."""


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
    number: int = 0
    client_order_id: bytes = b""
    time_s: int = 0


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
    leaves_lots: int = 0
    account: int = 0
    maker_account: int = 0
    instrument: int = 0
    kind: int = 0
    side: int = 0
    reason: int = 0
    order_type: int = 0
    reserved_u2: int = 0


_COMMAND_STRUCT = Struct(f"<QqQQQqqqqqIIIIIIHHHBBBBBBBBH{CLIENT_ORDER_ID_BYTES}sI")
_EVENT_STRUCT = Struct("<QQQqqqqqqqIIIIHBBBBBB")


def pack_commands(commands: Iterable[Command]) -> bytes:
    """The bytes of a COMMAND array; raises `struct.error` for a value its field cannot hold."""
    packed = []
    for command in commands:
        text = command[28]
        if isinstance(text, bytes) and len(text) > CLIENT_ORDER_ID_BYTES:  # A Struct would cut it.
            raise struct.error(f"a client order id has at most {CLIENT_ORDER_ID_BYTES} bytes")
        packed.append(_COMMAND_STRUCT.pack(*command))
    return b"".join(packed)


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
