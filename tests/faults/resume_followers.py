"""Those who follow an account by subscription, and what differs from the venue at the end."""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from bisect import bisect_right
from collections.abc import Sequence
from typing import Any, NamedTuple

from rex_client import FellBehind, RexClient, RexError

from tests.faults.resume_venue import Told
from tests.faults.traders import SYMBOL
from tests.patience import PATIENCE_S

Json = dict[str, Any]


class Heard(ABC):
    """Someone who listens, from some moment on."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.began = asyncio.Event()
        self.broken: list[str] = []

    async def follow(self) -> None:
        """Listens, until it is canceled."""
        try:
            await self._follow()
        except (RexError, ConnectionError, FellBehind) as error:
            self.broken.append(f"{self.name} ended: {error}")

    @abstractmethod
    async def _follow(self) -> None: ...

    @abstractmethod
    def has_heard(self, told: Any) -> bool:
        """Whether the last command of what the venue has was heard."""

    @abstractmethod
    def off(self, told: Any) -> list[str]:
        """What differs from what the venue has, as sentences."""

    async def compare(self, told: Any) -> list[str]:
        """The same, once the last command was heard."""
        try:
            async with asyncio.timeout(PATIENCE_S):
                while not (self.broken or (self.began.is_set() and self.has_heard(told))):  # noqa: ASYNC110
                    await asyncio.sleep(0.01)
        except TimeoutError:
            return [f"{self.name}: the last command was not heard", *self.off(told)]
        return self.broken or self.off(told)


class Follower(Heard):
    """One subscription, and everything that its pushes told."""

    def __init__(self, client: RexClient, who: str, channel: str, symbols: Sequence[str] | None = None) -> None:
        super().__init__(f"the {who}'s {channel}")
        self.channel = channel
        self.seq = self.first_seq = self.resumed = self._snapshots = 0
        self._subscription = client.subscribe([channel], symbols)

    async def _follow(self) -> None:
        async for push in self._subscription:
            self._chain(push)
            self.take(push)
            self.began.set()

    def _chain(self, push: Json) -> None:
        if push["type"] == "snapshot":
            self._snapshots += 1
            self.first_seq = self.first_seq or push["seq"]
            if self._snapshots > 1:
                self.broken.append(f"{self.name} began {self._snapshots} times")
        elif push["prev_seq"] != self.seq:
            self.broken.append(f"{self.name} has a gap: {push['prev_seq']} does not follow {self.seq}")
        self.seq = push["seq"]
        self.resumed += push["type"] == "resumed"

    @abstractmethod
    def take(self, push: Json) -> None:
        """Remembers what a push told."""


class OrdersFollower(Follower):
    """Follows `orders`, `fills` or `drop_copy`."""

    def __init__(self, client: RexClient, who: str, channel: str) -> None:
        super().__init__(client, who, channel)
        self._orders: dict[str, Json] = {}
        self._fills: list[Json] = []
        self._busts: list[tuple[str, int]] = []

    def take(self, push: Json) -> None:
        """See Follower."""
        data = push["data"]
        self._orders |= {order["order_id"]: order for order in data.get("orders", ())}
        self._fills += [_unnumbered(fill) for fill in data["fills"]]
        self._busts += [(bust["trade_id"], bust["seq"]) for bust in data["busts"]]

    def has_heard(self, told: Told) -> bool:
        """See Heard."""
        return self.seq >= (told.seq_of_fills if self.channel == "fills" else told.seq)

    def off(self, told: Told) -> list[str]:
        """See Heard. Who joined in the middle knows the orders that were open then, and hears what came later."""
        later = [fill | {"busted": False} for fill in told.fills if fill["seq"] > self.first_seq]
        broken = fills_off(self.name, self._fills, later)
        busts = [(fill["trade_id"], told.bust_seqs[fill["trade_id"]]) for fill in told.fills if fill["busted"]]
        if sorted(self._busts) != sorted(bust for bust in busts if bust[1] > self.first_seq):
            broken.append(f"{self.name} tell other busts than the venue has")
        changed = [order for order in told.orders if order["seq"] > self.first_seq or self._begins_with(order)]
        if self.channel != "fills" and self._orders != {order["order_id"]: order for order in changed}:
            differ = sum(self._orders.get(order["order_id"]) != order for order in changed)
            broken.append(f"{self.name}: {differ} orders do not stand as the venue has them")
        return broken

    def _begins_with(self, order: Json) -> bool:
        return self.channel == "orders" and order["state"] in ("new", "partially_filled")


class _Balance(NamedTuple):
    cash: str
    reserved: str
    quantity: int
    reserved_quantity: int


class BalancesFollower(Follower):
    """Follows `balances`: each push must be what the ledger has after the push's command."""

    def __init__(self, client: RexClient, who: str) -> None:
        super().__init__(client, who, "balances")
        self._balances: Json = {}
        self._holdings: dict[str, Json] = {}
        self._told: list[tuple[int, _Balance]] = []

    def take(self, push: Json) -> None:
        """See Follower."""
        data = push["data"]
        self._balances |= {name: data[name] for name in ("cash", "reserved", "available") if name in data}
        self._holdings |= {holding["symbol"]: holding for holding in data["holdings"]}
        if push["type"] == "update":  # A resumed one may have come later than its seq.
            goods = self._holdings[SYMBOL]
            self._told.append(
                (push["seq"], _Balance(data["cash"], data["reserved"], goods["quantity"], goods["reserved"]))
            )

    def has_heard(self, told: Told) -> bool:
        """See Heard."""
        return self.seq >= int(told.ledger[-1]["seq"])

    def off(self, told: Told) -> list[str]:
        """See Heard."""
        account, broken = told.account, list[str]()
        held = [holding for _, holding in sorted(self._holdings.items()) if holding["quantity"]]
        if (self._balances, held) != ({name: account[name] for name in self._balances}, account["holdings"]):
            broken.append(f"{self.name} say {self._balances} and {held}, the venue {account}")
        seqs, after = [line["seq"] for line in told.ledger], _balances_after(told.ledger)
        wrong = [seq for seq, balance in self._told if after[bisect_right(seqs, seq) - 1] != balance]
        if wrong:
            broken.append(f"{self.name} differ from the ledger after {len(wrong)} commands, first after {wrong[0]}")
        return broken


def _balances_after(ledger: list[Json]) -> list[_Balance]:
    """The balances after each line: a line without an instrument does not say those of goods."""
    after, goods = list[_Balance](), (0, 0)
    for line in ledger:
        balance = line["balance"]
        if line["symbol"] == SYMBOL:
            goods = balance["quantity"], balance["reserved_quantity"]
        after.append(_Balance(balance["cash"], balance["reserved"], *goods))
    return after


def fills_off(name: str, told: list[Json], there: list[Json]) -> list[str]:
    """How the fills that were told differ from those that are there, as sentences."""
    if told == there:
        return []
    ids, wanted = [[(fill["trade_id"], fill["order_id"]) for fill in fills] for fills in (told, there)]
    if ids == wanted:
        return [f"{name}: a fill is not the venue's"]
    lost, twice = len(set(wanted) - set(ids)), len(ids) - len(set(ids))
    return [f"{name}: {lost} of {len(wanted)} fills are missed, {twice} came twice, or the order differs"]


def _unnumbered(fill: Json) -> Json:
    """Without the account, which only the drop copy says."""
    return {name: value for name, value in fill.items() if name != "account"}
