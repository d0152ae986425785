"""An alert: abnormal trading of a member in a product on a day, and the ladder of measures. It never excludes anything.

The limits are those that the Shanghai Futures Exchange publishes, per client, contract and day: 5 self-trade attempts, 500
cancels, 50 cancels of at least 300 lots; accounts under one control are added up; IOC and FOK orders are exempt. The ladder
follows Chinese exchanges: the first time a warning, the second time the watch list, from the third time on a ban on opening
positions. At a spot venue that is a ban on new orders (an assumption). Nothing here carries a measure out.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from services.surveillance.contracts import Control

LARGE_CANCEL_LOTS = 300
"""A cancel of at least so many lots is large."""


class Behaviour(StrEnum):
    """What is counted."""

    SELF_TRADE_ATTEMPTS = "self_trade_attempts"
    CANCELS = "cancels"
    LARGE_CANCELS = "large_cancels"


LIMITS = {Behaviour.SELF_TRADE_ATTEMPTS: 5, Behaviour.CANCELS: 500, Behaviour.LARGE_CANCELS: 50}
"""From this count a day on, the behaviour is abnormal."""


class Measure(StrEnum):
    """The steps of the ladder."""

    WARNING = "warning"
    WATCH_LIST = "watch_list"
    OPENING_BAN = "opening_ban"


_LADDER = (Measure.WARNING, Measure.WATCH_LIST, Measure.OPENING_BAN)


@dataclass(frozen=True)
class DayCounts:
    """What one member did in one product on one trading day, orders that never rest (IOC, FOK) excepted."""

    trading_date: int
    member: int
    instrument: int
    self_trade_attempts: int
    cancels: int
    large_cancels: int


@dataclass(frozen=True)
class Breach:
    """A count that reached its limit, of the members of a control group together."""

    trading_date: int
    members: tuple[int, ...]
    instrument: int
    behaviour: Behaviour
    count: int


@dataclass(frozen=True)
class Step:
    """A measure that the ladder provides for members on a day, and the breaches that are its reason."""

    trading_date: int
    members: tuple[int, ...]
    measure: Measure
    breaches: tuple[Breach, ...]


def breaches(counts: Iterable[DayCounts], control: Control | None = None) -> list[Breach]:
    """The counts that reached a limit, by date, members, product and behaviour. The members of one declared control group are
    added up."""
    groups = control or {}
    sums: dict[tuple[int, tuple[int, int], int], Counter[Behaviour]] = {}
    of_group: dict[tuple[int, int], set[int]] = {}
    for one in counts:
        group = (1, groups[one.member]) if one.member in groups else (0, one.member)
        of_group.setdefault(group, set()).add(one.member)
        total = sums.setdefault((one.trading_date, group, one.instrument), Counter())
        total.update({behaviour: getattr(one, behaviour) for behaviour in Behaviour})
    found = [
        Breach(date, tuple(sorted(of_group[group])), instrument, behaviour, total[behaviour])
        for (date, group, instrument), total in sums.items()
        for behaviour, limit in LIMITS.items()
        if total[behaviour] >= limit
    ]
    return sorted(found, key=lambda one: (one.trading_date, one.members, one.instrument, one.behaviour))


def ladder(found: Iterable[Breach]) -> list[Step]:
    """The measures for these breaches, by date and members. A day counts once, whatever was breached on it, and in how many
    products; which breaches count together (of a year, say) is the caller's choice."""
    by_day: dict[tuple[int, tuple[int, ...]], list[Breach]] = {}
    for breach in found:
        by_day.setdefault((breach.trading_date, breach.members), []).append(breach)
    times: Counter[tuple[int, ...]] = Counter()
    steps = []
    for (date, members), reasons in sorted(by_day.items()):
        measure = _LADDER[min(times[members], len(_LADDER) - 1)]
        times[members] += 1
        steps.append(Step(date, members, measure, tuple(reasons)))
    return steps
