"""Accounts in the state of the venue."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


class VenueHolding:
    """Lots of one instrument in an account."""

    __slots__ = ("lots", "reserved_lots")

    def __init__(self, lots: int = 0, reserved_lots: int = 0) -> None:
        self.lots = lots
        self.reserved_lots = reserved_lots


class VenueAccount:
    """One account. Available: cash_fen − reserved_fen, and lots − reserved_lots of each holding. A limit of 0: none."""

    __slots__ = (
        "account",
        "account_class",
        "cash_fen",
        "day_fen",
        "holdings",
        "kill_switch",
        "max_day_fen",
        "max_open_orders",
        "max_order_fen",
        "max_order_lots",
        "name",
        "open_orders",
        "owner",
        "reserved_fen",
    )

    def __init__(self, account: int, name: str, owner: int = 0, account_class: int = 0) -> None:
        self.account = account
        self.name = name
        self.owner = owner or account
        self.account_class = account_class
        self.cash_fen = self.reserved_fen = 0
        self.holdings: dict[int, VenueHolding] = {}
        self.max_order_lots = self.max_order_fen = self.max_open_orders = self.max_day_fen = 0
        self.kill_switch = False
        self.open_orders = 0
        self.day_fen = 0
        """Turnover of the trading day: amounts bought plus amounts sold, without busted trades."""

    @classmethod
    def from_columns(cls, columns: Mapping[Any, Any]) -> VenueAccount:
        """An account from a row of the read database's `accounts`: without holdings, open orders and turnover."""
        account = cls(columns["account"], columns["name"], columns["owner"], columns["account_class"])
        for name in ("cash_fen", "reserved_fen", "max_order_lots", "max_order_fen", "max_open_orders", "max_day_fen"):
            setattr(account, name, columns[name])
        account.kill_switch = bool(columns["kill_switch"])
        return account

    def holding(self, instrument: int) -> VenueHolding:
        """The holding of one instrument; an empty one is created where there is none."""
        held = self.holdings.get(instrument)
        if held is None:
            held = self.holdings[instrument] = VenueHolding()
        return held
