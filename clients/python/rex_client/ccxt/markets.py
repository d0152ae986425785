"""The markets of the venue, read once and again on demand; every other part of the adapter stands on this."""

from __future__ import annotations

from rex_client.ccxt.errors import BadSymbol, ccxt_errors
from rex_client.ccxt.has import HAS
from rex_client.ccxt.market import CURRENCY, FEN, Market, Number, market_of, rounded, rounded_down
from rex_client.ccxt.params import Json, Params, known
from rex_client.client import RexClient


class Markets:
    """The markets by unified symbol (`markets`), and who asks the venue (`client`)."""

    id = "rex"
    name = "REX"
    has = HAS

    def __init__(self, client: RexClient) -> None:
        self.client = client
        self.markets: dict[str, Json] = {}
        """The market structures by unified symbol; empty before `load_markets`."""
        self._by_symbol: dict[str, Market] = {}
        self._by_id: dict[str, Market] = {}

    @property
    def symbols(self) -> list[str]:
        """The unified symbols."""
        return sorted(self.markets)

    async def load_markets(self, reload: bool = False) -> dict[str, Json]:
        """Reads the markets if they are not read yet. The other methods do this by themselves. Price limits change with each
        trading day: `reload`."""
        if reload or not self.markets:
            with ccxt_errors():
                fees = await self.client.fees()
                found = [market_of(instrument, fees) for instrument in await self.client.instruments()]
            self._by_symbol = {market.symbol: market for market in found}
            self._by_id = {market.id: market for market in found}
            self.markets = {market.symbol: market.structure for market in found}
        return self.markets

    async def fetch_markets(self, params: Params | None = None) -> list[Json]:
        """Every market, read now."""
        known(params)
        return list((await self.load_markets(reload=True)).values())

    async def fetch_currencies(self, params: Params | None = None) -> dict[str, Json]:
        """Money and goods by their code. The precision of goods is the lot."""
        known(params)
        await self.load_markets()
        codes = {CURRENCY: (FEN, "Chinese yuan")}
        codes |= {
            each["base"]: (each["precision"]["amount"], each["info"]["name_en"]) for each in self.markets.values()
        }
        return {
            code: {"id": code, "code": code, "name": name, "active": True, "precision": precision, "info": None}
            for code, (precision, name) in codes.items()
        }

    def amount_to_precision(self, symbol: str, amount: float | Number) -> str:
        """The amount as text, cut off to whole lots. After `load_markets`."""
        return rounded_down(amount, self.markets[symbol]["precision"]["amount"])

    def price_to_precision(self, symbol: str, price: float | Number) -> str:
        """The price as text, rounded to the tick. After `load_markets`."""
        return rounded(price, self.markets[symbol]["precision"]["price"])

    async def _market(self, symbol: str) -> Market:
        await self.load_markets()
        found = self._by_symbol.get(symbol)
        if found is None:
            raise BadSymbol(f"{symbol} is no market of REX; one is, for example, PRND-OX/CNY")
        return found

    async def _id(self, symbol: str | None) -> str | None:
        await self.load_markets()
        return None if symbol is None else (await self._market(symbol)).id

    def _market_of_id(self, instrument_id: str) -> Market:
        return self._by_id[instrument_id]
