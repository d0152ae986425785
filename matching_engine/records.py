"""The records: what the journal stores, what a replay reads and what the engine consumes, byte for byte.

The engine takes COMMAND records and returns EVENT records. Both are fixed-size, little-endian and naturally aligned. A new
order, a cancel or a trade is a *kind* of record, not a class. Fields, codes, constants and reasons are declared here and
nowhere else: dtypes and `Struct`s follow at import, and `make records` writes the C mirror (`records.pxd`) and the other files
that repeat them.

Names end with their unit: prices are integer ticks of the instrument, quantities integer lots, money integer fen
(0.01 yuan), times nanoseconds since 1970 UTC, dates the integer yyyymmdd of a trading day in Asia/Shanghai. An account,
order or seq of 0 means "none".

What a command's fields mean, by kind (a field not named is 0)
--------------------------------------------------------------
every kind        seq, time_ns (set by the sequencer); request_id, incarnation, gateway_id, actor (the sender)
NEW_ORDER         account, instrument, side, order_type, time_in_force, self_trade, price_ticks (0 for MARKET and STOP),
                  quantity_lots, display_lots (0: the whole quantity is shown), trigger_ticks (for STOP and STOP_LIMIT),
                  time_s (expiry of a GTD order, in seconds since 1970 UTC), flags (POST_ONLY), client_order_id (may be empty)
CANCEL            account (0: an operator, any order), order_id, or order_id 0 and client_order_id
AMEND             account and order as in CANCEL, but never account 0; the flags CHANGE_* name the fields that change:
                  price_ticks, quantity_lots (the new total), display_lots, trigger_ticks; the others are 0
MASS_CANCEL       account (0: an operator, orders of every account), instrument (or ALL_INSTRUMENTS), side (or BOTH_SIDES)
OPEN_ACCOUNT      owner (accounts of the same owner never trade with each other; 0: the account itself), account_class
DEPOSIT, WITHDRAW account, amount_fen
RECEIVE, RELEASE  account, instrument, quantity_lots: warehouse receipts booked in, goods handed out
SET_ORDER_LIMITS  account, quantity_lots and amount_fen (largest order), number (most open orders); 0: no limit
SET_TURNOVER_LIMIT account, amount_fen: the largest turnover of the account on a trading day; 0: no limit
KILL_SWITCH_ON, KILL_SWITCH_OFF  account (0: the whole venue)
LIST_INSTRUMENT   instrument (must be the next number), amount_fen (value of one tick on one lot),
                  price_ticks (the first reference price), rate_ppm (daily band, up and down), quantity_lots (largest order)
SET_FEES          account_class, rate_ppm (maker), taker_rate_ppm
SET_PHASE         instrument (or ALL_INSTRUMENTS), phase (any but HALTED); sent by the venue's schedule
HALT, RESUME      instrument (or ALL_INSTRUMENTS); sent by an operator. A halt outlasts changes of phase
DAY_ROLL          date: the trading day that begins
SET_COLLAR        instrument, rate_ppm: how far beyond the anchor price an order may buy or sell; 0: no collar
SET_VOLATILITY_BAND instrument, rate_ppm (how far from the anchor an order may trade; 0: no band), time_s (length in seconds of
                  the auction that a trade beyond the band begins)
BUST_TRADE        order_id: the trade's id; attachment: why
CHANGE_INSTRUMENT instrument; the flags CHANGE_* name the terms that change: rate_ppm (CHANGE_BAND: the daily band),
                  taker_rate_ppm (CHANGE_COLLAR: the collar; 0: none), quantity_lots (CHANGE_QUANTITY: the largest order); the
                  others are 0. No flag: only texts change; attachment: the texts that change, and why
DELIST_INSTRUMENT instrument; attachment: why
TIME              time_ns has passed; sent by the sequencer, before other commands, when `Engine.next_deadline_ns` is reached
RECORD            attachment: a key, a target or another decision that the engine does not use

What an event's fields mean, by kind
------------------------------------
every kind        seq (of its command), kind, reason
ACCEPTED          order_id, account, instrument, side, order_type, price_ticks (for MARKET and STOP the protection price),
                  quantity_lots, leaves_lots (= quantity), reserve_fen (the reserve of a buy; a sell reserves quantity_lots)
DUPLICATE         order_id and account of the earlier order with this client_order_id and the same body; nothing changed
REJECTED          order_id (the command's seq for a NEW_ORDER, the target for a CANCEL, AMEND or BUST_TRADE), account,
                  instrument, side, price_ticks, quantity_lots (the command's), reason
REPLACED          order_id, account, instrument, side, order_type, price_ticks (new), quantity_lots (change of the quantity,
                  signed; the reserve of a sell changes by as many lots), leaves_lots (new), reserve_fen (change)
TRIGGERED         order_id, account, instrument, side, order_type (the new one: MARKET or LIMIT), price_ticks,
                  quantity_lots and leaves_lots (both the open quantity)
TRADE             order_id, account (taker); maker_order_id, maker_account; side (the taker's); price_ticks (the maker's);
                  quantity_lots; leaves_lots (the taker's); amount_fen (notional); fee_fen (taker), maker_fee_fen;
                  reserve_fen (change of the *buyer's* reserve, ≤ 0); number (counts the command's trades from 1); phase.
                  An auction (phase CALL_AUCTION) has no taker: side is BUY, order_id the buy, maker_order_id the sell,
                  price_ticks the auction price
CANCELED          order_id, account, instrument, side, price_ticks, quantity_lots (canceled), leaves_lots (0),
                  reserve_fen (≤ 0)
EXPIRED           like CANCELED
SELF_TRADE_PREVENTED  like CANCELED; maker_order_id is the other order of the pair, leaves_lots the quantity still open
LEVEL             instrument, side, price_ticks, quantity_lots (shown now), number (of orders now); both 0: the level is gone
INDICATIVE        instrument, price_ticks, quantity_lots (that would trade), leaves_lots (buys less sells at that price);
                  all 0 while no order would trade
TRADE_BUSTED      order_id (the trade's id), and the trade's account, maker_account, instrument, side, price_ticks,
                  quantity_lots, amount_fen, fee_fen, maker_fee_fen: all amounts are returned
MASS_CANCELED     account, instrument, side (the command's), number (orders canceled)
ACCOUNT_OPENED    account
BALANCE_CHANGED   account, amount_fen (signed), or instrument and quantity_lots (signed)
LIMITS_SET        account (the limits are in the command)
KILL_SWITCH_SET   account (0: the venue), number (1: on, 0: off)
INSTRUMENT_LISTED instrument, price_ticks (the first reference price)
SETTLED           instrument, price_ticks (settlement price, the new reference; `band` computes the day's limits from it),
                  quantity_lots and amount_fen (the ended day's volume and turnover), number (SettlementSource: where the
                  price comes from)
FEES_SET          (class and rates are in the command)
COLLAR_SET, VOLATILITY_BAND_SET, INSTRUMENT_CHANGED  instrument (the other values are in the command)
INSTRUMENT_DELISTED instrument, number (orders canceled)
PHASE_CHANGED     instrument (or ALL_INSTRUMENTS), phase (now in force, HALTED while halted); reason VOLATILITY and number
                  (its length in seconds) where a volatility auction begins
DAY_ROLLED        date
TIME_PASSED       (the time is in the command)
RECORDED          (the content is the command's attachment)

The events of one command stand in this order
---------------------------------------------
1. ACCEPTED | DUPLICATE | REJECTED | REPLACED; other commands have a kind of their own. An AMEND to the filled quantity or
   less has CANCELED instead.
2. The events of the order itself: TRADE and SELF_TRADE_PREVENTED as they happen, then CANCELED; last PHASE_CHANGED if the order
   begins a volatility auction.
3. The events of each stop that the command triggers: TRIGGERED, then as in 2.
4. One LEVEL for each touched price, in the order of first touch, even if the level ends as it began. A price is touched where
   an order of the book trades, is reduced, ends, is replaced (its old price), or comes to rest. A trade of an auction touches
   the price of the buy, then that of the sell. Waiting stops touch no price.
5. One INDICATIVE for each instrument in a call auction with a touched price, by instrument. If orders would trade, also one
   for each instrument that the command has brought into a call auction, or that is in one after a DAY_ROLL.

Each event names every change of a balance that it makes, so that each balance is a sum over events:

* ACCEPTED, REPLACED, CANCELED, EXPIRED, SELF_TRADE_PREVENTED change reserved cash by `reserve_fen` (buy) or reserved
  inventory by quantity_lots (sell; CANCELED, EXPIRED and SELF_TRADE_PREVENTED reduce it).
* TRADE changes, for the buyer: cash −(amount + own fee), reserved cash +reserve_fen, inventory +quantity; for the seller: cash
  +(amount − own fee), inventory −quantity, reserved inventory −quantity; for VENUE: cash +(fee_fen + maker_fee_fen).
* TRADE_BUSTED reverses cash and inventory, and changes no reserve.
"""

import struct
from collections.abc import Callable, Iterable, Iterator
from enum import IntEnum, IntFlag
from functools import partial
from struct import Struct
from typing import Annotated, Any, NamedTuple, Self, get_type_hints

import numpy as np

RECORD_FORMAT = 2
"""The version of the layouts and meanings in this file. Each journal batch names the one that it was written with; a batch of a
newer version, or one before OLDEST_RECORD_FORMAT, is refused with a message."""

OLDEST_RECORD_FORMAT = 2
"""The oldest version whose batches are read."""

BEGAN_IN: dict[str, int] = {}
"""The RECORD_FORMAT in which a field was added, by "Command.NAME" or "Event.NAME", for fields that OLDEST_RECORD_FORMAT has
not. Older records do not hold it, and it reads as 0."""

VENUE = 1
"""The venue's own account, open from the start. It earns the fees."""

ALL_INSTRUMENTS = 0xFFFF
"""The `instrument` of a command for every instrument."""

BOTH_SIDES = 2
"""The `side` of a MASS_CANCEL of buys and sells."""


class CommandKind(IntEnum):
    """The kinds of commands."""

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
    CHANGE_INSTRUMENT = 42
    DELIST_INSTRUMENT = 43
    RECORD = 48


class EventKind(IntEnum):
    """The kinds of events."""

    ACCEPTED = 1
    DUPLICATE = 2
    REJECTED = 3
    TRADE = 4
    CANCELED = 5
    SELF_TRADE_PREVENTED = 6
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
    INSTRUMENT_CHANGED = 40
    INSTRUMENT_DELISTED = 41
    RECORDED = 48


class Side(IntEnum):
    """BUY pays cash for lots, SELL delivers lots for cash."""

    BUY = 0
    SELL = 1


class OrderType(IntEnum):
    """LIMIT trades at its price or better, MARKET up to its protection price. STOP and STOP_LIMIT wait until a trade reaches
    their trigger; then a STOP becomes a MARKET order, a STOP_LIMIT a LIMIT order."""

    LIMIT = 1
    MARKET = 2
    STOP = 3
    STOP_LIMIT = 4


class TimeInForce(IntEnum):
    """How long an order stays open: DAY until the trading day ends, GTC until canceled, GTD until a given time. IOC and FOK
    never rest; FOK trades its whole quantity or nothing."""

    DAY = 1
    GTC = 2
    IOC = 3
    FOK = 4
    GTD = 5


class SelfTrade(IntEnum):
    """Self-trade prevention: what happens when an incoming order would trade with an order of its own owner group."""

    CANCEL_NEWEST = 0
    CANCEL_OLDEST = 1
    CANCEL_BOTH = 2
    DECREMENT = 3


class Flag(IntFlag):
    """Bits of `flags`: POST_ONLY belongs to NEW_ORDER, CHANGE_BAND and CHANGE_COLLAR to CHANGE_INSTRUMENT, CHANGE_QUANTITY to
    AMEND and CHANGE_INSTRUMENT, the other CHANGE_* to AMEND."""

    POST_ONLY = 1
    CHANGE_PRICE = 2
    CHANGE_QUANTITY = 4
    CHANGE_DISPLAY = 8
    CHANGE_TRIGGER = 16
    CHANGE_BAND = 32
    CHANGE_COLLAR = 64


class Phase(IntEnum):
    """The trading phase of an instrument.

    In CONTINUOUS orders trade at once; in CALL_AUCTION they rest, may cross and do not trade. The other phases accept cancels
    only. An instrument that leaves CALL_AUCTION for a phase other than HALTED and DELISTED is uncrossed first. Only operators
    set HALTED and DELISTED; no instrument leaves DELISTED.
    """

    CLOSED = 0
    CONTINUOUS = 1
    HALTED = 2
    CALL_AUCTION = 3
    AUCTION_MATCHING = 4
    DELISTED = 5


class SettlementSource(IntEnum):
    """Where a settlement price comes from (rulebook 4.10). The first that has a price decides."""

    DAY_VWAP = 1
    CLOSING_AUCTION = 2
    STANDING_QUOTES = 3
    PREVIOUS = 4


class Reason(IntEnum):
    """Why a command was refused or an order ended, with a sentence for people. Numbers are stable. Refusals are numbered by
    precedence: if several apply, the engine answers with the lowest number."""

    sentence: str

    def __new__(cls, number: int, sentence: str = "") -> Self:
        """The number is the member's value."""
        reason = int.__new__(cls, number)
        reason._value_ = number
        reason.sentence = sentence
        return reason

    NONE = 0
    # The command cannot be read.
    UNKNOWN_COMMAND = 1, "The engine does not know this kind of command."
    UNKNOWN_ACCOUNT = 4, "There is no such account."
    CLIENT_ORDER_ID_REUSED = 8, "The client_order_id was used for another order."
    UNKNOWN_ORDER = 10, "There is no such open order."
    UNKNOWN_TRADE = 11, "No trade of this trading day has this id, or it was busted before."
    UNKNOWN_INSTRUMENT = 12, "There is no such instrument."
    INVALID_SIDE = 16, "The side is neither buy nor sell."
    INVALID_ORDER_TYPE = 20, "There is no such order type."
    INVALID_TIME_IN_FORCE = 24, "Orders of this type cannot have this time in force."
    INVALID_SELF_TRADE = 28, "There is no such mode of self-trade prevention."
    INVALID_OPTION = 32, "This command cannot have that option."
    INVALID_EXPIRY = 34, "The expiry time has passed already, or this order cannot have one."
    INVALID_QUANTITY = 36, "The quantity must be positive and not more than one order may hold."
    INVALID_DISPLAY = 38, "An iceberg is a limit order that may rest; it shows from a hundredth of its quantity to all."
    INVALID_PRICE = 40, "The price is out of range, or this order has none."
    INVALID_TRIGGER = 42, "The stop price is out of range, or this order has none."
    INVALID_AMOUNT = 44, "The amount must be positive and within what the venue can count."
    INVALID_RATE = 48, "The rate must be below 100 %."
    INVALID_PHASE = 52, "The schedule cannot set this phase."
    INVALID_DATE = 56, "The trading date must be a later one."
    # The command can be read, but the venue declines it.
    TOO_MANY = 64, "The venue holds as many of these as it may."
    VENUE_KILL_SWITCH = 65, "The venue's kill switch is on: only cancels are taken."
    ACCOUNT_KILL_SWITCH = 66, "The account's kill switch is on: only cancels are taken."
    NO_LONGER_LISTED = 67, "The instrument was delisted: it takes no orders and no new terms."
    MARKET_CLOSED = 68, "The market is closed for new orders and amends."
    INSTRUMENT_HALTED = 72, "An operator has halted the instrument: only cancels are taken."
    NOT_IN_AUCTION = 76, "A call auction takes limit orders that may rest, and no post-only ones."
    PRICE_ABOVE_BAND = 80, "A price is above the day's upper limit."
    PRICE_BELOW_BAND = 84, "A price is below the day's lower limit."
    PRICE_OUTSIDE_COLLAR = 85, "The price is too far beyond the last one, or a stop-limit's beyond its stop price."
    ORDER_QUANTITY_LIMIT = 86, "The order has more lots than the account's orders may have."
    OPEN_ORDERS_LIMIT = 87, "The account has as many open orders as it may have."
    VALUE_TOO_LARGE = 88, "Price times quantity is beyond what the venue can count."
    ORDER_VALUE_LIMIT = 89, "The order is worth more than the account's orders may be."
    TURNOVER_LIMIT = 90, "With this order the account could trade more than it may on a day."
    INSUFFICIENT_FUNDS = 92, "The account has too little cash available."
    INSUFFICIENT_INVENTORY = 96, "The account has too few lots available."
    DUPLICATE_ORDER_ID = 104, "The order id is in use."
    POST_ONLY_WOULD_TRADE = 108, "The order is post-only and would have traded at once."
    # An accepted order ended without being filled.
    REQUESTED = 160, "Canceled on request."
    IMMEDIATE_OR_CANCEL = 164, "What could not trade at once was canceled."
    NO_LIQUIDITY = 168, "Nothing was left to trade with within the protection price."
    SELF_TRADE = 172, "The order would have traded with an order of the same owner."
    END_OF_DAY = 176, "The order's trading day ended."
    OUTSIDE_BAND = 180, "The price or stop price of the order is outside the new price limits."
    FILL_OR_KILL = 184, "The order could not be filled whole at once."
    VOLATILITY = (
        188,
        "The next trade would have left the volatility band and began an auction, where this order cannot rest.",
    )
    BELOW_FILLED = 192, "The order was amended to a total that was filled already."
    MASS_CANCEL = 196, "The order was ended by a mass cancel."
    EXPIRY_TIME = 200, "The order's expiry time was reached."
    INSTRUMENT_DELISTED = 204, "The order was ended by the delisting of its instrument."


MAX_QUANTITY_LOTS = 10**9
"""The largest quantity an instrument may allow for one order."""

MAX_PRICE_TICKS = 2**31 - 1
"""The highest price that `Engine` accepts."""

MAX_BOOK_PRICE_TICKS = 2**62 - 1
"""A bare `OrderBook` accepts any 63-bit price: from -MAX_BOOK_PRICE_TICKS - 1 to this."""

MAX_AMOUNT_FEN = 10**16
"""The largest notional, reserve, deposit or sum of deposits: a hundred trillion yuan, far inside 64 bits."""

MAX_RATE_PPM = 999_999
"""The largest fee or band, in millionths."""

MAX_SLICES = 100
"""The smallest `display_lots` of an iceberg is quantity_lots / MAX_SLICES, rounded up."""

VWAP_LOTS = 5
"""The fewest lots of a day, busted trades excluded, whose average price settles it."""

STANDING_QUOTES_NS = 900 * 10**9
"""How long the best prices must have stood when continuous trading ended, so that their middle settles the day: 15 minutes."""

CLIENT_ORDER_ID_BYTES = 36
"""The longest client order id; a shorter one is padded with zero bytes."""


class Width(NamedTuple):
    """How a field lies in memory: its numpy type, its `struct` code and its C type."""

    numpy: str
    struct: str
    c: str


U8 = Annotated[int, Width("u1", "B", "unsigned char")]
U16 = Annotated[int, Width("<u2", "H", "unsigned short")]
U32 = Annotated[int, Width("<u4", "I", "unsigned int")]
U64 = Annotated[int, Width("<u8", "Q", "unsigned long long")]
I32 = Annotated[int, Width("<i4", "i", "int")]
I64 = Annotated[int, Width("<i8", "q", "long long")]
ClientOrderId = Annotated[bytes, Width(f"S{CLIENT_ORDER_ID_BYTES}", f"{CLIENT_ORDER_ID_BYTES}s", "char")]


class Command(NamedTuple):
    """One COMMAND as Python values, fields in the record's order; build one with `Command(kind=…, …)`. `actor` is the id of
    the sender's API key, `attachment` the 1-based number of a text in the journal batch (0: none)."""

    seq: U64 = 0
    time_ns: I64 = 0
    request_id: U64 = 0
    actor: U64 = 0
    order_id: U64 = 0
    price_ticks: I64 = 0
    quantity_lots: I64 = 0
    display_lots: I64 = 0
    trigger_ticks: I64 = 0
    amount_fen: I64 = 0
    incarnation: U32 = 0
    account: U32 = 0
    owner: U32 = 0
    date: U32 = 0
    rate_ppm: U32 = 0
    taker_rate_ppm: U32 = 0
    gateway_id: U16 = 0
    instrument: U16 = 0
    attachment: U16 = 0
    kind: U8 = 0
    side: U8 = 0
    order_type: U8 = 0
    time_in_force: U8 = 0
    self_trade: U8 = 0
    flags: U8 = 0
    phase: U8 = 0
    account_class: U8 = 0
    number: U16 = 0
    client_order_id: ClientOrderId = b""
    time_s: U32 = 0


class Event(NamedTuple):
    """One EVENT as Python values, fields in the record's order."""

    seq: U64 = 0
    order_id: U64 = 0
    maker_order_id: U64 = 0
    price_ticks: I64 = 0
    quantity_lots: I64 = 0
    leaves_lots: I64 = 0
    amount_fen: I64 = 0
    fee_fen: I64 = 0
    maker_fee_fen: I64 = 0
    reserve_fen: I64 = 0
    account: U32 = 0
    maker_account: U32 = 0
    number: U32 = 0
    date: U32 = 0
    instrument: U16 = 0
    kind: U8 = 0
    reason: U8 = 0
    side: U8 = 0
    order_type: U8 = 0
    phase: U8 = 0
    reserved_u1: U8 = 0

    @property
    def trade_id(self) -> int:
        """The id of a trade: seq << 20 | number."""
        return self.seq << 20 | self.number


class BookCommand(NamedTuple):
    """One BOOK_COMMAND as Python values. A bare `OrderBook` takes NEW_ORDER, CANCEL and AMEND."""

    order_id: U64 = 0
    price_ticks: I64 = 0
    trigger_ticks: I64 = 0
    quantity_lots: U32 = 0
    display_lots: U32 = 0
    account: U32 = 0
    owner: U32 = 0
    instrument: U16 = 0
    kind: U8 = 0
    side: U8 = 0
    order_type: U8 = 0
    time_in_force: U8 = 0
    self_trade: U8 = 0
    flags: U8 = 0


class BookEvent(NamedTuple):
    """One BOOK_EVENT as Python values. A bare `OrderBook` returns ACCEPTED, REPLACED, REJECTED, TRIGGERED, TRADE,
    SELF_TRADE_PREVENTED and CANCELED. Fields mean the same as in an EVENT, except quantity_lots of REPLACED: it is the open
    quantity, like leaves_lots."""

    order_id: U64 = 0
    maker_order_id: U64 = 0
    price_ticks: I64 = 0
    quantity_lots: U32 = 0
    leaves_lots: U32 = 0
    account: U32 = 0
    maker_account: U32 = 0
    instrument: U16 = 0
    kind: U8 = 0
    side: U8 = 0
    reason: U8 = 0
    order_type: U8 = 0
    reserved_u2: U16 = 0


def widths(record: type) -> dict[str, Width]:
    """The fields of a record or of a pool's row, in order, each with its width."""
    return {name: hint.__metadata__[0] for name, hint in get_type_hints(record, include_extras=True).items()}


_layouts: dict[type, np.dtype[Any]] = {}


def layout(record: type) -> np.dtype[Any]:
    """The numpy dtype of a record or of a pool's row: the layout of its C struct. Made once: every new pool needs it."""
    if record not in _layouts:
        _layouts[record] = np.dtype([(name, width.numpy) for name, width in widths(record).items()])
    return _layouts[record]


def layout_in(record: type, record_format: int) -> np.dtype[Any]:
    """The layout that a record had in this version: without the fields that were added later."""
    names = [name for name in widths(record) if BEGAN_IN.get(f"{record.__name__}.{name}", 0) <= record_format]
    return np.dtype([(name, widths(record)[name].numpy) for name in names])


def struct_of(record: type) -> Struct:
    """The `Struct` that packs a record's values into the same bytes."""
    return Struct("<" + "".join(width.struct for width in widths(record).values()))


COMMAND = layout(Command)
"""160 bytes."""

EVENT = layout(Event)
"""104 bytes: 13 words."""

BOOK_COMMAND = layout(BookCommand)
"""48 bytes."""

BOOK_EVENT = layout(BookEvent)
"""48 bytes."""

_COMMAND_STRUCT = struct_of(Command)
_EVENT_STRUCT = struct_of(Event)
_TEXT = Command._fields.index("client_order_id")

# Like `_make`, but without its check of the length, in half the time: a Struct yields exactly one value per field.
_new_command: Callable[[Iterable[Any]], Command] = partial(tuple.__new__, Command)
_new_event: Callable[[Iterable[Any]], Event] = partial(tuple.__new__, Event)


def pack_commands(commands: Iterable[Command]) -> bytes:
    """The bytes of a COMMAND array; raises `struct.error` for a value its field cannot hold."""
    packed = []
    for command in commands:
        text = command[_TEXT]
        if isinstance(text, bytes) and len(text) > CLIENT_ORDER_ID_BYTES:  # A Struct would truncate it.
            raise struct.error(f"a client order id has at most {CLIENT_ORDER_ID_BYTES} bytes")
        packed.append(_COMMAND_STRUCT.pack(*command))
    return b"".join(packed)


def unpack_commands(data: bytes) -> Iterator[Command]:
    """The commands in the bytes of a COMMAND array. `client_order_id` comes without its padding."""
    for values in map(list, _COMMAND_STRUCT.iter_unpack(data)):
        values[_TEXT] = values[_TEXT].rstrip(b"\0")
        yield _new_command(values)


def unpack_events(data: bytes) -> Iterator[Event]:
    """The events in the bytes of an EVENT array."""
    return map(_new_event, _EVENT_STRUCT.iter_unpack(data))


def band(reference_ticks: int, rate_ppm: int) -> tuple[int, int]:
    """The lowest and the highest price of a day in ticks. Both lie inside the band: the low edge rounds up, the high edge
    down."""
    low = -(-reference_ticks * (1_000_000 - rate_ppm) // 1_000_000)
    return max(low, 1), reference_ticks * (1_000_000 + rate_ppm) // 1_000_000
