"""Records the order books of some instruments in a file, one push a line, and rebuilds them from it.

    python book_recorder.py record books.jsonl --symbols PRND-OX ND-OX
    python book_recorder.py show books.jsonl

Each push is compared with the venue's checksum, while it is recorded and while it is read back. After a gap the recorder
subscribes again, and the file goes on with a snapshot. Ctrl-C stops; the file is whole to its last line.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import TextIO

from rex_client import DepthBook, FellBehind, OutOfStep, RexClient, RexError


async def record(client: RexClient, symbols: list[str], file: TextIO) -> None:
    """Writes every push of the books to the file, until it is canceled."""
    while True:
        books: dict[str, DepthBook] = {}
        with suppress(OutOfStep, FellBehind):
            async with client.subscribe(["depth"], symbols) as pushes:
                async for push in pushes:
                    books.setdefault(push["symbol"], DepthBook()).apply(push)
                    file.write(json.dumps(push, separators=(",", ":")) + "\n")
                    file.flush()
                    print(push["symbol"], "at", push["seq"], flush=True)
        print("a push is missing: subscribing again", flush=True)


def rebuilt(lines: Iterable[str]) -> dict[str, DepthBook]:
    """The books as they stood at the end of a recording. Raises OutOfStep if a push is missing or a checksum differs."""
    books: dict[str, DepthBook] = {}
    for line in lines:
        push = json.loads(line)
        books.setdefault(push["symbol"], DepthBook()).apply(push)
    return books


def show(path: Path, levels: int) -> None:
    """Prints the best levels of every book at the end of the file."""
    with path.open(encoding="utf-8") as file:
        for symbol, book in rebuilt(file).items():
            print(symbol, "at", book.seq)
            for ask in reversed(book.asks[:levels]):
                print(f"{'':16} {ask.price:>12} {ask.quantity:>8}")
            for bid in book.bids[:levels]:
                print(f"{bid.quantity:>16} {bid.price:>12}")


async def main(options: argparse.Namespace) -> None:
    with options.file.open("a", encoding="utf-8") as file:
        async with RexClient(options.url, options.key, patience_s=60) as client:
            await record(client, options.symbols, file)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=("record", "show"))
    parser.add_argument("file", type=Path)
    key = os.environ.get("VENUE_KEY")
    parser.add_argument("--url", default=os.environ.get("VENUE_URL", "http://127.0.0.1:8000"), help="or $VENUE_URL")
    parser.add_argument(
        "--key", default=key, help="an API key that reads, or $VENUE_KEY; none where market data are public"
    )
    parser.add_argument("--symbols", nargs="+", default=["*"], help="all instruments by default")
    parser.add_argument("--levels", type=int, default=5, help="how many levels of each side `show` prints")
    chosen = parser.parse_args()
    try:
        if chosen.what == "show":
            show(chosen.file, chosen.levels)
        else:
            asyncio.run(main(chosen))
    except KeyboardInterrupt:
        pass
    except (RexError, OSError, OutOfStep) as trouble:  # OSError: no connection, or a file that cannot be opened
        parser.exit(1, f"{trouble}\n")
