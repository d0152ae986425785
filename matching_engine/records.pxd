"""The C mirror of `records.py`: the same codes and the same bytes, for the compiled modules to cimport."""

cdef enum CommandKind:
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

cdef enum EventKind:
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

cdef enum Side:
    BUY = 0
    SELL = 1

cdef enum OrderType:
    LIMIT = 1
    MARKET = 2

cdef enum TimeInForce:
    DAY = 1
    GTC = 2
    IOC = 3

cdef enum SelfTrade:
    CANCEL_NEWEST = 0

cdef enum Phase:
    CLOSED = 0
    CONTINUOUS = 1
    HALTED = 2

cdef enum Reason:
    NONE = 0
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
    REQUESTED = 160
    IMMEDIATE_OR_CANCEL = 164
    NO_LIQUIDITY = 168
    SELF_TRADE = 172
    END_OF_DAY = 176
    OUTSIDE_BAND = 180

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
    VENUE = 1
    ALL_INSTRUMENTS = 65535
    MAX_QUANTITY_LOTS = 1000000000
    MAX_RATE_PPM = 999999
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
    unsigned short reserved_u2
    char client_order_id[36]
    unsigned int reserved_u4

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
    long long quantity_lots
    long long tag
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
    long long quantity_lots
    long long tag
    unsigned int account
    unsigned int maker_account
    unsigned short instrument
    unsigned char kind
    unsigned char side
    unsigned char reason
    unsigned char reserved_u1
    unsigned short reserved_u2
