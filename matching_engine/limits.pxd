"""The C mirror of `limits.py`."""

cdef enum:
    MAX_ACCOUNTS = 1048576
    MAX_INSTRUMENTS = 1024
    MAX_OPEN_ORDERS = 1048574
    MAX_AUCTION_S = 86400
    CLIENT_ID_TRADING_DAYS = 5

cdef extern from *:
    """
    #define REX_MAX_HELD_LOTS 1000000000000000ll
    #define REX_MAX_TICK_VALUE_FEN 4656612ll
    #define REX_MAX_DAY_AMOUNT_FEN 9000000000000000000ll
    """
    const long long MAX_HELD_LOTS "REX_MAX_HELD_LOTS"
    const long long MAX_TICK_VALUE_FEN "REX_MAX_TICK_VALUE_FEN"
    const long long MAX_DAY_AMOUNT_FEN "REX_MAX_DAY_AMOUNT_FEN"
