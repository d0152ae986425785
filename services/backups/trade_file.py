"""The trades of an archived day as Parquet, with the columns of `rex export`."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy.ext.asyncio import AsyncConnection

from services.backups.files import new_file
from services.read_model.names import read_account_names
from services.reporting.exports.parquet_file import ParquetFile
from services.reporting.exports.reading import read_instruments, stream_trades
from services.reporting.exports.seal import Seal
from services.reporting.exports.streams import TRADES, RowMaker
from services.reporting.queries import read_position, read_simulated_years


class TradeFiles:
    """Writes the trades of days, as they are at one position of the read database. Made by `of`."""

    def __init__(self, connection: AsyncConnection, seal: Seal, rows: RowMaker) -> None:
        self._connection = connection
        self._seal = seal
        self._rows = rows

    @classmethod
    async def of(cls, connection: AsyncConnection) -> TradeFiles:
        """From a read database that has a position."""
        position = await read_position(connection)
        assert position is not None, "a database that is up to date has a position"
        seal = Seal.of(position, simulated=bool(await read_simulated_years(connection)))
        rows = RowMaker(await read_instruments(connection), await read_account_names(connection))
        return cls(connection, seal, rows)

    async def write(self, path: Path, after_date: int, date: int) -> None:
        """A new file with the trades of the days after after_date up to date, yyyymmdd. Raises BackupFailed."""
        with new_file(path) as file:
            parquet = ParquetFile(file, TRADES, self._seal, f"Every trade of {date}")
            try:
                async for part in stream_trades(self._connection, after_date + 1, date):
                    parquet.add(self._rows.trades(part))
                parquet.close()
            except BaseException:
                parquet.abandon()
                raise
