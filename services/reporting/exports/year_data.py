"""All that a year's files are made of, read from the read database at one position."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection

from services.data.calendar import TradingCalendar
from services.reporting.breakdown.splits import Members, members_of
from services.reporting.breakdown.summary import Breakdown, read_named
from services.reporting.day_sums import TradeSums, read_compared_year
from services.reporting.exports.breakdown_sheets import breakdown_sheets, named_sheets
from services.reporting.exports.daily_bulletin import daily_bulletins, member_sheet, product_sheet
from services.reporting.exports.monthly_bulletin import first_month_needed, month_sheet, monthly_bulletin
from services.reporting.exports.reading import BulletinRows, read_imposed, read_market, read_months
from services.reporting.exports.schemas import DailyBulletin, DailyProduct, MemberRank, MonthlyBulletin, MonthlyProduct
from services.reporting.exports.seal import Seal
from services.reporting.exports.turnover_sheet import turnover_sheet
from services.reporting.findings import WashFinding, shown
from services.reporting.queries import Values, YearTurnover, read_daily
from services.reporting.schemas import TurnoverReport
from services.reporting.sheet import Column, Sheet, columns_of, dated
from services.values.times import date_text


@dataclass(frozen=True)
class YearData:
    """A year's report and bulletins, and what they were made of."""

    found: YearTurnover
    report: TurnoverReport
    seal: Seal
    daily: Sequence[Values]
    market: BulletinRows
    bulletins: tuple[DailyBulletin, ...]
    monthly: tuple[MonthlyBulletin, ...]
    breakdown: Breakdown
    members: Members
    findings: tuple[WashFinding, ...]

    def sheets(self) -> tuple[Sheet, ...]:
        """Every table of the year, the turnover by day and product first."""
        turnover = turnover_sheet(self.found.instruments, self.daily)
        return (turnover, *self.bulletin_sheets(), *self.breakdown_sheets())

    def breakdown_sheets(self) -> tuple[Sheet, ...]:
        """What the turnover is made of."""
        return (*breakdown_sheets(self.breakdown.to_json()), *named_sheets(self.members, self.findings))

    def breakdown_json(self) -> dict[str, Any]:
        """The breakdown as `rex report --breakdown --json` has it, with the members' names and the findings."""
        members, findings = self.members.to_json(), [one.to_json() for one in self.findings]
        named = {"named_members": members["lines"], "findings": findings}
        return {"year": self.report.year, **self.seal.facts(), **self.breakdown.to_json(), **named}

    def bulletin_sheets(self) -> tuple[Sheet, ...]:
        """The year's daily bulletins, monthly bulletins and rankings, each in one sheet."""
        days = [(date_text(bulletin.date), product_sheet(bulletin)) for bulletin in self.bulletins]
        members = [(date_text(bulletin.date), member_sheet(bulletin)) for bulletin in self.bulletins]
        months = [(bulletin.month, month_sheet(bulletin)) for bulletin in self.monthly]
        ranking = Column("ranking", "text", "Ranking", "排名", "`bought`, `sold` or `both`.")
        empty = (
            Sheet("daily", "Daily bulletins", "日行情", columns_of(DailyProduct), ()),
            Sheet("monthly", "Monthly bulletins", "月度统计", columns_of(MonthlyProduct), ()),
            Sheet("members", "Members", "会员成交排名", (ranking, *columns_of(MemberRank)), ()),
        )
        return (
            dated(empty[0], "date", "Trading day", "交易日", days),
            dated(empty[1], "month", "Month", "月份", months),
            dated(empty[2], "date", "Trading day", "交易日", members),
        )


async def read_year_data(
    connection: AsyncConnection,
    year: int,
    calendar: TradingCalendar,
    build: Callable[[YearTurnover], TurnoverReport],
) -> YearData:
    """The data of a year. `build` makes the report, and checks what was read."""
    found = await read_compared_year(connection, year, TradeSums())
    market = await read_market(connection, year * 10_000, year * 10_000 + 9_999)
    assert found is not None, "a database that is up to date or was projected has a position"
    assert market is not None
    report = build(found)
    bulletins = tuple(daily_bulletins(market))
    numbers = sorted({date // 100 for date in market.days})
    imposed = await read_imposed(connection)
    months = await read_months(connection, first_month_needed(year * 100 + 1), year * 100 + 12)
    breakdown, named = await read_named(connection, year, found, calendar)
    return YearData(
        found=found,
        report=report,
        seal=Seal.of(found.position, simulated=found.simulated),
        daily=await read_daily(connection, year),
        market=market,
        bulletins=bulletins,
        monthly=tuple(
            monthly_bulletin(month, found.position, market.instruments, months, imposed, market.simulated)
            for month in numbers
        ),
        breakdown=breakdown,
        members=members_of(named.traded),
        findings=shown(year, named.screened, found.position["seq"]),
    )
