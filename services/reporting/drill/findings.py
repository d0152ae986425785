"""The trades of a finding of the wash screen."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from sqlalchemy.ext.asyncio import AsyncEngine

from services.reporting.drill.filters import decided_about
from services.reporting.in_time import connect_in_time, turn_in_time
from services.reporting.queries import read_position
from services.reporting.requests import invalid_query, recorded
from services.surveillance.reading import read_control, read_screen_trades
from services.surveillance.screen import screen

_MOST_FINDINGS = 64
"""Bound of the findings that are kept, of all readers; one that is asked for again after that costs a screen."""


class FoundTrades(NamedTuple):
    """The trades of a finding."""

    trade_ids: Sequence[int]
    seq: int | None
    """The command after which the screen finds it; None where only a decision names it."""


class FindingTrades:
    """Screens a year when a finding is asked for that is not kept.

    A finding's id is made of its trades, so its trades are the same in any screen that finds it. A ring that trades on makes
    another finding: a page names the seq at which its finding was found, and every gateway finds it there again.

    Not of the past are the quantities of orders. So after a change of an open order that had traded, a gateway that has not
    kept the finding may find none.
    """

    def __init__(self, read_database: AsyncEngine) -> None:
        self._read_database = read_database
        self._screening = asyncio.Semaphore(1)
        self._kept: OrderedDict[tuple[int, str], FoundTrades] = OrderedDict()
        """By year and finding; the one that was not asked for the longest is first."""

    async def read(self, year: int | None, finding: str, seq: int | None = None) -> FoundTrades:
        """The finding's trades. It is looked for after the command seq, at the present without one.

        Raises a 422 problem where neither the screen nor a decision knows it.
        """
        if year is None:
            raise invalid_query("finding", "needs `year`: the screen finds it in the trades of a year")
        async with turn_in_time(self._screening):
            if (year, finding) in self._kept:
                self._kept.move_to_end((year, finding))
                return self._kept[year, finding]
            async with connect_in_time(self._read_database) as connection:
                decided = await decided_about(connection, finding)
                at_seq = recorded(await read_position(connection))["seq"] if seq is None else seq
                made = await read_screen_trades(connection, year * 10_000, year * 10_000 + 9_999, at_seq)
                control, _ = await read_control(connection, at_seq)
            # It takes some hundred milliseconds of CPU, which the event loop needs for orders.
            screened = await asyncio.to_thread(screen, made, control=control)
            found = {one.finding_id: FoundTrades(one.trade_ids, at_seq) for one in screened}
            if finding in found:
                self._keep(year, found, finding)
                return found[finding]
        if decided:
            return FoundTrades(decided, None)
        raise invalid_query(
            "finding", f"the wash screen of {year} has no finding {finding[:40]!r}, and no decision names it"
        )

    def _keep(self, year: int, found: Mapping[str, FoundTrades], asked: str) -> None:
        for finding in (*found, asked):  # the one that was asked for is the last to go
            self._kept[year, finding] = found[finding]
            self._kept.move_to_end((year, finding))
        while len(self._kept) > _MOST_FINDINGS:
            self._kept.popitem(last=False)
