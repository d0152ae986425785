"""Days of a simulated year as a flow: what its members sent, in order, at prices that fit the venue."""

from __future__ import annotations

import asyncio
from decimal import Decimal

import pytest

from load_tests.flows.flow_message import Flow, FlowError, FlowInstrument
from load_tests.flows.simulated_stretch import stretch_flow
from load_tests.flows.stretch import Stretch
from services.data.instruments import load_instruments
from services.simulator.year.members import members

STRETCH = Stretch(2023, 7, from_day=3, days=2, commands=50_000)
DAY_MS = 24 * 3_600_000


def listed(factor: int = 1) -> dict[str, FlowInstrument]:
    """The shipped instruments at a multiple of their reference prices; one of them is not listed."""
    return {
        facts.symbol: FlowInstrument(
            symbol=facts.symbol,
            lot_size=facts.lot_size,
            tick_size=facts.tick_size,
            reference_price=facts.reference_price * factor,
            lower_limit=facts.tick_size,
            upper_limit=facts.reference_price * factor * 2,
            max_quantity=100_000,
        )
        for facts in load_instruments()
        if facts.symbol != "NDFEB-N42"
    }


@pytest.fixture(scope="module")
def flow() -> Flow:
    return asyncio.run(stretch_flow(STRETCH, listed()))


def test_messages_come_in_order_and_nights_are_left_out(flow: Flow) -> None:
    times = [message.time_ms for message in flow.messages]
    assert times[0] == 0
    assert times == sorted(times)
    assert 8 * 3_600_000 < times[-1] < DAY_MS


def test_every_cancel_names_one_earlier_order_and_what_rests_ends_with_its_day(flow: Flow) -> None:
    resting: dict[str, str] = {}
    for message in flow.messages:
        if message.action == "cancel":
            assert resting.pop(message.client_order_id) in ("day", "gtc")
        else:
            assert message.client_order_id not in resting
            resting[message.client_order_id] = message.time_in_force
    assert "day" not in resting.values()
    assert {"ioc", "gtc"} <= set(resting.values())


def test_orders_are_those_of_members_and_fit_the_venue(flow: Flow) -> None:
    assert set(flow.members.values()) <= {member.name for member in members()}
    assert len(set(flow.members.values())) > 20
    for message in flow.messages:
        instrument = listed()[message.symbol]
        assert Decimal(message.price) % instrument.tick_size == 0
        assert abs(Decimal(message.price) / instrument.reference_price - 1) < Decimal("0.15")
        assert 1 <= message.quantity <= instrument.max_quantity
    assert flow.skipped["unknown_symbol"] > 0
    assert flow.name == "simulated, 2023-01-05 to 2023-01-06 of seed 7"


def test_prices_follow_the_venue_s_and_the_flow_is_the_same_each_time(flow: Flow) -> None:
    doubled = asyncio.run(stretch_flow(STRETCH, listed(2), limit=100))
    assert len(doubled.messages) == 100
    for one, two in zip(flow.messages, doubled.messages, strict=False):
        assert one._replace(price="") == two._replace(price="")
        assert float(two.price) == pytest.approx(2 * float(one.price), rel=0.002)


def test_it_begins_at_the_prices_of_its_own_first_day() -> None:
    first = asyncio.run(stretch_flow(Stretch(2023, 7, commands=50_000), listed(), limit=64))
    assert all(
        float(m.price) == pytest.approx(float(listed()[m.symbol].reference_price), rel=0.08) for m in first.messages
    )


def test_a_venue_without_the_shipped_instruments_has_nothing_to_replay() -> None:
    with pytest.raises(FlowError, match="simulated, 2023-01-03 of seed 7: holds no message"):
        asyncio.run(stretch_flow(Stretch(2023, 7, commands=50_000), {}))
