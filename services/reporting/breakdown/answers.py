"""Makes the answers about the members and the trades of a year. What is read more than once is read by the caller."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from sqlalchemy.ext.asyncio import AsyncConnection

from services.reporting.breakdown import reading
from services.reporting.breakdown.concentration import net_bought
from services.reporting.breakdown.documents import (
    LADDER_RULES,
    class_lines,
    concentration_lines,
    hands_of_period,
    ladder_fields,
    member_lines,
    phase_lines,
    ranked_lines,
    split_lines,
)
from services.reporting.breakdown.ladder import Counted, Ladders, Release, make_ladders
from services.reporting.breakdown.reading import MemberYear, whole_year
from services.reporting.breakdown.schemas import (
    ConcentrationReport,
    HandsOfPeriod,
    LadderLine,
    LadderProduct,
    LadderReport,
    Members,
    SidedSplit,
    Split,
    SplitBy,
)
from services.reporting.breakdown.texts import named, sealed
from services.reporting.breakdown.year_documents import fee_fields
from services.reporting.breakdown.year_schemas import FeesReport
from services.reporting.queries import read_position
from services.reporting.target import RECENT_DAYS
from services.surveillance.changed_hands import changed_hands_by_product
from services.surveillance.reading import read_changed_hands


async def ladder(connection: AsyncConnection, found: MemberYear) -> LadderReport:
    """The ladder of the year."""
    listed, period = found.instruments, whole_year(found.year)
    counted = await reading.read_counted(connection, period, listed)
    releases = await reading.read_releases(connection, period)
    ladders = _ladders(found, counted, releases)
    net_by_day = await reading.read_net_of_days(connection, period)
    days = sorted(net_by_day)
    return LadderReport(
        **sealed(found.year, found.position),
        ladder=LadderLine(**ladder_fields(ladders.whole)),
        day=await _hands(connection, days[-1:], net_by_day),
        recent=await _hands(connection, days[-RECENT_DAYS:], net_by_day),
        whole_year=_hands_of(days, net_by_day, ladders.whole.changed_hands_fen),
        products=tuple(
            LadderProduct(**named(listed[number]), **ladder_fields(one)) for number, one in ladders.products.items()
        ),
        rules=LADDER_RULES,
    )


def _ladders(found: MemberYear, counted: Mapping[int, Counted], releases: Sequence[Release]) -> Ladders:
    changed_hands = changed_hands_by_product(net_bought(found.traded, found.accounts))
    return make_ladders(found.instruments, counted, changed_hands, found.traded, releases)


async def _hands(
    connection: AsyncConnection, days: Sequence[int], net_by_day: Mapping[int, int]
) -> HandsOfPeriod | None:
    return _hands_of(days, net_by_day, await read_changed_hands(connection, days[0], days[-1]) if days else 0)


def _hands_of(days: Sequence[int], net_by_day: Mapping[int, int], changed_hands_fen: int) -> HandsOfPeriod | None:
    return hands_of_period(days, sum(net_by_day[day] for day in days), changed_hands_fen) if days else None


async def split(connection: AsyncConnection, year: int, by: SplitBy) -> Split | SidedSplit | None:
    """The trades that count, split; None before the projector's first transaction."""
    if by in ("class", "member"):
        found = await reading.read_member_year(connection, year)
        return None if found is None else sided_split(found, by)
    position = await read_position(connection)
    if position is None:
        return None
    listed, period = await reading.read_listed(connection), whole_year(year)
    if by == "phase":
        lines = phase_lines(await reading.read_phase_sums(connection, period, listed))
    else:
        counted = await reading.read_counted(connection, period, listed)
        products = [(number, counted[number].net) for number in listed if number in counted]
        lines = split_lines(by, [one for one in products if one[1].trades], listed)
    return Split(**sealed(year, position), by=by, lines=lines)


def sided_split(found: MemberYear, by: SplitBy) -> SidedSplit:
    """The sides of the trades by account class or member."""
    lines = class_lines if by == "class" else ranked_lines
    return SidedSplit(**sealed(found.year, found.position), by=by, lines=lines(found.traded, found.accounts))


def concentration(found: MemberYear) -> ConcentrationReport:
    """The concentration of the year's members."""
    markets = concentration_lines(found.traded, found.accounts, found.instruments)
    return ConcentrationReport(**sealed(found.year, found.position), markets=markets)


def members(found: MemberYear) -> Members:
    """The members of the year, by name."""
    return Members(**sealed(found.year, found.position), lines=member_lines(found.traded, found.accounts))


def fees(found: MemberYear) -> FeesReport:
    """The fee income of the year."""
    fields = fee_fields(found.traded, found.accounts, found.instruments)
    return FeesReport(**sealed(found.year, found.position), **fields)
