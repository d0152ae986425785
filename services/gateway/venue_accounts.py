"""Accounts as the gateway sees them."""

from __future__ import annotations


class Holding:
    """Lots of one instrument in an account."""

    __slots__ = ("lots", "reserved_lots")

    def __init__(self, lots: int = 0, reserved_lots: int = 0) -> None:
        self.lots = lots
        self.reserved_lots = reserved_lots


class VenueAccount:
    """One account's balances; what it may still spend is cash − reserved, lots − reserved lots."""

    __slots__ = ("account", "cash_fen", "holdings", "name", "owner", "reserved_fen")

    def __init__(self, account: int, name: str, owner: int = 0, cash_fen: int = 0, reserved_fen: int = 0) -> None:
        self.account = account
        self.name = name
        self.owner = owner
        self.cash_fen = cash_fen
        self.reserved_fen = reserved_fen
        self.holdings: dict[int, Holding] = {}

    def holding(self, instrument: int) -> Holding:
        """The lots of one instrument, from none on."""
        held = self.holdings.get(instrument)
        if held is None:
            held = self.holdings[instrument] = Holding()
        return held
