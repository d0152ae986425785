"""What happens, by ccxt's names: each call waits for the next push of a channel and returns what it told."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from rex_client.ccxt import account_structures, market_structures
from rex_client.ccxt.errors import BadRequest, BaseError, NetworkError, ccxt_errors
from rex_client.ccxt.market import Market
from rex_client.ccxt.params import Json, Params, known, positive
from rex_client.ccxt.public_methods import PublicMethods
from rex_client.ccxt.times import milliseconds
from rex_client.depth_book import DepthBook, OutOfStep
from rex_client.subscription import Subscription

Entry = TypeVar("Entry", Json, list[Any])
"""A structure, or a candle."""
Stream = tuple[str, str | None, str | None]
"""Channel, REX symbol, interval of candles."""
SNAPSHOT_ENTRIES = 60
"""No snapshot has more trades or candles."""
EACH_CHANGE_COUNTS = ("orders", "fills")
"""Channels of which a snapshot in between tells too little: what happened since the last push may be missing."""


class WatchMethods(PublicMethods):
    """Subscriptions, begun by the first call and resumed by the client after a lost connection.

    Await the calls of one method and symbol one after another. Pushes between two calls wait for the next. A list with a
    `limit` has the oldest entries, and the next call goes on with the others.
    """

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self._subscriptions: dict[Stream, Subscription] = {}
        self._due_snapshots: dict[Stream, int] = {}
        """The snapshots of a stream that its own subscription, and later ones to the same channel, bring about."""
        self._books: dict[str, DepthBook] = {}
        self._balance: Json | None = None
        self._surplus: dict[Stream, list[Any]] = {}
        """What a push told beyond the `limit` of a call: the next call begins with it."""
        self._told: dict[Stream, dict[int, Any]] = {}
        """The last trades by id, or candles by start, that a stream told: a later snapshot is compared with them."""

    async def watch_ticker(self, symbol: str, params: Params | None = None) -> Json:
        """The ticker after its next change; at first as it stands."""
        market = await self._watched(symbol, params)
        push = await self._push(("ticker", market.id, None))
        return market_structures.ticker(market, push["data"])

    async def watch_trades(
        self, symbol: str, since: int | None = None, limit: int | None = None, params: Params | None = None
    ) -> list[Json]:
        """The next trades; at first today's last 50. Trades that are taken back later come no more: `fetch_trades`.

        NetworkError: after a lost connection the venue cannot tell all that was missed; `fetch_trades` can.
        """
        market = await self._watched(symbol, params)
        stream = ("trades", market.id, None)

        def told(push: Json) -> list[Json]:
            trades = [market_structures.public_trade(market, trade) for trade in push["data"]["trades"]]
            news = self._news(stream, push, {int(trade["id"]): trade for trade in trades})
            return [trade for trade in news if not trade["info"]["busted"]]

        return await self._next(stream, told, since, limit)

    async def watch_ohlcv(
        self,
        symbol: str,
        timeframe: str = "1m",
        since: int | None = None,
        limit: int | None = None,
        params: Params | None = None,
    ) -> list[list[Any]]:
        """The candles that changed, as they stand; at first today's last 60. A candle whose last trade was taken back comes no
        more: `fetch_ohlcv`.

        NetworkError: after a lost connection the venue cannot tell all that was missed; `fetch_ohlcv` can.
        """
        market = await self._watched(symbol, params)
        if timeframe not in self.timeframes:
            raise BadRequest(f"timeframe: {timeframe} is none of {', '.join(self.timeframes)}")

        stream = ("candles", market.id, timeframe)

        def told(push: Json) -> list[list[Any]]:
            for start in push["data"]["removed"]:
                self._told.get(stream, {}).pop(milliseconds(start), None)
            candles = [market_structures.ohlcv(market, candle) for candle in push["data"]["candles"]]
            return self._news(stream, push, {candle[0]: candle for candle in candles})

        return await self._next(stream, told, since, limit)

    async def watch_order_book(self, symbol: str, limit: int | None = None, params: Params | None = None) -> Json:
        """The book after its next change; at first as it stands. All levels, or the best `limit`.

        Each push is compared with the venue's checksum; after a difference the book begins anew by itself.
        """
        market = await self._watched(symbol, params)
        positive(limit)
        book = self._books.setdefault(market.id, DepthBook())
        while True:
            push = await self._push(("depth", market.id, None))
            try:
                book.apply(push)
            except OutOfStep:
                self._end(("depth", market.id, None))
                continue
            bids, asks = ([(level.price, level.quantity) for level in side[:limit]] for side in (book.bids, book.asks))
            return market_structures.order_book(market, bids, asks, push["seq"], push)

    async def watch_orders(
        self,
        symbol: str | None = None,
        since: int | None = None,
        limit: int | None = None,
        params: Params | None = None,
    ) -> list[Json]:
        """The own orders that changed, as they stood after it; at first the open ones.

        NetworkError: after a lost connection the venue cannot tell all that was missed; `fetch_orders` can.
        """
        known(params)
        wanted = await self._id(symbol)

        def told(push: Json) -> list[Json]:
            orders = (each for each in push["data"]["orders"] if wanted in (None, each["symbol"]))
            return [account_structures.order(self._market_of_id(each["symbol"]), each) for each in orders]

        return await self._next(("orders", wanted, None), told, since, limit)

    async def watch_my_trades(
        self,
        symbol: str | None = None,
        since: int | None = None,
        limit: int | None = None,
        params: Params | None = None,
    ) -> list[Json]:
        """The next own trades. A trade that an operator took back comes again, with `info["busted"]` true and no time.

        NetworkError: after a lost connection the venue cannot tell all that was missed; `fetch_my_trades` can.
        """
        known(params)
        wanted = await self._id(symbol)

        def told(push: Json) -> list[Json]:
            busts = [{**bust, "busted": True} for bust in push["data"]["busts"]]
            fills = (each for each in [*push["data"]["fills"], *busts] if wanted in (None, each["symbol"]))
            return [market_structures.own_trade(self._market_of_id(each["symbol"]), each) for each in fills]

        return await self._next(("fills", wanted, None), told, since, limit)

    async def watch_balance(self, params: Params | None = None) -> Json:
        """The balance after its next change; at first as it stands."""
        known(params)
        await self.load_markets()
        push = await self._push(("balances", None, None))
        told = push["data"]
        if push["type"] == "update" and self._balance is not None:
            held = {each["symbol"]: each for each in [*self._balance["holdings"], *told["holdings"]]}
            told = {**told, "holdings": list(held.values())}
        self._balance = told
        return account_structures.balance(self._market_of_id, told)

    async def _watched(self, symbol: str, params: Params | None) -> Market:
        known(params)
        return await self._market(symbol)

    async def _next(
        self, stream: Stream, told: Callable[[Json], list[Entry]], since: int | None, limit: int | None
    ) -> list[Entry]:
        """The first `limit` entries, of those since then, of what is left of the last push or of the next that has any."""
        positive(limit)
        while True:
            entries = self._surplus.pop(stream, []) or told(await self._push(stream))
            entries = [each for each in entries if since is None or (_time_ms(each) or since) >= since]
            if entries:
                if limit:
                    self._surplus[stream] = entries[limit:]
                return entries[: limit or None]

    def _news(self, stream: Stream, push: Json, entries: dict[int, Entry]) -> list[Entry]:
        """The entries that were not told like this before. Raises NetworkError for a later snapshot that does not have the last
        one told, also where none was: some between may be missing, of the day before as well."""
        before = self._told.pop(stream, None)
        if push["type"] == "snapshot" and before is not None and max(before, default=None) not in entries:
            self._end(stream)
            raise NetworkError(f"the venue cannot tell which {stream[0]} were missed: fetch them, then watch again")
        known = before or {}
        self._told[stream] = dict(sorted((known | entries).items())[-SNAPSHOT_ENTRIES:])
        return [entry for key, entry in entries.items() if known.get(key) != entry]

    async def _push(self, stream: Stream) -> Json:
        if stream not in self._subscriptions:
            self._begin(stream)
        try:
            with ccxt_errors():
                push = await anext(self._subscriptions[stream])
        except StopAsyncIteration:
            self._end(stream)
            raise NetworkError("the adapter was closed") from None
        except BaseError:
            self._end(stream)  # The next call subscribes again.
            raise
        if push["type"] == "snapshot" and stream[0] in EACH_CHANGE_COUNTS:
            self._due_snapshots[stream] -= 1
            if self._due_snapshots[stream] < 0:
                self._end(stream)
                raise NetworkError(f"the venue cannot tell which {stream[0]} were missed: fetch them, then watch again")
        return push

    def _begin(self, stream: Stream) -> None:
        channel, symbol, interval = stream
        options = {} if interval is None else {"interval": interval}
        symbols = None if symbol is None else [symbol]
        self._subscriptions[stream] = self.client.subscribe([channel], symbols, **options)
        self._due_snapshots[stream] = 0
        for each in self._subscriptions:
            if each[0] == channel:
                self._due_snapshots[each] += 1

    def _end(self, stream: Stream) -> None:
        subscription = self._subscriptions.pop(stream, None)
        if subscription is not None:
            subscription.close()


def _time_ms(entry: Json | list[Any]) -> int | None:
    at_ms: int | None = entry[0] if isinstance(entry, list) else entry["timestamp"]
    return at_ms
