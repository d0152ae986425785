"""The routes of reports as methods.

`at_least_seq` makes the venue wait until it counts this sequence number, so that a program reads its own trades.
"""

from __future__ import annotations

from datetime import date as Date
from typing import Literal
from urllib.parse import quote

from rex_client.calls import Calls, Json

SplitBy = Literal["category", "family", "product", "phase", "class", "member"]

PROOF_TIMEOUT_SECONDS = 600.0
"""A proof re-executes the whole journal, decodes it a second time and compares every table of the read database: minutes for
millions of commands. One proof runs at a time, so a request may also wait for another one's."""


class ReportCalls(Calls):
    """Reports over REST."""

    # ------------------------------------------------------------------ the year's turnover

    async def turnover(self, year: int, *, at_least_seq: int | None = None, seq: int | None = None) -> Json:
        """The year's turnover against its target; with `seq` as it was after that command, not with at_least_seq."""
        query = {"at_least_seq": at_least_seq, "seq": seq}
        return await self._object("GET", f"/v1/reports/turnover/{year}", query=query)

    async def last_day(self, year: int, *, at_least_seq: int | None = None, seq: int | None = None) -> Json:
        """What the last trading day that has ended added: `day` with the year before and after it, and a `sentence`; with
        `seq` as it was after that command, not with at_least_seq."""
        query = {"at_least_seq": at_least_seq, "seq": seq}
        return await self._object("GET", f"/v1/reports/turnover/{year}/last_day", query=query)

    async def turnover_of_range(self, year: int, *, after_seq: int, to_seq: int) -> Json:
        """The sum of the year's trades with after_seq < seq <= to_seq, less the busts in that range."""
        query = {"after_seq": after_seq, "to_seq": to_seq}
        return await self._object("GET", f"/v1/reports/turnover/{year}/range", query=query)

    async def proof(self, year: int) -> Json:
        """Proves the year's turnover by four computations, now: `figure`, `agree`. For operators."""
        return await self._object("GET", f"/v1/reports/turnover/{year}/proof", timeout_s=PROOF_TIMEOUT_SECONDS)

    async def certificate(self, year: int) -> Json:
        """Proves the year's turnover and certifies it. RexError `not_certified` if anything disagrees. For operators."""
        return await self._object("GET", f"/v1/reports/turnover/{year}/certificate", timeout_s=PROOF_TIMEOUT_SECONDS)

    async def bulletin(self, period: str, *, at_least_seq: int | None = None) -> Json:
        """The bulletin of a trading day, "2026-03-02", or of a month, "2026-03"."""
        path = f"/v1/reports/bulletins/{quote(period, safe='')}"
        return await self._object("GET", path, query={"at_least_seq": at_least_seq})

    # ------------------------------------------------------------------ what it is made of

    async def ladder(self, year: int, *, at_least_seq: int | None = None) -> Json:
        """From gross to net, to what changed hands, was delivered and was taken out."""
        return await self._part(year, "ladder", at_least_seq)

    async def splits(self, year: int, by: SplitBy, *, at_least_seq: int | None = None) -> Json:
        """The net turnover split into parts, in yuan, tonnes and trades."""
        query = {"by": by, "at_least_seq": at_least_seq}
        return await self._object("GET", f"/v1/reports/turnover/{year}/splits", query=query)

    async def concentration(self, year: int, *, at_least_seq: int | None = None) -> Json:
        """Shares of the largest members by side and product, and the HHI."""
        return await self._part(year, "concentration", at_least_seq)

    async def effects(self, year: int, *, at_least_seq: int | None = None) -> Json:
        """The difference to the year before: by price, by tonnage, new products, gone products."""
        return await self._part(year, "effects", at_least_seq)

    async def months(self, year: int, *, at_least_seq: int | None = None) -> Json:
        """The months: actual, plan, the year before."""
        return await self._part(year, "months", at_least_seq)

    async def fee_income(self, year: int, *, at_least_seq: int | None = None) -> Json:
        """Fee income, and without value-added tax."""
        return await self._part(year, "fees", at_least_seq)

    async def flagged(self, year: int, *, at_least_seq: int | None = None) -> Json:
        """What the wash screen flagged, and how the year would stand without what waits for a decision."""
        return await self._part(year, "flagged", at_least_seq)

    async def forecasts(self, year: int, *, at_least_seq: int | None = None) -> Json:
        """The scorecard of the forecast: what it said at the end of each month, and how the year ended."""
        return await self._part(year, "forecasts", at_least_seq)

    async def members(self, year: int, *, at_least_seq: int | None = None) -> Json:
        """The members of the year by name: bought, sold, shares, fees. For operators."""
        return await self._part(year, "members", at_least_seq)

    async def target_progress(self, year: int, *, at_least_seq: int | None = None) -> Json:
        """The progress of every target of the year and its months that is in force."""
        return await self._object("GET", f"/v1/reports/targets/{year}/progress", query={"at_least_seq": at_least_seq})

    async def context(self, year: int, *, at_least_seq: int | None = None) -> Json:
        """Figures about the world outside that operators entered, with their sources; not of this venue."""
        return await self._report(f"context/{year}", at_least_seq)

    async def targets(
        self, year: int, *, limit: int = 100, cursor: str | None = None, at_least_seq: int | None = None
    ) -> Json:
        """One page of the targets of the year and its months, oldest first: `targets` and `next_cursor`."""
        query = {"limit": limit, "cursor": cursor, "at_least_seq": at_least_seq}
        return await self._object("GET", f"/v1/reports/targets/{year}", query=query)

    async def decisions(
        self,
        year: int,
        *,
        limit: int | None = None,
        before_seq: int | None = None,
        at_least_seq: int | None = None,
    ) -> list[Json]:
        """The decisions about trades of the year, newest first; the next page with `before_seq` of the last one."""
        query = {"year": year, "limit": limit, "before_seq": before_seq, "at_least_seq": at_least_seq}
        return await self._list("/v1/reports/decisions", query=query)

    async def _part(self, year: int, name: str, at_least_seq: int | None) -> Json:
        return await self._report(f"turnover/{year}/{name}", at_least_seq)

    async def _report(self, name: str, at_least_seq: int | None) -> Json:
        return await self._object("GET", f"/v1/reports/{name}", query={"at_least_seq": at_least_seq})

    # ------------------------------------------------------------------ the market, and who trades in it

    async def index(self, year: int | None = None, *, at_least_seq: int | None = None) -> Json:
        """The PrNd index of each trading day of a year that has ended, without one of the present year."""
        return await self._object("GET", "/v1/reports/index", query={"year": year, "at_least_seq": at_least_seq})

    async def quality(self, date: Date, *, at_least_seq: int | None = None) -> Json:
        """The quality of the market on a trading day, product by product."""
        return await self._report(f"quality/{date.isoformat()}", at_least_seq)

    async def past_book(self, symbol: str, seq: int, *, levels: int | None = None) -> Json:
        """The book of an instrument as it was after a command of the past."""
        return await self._object(
            "GET", f"/v1/reports/books/{quote(symbol, safe='')}", query={"seq": seq, "levels": levels}
        )

    async def changed_hands(self, year: int, *, at_least_seq: int | None = None) -> Json:
        """What changed hands beside the net turnover, of the year and day by day."""
        return await self._part(year, "changed_hands", at_least_seq)

    async def findings(self, year: int, *, at_least_seq: int | None = None) -> Json:
        """The wash screen's findings of the year. For operators."""
        return await self._report(f"findings/{year}", at_least_seq)

    async def abnormal_trading(self, year: int, *, at_least_seq: int | None = None) -> Json:
        """The year's abnormal trading, the ladder of measures, and those that were imposed. For operators."""
        return await self._report(f"abnormal_trading/{year}", at_least_seq)

    async def control_groups(
        self, *, limit: int = 100, cursor: str | None = None, at_least_seq: int | None = None
    ) -> Json:
        """One page of the declared control groups, oldest first: `control_groups` and `next_cursor`. For operators."""
        query = {"limit": limit, "cursor": cursor, "at_least_seq": at_least_seq}
        return await self._object("GET", "/v1/reports/control_groups", query=query)

    # ------------------------------------------------------------------ from a figure to its orders, for operators

    async def turnover_days(self, year: int, *, product: str | None = None, at_least_seq: int | None = None) -> Json:
        """The trading days that make the year's turnover, of all products or one symbol."""
        query = {"product": product, "at_least_seq": at_least_seq}
        return await self._object("GET", f"/v1/reports/turnover/{year}/days", query=query)

    async def counted_trades(
        self,
        *,
        year: int | None = None,
        date: Date | None = None,
        product: str | None = None,
        member: int | None = None,
        side: Literal["buy", "sell"] | None = None,
        phase: Literal["continuous", "call_auction"] | None = None,
        counted: Literal["yes", "no", "busted", "excluded"] | None = None,
        finding: str | None = None,
        decision: int | None = None,
        order: str | None = None,
        with_sum: bool = True,
        limit: int = 100,
        cursor: str | None = None,
        at_least_seq: int | None = None,
    ) -> Json:
        """One page of the trades that make a figure, oldest first: `trades`, `sum` of all pages, `next_cursor`.

        All conditions hold; None: no condition. `finding` needs `year`. `with_sum=False` saves the time of the sum.
        """
        query = {
            "year": year,
            "date": None if date is None else date.isoformat(),
            "product": product,
            "member": member,
            "side": side,
            "phase": phase,
            "counted": counted,
            "finding": finding,
            "decision": decision,
            "order": order,
            "sum": None if with_sum else "false",
            "limit": limit,
            "cursor": cursor,
            "at_least_seq": at_least_seq,
        }
        return await self._object("GET", "/v1/reports/trades", query=query)

    async def counted_trade(self, trade_id: str, *, at_least_seq: int | None = None) -> Json:
        """A trade with both sides, whether it counts, and why not."""
        path = f"/v1/reports/trades/{quote(trade_id, safe='')}"
        return await self._object("GET", path, query={"at_least_seq": at_least_seq})

    async def order_with_trades(self, order_id: str, *, at_least_seq: int | None = None) -> Json:
        """An order of any account with its trades."""
        path = f"/v1/reports/orders/{quote(order_id, safe='')}"
        return await self._object("GET", path, query={"at_least_seq": at_least_seq})

    async def journaled_command(self, seq: int, *, first_event: int | None = None) -> Json:
        """A command of the journal with its events, and the row that holds it."""
        return await self._object("GET", f"/v1/reports/journal/{seq}", query={"first_event": first_event})
