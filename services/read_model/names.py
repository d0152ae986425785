"""What accounts, members and instruments are called. A member is an owner group."""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from services.read_model.tables import accounts, instruments


async def read_account_names(connection: AsyncConnection) -> dict[int, str]:
    """The names of all accounts, by number."""
    return dict(iter(await connection.execute(select(accounts.c.account, accounts.c.name))))


async def read_member_names(connection: AsyncConnection) -> dict[int, str]:
    """The names of all members, by owner group."""
    found = await connection.execute(select(accounts.c.account, accounts.c.owner, accounts.c.name))
    return member_names((account, owner or account, name) for account, owner, name in found)


def member_names(named: Iterable[tuple[int, int, str]]) -> dict[int, str]:
    """The name of each member, from account, member and name of all accounts. An owner group need not have an account of its
    number, but where it has, that one names it; where not, its first account does."""
    names: dict[int, str] = {}
    for _, member, name in sorted(named, key=lambda one: (one[0] != one[1], one[0])):
        names.setdefault(member, name)
    return names


async def read_symbols(connection: AsyncConnection) -> dict[int, str]:
    """The symbols of all instruments, by number."""
    return dict(iter(await connection.execute(select(instruments.c.instrument, instruments.c.symbol))))
