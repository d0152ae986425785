"""What each phase allows: the table that the engine uses and the documentation shows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import cython

from matching_engine.pools import rows
from matching_engine.records import U8, Phase, Reason


class PhaseRules(NamedTuple):
    """`refusal` is the reason why new orders and amends are refused (NONE: they are accepted). Without `trades`, accepted
    orders rest. A book is uncrossed when it enters a phase in which it must not be crossed (`may_be_crossed` is false)."""

    refusal: int
    trades: bool
    may_be_crossed: bool


PHASES: dict[Phase, PhaseRules] = {
    Phase.CLOSED: PhaseRules(Reason.MARKET_CLOSED, trades=False, may_be_crossed=False),
    Phase.CALL_AUCTION: PhaseRules(Reason.NONE, trades=False, may_be_crossed=True),
    Phase.AUCTION_MATCHING: PhaseRules(Reason.MARKET_CLOSED, trades=False, may_be_crossed=False),
    Phase.CONTINUOUS: PhaseRules(Reason.NONE, trades=True, may_be_crossed=False),
    Phase.HALTED: PhaseRules(Reason.INSTRUMENT_HALTED, trades=False, may_be_crossed=True),
    Phase.DELISTED: PhaseRules(Reason.NO_LONGER_LISTED, trades=False, may_be_crossed=False),
}
"""The rules by phase in force. Cancels are accepted in every phase; a delisted instrument has no orders."""


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
        # A compiled pool's row is read as a copy, so it is written as a whole.
        if cython.compiled:
            table[phase] = tuple(rules)  # type: ignore[call-overload]
        else:
            table[phase] = PhaseRule(*map(int, rules))
    return table
