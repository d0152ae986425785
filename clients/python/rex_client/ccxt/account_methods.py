"""Own orders, trades, balances and money movements by ccxt's names."""

from __future__ import annotations

from collections.abc import Collection
from functools import partial
from typing import Literal

from rex_client.ccxt import account_structures as structures
from rex_client.ccxt.errors import OrderNotFound, ccxt_errors
from rex_client.ccxt.market import CURRENCY
from rex_client.ccxt.market_structures import own_trade
from rex_client.ccxt.markets import Markets
from rex_client.ccxt.pages import DEFAULT_LIMIT, Span
from rex_client.ccxt.params import Json, Params, known

ENDED = ("closed", "canceled", "expired", "rejected")


class AccountMethods(Markets):
    """What the key's account did and has.

    Lists are oldest first: the last 100 or `limit` entries, or with `since` the first ones since then (with `until` of `params`
    up to then). Longer lists are read from the venue in pages.
    """

    async def fetch_balance(self, params: Params | None = None) -> Json:
        """Money (CNY) and goods (by REX symbol): free, used (reserved by open orders), total."""
        known(params)
        await self.load_markets()
        with ccxt_errors():
            return structures.balance(self._market_of_id, await self.client.account())

    async def fetch_order(self, id: str | None, symbol: str | None = None, params: Params | None = None) -> Json:
        """The order with this id, or with the `clientOrderId` of `params`."""
        await self._id(symbol)
        client_order_id = known(params, "clientOrderId").get("clientOrderId")
        with ccxt_errors():
            if client_order_id is None:
                told = await self.client.order(str(id))
            else:
                found = (await self.client.orders(client_order_id=client_order_id))["orders"]
                if not found:
                    raise OrderNotFound(f"no order has the clientOrderId {client_order_id}")
                told = found[0]
        return structures.order(self._market_of_id(told["symbol"]), told)

    async def fetch_orders(
        self,
        symbol: str | None = None,
        since: int | None = None,
        limit: int | None = None,
        params: Params | None = None,
    ) -> list[Json]:
        """Orders of any status, by the time they were placed."""
        return await self._orders("all", None, symbol, Span(since, limit, params), limit or DEFAULT_LIMIT)

    async def fetch_open_orders(
        self,
        symbol: str | None = None,
        since: int | None = None,
        limit: int | None = None,
        params: Params | None = None,
    ) -> list[Json]:
        """Open orders: all of them without a `limit`."""
        return await self._orders("open", None, symbol, Span(since, limit, params), limit)

    async def fetch_closed_orders(
        self,
        symbol: str | None = None,
        since: int | None = None,
        limit: int | None = None,
        params: Params | None = None,
    ) -> list[Json]:
        """Filled orders."""
        return await self._orders("closed", ("closed",), symbol, Span(since, limit, params), limit or DEFAULT_LIMIT)

    async def fetch_canceled_orders(
        self,
        symbol: str | None = None,
        since: int | None = None,
        limit: int | None = None,
        params: Params | None = None,
    ) -> list[Json]:
        """Canceled and expired orders."""
        statuses = ("canceled", "expired")
        return await self._orders("closed", statuses, symbol, Span(since, limit, params), limit or DEFAULT_LIMIT)

    async def fetch_canceled_and_closed_orders(
        self,
        symbol: str | None = None,
        since: int | None = None,
        limit: int | None = None,
        params: Params | None = None,
    ) -> list[Json]:
        """Orders that have ended, rejected ones included."""
        return await self._orders("closed", None, symbol, Span(since, limit, params), limit or DEFAULT_LIMIT)

    async def _orders(
        self,
        state: Literal["open", "closed", "all"],
        statuses: Collection[str] | None,
        symbol: str | None,
        span: Span,
        limit: int | None,
    ) -> list[Json]:
        id_ = await self._id(symbol)

        def entries_of(told: Json) -> list[Json]:
            order = structures.order(self._market_of_id(told["symbol"]), told)
            return [order] if statuses is None or order["status"] in statuses else []

        page_of = partial(self.client.orders, state, symbol=id_)
        return await span.gather(page_of, "orders", entries_of, limit, every_row_counts=statuses is None)

    # ------------------------------------------------------------------ trades

    async def fetch_my_trades(
        self,
        symbol: str | None = None,
        since: int | None = None,
        limit: int | None = None,
        params: Params | None = None,
    ) -> list[Json]:
        """Own trades, without those that were busted. `params`: `orderId` for those of one order."""
        id_, span, wanted = await self._id(symbol), Span(since, limit, params, "orderId"), limit or DEFAULT_LIMIT
        order_id = span.params.get("orderId")

        def entries_of(told: Json) -> list[Json]:
            return [] if told["busted"] else [own_trade(self._market_of_id(told["symbol"]), told)]

        page_of = partial(self.client.fills, symbol=id_, order_id=order_id)
        return await span.gather(page_of, "fills", entries_of, wanted)

    async def fetch_order_trades(
        self,
        id: str,
        symbol: str | None = None,
        since: int | None = None,
        limit: int | None = None,
        params: Params | None = None,
    ) -> list[Json]:
        """The trades of an order."""
        return await self.fetch_my_trades(symbol, since, limit, {**(params or {}), "orderId": id})

    # ------------------------------------------------------------------ money

    async def fetch_ledger(
        self, code: str | None = None, since: int | None = None, limit: int | None = None, params: Params | None = None
    ) -> list[Json]:
        """Every change of a balance, with the balance before and after it; of one code, or of money and goods."""
        await self.load_markets()
        span = Span(since, limit, params)

        def entries_of(line: Json) -> list[Json]:
            entries = structures.ledger_entries(self._market_of_id, line)
            return [entry for entry in entries if code in (None, entry["currency"])]

        return await span.gather(self.client.ledger, "lines", entries_of, limit or DEFAULT_LIMIT)

    async def fetch_deposits(
        self, code: str | None = None, since: int | None = None, limit: int | None = None, params: Params | None = None
    ) -> list[Json]:
        """Deposits of money."""
        return await self._movements(("deposit",), code, Span(since, limit, params))

    async def fetch_withdrawals(
        self, code: str | None = None, since: int | None = None, limit: int | None = None, params: Params | None = None
    ) -> list[Json]:
        """Withdrawals of money."""
        return await self._movements(("withdrawal",), code, Span(since, limit, params))

    async def fetch_deposits_withdrawals(
        self, code: str | None = None, since: int | None = None, limit: int | None = None, params: Params | None = None
    ) -> list[Json]:
        """Deposits and withdrawals of money."""
        return await self._movements(("deposit", "withdrawal"), code, Span(since, limit, params))

    async def _movements(self, causes: Collection[str], code: str | None, span: Span) -> list[Json]:
        if code not in (None, CURRENCY):
            return []

        def entries_of(told: Json) -> list[Json]:
            return [structures.transaction(told)] if told["cause"] in causes else []

        return await span.gather(self.client.cash_movements, "cash_movements", entries_of, span.limit or DEFAULT_LIMIT)

    # ------------------------------------------------------------------ fees

    async def fetch_trading_fees(self, params: Params | None = None) -> dict[str, Json]:
        """The fee rates by symbol; REX has the same ones for all markets."""
        known(params)
        await self.load_markets()
        with ccxt_errors():
            told = await self.client.fees()
        return {symbol: structures.trading_fee(market.id, told) for symbol, market in self._by_symbol.items()}

    async def fetch_trading_fee(self, symbol: str, params: Params | None = None) -> Json:
        """The fee rates of a market."""
        await self._market(symbol)
        return (await self.fetch_trading_fees(params))[symbol]
