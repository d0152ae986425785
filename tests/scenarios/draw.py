"""The diagrams of docs/rulebook.md: `python -m tests.scenarios.draw` writes them, and a test fails if they are stale.

The states of an order are those of all orders of the scenarios; the table of phases is the engine's, `PHASES`; a trading day is
that of the schedule.
"""

from __future__ import annotations

import re
from collections import defaultdict
from pathlib import Path

from matching_engine import Engine
from matching_engine.ledger.phases import PHASES
from matching_engine.records import Event, EventKind, OrderType, Phase, Reason
from services.data.trading_hours import TRADING_DAY
from tests.scenarios.reading import scenarios
from tests.scenarios.venue import Venue

RULEBOOK = Path(__file__).parents[2] / "docs" / "rulebook.md"
DRAWING = re.compile(r"(<!-- drawn: (\w+) -->\n).*?(<!-- end -->)", re.DOTALL)
Changes = dict[tuple[str, str], set[str]]
MINUTE_NS = 60 * 10**9


def order_states(events: list[Event], changes: Changes) -> None:
    """Adds to `changes` the transitions of orders: state before, event, state after."""
    states: dict[int, str] = {}
    lots: dict[int, int] = {}

    def move(order_id: int, event: EventKind, state: str) -> None:
        changes[states.get(order_id, "[*]"), state].add(event.name)
        states[order_id] = state

    for e in events:
        kind = EventKind(e.kind)
        if kind == EventKind.ACCEPTED:
            lots[e.order_id] = e.quantity_lots
            move(e.order_id, kind, "waiting" if e.order_type in (OrderType.STOP, OrderType.STOP_LIMIT) else "new")
        elif kind == EventKind.REJECTED and e.order_id == e.seq:
            move(e.order_id, kind, "rejected")
        elif kind == EventKind.TRADE:
            for order_id in (e.order_id, e.maker_order_id):
                lots[order_id] -= e.quantity_lots
                move(order_id, kind, "partially_filled" if lots[order_id] else "filled")
        elif kind == EventKind.TRIGGERED:
            move(e.order_id, kind, "new")
        elif kind in (EventKind.REPLACED, EventKind.SELF_TRADE_PREVENTED) and e.leaves_lots:
            lots[e.order_id] = e.leaves_lots
            move(e.order_id, kind, states[e.order_id])
        elif kind in (EventKind.CANCELED, EventKind.SELF_TRADE_PREVENTED, EventKind.EXPIRED):
            move(e.order_id, kind, "expired" if kind == EventKind.EXPIRED else "canceled")


def draw_orders() -> str:
    """The states of an order, in the words of the API, and the events between them."""
    changes: Changes = defaultdict(set)
    for scenario in scenarios():
        if not scenario.is_long:
            venue = Venue(Engine())
            for step in scenario.steps:
                venue.say(step.text, scenario.with_money)
            order_states(venue.events, changes)
    lines = [f"    {start} --> {end}: {', '.join(sorted(changes[start, end]))}" for start, end in sorted(changes)]
    return diagram(lines)


def draw_phases() -> str:
    """A row for each phase in force."""
    lines = ["| in force | new orders, amends | trades | may be crossed |", "|---|---|---|---|"]
    for phase, rules in PHASES.items():
        taken = Reason(rules.refusal).name if rules.refusal else "taken" if rules.trades else "rest"
        # A delisting ends the orders: nothing is left to uncross (rulebook 8.10).
        untraded = "none" if rules.may_be_crossed or phase == Phase.DELISTED else "the uncrossing, as it begins"
        trades = "at once" if rules.trades else untraded
        lines.append(f"| {phase.name} | {taken} | {trades} | {'yes' if rules.may_be_crossed else 'no'} |")
    return "\n".join(lines)


def draw_sessions() -> str:
    """A trading day, and the changes by an operator or by a trade beyond the volatility band; bold where a book is
    uncrossed."""
    changes: Changes = defaultdict(set)
    before = Phase.CLOSED
    for at_ns, phase in TRADING_DAY:
        hour, minute = divmod(at_ns // MINUTE_NS, 60)
        changes[before.name, phase.name].add(f"{hour:02}.{minute:02}{uncrossing(before, phase)}")
        before = phase
    changes[Phase.CONTINUOUS.name, Phase.CALL_AUCTION.name].add("a trade beyond the band")
    changes[Phase.CALL_AUCTION.name, Phase.CONTINUOUS.name].add(
        f"the volatility auction ends{uncrossing(Phase.CALL_AUCTION, Phase.CONTINUOUS)}"
    )
    lines = [f"        {start} --> {end}: {' / '.join(sorted(changes[start, end]))}" for start, end in sorted(changes)]
    lines = ["    state schedule {", f"        [*] --> {Phase.CLOSED.name}", *lines, "    }"]
    return diagram([*lines, "    schedule --> HALTED: HALT", "    HALTED --> schedule: RESUME (uncrossing)"])


def uncrossing(before: Phase, after: Phase) -> str:
    """Marks a transition in which a crossed book is uncrossed."""
    return " (uncrossing)" if PHASES[before].may_be_crossed and not PHASES[after].may_be_crossed else ""


def diagram(lines: list[str]) -> str:
    """A mermaid state diagram."""
    return "\n".join(["```mermaid", "stateDiagram-v2", *lines, "```"])


def drawn(text: str) -> str:
    """The rulebook with current diagrams."""
    drawings = {"orders": draw_orders, "phases": draw_phases, "sessions": draw_sessions}
    return DRAWING.sub(lambda match: f"{match[1]}{drawings[match[2]]()}\n{match[3]}", text)


if __name__ == "__main__":
    RULEBOOK.write_text(drawn(RULEBOOK.read_text(encoding="utf-8")), encoding="utf-8")
