"""`RexCcxt`: REX by ccxt's names."""

from __future__ import annotations

from types import TracebackType
from typing import TYPE_CHECKING, NoReturn

from rex_client.ccxt.account_methods import AccountMethods
from rex_client.ccxt.errors import NotSupported
from rex_client.ccxt.has import MISSING_METHODS
from rex_client.ccxt.order_methods import OrderMethods
from rex_client.ccxt.watch_methods import WatchMethods
from rex_client.client import RexClient


class RexCcxt(WatchMethods, OrderMethods, AccountMethods):
    """The venue at `url`, by ccxt's names. An async context manager; `client` is the RexClient behind it.

    `has` tells which of ccxt's methods there are; one of the others raises NotSupported. `key` and
    `patience_s` as of RexClient.
    """

    def __init__(self, url: str, key: str | None = None, *, patience_s: float = 0.0) -> None:
        super().__init__(RexClient(url, key, patience_s=patience_s))

    async def __aenter__(self) -> RexCcxt:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """Closes every connection; what waits for a push ends with NetworkError."""
        await self.client.close()

    if not TYPE_CHECKING:  # A type checker should know only the methods that there are.

        def __getattr__(self, name: str) -> object:
            if name not in MISSING_METHODS:
                raise AttributeError(f"{type(self).__name__} has no attribute {name!r}")

            async def not_supported(*_arguments: object, **_named: object) -> NoReturn:
                raise NotSupported(f"{MISSING_METHODS[name]}: REX has nothing like it")

            return not_supported
