"""Loads the state of the venue from the read database, at the read database's position."""

from __future__ import annotations

from sqlalchemy import or_, select
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from services.read_database.tables import (
    accounts,
    alerts,
    api_keys,
    fees,
    holdings,
    instruments,
    orders,
    position,
    total,
    trades,
)
from services.venue_state.accounts import VenueAccount
from services.venue_state.alerts import VenueAlert, VenueAlerts
from services.venue_state.instruments import VenueInstrument
from services.venue_state.keys import ApiKey
from services.venue_state.orders import VenueOrder
from services.venue_state.state import FeeRates, VenueState


async def load_state(read_database: AsyncEngine) -> VenueState:
    """The state at the read database's position; the state of an empty venue where it has none."""
    state = VenueState()
    async with read_database.connect() as connection:  # One transaction: every query reads the same position.
        at = (await connection.execute(select(position))).mappings().first()
        if at is None:
            return state
        await _read(connection, state)
        await _read_day(connection, state, at["trading_date"])
    state.incarnation = at["journal_id"].hex()
    state.last_seq, state.trading_date = at["seq"], at["trading_date"]
    state.kill_switch = bool(at["kill_switch"])
    return state


async def _read(connection: AsyncConnection, state: VenueState) -> None:
    valid = select(api_keys).where(api_keys.c.revoked_seq.is_(None))
    for row in (await connection.execute(valid)).mappings():
        key = ApiKey(row["key_id"], row["account"], row["name"], frozenset(row["scopes"].split()))
        state.add_key(key, row["key_hash"])
    for row in (await connection.execute(select(instruments).order_by(instruments.c.instrument))).mappings():
        state.add_instrument(VenueInstrument.from_columns(row))
    for row in (await connection.execute(select(fees))).mappings():
        state.fees[row["account_class"]] = FeeRates(row["maker_rate_ppm"], row["taker_rate_ppm"])
    for row in (await connection.execute(select(accounts))).mappings():
        state.accounts[row["account"]] = VenueAccount.from_columns(row)
    for row in (await connection.execute(select(holdings))).mappings():
        holding = state.accounts[row["account"]].holding(row["instrument"])
        holding.lots, holding.reserved_lots = row["lots"], row["reserved_lots"]
    for row in (await connection.execute(select(orders).where(orders.c.leaves_lots > 0))).mappings():
        state.orders.add(VenueOrder.from_columns(row))
        state.accounts[row["account"]].open_orders += 1
    await load_alerts(connection, state.alerts)


async def load_alerts(connection: AsyncConnection, into: VenueAlerts) -> None:
    """Adds the alerts that are open or not acknowledged, oldest first."""
    may_change = or_(alerts.c.cleared_seq.is_(None), alerts.c.acknowledged_seq.is_(None))
    for row in (await connection.execute(select(alerts).where(may_change).order_by(alerts.c.seq))).mappings():
        alert = VenueAlert.from_columns(row)
        if alert.cleared_seq is None:
            into.open[alert.key] = alert
        else:
            into.cleared[alert.seq] = alert


async def _read_day(connection: AsyncConnection, state: VenueState, trading_date: int) -> None:
    """Adds the turnover of each account on the trading day."""
    stands = (trades.c.trading_date == trading_date) & trades.c.busted_seq.is_(None)
    for side in (trades.c.taker_account, trades.c.maker_account):
        turnover = select(side, total(trades.c.amount_fen)).where(stands).group_by(side)
        for account, amount_fen in await connection.execute(turnover):
            state.accounts[account].day_fen += amount_fen
