"""What accounts and instruments are called."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from services.read_database.tables import accounts, instruments


async def read_account_names(connection: AsyncConnection) -> dict[int, str]:
    """The names of all accounts, by number."""
    return dict(iter(await connection.execute(select(accounts.c.account, accounts.c.name))))


async def read_symbols(connection: AsyncConnection) -> dict[int, str]:
    """The symbols of all instruments, by number."""
    return dict(iter(await connection.execute(select(instruments.c.instrument, instruments.c.symbol))))
