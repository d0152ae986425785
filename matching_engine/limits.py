"""Bounds of the engine's state. A command that would exceed one is refused with the Reason named here."""

from __future__ import annotations

from matching_engine.records import MAX_AMOUNT_FEN, MAX_PRICE_TICKS

MAX_ACCOUNTS = 2**20
"""Accounts, VENUE included. Beyond it: TOO_MANY."""

MAX_INSTRUMENTS = 1024
"""Listed instruments. Beyond it: TOO_MANY."""

MAX_OPEN_ORDERS = 2**20 - 2
"""Open orders of the venue plus the refills of resting icebergs. Beyond it: TOO_MANY. One command therefore makes fewer
trades than the 20 bits of a trade id can count."""

MAX_HELD_LOTS = 10**15
"""Lots of one instrument in all accounts together. A receipt beyond it: INVALID_QUANTITY."""

MAX_TICK_VALUE_FEN = MAX_AMOUNT_FEN // MAX_PRICE_TICKS
"""The value of one tick on one lot in fen, so that a lot at any price is worth at most MAX_AMOUNT_FEN. Beyond it:
INVALID_AMOUNT."""

MAX_DAY_AMOUNT_FEN = 9 * 10**18
"""The turnover of an instrument on one day, in fen. Orders on a day beyond it: VALUE_TOO_LARGE. Fits in 64 bits."""

MAX_AUCTION_S = 86_400
"""The longest volatility auction in seconds. Beyond it: INVALID_EXPIRY."""

CLIENT_ID_TRADING_DAYS = 5
"""Trading days for which a client order id is remembered after the day its order ended; always while the order is open."""
