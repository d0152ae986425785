"""Buys when it is cheap: takes offers at or below a price until it has so many lots (or sells to bids at or above one).

Each order is immediate-or-cancel, so nothing of it rests in the book, and has a client_order_id: if no reply comes, the same
order is sent again, and the venue tells what became of the first one. Ctrl-C stops; an order under way is finished before.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import time
from decimal import Decimal, InvalidOperation
from typing import Any

from rex_client import RexClient, RexError

Json = dict[str, Any]

PATIENCE_SECONDS = (
    60  # For so long the client sends an order again that had no reply; its client_order_id makes that safe.
)


class Taker:
    """Trades `quantity` lots at `limit` or better, whenever the best price of the other side allows it."""

    def __init__(self, client: RexClient, symbol: str, side: str, limit: Decimal, quantity: int) -> None:
        self.client, self.symbol, self.side, self.limit, self.missing = client, symbol, side, limit, quantity
        self.order: Json | None = None  # the order whose outcome is not known yet

    async def run(self) -> None:
        """Follows the best prices until all lots are traded."""
        async with self.client.subscribe(["top"], [self.symbol]) as pushes:
            async for push in pushes:
                best = push["data"]["ask" if self.side == "buy" else "bid"]
                if best is not None and self.is_good(Decimal(best["price"])):
                    await self.take(best)
                if self.missing == 0:
                    return

    def is_good(self, price: Decimal) -> bool:
        """Whether the price is the limit or better."""
        return price <= self.limit if self.side == "buy" else price >= self.limit

    async def take(self, best: Json) -> None:
        """Sends an order for what the other side shows at its best price."""
        self.order = {
            "symbol": self.symbol,
            "side": self.side,
            "price": best["price"],
            "quantity": min(self.missing, best["quantity"]),
            "time_in_force": "ioc",
            "client_order_id": f"taker-{time.time_ns()}",
        }
        await self.finish()

    async def finish(self) -> None:
        """Learns what became of the order under way."""
        if self.order is None:
            return
        told, self.order = await self.client.place_order(self.order), None
        self.missing -= told["cum_qty"]
        print(self.side, told["cum_qty"], "at", told["avg_px"], "fees", told["fees"], told["reason"] or "", flush=True)
        if told["state"] == "rejected":
            raise SystemExit(told["reason_text"])


def check(instruments: list[Json], symbol: str, price: Decimal) -> None:
    """Ends the program where no order could ever be placed: the venue would show no best price to compare with."""
    instrument = next((each for each in instruments if each["symbol"] == symbol), None)
    if instrument is None:
        raise SystemExit(f"--symbol {symbol}: the venue has no such instrument")
    if price % Decimal(instrument["tick_size"]):
        raise SystemExit(f"--price {price}: prices of {symbol} are multiples of {instrument['tick_size']}")


def decimal(text: str) -> Decimal:
    """A finite number as a text of the command line."""
    try:
        number = Decimal(text)
    except InvalidOperation:
        number = Decimal("NaN")
    if not number.is_finite():
        raise argparse.ArgumentTypeError(f"not a price: {text}")
    return number


async def main(options: argparse.Namespace) -> None:
    async with RexClient(options.url, options.key, patience_s=PATIENCE_SECONDS) as client:
        check(await client.instruments(), options.symbol, options.price)
        taker = Taker(client, options.symbol, options.side, options.price, options.quantity)
        try:
            await taker.run()
        finally:
            await taker.finish()
            print("traded", options.quantity - taker.missing, "of", options.quantity, "lots", flush=True)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    key = os.environ.get("VENUE_KEY")
    parser.add_argument("--url", default=os.environ.get("VENUE_URL", "http://127.0.0.1:8000"), help="or $VENUE_URL")
    parser.add_argument("--key", default=key, required=not key, help="an API key that trades, or $VENUE_KEY")
    parser.add_argument("--symbol", default="PRND-OX")
    parser.add_argument("--side", choices=("buy", "sell"), default="buy")
    parser.add_argument("--price", type=decimal, required=True, help="the worst price to trade at, in yuan per unit")
    parser.add_argument("--quantity", type=int, default=1, help="lots in all")
    try:
        asyncio.run(main(parser.parse_args()))
    except KeyboardInterrupt:
        pass
    except (RexError, ConnectionError) as trouble:
        parser.exit(1, f"{trouble}\n")
