"""Warehouse receipts and money of simulated members: booked in where a member runs short, taken out where it holds too much.

Producers sell what they book in, consumers take out what they buy: so a part of the turnover is delivered, and not all of it
is trading back and forth. The thresholds are assumptions of this project.
"""

from __future__ import annotations

from typing import Any, NamedTuple, Protocol

import numpy as np

from matching_engine.records import CommandKind
from services.simulator.year.day_shape import SECOND_NS
from services.simulator.year.members import MAKERS
from services.simulator.year.orders import SimulatedMarket, blank

_LOW, _HIGH = 0.4, 1.6
"""Below and above these parts of its usual balance a member books in or takes out, back to the usual balance."""
_MAKER_PART, _MEMBER_PART = 0.05, 0.005
_MAKER_ORDERS, _MEMBER_ORDERS = 60, 15
"""Usual lots are worth so many mean orders, and a part of what the instrument trades in a year; usual money twice a part of the
turnover and so many orders."""


class VenueBalances(Protocol):
    """The part of the engine that is read."""

    def cash(self, account: int) -> tuple[int, int]:
        """Cash and the reserved part of it, in fen."""

    def holding(self, account: int, instrument: int) -> tuple[int, int]:
        """Lots and the reserved part of them."""


class KeptBalances(NamedTuple):
    """What members hold and never touch: fen by member, lots by member and instrument."""

    cash_fen: Any
    lots: Any


class Endowment:
    """The opening balances of every member, `cash_fen` and `lots` by instrument: the usual balances, and beside them `kept`."""

    def __init__(
        self, market: SimulatedMarket, year_fen: int, order_fen: float, reference_ticks: Any, kept: KeptBalances
    ) -> None:
        is_maker = np.arange(len(market.accounts)) < MAKERS
        part = np.where(is_maker, _MAKER_PART, _MEMBER_PART)
        least_fen = order_fen * np.where(is_maker, _MAKER_ORDERS, _MEMBER_ORDERS)
        worth_fen = part[:, None] * year_fen * market.share + least_fen[:, None]
        self.lots = np.ceil(market.lots(worth_fen, reference_ticks)).astype(np.int64) + kept.lots
        self.cash_fen = np.ceil(2 * (part * year_fen + least_fen)).astype(np.int64) + kept.cash_fen
        self._kept = kept
        self._accounts = market.accounts

    def corrections(self, balances: VenueBalances, start_ns: int) -> Any:
        """The commands that bring members back to their usual balances, one a second from start_ns on. Reserved parts are not
        taken out."""
        rows: list[_Row] = []
        for member, account in enumerate(self._accounts.tolist()):
            change_fen = _correction(
                int(self.cash_fen[member]), *balances.cash(account), int(self._kept.cash_fen[member])
            )
            if change_fen:
                kind = CommandKind.DEPOSIT if change_fen > 0 else CommandKind.WITHDRAW
                rows.append(_Row(kind, account, amount_fen=abs(change_fen)))
            kept = self._kept.lots[member].tolist()
            for instrument, opening in enumerate(self.lots[member].tolist()):
                change_lots = _correction(opening, *balances.holding(account, instrument), kept[instrument])
                if change_lots:
                    kind = CommandKind.RECEIVE if change_lots > 0 else CommandKind.RELEASE
                    rows.append(_Row(kind, account, instrument, abs(change_lots)))
        return _commands(rows, start_ns)


class _Row(NamedTuple):
    kind: CommandKind
    account: int
    instrument: int = 0
    quantity_lots: int = 0
    amount_fen: int = 0


def _correction(opening: int, present: int, reserved: int, kept: int) -> int:
    """What to add to a balance, or to take out if it is negative; 0 while what is not kept is near its usual size."""
    usual, own = opening - kept, present - kept
    if own < _LOW * usual:
        return usual - own
    return -min(own - usual, present - reserved) if own > _HIGH * usual else 0


def _commands(rows: list[_Row], start_ns: int) -> Any:
    commands = blank(len(rows), CommandKind.DEPOSIT)
    for place, name in enumerate(_Row._fields):
        commands[name] = [row[place] for row in rows]
    commands["time_ns"] = start_ns + SECOND_NS * np.arange(len(rows))
    return commands
