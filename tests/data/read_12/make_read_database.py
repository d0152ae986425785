"""Makes the read database of this folder, format 12, from ../engine_4/thin_days:

    python -m tests.data.read_12.make_read_database

Format 12 has the table `proofs`.
"""

from __future__ import annotations

import asyncio
import lzma
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from services.read_database.database import READ_FORMAT
from tests.data.engine_4.make_journals import read_database


def main() -> None:
    """Writes the file."""
    assert READ_FORMAT == 12, f"this REX has the format {READ_FORMAT}: make a folder of its own for what is new"
    with TemporaryDirectory() as folder:
        data = asyncio.run(read_database(Path(folder)))
    path = Path(__file__).with_name("read.sqlite.xz")
    path.write_bytes(lzma.compress(data, preset=9))
    sys.stdout.write(f"{path}: {len(data)} bytes, {path.stat().st_size} compressed\n")


if __name__ == "__main__":
    main()
