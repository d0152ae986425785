"""Which trades do not count by decision, from the journal alone: its decisions and busts applied one after another."""

from __future__ import annotations

from services.commands.attachments import TradesDecided

TRADE_ID_SHIFT = 20
"""A trade's id is the seq of its command times 2**20, plus its place among the command's trades."""


class Excluded:
    """Takes decisions and busts in the journal's order."""

    def __init__(self) -> None:
        self.seqs: dict[int, int] = {}
        """By trade: the decision by which it does not count. A decision may name ids that no trade has."""
        self._busted: set[int] = set()

    def bust(self, trade_id: int) -> None:
        """The trade was busted: no decision excludes it any more."""
        self.seqs.pop(trade_id, None)
        self._busted.add(trade_id)

    def decide(self, seq: int, decided: TradesDecided) -> None:
        """A decision: it excludes only trades that were made before, count, and are not busted."""
        for trade_id in decided.trade_ids:
            if decided.decision == "include":
                self.seqs.pop(trade_id, None)
            elif trade_id >> TRADE_ID_SHIFT < seq and trade_id not in self._busted:
                self.seqs.setdefault(trade_id, seq)
