"""The tables of the read database. Units end a name: fen, ticks, lots, ns; dates are integers yyyymmdd (Asia/Shanghai).

The projector writes a batch of rows and its own `position` in one transaction, so what stands here is always the venue
exactly at `position.seq`.
"""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Index, Integer, LargeBinary, MetaData, SmallInteger, String, Table

metadata = MetaData()

position = Table(
    "position",
    metadata,
    Column("id", SmallInteger, primary_key=True),  # always 1: one row
    Column("seq", BigInteger, nullable=False),  # the last command projected
    Column("time_ns", BigInteger, nullable=False),
    Column("trading_date", Integer, nullable=False),
    Column("row_hash", LargeBinary(32), nullable=False),  # of the journal row that ends at seq
    Column("journal_id", LargeBinary(16), nullable=False),
    Column("maker_rate_ppm", Integer, nullable=False),
    Column("taker_rate_ppm", Integer, nullable=False),
)

instruments = Table(
    "instruments",
    metadata,
    Column("instrument", Integer, primary_key=True),
    Column("symbol", String(16), nullable=False, unique=True),
    Column("name_en", String, nullable=False),
    Column("name_zh", String, nullable=False),
    Column("category", String, nullable=False),
    Column("family", String, nullable=False),
    Column("unit", String(4), nullable=False),
    Column("lot_size", Integer, nullable=False),  # units (kg or t) in a lot
    Column("tick_size", String, nullable=False),  # yuan per unit, an exact decimal
    Column("tick_value_fen", BigInteger, nullable=False),  # what one tick is worth on one lot
    Column("band_ppm", Integer, nullable=False),
    Column("max_quantity_lots", BigInteger, nullable=False),
    Column("first_reference_ticks", BigInteger, nullable=False),
    Column("reference_ticks", BigInteger, nullable=False),
    Column("reference_price_source", String, nullable=False),  # "sourced" or "assumed"
    Column("spec", String, nullable=False),
    Column("note", String, nullable=False),
    Column("phase", SmallInteger, nullable=False),
)

accounts = Table(
    "accounts",
    metadata,
    Column("account", Integer, primary_key=True),
    Column("name", String, nullable=False),
    Column("owner", Integer, nullable=False),
    Column("cash_fen", BigInteger, nullable=False),
    Column("reserved_fen", BigInteger, nullable=False),
    Column("opened_seq", BigInteger, nullable=False),
)

holdings = Table(
    "holdings",
    metadata,
    Column("account", Integer, primary_key=True),
    Column("instrument", Integer, primary_key=True),
    Column("lots", BigInteger, nullable=False),
    Column("reserved_lots", BigInteger, nullable=False),
)

api_keys = Table(
    "api_keys",
    metadata,
    Column("key_id", BigInteger, primary_key=True),  # the seq of the RECORD command that issued it
    Column("key_hash", LargeBinary(32), nullable=False, unique=True),  # SHA-256 of the secret, which is 32 random bytes
    Column("account", Integer, nullable=False),  # 0: bound to none
    Column("name", String, nullable=False),
    Column("scopes", String, nullable=False),  # space separated: read trade operate admin
    Column("revoked_seq", BigInteger),
)

orders = Table(
    "orders",
    metadata,
    Column("order_id", BigInteger, primary_key=True),
    Column("account", Integer, nullable=False),
    Column("client_order_id", String(36), nullable=False),
    Column("instrument", Integer, nullable=False),
    Column("side", SmallInteger, nullable=False),
    Column("order_type", SmallInteger, nullable=False),
    Column("time_in_force", SmallInteger, nullable=False),
    Column("price_ticks", BigInteger, nullable=False),
    Column("quantity_lots", BigInteger, nullable=False),
    Column("leaves_lots", BigInteger, nullable=False),
    Column("filled_lots", BigInteger, nullable=False),
    Column("filled_fen", BigInteger, nullable=False),  # notional of the fills: avg_px = filled_fen / filled_lots
    Column("fees_fen", BigInteger, nullable=False),
    Column("reserved_fen", BigInteger, nullable=False),
    Column("state", String(16), nullable=False),  # new partially_filled filled canceled rejected expired
    Column("reason", SmallInteger, nullable=False),
    Column("actor", BigInteger, nullable=False),
    Column("trading_date", Integer, nullable=False),
    Column("created_ns", BigInteger, nullable=False),
    Column("updated_ns", BigInteger, nullable=False),
    Column("updated_seq", BigInteger, nullable=False),
)
Index("orders_by_account", orders.c.account, orders.c.order_id)
Index("orders_by_client_id", orders.c.account, orders.c.client_order_id)
Index(
    "orders_open", orders.c.instrument, sqlite_where=orders.c.leaves_lots > 0, postgresql_where=orders.c.leaves_lots > 0
)

trades = Table(
    "trades",
    metadata,
    Column("trade_id", BigInteger, primary_key=True),
    Column("seq", BigInteger, nullable=False),
    Column("time_ns", BigInteger, nullable=False),
    Column("trading_date", Integer, nullable=False),
    Column("instrument", Integer, nullable=False),
    Column("price_ticks", BigInteger, nullable=False),
    Column("quantity_lots", BigInteger, nullable=False),
    Column("amount_fen", BigInteger, nullable=False),
    Column("taker_side", SmallInteger, nullable=False),
    Column("taker_order_id", BigInteger, nullable=False),
    Column("taker_account", Integer, nullable=False),
    Column("taker_fee_fen", BigInteger, nullable=False),
    Column("maker_order_id", BigInteger, nullable=False),
    Column("maker_account", Integer, nullable=False),
    Column("maker_fee_fen", BigInteger, nullable=False),
)
Index("trades_by_seq", trades.c.seq)
Index("trades_by_date", trades.c.trading_date, trades.c.instrument)
Index("trades_by_taker", trades.c.taker_account, trades.c.trade_id)
Index("trades_by_maker", trades.c.maker_account, trades.c.trade_id)

daily_turnover = Table(
    "daily_turnover",
    metadata,
    Column("trading_date", Integer, primary_key=True),
    Column("instrument", Integer, primary_key=True),
    Column("trades", BigInteger, nullable=False),
    Column("quantity_lots", BigInteger, nullable=False),
    Column("amount_fen", BigInteger, nullable=False),
    Column("prevented", BigInteger, nullable=False),  # self-trades prevented, a count: never turnover
    Column("largest_fen", BigInteger, nullable=False),  # notional of the day's largest trade, the first of equals
    Column("largest_trade_id", BigInteger),
    Column("settlement_ticks", BigInteger),  # set by the day roll that ended the day
)

targets = Table(
    "targets",
    metadata,
    Column("year", Integer, primary_key=True),
    Column("amount_fen", BigInteger, nullable=False),
    Column("name", String, nullable=False),
    Column("set_seq", BigInteger, nullable=False),
)
