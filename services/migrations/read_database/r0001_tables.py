"""The tables of the read database, as services/read_database/tables.py had them when the scaled mode came.

`orders` has no index on a column that changes, and leaves room in its pages: PostgreSQL then changes an order in place (HOT).
"""

from __future__ import annotations

from alembic import op

revision = "0001"
down_revision = None

_TABLES = """
CREATE TABLE read_format (
    format smallint PRIMARY KEY
);
CREATE TABLE position (
    id smallint PRIMARY KEY,
    seq bigint NOT NULL,
    time_ns bigint NOT NULL,
    trading_date integer NOT NULL,
    row_hash bytea NOT NULL,
    journal_id bytea NOT NULL,
    kill_switch smallint NOT NULL
);
CREATE TABLE fees (
    account_class smallint PRIMARY KEY,
    maker_rate_ppm integer NOT NULL,
    taker_rate_ppm integer NOT NULL
);
CREATE TABLE instruments (
    instrument integer PRIMARY KEY,
    symbol varchar(16) NOT NULL UNIQUE,
    name_en varchar NOT NULL,
    name_zh varchar NOT NULL,
    category varchar NOT NULL,
    family varchar NOT NULL,
    unit varchar(4) NOT NULL,
    lot_size integer NOT NULL,
    tick_size varchar NOT NULL,
    tick_value_fen bigint NOT NULL,
    band_ppm integer NOT NULL,
    max_quantity_lots bigint NOT NULL,
    first_reference_ticks bigint NOT NULL,
    reference_ticks bigint NOT NULL,
    reference_price_source varchar NOT NULL,
    spec varchar NOT NULL,
    note varchar NOT NULL,
    phase smallint NOT NULL,
    auction_ends_ns bigint NOT NULL,
    collar_ppm integer NOT NULL,
    volatility_ppm integer NOT NULL,
    auction_s integer NOT NULL
);
CREATE TABLE accounts (
    account bigint PRIMARY KEY,
    name varchar NOT NULL,
    owner bigint NOT NULL,
    cash_fen bigint NOT NULL,
    reserved_fen bigint NOT NULL,
    opened_seq bigint NOT NULL,
    account_class smallint NOT NULL,
    kill_switch smallint NOT NULL,
    max_order_lots bigint NOT NULL,
    max_order_fen bigint NOT NULL,
    max_open_orders integer NOT NULL,
    max_day_fen bigint NOT NULL
);
CREATE TABLE holdings (
    account bigint NOT NULL,
    instrument integer NOT NULL,
    lots bigint NOT NULL,
    reserved_lots bigint NOT NULL,
    PRIMARY KEY (account, instrument)
);
CREATE TABLE api_keys (
    key_id bigint PRIMARY KEY,
    key_hash bytea NOT NULL UNIQUE,
    account bigint NOT NULL,
    name varchar NOT NULL,
    scopes varchar NOT NULL,
    revoked_seq bigint
);
CREATE TABLE orders (
    order_id bigint PRIMARY KEY,
    account bigint NOT NULL,
    client_order_id varchar(36) NOT NULL,
    instrument integer NOT NULL,
    side smallint NOT NULL,
    order_type smallint NOT NULL,
    time_in_force smallint NOT NULL,
    self_trade smallint NOT NULL,
    flags smallint NOT NULL,
    price_ticks bigint NOT NULL,
    trigger_ticks bigint NOT NULL,
    display_lots bigint NOT NULL,
    expires_s bigint NOT NULL,
    triggered_seq bigint NOT NULL,
    quantity_lots bigint NOT NULL,
    leaves_lots bigint NOT NULL,
    filled_lots bigint NOT NULL,
    filled_fen bigint NOT NULL,
    fees_fen bigint NOT NULL,
    reserved_fen bigint NOT NULL,
    state varchar(16) NOT NULL,
    reason smallint NOT NULL,
    actor bigint NOT NULL,
    trading_date integer NOT NULL,
    created_ns bigint NOT NULL,
    updated_ns bigint NOT NULL,
    updated_seq bigint NOT NULL
) WITH (fillfactor = 70);
CREATE INDEX orders_by_client_id ON orders (account, client_order_id);
CREATE INDEX orders_by_account ON orders (account, order_id);
CREATE TABLE trades (
    trade_id bigint PRIMARY KEY,
    seq bigint NOT NULL,
    time_ns bigint NOT NULL,
    trading_date integer NOT NULL,
    instrument integer NOT NULL,
    price_ticks bigint NOT NULL,
    quantity_lots bigint NOT NULL,
    amount_fen bigint NOT NULL,
    phase smallint NOT NULL,
    taker_side smallint NOT NULL,
    taker_order_id bigint NOT NULL,
    taker_account bigint NOT NULL,
    taker_fee_fen bigint NOT NULL,
    maker_order_id bigint NOT NULL,
    maker_account bigint NOT NULL,
    maker_fee_fen bigint NOT NULL,
    busted_seq bigint
);
CREATE INDEX trades_by_bust ON trades (busted_seq) WHERE busted_seq IS NOT NULL;
CREATE INDEX trades_by_date ON trades (trading_date, instrument);
CREATE INDEX trades_by_maker ON trades (maker_account, trade_id);
CREATE INDEX trades_by_seq ON trades (seq);
CREATE INDEX trades_by_taker ON trades (taker_account, trade_id);
CREATE TABLE busts (
    trade_id bigint PRIMARY KEY,
    seq bigint NOT NULL,
    time_ns bigint NOT NULL,
    actor bigint NOT NULL,
    reason varchar NOT NULL
);
CREATE TABLE levels (
    instrument integer NOT NULL,
    side smallint NOT NULL,
    price_ticks bigint NOT NULL,
    quantity_lots bigint NOT NULL,
    orders bigint NOT NULL,
    PRIMARY KEY (instrument, side, price_ticks)
);
CREATE TABLE daily_turnover (
    trading_date integer NOT NULL,
    instrument integer NOT NULL,
    trades bigint NOT NULL,
    quantity_lots bigint NOT NULL,
    amount_fen bigint NOT NULL,
    busted bigint NOT NULL,
    busted_lots bigint NOT NULL,
    busted_fen bigint NOT NULL,
    prevented bigint NOT NULL,
    prevented_lots bigint NOT NULL,
    largest_fen bigint NOT NULL,
    largest_trade_id bigint,
    settlement_ticks bigint,
    PRIMARY KEY (trading_date, instrument)
);
CREATE TABLE targets (
    year integer PRIMARY KEY,
    amount_fen bigint NOT NULL,
    name varchar NOT NULL,
    set_seq bigint NOT NULL
);
"""


def upgrade() -> None:
    """Makes the tables, empty: the projector fills them from the journal."""
    for statement in _TABLES.split(";\n"):
        if statement.strip():
            op.execute(statement)
    op.execute("INSERT INTO read_format VALUES (1)")


def downgrade() -> None:
    """Drops the tables. All that they hold is derived from the journal."""
    for statement in _TABLES.split(";\n"):
        if statement.strip().startswith("CREATE TABLE"):
            op.execute(f"DROP TABLE {statement.split()[2]}")
