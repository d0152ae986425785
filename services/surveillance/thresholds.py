"""The thresholds of the screen. They were tuned on generated flow, and are an assumption until a venue's own data say more."""

from __future__ import annotations

from dataclasses import dataclass, replace
from fractions import Fraction

PAIR_TRADES = 4
"""A closed pair has at least so many trades between the two."""
RESHAPED = Fraction(2, 3)
"""Of all that a member of a group trades within it, at most this share leaves as one product and comes back as another. Who is
above has goods processed, or processes them. A ring that evens its money need not even each product."""
ONE_WAY = Fraction(9, 10)
"""A product only went one way, as in a delivery, if its Σ |bought − sold| within the group is more than this share of
Σ (bought + sold). What the group does besides may be a circle."""
BY_CHANCE = 1e-6
"""The trades within a group are *beyond chance* if the probability of so many, had its members met each other as they meet
outsiders, × the number of groups of its size that the members could form, is at most this. In thin flow some members meet often
by chance alone, and a year has 300 windows."""


@dataclass(frozen=True)
class GroupRule:
    """When two members form a *closed pair*, and closed pairs a *closed group*.

    With U the turnover between two members, t what a member took, m what its resting orders made, v = t + m: chance is
    (t₁·m₂ + m₁·t₂) / the venue's turnover; lift = U / chance, share = U / min(v₁, v₂). `Choice.chance_fen` is the chance
    product by product, too.
    """

    lift: Fraction
    share: Fraction
    member_share: Fraction
    """Each member of a group does at least this share of all it does within the group."""
    by_product: bool
    """Whether the lift is over the larger of both chances, or over the whole venue's alone. A ring that makes most of a small
    product's turnover hides in the chance product by product; honest members of a small product stand out in the other."""
    net_share: Fraction
    """A group is *even* up to this: Σ |bought − sold| of its members / Σ (bought + sold), within the group."""
    most_members: Fraction = Fraction(1)
    """A group has at most this share of the members who trade in the window."""


@dataclass(frozen=True)
class ScreenWindow:
    """A window of trading days and its rules, in the order in which they are tried."""

    days: int
    step_days: int
    """A window ends every so many trading days, and on the last one."""
    rules: tuple[GroupRule, ...]


@dataclass(frozen=True)
class Thresholds:
    """All thresholds of the screen; ratios are exact fractions."""

    windows: tuple[ScreenWindow, ...]
    matched_apart_ns: int
    """Matched orders were entered at most so far apart."""
    matched_trades: int
    """At least so many trades between matched orders."""


def rule(lift: int, share: int, member_share: int, net_share: int, *, by_product: bool = False) -> GroupRule:
    """A rule; shares in percent."""
    percents = [Fraction(percent, 100) for percent in (share, member_share, net_share)]
    return GroupRule(Fraction(lift), percents[0], percents[1], by_product, percents[2])


# The lift of members who make most of the venue's turnover cannot be high: 1.5 in a circle of three that makes all of it. So it
# says little here, and what counts is that few members keep to themselves.
_ALMOST_ALL = replace(rule(1, 20, 75, 25), lift=Fraction(5, 4), most_members=Fraction(1, 4))

DEFAULT = Thresholds(
    windows=(
        ScreenWindow(60, 20, (_ALMOST_ALL, rule(4, 5, 25, 5), rule(3, 10, 15, 25, by_product=True))),
        ScreenWindow(20, 5, (_ALMOST_ALL, rule(5, 5, 35, 10), rule(3, 10, 15, 25, by_product=True))),
        ScreenWindow(5, 1, (_ALMOST_ALL, rule(8, 25, 60, 25), rule(3, 25, 35, 25, by_product=True))),
    ),
    matched_apart_ns=5_000_000_000,
    matched_trades=4,
)
