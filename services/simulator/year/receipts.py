"""Warehouse receipts and money of simulated members: booked in where a member runs short, taken out where it holds too much.

Producers sell what they book in, consumers take out what they buy: so a part of the turnover is delivered, and not all of it
is trading back and forth. The thresholds are assumptions of this project.
"""

from __future__ import annotations

from typing import Any, Protocol

import numpy as np

from matching_engine.records import CommandKind
from services.simulator.year.day_shape import SECOND_NS
from services.simulator.year.members import MAKERS
from services.simulator.year.orders import Market, blank

_LOW, _HIGH = 0.4, 1.6
"""Below and above these parts of its usual balance a member books in or takes out, back to the usual balance."""
_MAKER_PART, _MEMBER_PART = 0.05, 0.005
"""Usual lots as parts of the lots that the instrument trades in a year; usual money as parts of the year's turnover."""
_FEWEST_LOTS = 40


class Balances(Protocol):
    """The part of the engine that is read."""

    def cash(self, account: int) -> tuple[int, int]:
        """Cash and the reserved part of it, in fen."""

    def holding(self, account: int, instrument: int) -> tuple[int, int]:
        """Lots and the reserved part of them."""


class Endowment:
    """The usual balances of every member: fen, and lots by instrument."""

    def __init__(self, market: Market, year_fen: int, reference_ticks: Any) -> None:
        part = np.full(len(market.accounts), _MEMBER_PART)
        part[:MAKERS] = _MAKER_PART
        year_lots = market.lots(year_fen * market.share, reference_ticks)
        self.lots = np.ceil(part[:, None] * year_lots).astype(np.int64) + _FEWEST_LOTS
        self.cash_fen = np.ceil(part * year_fen).astype(np.int64) * 2
        self._accounts = market.accounts

    def corrections(self, balances: Balances, start_ns: int) -> Any:
        """The commands that bring members back to their usual balances, one a second from start_ns on. Reserved parts are not
        taken out."""
        rows: list[tuple[CommandKind, int, int, int, int]] = []
        for member, account in enumerate(self._accounts.tolist()):
            usual_fen = int(self.cash_fen[member])
            cash_fen, reserved_fen = balances.cash(account)
            if not _LOW * usual_fen <= cash_fen <= _HIGH * usual_fen:
                amount_fen = usual_fen - cash_fen
                kind = CommandKind.DEPOSIT if amount_fen > 0 else CommandKind.WITHDRAW
                rows.append((kind, account, 0, 0, min(abs(amount_fen), cash_fen - reserved_fen) if amount_fen < 0 else amount_fen))
            for instrument, usual in enumerate(self.lots[member].tolist()):
                lots, reserved = balances.holding(account, instrument)
                if not _LOW * usual <= lots <= _HIGH * usual:
                    missing = usual - lots
                    kind = CommandKind.RECEIVE if missing > 0 else CommandKind.RELEASE
                    rows.append((kind, account, instrument, missing if missing > 0 else min(-missing, lots - reserved), 0))
        return _commands([row for row in rows if row[3] + row[4] > 0], start_ns)


def _commands(rows: list[tuple[CommandKind, int, int, int, int]], start_ns: int) -> Any:
    commands = blank(len(rows), CommandKind.DEPOSIT)
    for name, values in zip(("kind", "account", "instrument", "quantity_lots", "amount_fen"), zip(*rows), strict=False):
        commands[name] = values
    commands["time_ns"] = start_ns + SECOND_NS * np.arange(len(rows))
    return commands
