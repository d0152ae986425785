"""What each phase allows: the table the engine runs, and the documentation draws."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import cython

from matching_engine.pools import rows
from matching_engine.records import U8, Phase, Reason


class PhaseRules(NamedTuple):
    """`refusal` is why new orders and amends are refused (NONE: they are taken); without `trades` those taken rest.
    A book that comes into a phase in which it must not be crossed is uncrossed first."""

    refusal: int
    trades: bool
    may_be_crossed: bool


PHASES: dict[Phase, PhaseRules] = {
    Phase.CLOSED: PhaseRules(Reason.MARKET_CLOSED, trades=False, may_be_crossed=False),
    Phase.CALL_AUCTION: PhaseRules(Reason.NONE, trades=False, may_be_crossed=True),
    Phase.AUCTION_MATCHING: PhaseRules(Reason.MARKET_CLOSED, trades=False, may_be_crossed=False),
    Phase.CONTINUOUS: PhaseRules(Reason.NONE, trades=True, may_be_crossed=False),
    Phase.HALTED: PhaseRules(Reason.INSTRUMENT_HALTED, trades=False, may_be_crossed=True),
}
"""By phase in force. Cancels are taken in each."""


@dataclass(slots=True)
class PhaseRule:
    """A row of the table for the engine."""

    refusal: U8 = 0
    trades: U8 = 0
    may_be_crossed: U8 = 0


def phase_rules() -> list[PhaseRule]:
    """The table as a pool, by phase."""
    table = rows(PhaseRule, len(PHASES))
    for phase, rules in PHASES.items():
        # A row of a compiled pool is a copy: it is put back.
        if cython.compiled:
            table[phase] = tuple(rules)  # type: ignore[call-overload]
        else:
            table[phase] = PhaseRule(*map(int, rules))
    return table
