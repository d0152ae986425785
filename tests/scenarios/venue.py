"""The venue of every scenario: it runs the commands of sentences and answers questions about the state."""

from __future__ import annotations

import re
from collections import Counter

from matching_engine import Engine
from matching_engine.records import VENUE, Event, EventKind, OrderType, Side
from tests.model.naive_engine import NaiveEngine
from tests.scenarios.names import Names, whole, yuan
from tests.scenarios.sentences import UnknownSentence, command
from tests.scenarios.wording import ENDS, MARKET_DATA, Wording

OPENING = """
phase CONTINUOUS
list Nd: reference 100, a tick 1.00 yuan, band 10 %, at most 1,000 lots
list Dy: reference 100, a tick 1.00 yuan, band 10 %, at most 1,000 lots
open Ann
open Bob
open Cat
open Dan
open Amy, group of Ann
day roll to 2023-12-01
"""
CASH, LOTS = "1,000,000", "10,000"
REPEAT = re.compile(r"([\d,]+) times: (.+)")
Answer = list[tuple[str, str]]


class Venue:
    """An engine after the opening (README.md says it in words), each of the five members with CASH and LOTS of both goods.
    `events` is every event so far."""

    def __init__(self, engine: Engine | NaiveEngine) -> None:
        self.engine = engine
        self.names = Names()
        self.wording = Wording(self.names)
        self.seq = 0
        self.events: list[Event] = []
        self.balances: Counter[tuple[int, str]] = Counter()
        self.levels: dict[tuple[int, int, int], tuple[int, int]] = {}
        for line in OPENING.strip().splitlines():
            self.say(line)
        for name in list(self.names.accounts)[2:]:
            self.say(f"{name} deposits {CASH} yuan")
            for symbol in self.names.symbols:
                self.say(f"{name} receives {LOTS} {symbol}")
        self.opening = Counter(self.balances)

    def say(self, text: str, with_money: bool = False) -> tuple[Answer, list[str]]:
        """Runs a sentence. Returns (events with their money, market data), or the answer to a question."""
        questions = {"book": self._book, "balances": self._balances, "turnover": self._turnover}
        if text in questions:
            return [(line, "") for line in questions[text]()], []
        if repeated := REPEAT.fullmatch(text):
            return self._repeated(whole(repeated[1]), repeated[2]), []
        answer = self._command(text, with_money)
        self._agree()
        return answer

    def _command(self, text: str, with_money: bool) -> tuple[Answer, list[str]]:
        label = re.match(r"#(\d+) \w+ (buys|sells) ", text)
        self.seq += 1
        if label:
            if int(label[1]) != len(self.names.orders) + 1:
                raise UnknownSentence(f"orders are numbered as they come: {text}")
            self.names.orders[label[1]] = self.seq
        asked = command(text, self.names, self.seq)
        events = self.engine.submit(asked)
        self.events += events
        self._add_up(events)
        words = self.wording.words(asked, events, with_money)
        last = len(events)
        while last and events[last - 1].kind in MARKET_DATA:
            last -= 1
        return words[:last], [line for line, _ in words[last:]]

    def _repeated(self, count: int, text: str) -> Answer:
        """The answers to a repeated sentence with their numbers, without market data."""
        answers = [", ".join(line for line, _ in self._command(text, False)[0]) for _ in range(count)]
        self._agree()
        seen = Counter(re.sub(r" order id \d+", "", answer) for answer in answers)
        return [(f"{times:,} times {answer}", "") for answer, times in seen.items()]

    # Each balance and each level is a sum over events (`records`): the engine's views must equal it.

    def _add_up(self, events: list[Event]) -> None:
        for e in events:
            goods = self.names.symbols[e.instrument] if e.instrument < len(self.names.symbols) else ""
            self._move(e, goods)
            if e.kind == EventKind.LEVEL:
                self.levels[e.instrument, e.side, e.price_ticks] = (e.quantity_lots, e.number)

    def _agree(self) -> None:
        assert self.levels_shown() == {key: value for key, value in self.levels.items() if value != (0, 0)}
        for account in range(1, self.engine.accounts + 1):
            summed = self.balances[account, "yuan"], self.balances[account, "yuan reserved"]
            assert summed == self.engine.cash(account), f"the events do not add up to the cash of account {account}"
            for instrument, symbol in enumerate(self.names.symbols[: self.engine.instruments]):
                summed = self.balances[account, symbol], self.balances[account, f"{symbol} reserved"]
                assert summed == self.engine.holding(account, instrument), f"nor to its {symbol}"

    def _move(self, e: Event, goods: str) -> None:
        if e.kind == EventKind.BALANCE_CHANGED:
            self.balances[e.account, "yuan"] += e.amount_fen
            self.balances[e.account, goods] += e.quantity_lots
        elif e.kind == EventKind.TRADE:
            buyer, seller = self._exchange(e, goods, 1)
            self.balances[buyer, "yuan reserved"] += e.reserve_fen
            self.balances[seller, f"{goods} reserved"] -= e.quantity_lots
        elif e.kind == EventKind.TRADE_BUSTED:
            self._exchange(e, goods, -1)
        elif e.kind in (EventKind.ACCEPTED, EventKind.REPLACED, *ENDS):
            self.balances[e.account, "yuan reserved"] += e.reserve_fen
            if e.side == Side.SELL:
                sign = -1 if e.kind in ENDS else 1
                self.balances[e.account, f"{goods} reserved"] += sign * e.quantity_lots

    def _exchange(self, e: Event, goods: str, sign: int) -> tuple[int, int]:
        """Applies the cash and lots of a trade, or reverses them. Returns (buyer, seller)."""
        parties = [(e.account, e.fee_fen), (e.maker_account, e.maker_fee_fen)]
        (buyer, buyer_fee), (seller, seller_fee) = parties if e.side == Side.BUY else parties[::-1]
        self.balances[buyer, "yuan"] -= sign * (e.amount_fen + buyer_fee)
        self.balances[seller, "yuan"] += sign * (e.amount_fen - seller_fee)
        self.balances[VENUE, "yuan"] += sign * (e.fee_fen + e.maker_fee_fen)
        self.balances[buyer, goods] += sign * e.quantity_lots
        self.balances[seller, goods] -= sign * e.quantity_lots
        return buyer, seller

    def levels_shown(self) -> dict[tuple[int, int, int], tuple[int, int]]:
        """(lots shown, orders) at each price of the book, from the engine's state."""
        levels: dict[tuple[int, int, int], tuple[int, int]] = {}
        for row in self._open_orders():
            if row["trigger_ticks"] == 0:
                key = row["instrument"], row["side"], row["price_ticks"]
                lots, orders = levels.get(key, (0, 0))
                levels[key] = lots + row["shown_lots"], orders + 1
        return levels

    def _open_orders(self) -> list[dict[str, int]]:
        """The engine's open orders, in the order of `state.ORDER_STATE`."""
        orders = self.engine.state().orders
        return [dict(zip(orders.dtype.names, values, strict=True)) for values in orders.tolist()]

    # Questions

    def _book(self) -> list[str]:
        """The open orders in the order of their trades: `buy #1 2 + 3 hidden @ 100`; then the waiting stops."""
        lines = []
        for row in self._open_orders():
            side = Side(row["side"]).name.lower()
            hidden = f" + {row['hidden_lots']} hidden" if row["hidden_lots"] else ""
            where = f"{self.names.symbol(row['instrument'])} @ {row['price_ticks']}"
            text = f"{side} {self.names.label(row['order_id'])} {row['shown_lots']}{hidden}{where}"
            if row["trigger_ticks"]:
                kind = OrderType(row["order_type"]).name
                text = f"waiting {text}, {kind} at {row['trigger_ticks']}"
            lines.append(text + (f", filled {row['filled_lots']}" if row["filled_lots"] else ""))
        return lines or ["empty"]

    def _balances(self) -> list[str]:
        """The change of each account's balances since the opening, and its reserves."""
        lines = []
        for name, account in self.names.accounts.items():
            cash = self.balances[account, "yuan"] - self.opening[account, "yuan"]
            parts = [f"{yuan(cash, '+')} yuan"] if cash else []
            if reserved := self.balances[account, "yuan reserved"]:
                parts.append(f"{yuan(reserved)} yuan reserved")
            for symbol in self.names.symbols:
                lots = self.balances[account, symbol] - self.opening[account, symbol]
                parts += [f"{lots:+,} {symbol}"] if lots else []
                if reserved := self.balances[account, f"{symbol} reserved"]:
                    parts.append(f"{reserved:,} {symbol} reserved")
            if parts:
                lines.append(f"{name} {', '.join(parts)}")
        return lines or ["as at the opening"]

    def _turnover(self) -> list[str]:
        """The year's turnover, this day's included."""
        return [f"{yuan(self.engine.turnover_fen(2023))} yuan"]
