"""The summary of a venue that was closed: counts, the year's turnover, and the figure by four computations."""

from __future__ import annotations

import asyncio
import sqlite3
from contextlib import closing
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

from rich.markup import escape
from rich.table import Table
from sqlalchemy import func, select

from services.files.data_folder import JOURNAL_FILE, READ_DATABASE_FILE
from services.journal.connections import log_of
from services.read_model import tables
from services.read_model.database import open_read_database
from services.reporting.figure import Figure
from services.reporting.proven_figure import figure_at
from services.reporting.queries import read_year
from services.values.decimals import decimal_text, yuan_text
from services.venue.bootstrap import Venue


@dataclass(frozen=True)
class ClosingSummary:
    """The summary. Counts are over the whole journal. The turnover is of the trading date's year, and net as the report's:
    without busted trades and without what decisions exclude."""

    orders: int
    trades: int
    rejects: int
    target_fen: int
    last_seq: int
    trading_date: int
    state_hash: str
    figure: Figure

    def to_json(self) -> dict[str, Any]:
        """JSON values; money as decimal strings in yuan, exact to the fen."""
        return {
            "orders": self.orders,
            "trades": self.trades,
            "rejects": self.rejects,
            "year": self.figure.year,
            "turnover_cny": yuan_text(self.figure.net_fen),
            "excluded_cny": yuan_text(self.figure.excluded_sql_fen),
            "target_cny": yuan_text(self.target_fen),
            "target_share": decimal_text(self.figure.net_fen, self.target_fen, 6),
            "last_seq": self.last_seq,
            "state_hash": self.state_hash,
            "figure": self.figure.to_json(),
            "agree": self.figure.agree,
        }

    def render(self) -> Table:
        """A table for the terminal."""
        share = Decimal(self.figure.net_fen) * 100 / self.target_fen
        table = Table(title=f"REX closed at seq {self.last_seq:,}", show_header=False, title_justify="left")
        table.add_row("orders · trades · rejects", f"{self.orders:,} · {self.trades:,} · {self.rejects:,}")
        table.add_row(f"turnover {self.figure.year}", f"{_grouped(self.figure.net_fen)} yuan")
        if self.figure.excluded_sql_fen:
            table.add_row("excluded by decisions", f"{_grouped(self.figure.excluded_sql_fen)} yuan")
        table.add_row("of the target", f"{share:.4f} % of {_grouped(self.target_fen)} yuan")
        verdict = "[green]agree to the fen[/green]" if self.figure.agree else "[red]DISAGREE[/red]"
        table.add_row("four computations", verdict)
        for difference in self.figure.differences:
            table.add_row("in the read database", escape(difference))
        for disagreement in self.figure.decoder.disagreements:
            table.add_row("in the journal", escape(disagreement))
        table.add_row("state hash", f"{self.state_hash[:32]}\n{self.state_hash[32:]}")
        return table


def _grouped(amount_fen: int) -> str:
    return f"{Decimal(amount_fen).scaleb(-2):,.2f}"


def _remove_empty_log(path: Path) -> None:
    """Removes the empty write-ahead log that the read-only connection left: SQLite lets only a writable one remove it."""
    log = log_of(path)
    if log.exists() and not log.stat().st_size:
        with closing(sqlite3.connect(path)) as connection:
            connection.execute("SELECT 1 FROM meta").fetchone()


async def closing_of(venue: Venue, data_dir: Path) -> ClosingSummary:
    """The summary of a closed venue, whose engine, journal and read database end at the same command."""
    engine, year = venue.engine, venue.engine.trading_date // 10_000
    figure = await figure_at(data_dir, None, year, engine.last_seq, engine.turnover_fen(year), is_closed=True)
    read_database = open_read_database(data_dir / READ_DATABASE_FILE)
    try:
        async with read_database.connect() as connection:
            found = await read_year(connection, year)
            orders = await connection.scalar(select(func.count()).select_from(tables.orders))
            trades = await connection.scalar(select(func.count()).select_from(tables.trades))
            refused = select(func.count()).select_from(tables.orders).where(tables.orders.c.state == "rejected")
            rejects = await connection.scalar(refused)
    finally:
        await read_database.dispose()
    await asyncio.to_thread(_remove_empty_log, data_dir / JOURNAL_FILE)
    assert found is not None, "a venue that was open has projected its first batch"
    return ClosingSummary(
        orders=orders or 0,
        trades=trades or 0,
        rejects=rejects or 0,
        target_fen=found.target.amount_fen,
        last_seq=engine.last_seq,
        trading_date=engine.trading_date,
        state_hash=engine.state_hash(),
        figure=figure,
    )
