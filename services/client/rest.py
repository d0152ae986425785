"""Every REST route as a method. It returns the JSON of the reply; a problem is raised as RexError."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import quote

import httpx
import msgspec

from services.client.errors import OutcomeUnknown, RexError, Unreachable, error_of

Json = dict[str, Any]
Order = Mapping[str, Any]
"""The fields of an order, as `POST /v1/orders` takes them; a price may be a str or a Decimal."""

TIMEOUT_SECONDS = 15.0


class RestCalls:
    """The REST half of `RexClient`."""

    def __init__(self, url: str, key: str) -> None:
        self._http = httpx.AsyncClient(
            base_url=url, headers={"authorization": f"Bearer {key}"}, timeout=TIMEOUT_SECONDS, trust_env=False
        )

    # ------------------------------------------------------------------ the market

    async def venue(self) -> Json:
        """Name, seq, incarnation, trading date, schedule."""
        return await self._object("GET", "/v1/venue")

    async def instruments(self) -> list[Json]:
        """Every listed instrument, with the price band of the trading day."""
        return await self._list("GET", "/v1/instruments")

    async def depth(self, symbol: str, levels: int = 20) -> Json:
        """Both sides of the book, best price first."""
        return await self._object("GET", f"/v1/market/{quote(symbol, safe='')}/depth", query={"levels": levels})

    async def trades(self, symbol: str, limit: int = 50) -> list[Json]:
        """Today's last trades, newest first."""
        return await self._list("GET", f"/v1/market/{quote(symbol, safe='')}/trades", query={"limit": limit})

    async def ticker(self, symbol: str) -> Json:
        """The statistics of the trading day."""
        return await self._object("GET", f"/v1/market/{quote(symbol, safe='')}/ticker")

    # ------------------------------------------------------------------ orders and account

    async def post_order(self, order: Order) -> Json:
        """Places an order over REST. Raises OutcomeUnknown if no reply comes."""
        return await self._object("POST", "/v1/orders", body=order)

    async def place_batch(self, orders: Iterable[Order]) -> list[Json]:
        """Places up to 100 orders. The results, in the order of the request, each have `order` or `error`."""
        results: list[Json] = (await self._object("POST", "/v1/orders/batch", body={"orders": list(orders)}))["results"]
        return results

    async def delete_order(self, *, order_id: str | None = None, client_order_id: str | None = None) -> Json:
        """Cancels the order with one of these ids over REST."""
        if order_id is not None:
            return await self._object("DELETE", f"/v1/orders/{quote(order_id, safe='')}")
        return await self._object("DELETE", "/v1/orders", query={"client_order_id": client_order_id})

    async def patch_order(
        self, changes: Order, *, order_id: str | None = None, client_order_id: str | None = None
    ) -> Json:
        """Amends the order with one of these ids over REST."""
        if order_id is not None:
            return await self._object("PATCH", f"/v1/orders/{quote(order_id, safe='')}", body=changes)
        return await self._object("PATCH", "/v1/orders", query={"client_order_id": client_order_id}, body=changes)

    async def delete_orders(self, symbol: str, side: str | None = None, *, account: int | None = None) -> Json:
        """Cancels every open order in an instrument, or in all ("*"), over REST."""
        return await self._object("DELETE", "/v1/orders", query={"symbol": symbol, "side": side, "account": account})

    async def order(self, order_id: str) -> Json:
        """One order as it stands."""
        return await self._object("GET", f"/v1/orders/{quote(order_id, safe='')}")

    async def orders(
        self,
        state: str = "all",
        *,
        symbol: str | None = None,
        client_order_id: str | None = None,
        account: int | None = None,
        limit: int = 100,
        cursor: str | None = None,
    ) -> Json:
        """One page of orders, newest first: `orders` and `next_cursor`. `state` is open, closed or all."""
        query = {"state": state, "symbol": symbol, "client_order_id": client_order_id, "account": account}
        return await self._object("GET", "/v1/orders", query={**query, "limit": limit, "cursor": cursor})

    async def fills(
        self, *, symbol: str | None = None, account: int | None = None, limit: int = 100, cursor: str | None = None
    ) -> Json:
        """One page of fills, newest first: `fills` and `next_cursor`."""
        query = {"symbol": symbol, "account": account, "limit": limit, "cursor": cursor}
        return await self._object("GET", "/v1/fills", query=query)

    async def account(self, account: int | None = None) -> Json:
        """Cash, holdings and limits of the key's own account; operators name one."""
        return await self._object("GET", "/v1/account", query={"account": account})

    # ------------------------------------------------------------------ reports, operators, administrators

    async def turnover(self, year: int, *, at_least_seq: int | None = None) -> Json:
        """The year's turnover against its target. Waits until `at_least_seq` is counted."""
        return await self._object("GET", f"/v1/reports/turnover/{year}", query={"at_least_seq": at_least_seq})

    async def turnover_of_range(self, year: int, *, after_seq: int, to_seq: int) -> Json:
        """The sum of the year's trades with after_seq < seq <= to_seq, less the busts in that range."""
        query = {"after_seq": after_seq, "to_seq": to_seq}
        return await self._object("GET", f"/v1/reports/turnover/{year}/range", query=query)

    async def halt(self, symbol: str | None = None) -> Json:
        """Halts one instrument, or all: they accept only cancels."""
        return await self._object("POST", _switch("halt", symbol))

    async def resume(self, symbol: str | None = None) -> Json:
        """Ends the halt of one instrument, or of all."""
        return await self._object("POST", _switch("resume", symbol))

    async def set_phase(self, symbol: str, phase: str) -> Json:
        """Sets an instrument's phase until the schedule's next change."""
        return await self._object("PUT", _of(symbol, "phase"), body={"phase": phase})

    async def set_collar(self, symbol: str, rate: str) -> Json:
        """Sets how far beyond the last price an order may reach, as a fraction. "0": no collar."""
        return await self._object("PUT", _of(symbol, "collar"), body={"rate": rate})

    async def set_volatility_band(self, symbol: str, rate: str, auction_seconds: int) -> Json:
        """Sets the volatility band: a trade further from the last price than `rate` begins an auction. "0" and 0: no band."""
        body = {"rate": rate, "auction_seconds": auction_seconds}
        return await self._object("PUT", _of(symbol, "volatility_band"), body=body)

    async def kill_switch(self, *, on: bool, account: int | None = None) -> Json:
        """Turns the kill switch of an account, or of the venue, on or off. On: orders and amends are refused."""
        path = "/v1/admin" if account is None else f"/v1/admin/accounts/{account}"
        return await self._object("POST", f"{path}/kill_switch/{'on' if on else 'off'}")

    async def set_limits(
        self,
        account: int,
        *,
        max_order_quantity: int | None = None,
        max_order_value: str | None = None,
        max_open_orders: int | None = None,
        max_day_turnover: str | None = None,
    ) -> Json:
        """Sets all limits of an account. None: no limit."""
        body = {
            "max_order_quantity": max_order_quantity,
            "max_order_value": max_order_value,
            "max_open_orders": max_open_orders,
            "max_day_turnover": max_day_turnover,
        }
        return await self._object("PUT", f"/v1/admin/accounts/{account}/limits", body=body)

    async def bust_trade(self, trade_id: str, reason: str) -> Json:
        """Busts (takes back) a trade of the current trading day."""
        return await self._object("POST", f"/v1/admin/trades/{quote(trade_id, safe='')}/bust", body={"reason": reason})

    async def fees(self) -> list[Json]:
        """The fee rates of the account classes."""
        return await self._list("GET", "/v1/admin/fees")

    async def set_fees(self, account_class: int, *, maker_rate: str, taker_rate: str) -> Json:
        """Sets the fee rates of an account class, as fractions of a trade's value."""
        body = {"maker_rate": maker_rate, "taker_rate": taker_rate}
        return await self._object("PUT", f"/v1/admin/fees/{account_class}", body=body)

    async def open_account(self, name: str, *, owner: int = 0, account_class: int = 0) -> Json:
        """Opens an account; `account` of the reply is its number."""
        body = {"name": name, "owner": owner, "account_class": account_class}
        return await self._object("POST", "/v1/admin/accounts", body=body)

    async def accounts(self) -> list[Json]:
        """All accounts with their balances."""
        return await self._list("GET", "/v1/admin/accounts")

    async def change_cash(self, account: int, amount: str) -> Json:
        """Deposits `amount` yuan, or withdraws it where it is negative."""
        return await self._object("POST", f"/v1/admin/accounts/{account}/cash", body={"amount": amount})

    async def change_inventory(self, account: int, symbol: str, quantity: int) -> Json:
        """Receives `quantity` lots, or releases them where it is negative."""
        body = {"symbol": symbol, "quantity": quantity}
        return await self._object("POST", f"/v1/admin/accounts/{account}/inventory", body=body)

    async def issue_key(self, name: str, scopes: Iterable[str], *, account: int = 0) -> Json:
        """Issues an API key; `key` of the reply is the secret, which is shown only here."""
        body = {"name": name, "scopes": list(scopes), "account": account}
        return await self._object("POST", "/v1/admin/keys", body=body)

    async def revoke_key(self, key_id: str) -> Json:
        """Revokes an API key: the venue refuses it from now on."""
        return await self._object("DELETE", f"/v1/admin/keys/{quote(key_id, safe='')}")

    # ------------------------------------------------------------------ requests

    async def _object(self, method: str, path: str, *, query: Json | None = None, body: Any = None) -> Json:
        answer: Json = await self._call(method, path, query, body)
        return answer

    async def _list(self, method: str, path: str, *, query: Json | None = None, body: Any = None) -> list[Json]:
        answer: list[Json] = await self._call(method, path, query, body)
        return answer

    async def _call(self, method: str, path: str, query: Json | None, body: Any) -> Any:
        params = {name: value for name, value in (query or {}).items() if value is not None}
        content = None if body is None else msgspec.json.encode(body)
        headers = None if body is None else {"content-type": "application/json"}
        try:
            answer = await self._http.request(method, path, params=params, content=content, headers=headers)
        except (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout) as error:
            raise Unreachable(f"{self._http.base_url} does not answer: {error}") from error
        except httpx.TransportError as error:
            raise OutcomeUnknown(f"{method} {path}: no reply ({type(error).__name__})") from error
        if answer.is_success:
            return msgspec.json.decode(answer.content)
        raise _error(answer.status_code, answer.content)


def _switch(action: str, symbol: str | None) -> str:
    return f"/v1/admin/{action}" if symbol is None else _of(symbol, action)


def _of(symbol: str, what: str) -> str:
    return f"/v1/admin/instruments/{quote(symbol, safe='')}/{what}"


def _error(status: int, content: bytes) -> RexError | OutcomeUnknown:
    return error_of(read_problem(status, content))


def read_problem(status: int, content: bytes) -> Mapping[str, Any]:
    """The problem document of an answer; one with the code `unreadable_answer` if it has none."""
    try:
        problem = msgspec.json.decode(content)
    except msgspec.DecodeError:
        problem = None
    if isinstance(problem, dict) and "code" in problem:
        return problem
    return {"status": status, "code": "unreadable_answer", "detail": content[:200].decode("utf-8", "replace")}
