from __future__ import annotations

from collections import Counter
from decimal import Decimal

import pytest

from load_tests.flows.flow_message import Flow, FlowInstrument, FlowMessage
from load_tests.order_flow import generate
from load_tests.replay.accounts import Senders, account_index, funding_of
from load_tests.replay.pace import CLOSED_WINDOW, OPEN_WINDOW, Pace
from services.data.instruments import load_instruments

OXIDE = FlowInstrument(
    symbol="PRND-OX",
    lot_size=5,
    tick_size=Decimal("100.00"),
    reference_price=Decimal("473000.00"),
    lower_limit=Decimal("444700.00"),
    upper_limit=Decimal("501300.00"),
    max_quantity=50,
)


@pytest.fixture(scope="module")
def flow() -> list[FlowMessage]:
    return list(generate(1, 5_000, load_instruments()))


def test_a_cancel_goes_where_its_order_went(flow: list[FlowMessage]) -> None:
    indexes: dict[str, int] = {}
    for message in flow:
        assert indexes.setdefault(message.client_order_id, account_index(message, 8)) == account_index(message, 8)


@pytest.mark.parametrize("accounts", [2, 3, 8, 20])
def test_every_account_gets_orders_and_few_trade_both_ways(flow: list[FlowMessage], accounts: int) -> None:
    placed = Counter((account_index(message, accounts), message.side) for message in flow if message.action == "new")
    assert {index for index, _ in placed} == set(range(accounts))
    buyers = accounts // 2
    minority = sum(count for (index, side), count in placed.items() if (index < buyers) != (side == "buy"))
    assert 0 < minority / placed.total() < 1 / 16


def test_funding_covers_every_order_at_once() -> None:
    buy = FlowMessage(0, "new", "PRND-OX", "buy", "limit", "day", "473000.00", 2, "b1")
    market = buy._replace(order_type="market", time_in_force="ioc", price="", client_order_id="b2")
    sell = buy._replace(side="sell", quantity=7, client_order_id="s1")
    messages = [buy, market, sell, buy._replace(action="cancel")]
    fundings = funding_of(messages, {"PRND-OX": OXIDE}, Senders.of(Flow("of a test", messages), 8))
    lot_at_limit, lot_at_market = 473_000_00 * 5, 501_300_00 * 5
    expected = sum(2 * (lot + lot // 100 + 1) for lot in (lot_at_limit, lot_at_market))
    assert sum(funding.cash_fen for funding in fundings) == expected
    assert sum((funding.lots for funding in fundings), Counter()) == {"PRND-OX": 7}
    assert fundings[account_index(sell, 8)].lots == {"PRND-OX": 7}


def test_a_flow_with_members_has_an_account_for_each_that_sends() -> None:
    buy = FlowMessage(0, "new", "PRND-OX", "buy", "limit", "day", "473000.00", 2, "b1")
    members = {"b1": "Long River Trading", "b2": "Clear Lake Magnetics", "b3": "Jade Spring Market Makers"}
    flow = Flow("of a test", [buy, buy._replace(client_order_id="b2"), buy._replace(action="cancel")], members=members)
    senders = Senders.of(flow, 8)
    assert senders.names == ("Clear Lake Magnetics", "Long River Trading")
    assert [senders.index(message) for message in flow.messages] == [1, 0, 1]


@pytest.mark.parametrize(
    ("pace", "window", "due", "text"),
    [
        (Pace(), CLOSED_WINDOW, None, "as fast as acks allow"),
        (Pace(rate=200.0), OPEN_WINDOW, 0.05, "200 messages a second"),
        (Pace(speed=4.0), OPEN_WINDOW, 0.75, "4 times the flow's own speed"),
    ],
)
def test_a_pace_says_when_a_message_is_due(pace: Pace, window: int, due: float | None, text: str) -> None:
    message = FlowMessage(3_000, "new", "PRND-OX", "buy", "limit", "day", "473000.00", 2, "b1")
    assert (pace.window, pace.due_after(10, message), str(pace)) == (window, due, text)
