"""Loads the state of the venue from the read database, at the read database's position."""

from __future__ import annotations

from sqlalchemy import or_, select
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from services.commands.attachments import RequestKeyed, UserAdded, UserPasswordChanged, UserRemoved, UserRoleChanged
from services.read_model.records import read_records
from services.read_model.tables import (
    accounts,
    actions,
    alerts,
    api_keys,
    fees,
    holdings,
    instruments,
    orders,
    position,
    records,
    total,
    trades,
)
from services.venue_state.accounts import VenueAccount
from services.venue_state.alerts import VenueAlert, VenueAlerts
from services.venue_state.instruments import VenueInstrument
from services.venue_state.keyed_requests import REMEMBERED, KeyedRequests
from services.venue_state.keys import ApiKey
from services.venue_state.orders import VenueOrder
from services.venue_state.state import FeeRates, VenueState
from services.venue_state.users import Users

_USER_CHANGES = ("user_added", "user_password_changed", "user_role_changed", "user_removed")


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
        state.add_key(ApiKey.from_columns(row), row["key_hash"])
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
    await _load_users(connection, state.users)
    await _load_keyed_requests(connection, state.keyed_requests)


async def _load_keyed_requests(connection: AsyncConnection, into: KeyedRequests) -> None:
    """Adds the last requests with an idempotency key. A command that was refused is no action."""
    newest = select(records.c.seq, records.c.text).where(records.c.type == "request_keyed")
    rows = await connection.execute(newest.order_by(records.c.seq.desc()).limit(REMEMBERED))
    recorded = [(row.seq, RequestKeyed.model_validate_json(row.text)) for row in rows][::-1]
    if not recorded:
        return
    since = recorded[0][0] - recorded[0][1].commands
    carried_out = set((await connection.execute(select(actions.c.seq).where(actions.c.seq >= since))).scalars())
    opened = select(accounts.c.opened_seq, accounts.c.account).where(accounts.c.opened_seq >= since)
    into.load(recorded, carried_out, dict(iter(await connection.execute(opened))))


async def _load_users(connection: AsyncConnection, into: Users) -> None:
    """Applies the recorded changes of users, oldest first."""
    for record in await read_records(connection, _USER_CHANGES):
        match record.decision:
            case UserAdded() | UserPasswordChanged() | UserRoleChanged() | UserRemoved() as change:
                into.apply(record.seq, change)


async def load_alerts(connection: AsyncConnection, into: VenueAlerts) -> None:
    """Adds the alerts that are open or not acknowledged, oldest first."""
    may_change = or_(alerts.c.cleared_seq.is_(None), alerts.c.acknowledged_seq.is_(None))
    for row in (await connection.execute(select(alerts).where(may_change).order_by(alerts.c.seq))).mappings():
        alert = VenueAlert.from_columns(row)
        if alert.cleared_seq is None:
            into.open[alert.key] = alert
        else:
            into.remember(alert)


async def _read_day(connection: AsyncConnection, state: VenueState, trading_date: int) -> None:
    """Adds the turnover of each account on the trading day."""
    stands = (trades.c.trading_date == trading_date) & trades.c.busted_seq.is_(None)
    for side in (trades.c.taker_account, trades.c.maker_account):
        turnover = select(side, total(trades.c.amount_fen)).where(stands).group_by(side)
        for account, amount_fen in await connection.execute(turnover):
            state.accounts[account].day_fen += amount_fen
