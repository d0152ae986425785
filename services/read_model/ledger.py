"""An account's ledger: every change of its cash, reserves and goods, with the balances after each.

No table holds it. What an order reserves at its entry is a column of the order, what a trade moves is in the trade, and the
rest has tables of its own; so each change is stored once, and the ledger is their union (ledger_sources.py). Its order: the seq
of the command, the place among the changes of one command, the id of the order or trade. Within a command a reserve grows
before trades and releases lessen it.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from sqlalchemy import BigInteger, ColumnElement, literal, or_, select, tuple_, union_all
from sqlalchemy.ext.asyncio import AsyncConnection

from services.read_model.ledger_sources import LedgerKey, LedgerSource, SourceLine, sources
from services.read_model.spans import Span, seqs_of
from services.read_model.tables import accounts, holdings, total


class LedgerBalances:
    """What an account has at a place of its ledger."""

    def __init__(
        self, cash_fen: int = 0, reserved_fen: int = 0, goods: dict[int, tuple[int, int]] | None = None
    ) -> None:
        self.cash_fen = cash_fen
        self.reserved_fen = reserved_fen
        self.goods = goods or {}
        """By instrument: lots and reserved lots; instruments without either may be missing."""

    def move(self, instrument: int | None, cash_fen: int, reserved_fen: int, lots: int, reserved_lots: int) -> None:
        """Adds a change."""
        self.cash_fen += cash_fen
        self.reserved_fen += reserved_fen
        if instrument is not None:
            held, reserved = self.goods.get(instrument, (0, 0))
            self.goods[instrument] = held + lots, reserved + reserved_lots

    def apply(self, line: SourceLine, sign: int = 1) -> None:
        """Adds a line, or takes it back (sign -1)."""
        moved = (line.cash_fen, line.reserved_fen, line.lots, line.reserved_lots)
        self.move(line.instrument, *(sign * amount for amount in moved))


class LedgerWindow(NamedTuple):
    """Which lines: of a span of time, beyond a key in the order of reading."""

    span: Span = Span()
    beyond: LedgerKey | None = None


async def read_lines(
    connection: AsyncConnection, account: int, window: LedgerWindow, limit: int, *, oldest_first: bool
) -> list[SourceLine]:
    """Up to `limit` lines of the window, oldest or newest first."""
    seqs = await seqs_of(connection, window.span)
    parts = []
    for source in sources(account):
        query = source.select().where(*_conditions(source, window, seqs, oldest_first))
        order = source.order()
        part = query.order_by(*(order if oldest_first else (column.desc() for column in order))).limit(limit)
        parts.append(select(part.subquery()))
    every = union_all(*parts).subquery()
    order = [every.c[name] for name in LedgerKey._fields]
    query = select(every).order_by(*(order if oldest_first else (column.desc() for column in order))).limit(limit)
    return [SourceLine(*row) for row in await connection.execute(query)]


def _conditions(
    source: LedgerSource, window: LedgerWindow, seqs: tuple[int | None, int | None], oldest_first: bool
) -> Iterator[ColumnElement[bool]]:
    time_ns, (first_seq, end_seq) = source.columns["time_ns"], seqs
    yield from window.span.conditions(time_ns)
    if first_seq is not None:
        yield source.from_seq(first_seq)
    if end_seq is not None:
        yield source.before_seq(end_seq)
    if (beyond := window.beyond) is not None:
        yield source.from_seq(beyond.seq) if oldest_first else source.before_seq(beyond.seq + 1)
        key, last = source.key(), tuple_(*(literal(part, BigInteger()) for part in beyond))
        yield key > last if oldest_first else key < last


async def present_balances(connection: AsyncConnection, account: int) -> LedgerBalances:
    """The account's balances at the position of the database."""
    found = (await connection.execute(select(accounts).where(accounts.c.account == account))).one()
    held = select(holdings.c.instrument, holdings.c.lots, holdings.c.reserved_lots).where(
        holdings.c.account == account, or_(holdings.c.lots != 0, holdings.c.reserved_lots != 0)
    )
    goods = {instrument: (lots, reserved) for instrument, lots, reserved in await connection.execute(held)}
    return LedgerBalances(found.cash_fen, found.reserved_fen, goods)


async def balances_at(connection: AsyncConnection, account: int, time_ns: int | None) -> LedgerBalances:
    """The balances before the first line at this time or later: the present ones less these lines. None: the present ones.

    It adds up every line since then.
    """
    balances = await present_balances(connection, account)
    if time_ns is None:
        return balances
    window = LedgerWindow(Span(start_ns=time_ns))
    seqs = await seqs_of(connection, window.span)
    lines = union_all(
        *(source.select().where(*_conditions(source, window, seqs, True)) for source in sources(account))
    ).subquery()
    sums = (total(lines.c[name]) for name in ("cash_fen", "reserved_fen", "lots", "reserved_lots"))
    query = select(lines.c.instrument, *sums).group_by(lines.c.instrument)
    for instrument, *moved in await connection.execute(query):
        balances.move(instrument, *(-amount for amount in moved))
    return balances
