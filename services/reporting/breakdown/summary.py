"""The breakdown in a printed report: the answers of one year at one position, together."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

from sqlalchemy.ext.asyncio import AsyncConnection

from services.data.calendar import TradingCalendar
from services.reporting.breakdown import answers, year_answers
from services.reporting.breakdown.context import ContextReport, read_context
from services.reporting.breakdown.flagged import FlaggedReport, Screened, flagged, read_to_screen
from services.reporting.breakdown.reading import MemberYear, read_member_year
from services.reporting.breakdown.schemas import ConcentrationReport, LadderReport, Sealed, SidedSplit
from services.reporting.breakdown.year_schemas import EffectsReport, FeesReport, MonthsReport, TargetsReport
from services.reporting.queries import YearTurnover


@dataclass(frozen=True)
class Breakdown:
    """What the year's turnover is made of, without the members' names."""

    ladder: LadderReport
    concentration: ConcentrationReport
    members: SidedSplit
    effects: EffectsReport
    months: MonthsReport
    fees: FeesReport
    flagged: FlaggedReport
    targets: TargetsReport
    context: ContextReport
    """Figures about the world outside; none of the others contains them."""

    def to_json(self) -> dict[str, Any]:
        """JSON values by part; the seal is that of the report."""
        seal = set(Sealed.model_fields)
        parts = {name: getattr(self, name) for name in self.__dataclass_fields__}
        return {name: part.model_dump(mode="json", exclude=seal) for name, part in parts.items()}


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
    traded, effects = await read_member_year(connection, year), await year_answers.effects(connection, year)
    assert traded is not None, "the year was found, so there is a position"
    context = await read_context(connection, year)
    screened = await (await read_to_screen(connection, year)).screened()
    assert effects is not None
    assert context is not None
    breakdown = Breakdown(
        ladder=await answers.ladder(connection, traded),
        concentration=answers.concentration(traded),
        members=answers.sided_split(traded, "member"),
        effects=effects,
        months=await year_answers.months(connection, year, found, calendar),
        fees=answers.fees(traded),
        flagged=flagged(year, found.position, screened),
        targets=await year_answers.targets(connection, year, found, calendar),
        context=context,
    )
    return breakdown, Named(traded, screened)
