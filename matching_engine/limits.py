"""Bounds of the engine's state. Each has a Reason that says so when it is reached; `limits.pxd` mirrors them."""

from __future__ import annotations

from matching_engine.records import MAX_AMOUNT_FEN, MAX_PRICE_TICKS

MAX_ACCOUNTS = 2**20
"""TOO_MANY beyond it; VENUE counts."""

MAX_INSTRUMENTS = 1024
"""TOO_MANY beyond it."""

MAX_OPEN_ORDERS = 2**20 - 2
"""Open orders of the whole venue and the refills of resting icebergs; an order beyond it is TOO_MANY. A command can
therefore never make more trades than the 20 bits of a trade id count."""

MAX_HELD_LOTS = 10**15
"""The lots of one instrument that all accounts hold together; a receipt beyond it is INVALID_QUANTITY."""

MAX_TICK_VALUE_FEN = MAX_AMOUNT_FEN // MAX_PRICE_TICKS
"""What one tick may be worth on one lot, so that a lot's value at any price stays within MAX_AMOUNT_FEN."""

MAX_DAY_AMOUNT_FEN = 9 * 10**18
"""An instrument takes no more orders on a day whose turnover has passed it (VALUE_TOO_LARGE): 64 bits hold the day."""

MAX_AUCTION_S = 86_400
"""The longest a volatility auction may last, in seconds."""

CLIENT_ID_TRADING_DAYS = 5
"""A client order id is remembered while its order is open and for this many trading days after the one it ended on."""
