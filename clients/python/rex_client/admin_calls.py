"""The routes of administrators as methods: accounts, fees, keys, users."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any
from urllib.parse import quote

from rex_client.calls import Amount, Calls, Fields, Json


class AdminCalls(Calls):
    """Administration over REST. `seq` of a reply is the command that was carried out. An act that needs a second person at this
    venue raises Proposed.

    A call with an `idempotency_key` that is sent again is carried out once, through whichever gateway, also after a restart of
    the program. With `patience_s` the client gives each call a key of its own and sends it again after an unknown outcome, but
    for `issue_key` and what concerns users.
    """

    # ------------------------------------------------------------------ accounts

    async def open_account(
        self, name: str, *, owner: int = 0, account_class: int = 0, idempotency_key: str | None = None
    ) -> Json:
        """Opens an account; `account` of the reply is its number."""
        body = {"name": name, "owner": owner, "account_class": account_class}
        return await self._change("POST", "/v1/admin/accounts", body, idempotency_key)

    async def accounts(self, *, limit: int = 100, cursor: str | None = None) -> Json:
        """One page of the accounts with their balances, oldest first: `accounts` and `next_cursor`."""
        return await self._object("GET", "/v1/admin/accounts", query={"limit": limit, "cursor": cursor})

    async def change_cash(self, account: int, amount: Amount, *, idempotency_key: str | None = None) -> Json:
        """Deposits `amount` yuan, or withdraws it where it is negative."""
        path = f"/v1/admin/accounts/{account}/cash"
        return await self._change("POST", path, {"amount": amount}, idempotency_key)

    async def change_inventory(
        self, account: int, symbol: str, quantity: int, *, idempotency_key: str | None = None
    ) -> Json:
        """Receives `quantity` lots, or releases them where it is negative."""
        body = {"symbol": symbol, "quantity": quantity}
        return await self._change("POST", f"/v1/admin/accounts/{account}/inventory", body, idempotency_key)

    async def fees_by_class(self) -> list[Json]:
        """The fee rates of all account classes."""
        return await self._list("/v1/admin/fees")

    async def set_fees(self, account_class: int, *, maker_rate: Amount, taker_rate: Amount) -> Json:
        """Sets the fee rates of an account class, as fractions of a trade's value."""
        body = {"maker_rate": maker_rate, "taker_rate": taker_rate}
        return await self._change("PUT", f"/v1/admin/fees/{account_class}", body)

    # ------------------------------------------------------------------ keys

    async def keys(self, *, limit: int = 100, cursor: str | None = None) -> Json:
        """One page of the keys that are not revoked, newest first: `keys` and `next_cursor`. Never a secret."""
        return await self._object("GET", "/v1/admin/keys", query={"limit": limit, "cursor": cursor})

    async def issue_key(self, name: str, scopes: Iterable[str], *, account: int = 0, **options: Any) -> Json:
        """Issues an API key; `key` of the reply is the secret, which is shown only here. `options` are further fields of the
        body: `expires`, `addresses`, `limits`. It is sent once: no repeat would tell the secret."""
        body = {"name": name, "scopes": list(scopes), "account": account, **options}
        return await self._object("POST", "/v1/admin/keys", body=body)

    async def set_key_limits(
        self,
        key_id: str,
        *,
        orders: Fields | None = None,
        cancels: Fields | None = None,
        reads: Fields | None = None,
        reason: str = "",
    ) -> Json:
        """Sets all rate limits of a key, each {"per_s": 200, "burst": 1000}. None: the venue's default."""
        body = {"orders": orders, "cancels": cancels, "reads": reads, "reason": reason}
        return await self._change("PUT", f"/v1/admin/keys/{quote(key_id, safe='')}/limits", body)

    async def revoke_key(self, key_id: str) -> Json:
        """Revokes an API key: the venue refuses it from now on."""
        return await self._change("DELETE", f"/v1/admin/keys/{quote(key_id, safe='')}")

    # ------------------------------------------------------------------ people

    async def users(self, *, limit: int = 100, cursor: str | None = None) -> Json:
        """One page of the people who may log in, with their roles, oldest first: `users` and `next_cursor`."""
        return await self._object("GET", "/v1/admin/users", query={"limit": limit, "cursor": cursor})

    async def add_user(self, name: str, role: str, *, account: int = 0, password: str | None = None) -> Json:
        """Adds a user. Without a password, `user_link` makes a link to set one."""
        body = {"name": name, "role": role, "account": account, "password": password}
        return await self._object("POST", "/v1/admin/users", body=body)

    async def set_user_role(self, user_id: str, role: str, *, account: int = 0) -> Json:
        """Changes a user's role; their sessions end."""
        return await self._object("PUT", f"{_user(user_id)}/role", body={"role": role, "account": account})

    async def set_user_password(self, user_id: str, password: str) -> Json:
        """Changes a user's password; their sessions end."""
        return await self._object("PUT", f"{_user(user_id)}/password", body={"password": password})

    async def user_link(self, user_id: str) -> Json:
        """Makes a one-time link to a new password; `path` of the reply is shown only here."""
        return await self._object("POST", f"{_user(user_id)}/link")

    async def remove_user(self, user_id: str) -> Json:
        """Removes a user; their sessions end."""
        return await self._object("DELETE", _user(user_id))


def _user(user_id: str) -> str:
    return f"/v1/admin/users/{quote(user_id, safe='')}"
