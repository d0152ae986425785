"""Makes a market: keeps one bid and one offer around the last price of an instrument, and moves both with it.

Each lot that was bought moves both quotes a tick down, each lot that was sold a tick up, so that the position comes back to
nothing. The quotes are post-only: they never take. Ctrl-C cancels them. If the program dies without a word, the venue cancels
all orders of the account after 20 seconds.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import time
from decimal import Decimal
from typing import Any

from rex_client import OutcomeUnknown, RexClient, RexError

Json = dict[str, Any]

TIMER_SECONDS = 20
ENDED_BEFORE = ("order_not_open", "unknown_order")
"""The codes of a cancel of a quote that had ended, or that never arrived."""
PATIENCE_SECONDS = (
    60  # For so long the client repeats what had no reply: an order is placed once, by its client_order_id.
)


class MarketMaker:
    """Quotes `quantity` lots on each side, `distance` ticks away from the fair price."""

    def __init__(self, client: RexClient, instrument: Json, quantity: int, distance: int) -> None:
        self.client, self.symbol, self.quantity, self.distance = client, instrument["symbol"], quantity, distance
        self.tick = Decimal(instrument["tick_size"])
        self.lowest, self.highest = Decimal(instrument["lower_limit"]), Decimal(instrument["upper_limit"])
        self.last = Decimal(instrument["reference_price"])
        self.is_new_market = False
        self.position = 0  # lots bought less lots sold since the start
        self.quotes: dict[str, Json] = {}  # by side, as the venue told it last
        self.ids: dict[str, str] = {}  # by side, the client_order_id of the last order that may have arrived

    async def run(self) -> None:
        """Follows the market and the own orders until it is canceled, or the timer cannot be kept; then cancels the quotes."""
        async with asyncio.TaskGroup() as tasks:
            timer = tasks.create_task(self.keep_timer())
            try:
                await self.follow()
            finally:
                timer.cancel()
                await self.stop()

    async def follow(self) -> None:
        """Moves the quotes with the market."""
        following = False
        async for push in self.client.subscribe(["ticker", "orders"], [self.symbol]):
            self.is_new_market = push["channel"] == "ticker"
            if self.is_new_market:
                self.last = Decimal(push["data"]["last"] or self.last)
            elif push["type"] == "snapshot" and following:
                raise SystemExit("The venue cannot tell what was missed: look at the position, then start again.")
            else:
                following = True
                self.take(push["data"])
            if following:
                await self.quote("buy", -self.distance)
                await self.quote("sell", self.distance)

    async def stop(self) -> None:
        """Cancels the quotes, then switches the timer off. While a quote may be open, the timer stays on."""
        failures = []
        for side, client_order_id in self.ids.items():
            try:
                await self.client.cancel_order(client_order_id=client_order_id)
            except (RexError, ConnectionError) as failure:
                if not isinstance(failure, RexError) or failure.code not in ENDED_BEFORE:
                    failures.append(f"{side}: {failure}")
        if failures:
            raise SystemExit(f"not canceled, the venue's timer does it: {'; '.join(failures)}")
        await self.client.cancel_all_after(0)
        print("stopped with a position of", self.position, flush=True)

    def take(self, changes: Json) -> None:
        """Takes a push of the own orders: how the quotes stand, and what was traded or taken back."""
        for order in changes["orders"]:
            if order["client_order_id"] and order["client_order_id"] == self.ids.get(order["side"]):
                self.quotes[order["side"]] = order
        for fill in changes["fills"]:
            if fill["symbol"] == self.symbol:
                self.position += signed(fill)
                print(fill["side"], fill["quantity"], "at", fill["price"], "position", self.position, flush=True)
        self.position -= sum(signed(bust) for bust in changes["busts"] if bust["symbol"] == self.symbol)

    async def quote(self, side: str, ticks_away: int) -> None:
        """Places the quote of a side, or moves it to where it should be."""
        price = min(max(self.last + (ticks_away - self.position) * self.tick, self.lowest), self.highest)
        quote = self.quotes.get(side)
        if quote is not None and quote["state"] == "rejected" and not self.is_new_market:
            return  # The push was about the rejection itself: try again when the market has changed.
        if quote is not None and quote["state"] in ("new", "partially_filled"):
            if Decimal(quote["price"]) == price:
                return
            try:
                self.quotes[side] = await self.client.amend_order(order_id=quote["order_id"], price=str(price))
                print(side, "moved to", price, flush=True)
                return
            except RexError as declined:
                if declined.code != "order_not_open":  # For example post_only_would_trade: the quote stays.
                    print(side, "not moved:", declined.detail, flush=True)
                    return
            except OutcomeUnknown:  # An amend is sent once: the order tells whether it was carried out.
                self.quotes[side] = await self.client.order(quote["order_id"])
                return
        self.ids[side] = f"maker-{side}-{time.time_ns()}"
        order = {"symbol": self.symbol, "side": side, "price": str(price), "quantity": self.quantity, "post_only": True}
        order["client_order_id"] = self.ids[side]
        self.quotes[side] = await self.client.place_order(order)
        placed = self.quotes[side]
        if placed["state"] == "rejected":
            print(side, "rejected at", price, placed["reason_text"], flush=True)
        else:
            print(side, "placed at", price, flush=True)

    async def keep_timer(self) -> None:
        """Tells the venue again and again to cancel everything if this program is not heard of any more."""
        while True:
            await self.client.cancel_all_after(TIMER_SECONDS)
            await asyncio.sleep(TIMER_SECONDS / 4)


def signed(fill: Json) -> int:
    """The lots of a fill, negative where they were sold."""
    return int(fill["quantity"]) if fill["side"] == "buy" else -int(fill["quantity"])


async def main(options: argparse.Namespace) -> None:
    async with RexClient(options.url, options.key, patience_s=PATIENCE_SECONDS) as client:
        instrument = {each["symbol"]: each for each in await client.instruments()}.get(options.symbol)
        if instrument is None:
            raise SystemExit(f"--symbol {options.symbol}: the venue has no such instrument")
        await client.connect()
        try:
            await MarketMaker(client, instrument, options.quantity, options.distance).run()
        except* (RexError, ConnectionError) as troubles:
            raise SystemExit(str(troubles.exceptions[0])) from None


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    key = os.environ.get("VENUE_KEY")
    parser.add_argument("--url", default=os.environ.get("VENUE_URL", "http://127.0.0.1:8000"), help="or $VENUE_URL")
    parser.add_argument("--key", default=key, required=not key, help="an API key that trades, or $VENUE_KEY")
    parser.add_argument("--symbol", default="PRND-OX")
    parser.add_argument("--quantity", type=int, default=1, help="lots on each side")
    parser.add_argument("--distance", type=int, default=3, help="ticks from the fair price to each quote")
    try:
        asyncio.run(main(parser.parse_args()))
    except KeyboardInterrupt:
        pass
    except (RexError, ConnectionError) as trouble:
        parser.exit(1, f"{trouble}\n")
