"""Reads an account's ledger into a CSV file, and checks that it adds up.

Every change of cash and goods is a line with the balance after it. The program adds up the lines itself: each balance that the
venue states must be the balance before it plus the line, and the last one what the account holds. A difference is an error.
"""

from __future__ import annotations

import argparse
import asyncio
import csv
import os
from collections import Counter, defaultdict
from decimal import Decimal
from pathlib import Path
from typing import Any

from rex_client import RexClient, RexError, pages

Json = dict[str, Any]

COLUMNS = ("seq", "time", "cause", "symbol", "order_id", "trade_id", "cash", "fee", "reserved", "quantity")


class LedgerDiffers(Exception):
    """A balance is not the one before it plus the line."""


class Balances:
    """Cash, reserved cash and goods, added up line by line from nothing."""

    def __init__(self) -> None:
        self.cash = self.reserved = Decimal(0)
        self.lots: defaultdict[str, int] = defaultdict(int)

    def add(self, line: Json) -> None:
        """Adds a line; raises LedgerDiffers if the venue's balance after it is another one."""
        self.cash += Decimal(line["cash"])
        self.reserved += Decimal(line["reserved"])
        told = line["balance"]
        same = self.cash == Decimal(told["cash"]) and self.reserved == Decimal(told["reserved"])
        if line["symbol"] is not None:
            self.lots[line["symbol"]] += line["quantity"]
            same = same and self.lots[line["symbol"]] == told["quantity"]
        if not same:
            raise LedgerDiffers(f"at {line['seq']}: {line['cause']} leads to {told}, not to {self.cash}")

    def compare(self, account: Json) -> None:
        """Raises LedgerDiffers if the account holds something else."""
        held = {holding["symbol"]: holding["quantity"] for holding in account["holdings"] if holding["quantity"]}
        lots = {symbol: quantity for symbol, quantity in self.lots.items() if quantity}
        if (self.cash, self.reserved, lots) != (Decimal(account["cash"]), Decimal(account["reserved"]), held):
            raise LedgerDiffers(
                f"the account holds {account['cash']} and {held}, the ledger says {self.cash} and {lots}"
            )


async def main(options: argparse.Namespace) -> None:
    balances, counts = Balances(), Counter[str]()
    with options.file.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow([*COLUMNS, "cash_after"])
        async with RexClient(options.url, options.key, patience_s=60) as client:
            account = await client.account()
            async for page in pages(client.ledger, order="oldest", limit=500):
                for line in page["lines"]:
                    if line["seq"] > account["seq"]:
                        break  # It came while this program was reading.
                    balances.add(line)
                    writer.writerow([*[line[column] for column in COLUMNS], line["balance"]["cash"]])
                    counts[line["cause"]] += 1
            balances.compare(account)
    print("lines:", *[f"{count} {cause}" for cause, count in counts.items()])
    print("cash", balances.cash, "reserved", balances.reserved, "lots", dict(balances.lots))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("file", type=Path, help="where to write the CSV")
    key = os.environ.get("VENUE_KEY")
    parser.add_argument("--url", default=os.environ.get("VENUE_URL", "http://127.0.0.1:8000"), help="or $VENUE_URL")
    parser.add_argument("--key", default=key, required=not key, help="an API key that reads, or $VENUE_KEY")
    try:
        asyncio.run(main(parser.parse_args()))
    except KeyboardInterrupt:
        pass
    except (RexError, OSError, LedgerDiffers) as trouble:  # OSError: no connection, or a file that cannot be written
        parser.exit(1, f"{trouble}\n")
