"""The breakdown in a printed report: the answers of one year at one position, together."""

from __future__ import annotations

from typing import Any, NamedTuple

from sqlalchemy.ext.asyncio import AsyncConnection

from services.data.calendar import TradingCalendar
from services.reporting.breakdown.bridge import TurnoverBridgeReport, read_bridge
from services.reporting.breakdown.concentration import ConcentrationReport, concentration_of
from services.reporting.breakdown.context import ContextReport, read_context
from services.reporting.breakdown.documents import Sealed
from services.reporting.breakdown.fees import FeesReport, fees_of
from services.reporting.breakdown.flagged import FlaggedReport, Screened, flagged, read_to_screen
from services.reporting.breakdown.months import MonthsReport, read_months
from services.reporting.breakdown.reading import MemberYear, read_member_year
from services.reporting.breakdown.splits import SidedSplit, sided_split
from services.reporting.breakdown.targets import TargetsReport, read_targets
from services.reporting.breakdown.variance import VarianceReport, read_variance
from services.reporting.documents import Document
from services.reporting.queries import YearTurnover


class Breakdown(Document):
    """What the year's turnover is made of, without the members' names."""

    ladder: TurnoverBridgeReport
    concentration: ConcentrationReport
    members: SidedSplit
    effects: VarianceReport
    months: MonthsReport
    fees: FeesReport
    flagged: FlaggedReport
    targets: TargetsReport
    context: ContextReport
    """Figures about the world outside; none of the others contains them."""

    def to_json(self) -> dict[str, Any]:
        """JSON values by part; the seal is that of the report."""
        seal = set(Sealed.model_fields)
        return self.model_dump(mode="json", exclude=dict.fromkeys(type(self).model_fields, seal))


class Named(NamedTuple):
    """What a breakdown is made of, with the members' names, for those who may read them."""

    traded: MemberYear
    screened: Screened


async def read_breakdown(
    connection: AsyncConnection, year: int, found: YearTurnover, calendar: TradingCalendar
) -> Breakdown:
    """The breakdown of the year that was found at this position."""
    return (await read_named(connection, year, found, calendar))[0]


async def read_named(
    connection: AsyncConnection, year: int, found: YearTurnover, calendar: TradingCalendar
) -> tuple[Breakdown, Named]:
    """The breakdown, and what of it names members."""
    traded, variance = await read_member_year(connection, year), await read_variance(connection, year)
    context = await read_context(connection, year)
    assert traded is not None, "the year was found, so there is a position"
    assert variance is not None
    assert context is not None
    screened = await (await read_to_screen(connection, year)).screened()
    breakdown = Breakdown(
        ladder=await read_bridge(connection, traded),
        concentration=concentration_of(traded),
        members=sided_split(traded, "member"),
        effects=variance,
        months=await read_months(connection, year, found, calendar),
        fees=fees_of(traded),
        flagged=flagged(year, found.position, screened),
        targets=await read_targets(connection, year, found, calendar),
        context=context,
    )
    return breakdown, Named(traded, screened)
