"""The flows of the property tests reach every kind of event, every reason and every source of a settlement price."""

from __future__ import annotations

from matching_engine.records import EventKind, Phase, Reason, SettlementSource
from tests.model.naive_engine import NaiveEngine
from tests.property.engine_flow import flow

SEEDS = range(24)
LENGTH = 600
OUT_OF_REACH = {
    Reason.TOO_MANY,  # A full venue.
    Reason.DUPLICATE_ORDER_ID,  # Bare books only: the order ids of an engine are its commands' seqs.
}


def test_every_kind_of_event_reason_and_settlement_occurs() -> None:
    kinds, reasons, phases, sources, deepest = set(), set(), set(), set(), 0
    for seed in SEEDS:
        naive = NaiveEngine()
        for command in flow(seed, LENGTH):
            events = naive.submit(command)
            kinds |= {event.kind for event in events}
            reasons |= {event.reason for event in events}
            sources |= {event.number for event in events if event.kind == EventKind.SETTLED}
            phases |= {naive.phase(instrument) for instrument in range(naive.instruments)}
            deepest = max(deepest, sum(event.kind == EventKind.TRIGGERED for event in events))
    assert kinds == set(EventKind)
    assert reasons == set(Reason) - OUT_OF_REACH
    assert phases == set(Phase)
    assert sources == set(SettlementSource)
    assert deepest >= 4  # Stops that trigger stops.


def test_a_flow_is_the_same_each_time() -> None:
    assert flow(5, 300) == flow(5, 300)
    assert flow(5, 300) != flow(6, 300)
