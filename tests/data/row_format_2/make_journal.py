"""Makes the journal of this folder: that of engine_3/thin_days with its larger rows compressed.

    python -m tests.data.row_format_2.make_journal

Another version of zlib may make other bytes of the same rows, so the file is kept: every later version must read it.
"""

from __future__ import annotations

import lzma
import sqlite3
from contextlib import closing
from pathlib import Path
from tempfile import TemporaryDirectory

from services.journal.compression import compress
from tests.integration.older_journal import THIN_DAYS, unpack


def main() -> None:
    """Writes thin_days.sqlite.xz."""
    with TemporaryDirectory() as folder:
        path = unpack(THIN_DAYS, Path(folder))
        with closing(sqlite3.connect(path)) as connection:
            rows = connection.execute("SELECT first_seq, data FROM rows").fetchall()
            changes = [(compress(data), first_seq) for first_seq, data in rows]
            connection.executemany("UPDATE rows SET data = ? WHERE first_seq = ?", changes)
            connection.commit()
            connection.execute("VACUUM")
        data = path.read_bytes()
    Path(__file__).with_name("thin_days.sqlite.xz").write_bytes(lzma.compress(data))


if __name__ == "__main__":
    main()
