"""The breakdown in a printed report: the answers of one year at one position, together."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection

from services.data.calendar import TradingCalendar
from services.reporting.breakdown import answers, year_answers
from services.reporting.breakdown.context import ContextReport, read_context
from services.reporting.breakdown.reading import read_member_year
from services.reporting.breakdown.schemas import ConcentrationReport, LadderReport, Sealed
from services.reporting.breakdown.year_schemas import EffectsReport, FeesReport, MonthsReport, TargetsReport
from services.reporting.queries import YearTurnover


@dataclass(frozen=True)
class Breakdown:
    """What the year's turnover is made of, without the members' names."""

    ladder: LadderReport
    concentration: ConcentrationReport
    effects: EffectsReport
    months: MonthsReport
    fees: FeesReport
    targets: TargetsReport
    context: ContextReport
    """Figures about the world outside; none of the others contains them."""

    def to_json(self) -> dict[str, Any]:
        """JSON values by part; the seal is that of the report."""
        seal = set(Sealed.model_fields)
        parts = {name: getattr(self, name) for name in self.__dataclass_fields__}
        return {name: part.model_dump(mode="json", exclude=seal) for name, part in parts.items()}


async def read_breakdown(
    connection: AsyncConnection, year: int, found: YearTurnover, calendar: TradingCalendar
) -> Breakdown:
    """The breakdown of the year that was found at this position."""
    traded, effects = await read_member_year(connection, year), await year_answers.effects(connection, year)
    assert traded is not None, "the year was found, so there is a position"
    context = await read_context(connection, year)
    assert effects is not None
    assert context is not None
    return Breakdown(
        ladder=await answers.ladder(connection, traded),
        concentration=answers.concentration(traded),
        effects=effects,
        months=await year_answers.months(connection, year, found, calendar),
        fees=answers.fees(traded),
        targets=await year_answers.targets(connection, year, found, calendar),
        context=context,
    )
