"""Members who trade with each other and with themselves, for the surveillance page."""

from __future__ import annotations

from random import Random
from typing import Any

from tests.browser.conftest import VenueProcess
from tests.browser.operating import administration
from tests.patience import HttpClient

SYMBOL = "PRND-OX"
RING = ("Ring North", "Ring South")
SELF_TRADER = "Works 3"


class Market:
    """Members of a venue, each with a key that trades."""

    def __init__(self, venue: VenueProcess, client: HttpClient, names: list[str]) -> None:
        self._client = client
        self._price = venue.get(f"/v1/market/{SYMBOL}/ticker")["reference_price"]
        self.accounts: dict[str, int] = {}
        self._keys: dict[str, str] = {}
        with administration(venue) as client:
            for name in names:
                account = self._asked(client, "/v1/admin/accounts", name=name)["account"]
                self._asked(client, f"/v1/admin/accounts/{account}/cash", amount="100000000000.00")
                self._asked(client, f"/v1/admin/accounts/{account}/inventory", symbol=SYMBOL, quantity=500)
                key = self._asked(client, "/v1/admin/keys", name=name, scopes=["read", "trade"], account=account)
                self.accounts[name], self._keys[name] = account, key["key"]

    def deal(self, seller: str, buyer: str, lots: int) -> None:
        """One trade of two members, who enter their orders one after the other."""
        self.order(seller, "sell", lots)
        self.order(buyer, "buy", lots)

    def order(self, name: str, side: str, lots: int) -> None:
        order = {"symbol": SYMBOL, "side": side, "price": self._price, "quantity": lots}
        headers = {"authorization": f"Bearer {self._keys[name]}"}
        self._client.post("/v1/orders", json=order, headers=headers).raise_for_status()

    @staticmethod
    def _asked(client: HttpClient, path: str, **body: Any) -> Any:
        answer = client.post(path, json=body)
        answer.raise_for_status()
        return answer.json()


def trade_a_day(market: Market, others: list[str]) -> None:
    """60 trades of members who meet by chance, ten of the ring, and five self-trade attempts."""
    chance = Random(2)
    for number in range(60):
        seller, buyer = chance.sample(others, 2)
        market.deal(seller, buyer, chance.randint(1, 9))
        if number % 6 == 0:
            seller, buyer = RING if number % 12 else RING[::-1]
            market.deal(seller, buyer, 7)
    market.order(SELF_TRADER, "sell", 1)
    for _ in range(5):
        market.order(SELF_TRADER, "buy", 1)
