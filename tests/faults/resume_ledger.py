"""Someone who reads an account's ledger by its cursor while it grows, and what is wrong with the ledger at the end."""

from __future__ import annotations

import asyncio
from collections import Counter, defaultdict
from collections.abc import Iterator
from decimal import Decimal
from itertools import pairwise
from typing import Any

from rex_client import RexClient

from tests.faults.resume_venue import Told
from tests.faults.traders import PAGE

SAMPLE_LINES = 100

Json = dict[str, Any]
Key = tuple[Any, ...]


class LedgerReader:
    """Reads on from its cursor when asked to, through the same connections as the followers."""

    def __init__(self, client: RexClient, who: str) -> None:
        self.name = f"the {who}'s ledger"
        self._client = client
        self._cursor: str | None = None
        self._read: list[Json] = []
        self._last_page: list[Json] = []
        """It has no cursor yet: it may grow."""
        self._samples: list[list[Json]] = []
        self._asked = asyncio.Event()
        self._is_ending = False
        self.broken: list[str] = []

    @property
    def lines(self) -> list[Json]:
        """Every line so far, oldest first."""
        return self._read + self._last_page

    def ask(self) -> None:
        """Lets it read on."""
        self._asked.set()

    def end(self) -> None:
        """Lets `follow` end by itself: a call of a killed venue must not be canceled."""
        self._is_ending = True
        self._asked.set()

    async def follow(self) -> None:
        """Reads to the present end whenever it is asked to, and looks at two other pages."""
        while not self._is_ending:
            await self._asked.wait()
            self._asked.clear()
            await self.read_on()
            await self._sample()

    async def read_on(self) -> None:
        """Reads to the present end."""
        is_last = False
        while not is_last:
            page = await self._client.ledger(order="oldest", limit=PAGE, cursor=self._cursor)
            lines, cursor = page["lines"], page["next_cursor"]
            if lines[: len(self._last_page)] != self._last_page:
                self.broken.append(f"{self.name}: lines that were read have changed")
            is_last = cursor is None
            if is_last:
                self._last_page = lines
            else:
                self._read += lines
                self._last_page, self._cursor = [], cursor

    async def _sample(self) -> None:
        """The newest lines, and those since the last one that was read."""
        newest = (await self._client.ledger(limit=SAMPLE_LINES))["lines"]
        self._samples.append(newest[::-1])
        start = self.lines[-1]["time"]
        self._samples.append((await self._client.ledger(order="oldest", start=start, limit=SAMPLE_LINES))["lines"])

    def off(self, told: Told) -> list[str]:
        """What is wrong with the ledger, as sentences."""
        broken = list(self.broken)
        if self.lines != told.ledger:
            broken.append(f"{self.name}: {len(self.lines)} lines were read, {len(told.ledger)} are there")
        places = {_key(line): place for place, line in enumerate(self.lines)}
        for sample in self._samples:
            first = places.get(_key(sample[0]), 0)
            if sample != self.lines[first : first + len(sample)]:
                broken.append(f"{self.name}: a page from seq {sample[0]['seq']} on has other lines")
        return broken + [f"{self.name}: {what}" for what in ledger_faults(self.lines, told)]


def ledger_faults(lines: list[Json], told: Told) -> Iterator[str]:
    """What is wrong with an account's whole ledger."""
    keys = Counter(map(_key, lines))
    if len(keys) != len(lines) or any(later["seq"] < line["seq"] for line, later in pairwise(lines)):
        yield "a line came twice, or before an earlier one"
    yield from _balances_off(lines, told)
    moved = Counter(
        (line["trade_id"], line["order_id"], line["cause"], *_moved(line)) for line in lines if line["trade_id"]
    )
    expected = Counter(entry for fill in told.fills for entry in _of_fill(fill))
    if moved != expected:
        yield f"{(expected - moved).total()} trades or busts are missing or wrong, {(moved - expected).total()} too many"
    yield from _reserves_off(lines, told)


def _balances_off(lines: list[Json], told: Told) -> Iterator[str]:
    """Each line's balances must be those of the line before and its own changes; the last ones the account's."""
    cash = reserved = Decimal()
    goods: dict[str, tuple[int, int]] = {}
    for line in lines:
        balance, symbol = line["balance"], line["symbol"]
        cash, reserved = cash + Decimal(line["cash"]), reserved + Decimal(line["reserved"])
        if symbol is not None:
            held, held_reserved = goods.get(symbol, (0, 0))
            goods[symbol] = held + line["quantity"], held_reserved + line["reserved_quantity"]
        if (Decimal(balance["cash"]), Decimal(balance["reserved"])) != (cash, reserved) or (
            symbol is not None and (balance["quantity"], balance["reserved_quantity"]) != goods[symbol]
        ):
            yield f"the balances after {line['seq']} are not those before it and the line"
            return
    holdings = {each["symbol"]: (each["quantity"], each["reserved"]) for each in told.account["holdings"]}
    there = Decimal(told.account["cash"]), Decimal(told.account["reserved"]), holdings
    if (cash, reserved, goods) != there:
        yield f"it ends with {cash}, {reserved} and {goods}, the account has {there}"


def _reserves_off(lines: list[Json], told: Told) -> Iterator[str]:
    """Each order that was taken in must have reserved once, and have its reserve back when it ended."""
    entered = [line["order_id"] for line in lines if line["cause"] == "reserve"]
    if sorted(entered) != sorted(order["order_id"] for order in told.orders if order["state"] != "rejected"):
        yield f"{len(entered)} orders reserved, {len(told.orders)} are there"
    left = defaultdict[str, Decimal](Decimal)
    for line in lines:
        if line["order_id"] is not None:
            left[line["order_id"]] += Decimal(line["reserved"]) + line["reserved_quantity"]
    is_open = {order["order_id"]: order["state"] in ("new", "partially_filled") for order in told.orders}
    wrong = [order_id for order_id, reserve in left.items() if (reserve > 0) != is_open.get(order_id)]
    if wrong:
        yield f"{len(wrong)} orders ended with a reserve, or are open without one"


def _of_fill(fill: Json) -> Iterator[Key]:
    """The lines of a fill: trade, order, cause, cash, fee, lots."""
    amount, fee, sign = Decimal(fill["amount"]), Decimal(fill["fee"]), 1 if fill["side"] == "buy" else -1
    yield fill["trade_id"], fill["order_id"], "trade", -sign * amount - fee, fee, sign * fill["quantity"]
    if fill["busted"]:
        yield fill["trade_id"], fill["order_id"], "bust", sign * amount + fee, -fee, -sign * fill["quantity"]


def _moved(line: Json) -> tuple[Decimal, Decimal, int]:
    return Decimal(line["cash"]), Decimal(line["fee"]), line["quantity"]


def _key(line: Json) -> Key:
    return line["seq"], line["cause"], line["order_id"], line["trade_id"]
