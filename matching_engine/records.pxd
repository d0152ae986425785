"""The C mirror of `records.py`: the same codes and the same bytes, for the compiled modules to cimport."""

cdef enum CommandKind:
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

cdef enum EventKind:
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

cdef enum Side:
    BUY = 0
    SELL = 1

cdef enum OrderType:
    LIMIT = 1
    MARKET = 2
    STOP = 3
    STOP_LIMIT = 4

cdef enum TimeInForce:
    DAY = 1
    GTC = 2
    IOC = 3
    FOK = 4
    GTD = 5

cdef enum SelfTrade:
    CANCEL_NEWEST = 0
    CANCEL_OLDEST = 1
    CANCEL_BOTH = 2
    DECREMENT = 3

cdef enum Flag:
    POST_ONLY = 1
    CHANGE_PRICE = 2
    CHANGE_QUANTITY = 4
    CHANGE_DISPLAY = 8
    CHANGE_TRIGGER = 16

cdef enum Phase:
    CLOSED = 0
    CONTINUOUS = 1
    HALTED = 2
    CALL_AUCTION = 3
    AUCTION_MATCHING = 4

cdef enum Reason:
    NONE = 0
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
    REQUESTED = 160
    IMMEDIATE_OR_CANCEL = 164
    NO_LIQUIDITY = 168
    SELF_TRADE = 172
    END_OF_DAY = 176
    OUTSIDE_BAND = 180
    FILL_OR_KILL = 184
    VOLATILITY = 188
    BELOW_FILLED = 192
    # MASS_CANCEL is below, as MASS_CANCEL_REASON: all of C's enums share one space of names.
    EXPIRY_TIME = 200

cdef extern from *:
    """
    #define REX_MAX_PRICE_TICKS 2147483647ll
    #define REX_MAX_BOOK_PRICE_TICKS 0x3FFFFFFFFFFFFFFFll
    #define REX_MAX_AMOUNT_FEN 10000000000000000ll
    """
    const long long MAX_PRICE_TICKS "REX_MAX_PRICE_TICKS"
    const long long MAX_BOOK_PRICE_TICKS "REX_MAX_BOOK_PRICE_TICKS"
    const long long MAX_AMOUNT_FEN "REX_MAX_AMOUNT_FEN"

cdef enum:
    MASS_CANCEL_REASON = 196
    VENUE = 1
    ALL_INSTRUMENTS = 65535
    BOTH_SIDES = 2
    MAX_QUANTITY_LOTS = 1000000000
    MAX_RATE_PPM = 999999
    MAX_SLICES = 100
    CLIENT_ORDER_ID_BYTES = 36

cdef struct CommandRow:
    unsigned long long seq
    long long time_ns
    unsigned long long request_id
    unsigned long long actor
    unsigned long long order_id
    long long price_ticks
    long long quantity_lots
    long long display_lots
    long long trigger_ticks
    long long amount_fen
    unsigned int incarnation
    unsigned int account
    unsigned int owner
    unsigned int date
    unsigned int rate_ppm
    unsigned int taker_rate_ppm
    unsigned short gateway_id
    unsigned short instrument
    unsigned short attachment
    unsigned char kind
    unsigned char side
    unsigned char order_type
    unsigned char time_in_force
    unsigned char self_trade
    unsigned char flags
    unsigned char phase
    unsigned char account_class
    unsigned short number
    char client_order_id[36]
    unsigned int time_s

cdef struct EventRow:
    unsigned long long seq
    unsigned long long order_id
    unsigned long long maker_order_id
    long long price_ticks
    long long quantity_lots
    long long leaves_lots
    long long amount_fen
    long long fee_fen
    long long maker_fee_fen
    long long reserve_fen
    unsigned int account
    unsigned int maker_account
    unsigned int number
    unsigned int date
    unsigned short instrument
    unsigned char kind
    unsigned char reason
    unsigned char side
    unsigned char order_type
    unsigned char phase
    unsigned char reserved_u1

cdef struct BookCommandRow:
    unsigned long long order_id
    long long price_ticks
    long long trigger_ticks
    unsigned int quantity_lots
    unsigned int display_lots
    unsigned int account
    unsigned int owner
    unsigned short instrument
    unsigned char kind
    unsigned char side
    unsigned char order_type
    unsigned char time_in_force
    unsigned char self_trade
    unsigned char flags

cdef struct BookEventRow:
    unsigned long long order_id
    unsigned long long maker_order_id
    long long price_ticks
    unsigned int quantity_lots
    unsigned int leaves_lots
    unsigned int account
    unsigned int maker_account
    unsigned short instrument
    unsigned char kind
    unsigned char side
    unsigned char reason
    unsigned char order_type
    unsigned short reserved_u2
