from __future__ import annotations

import re
from typing import Any

from services.dashboard.account_panels import balances, fills, open_orders
from services.dashboard.outcome import outcome_line, problem_line
from tests.unit.dashboard.test_market_panels import INSTRUMENT, texts

ORDER: dict[str, Any] = {
    "order_id": "4711",
    "symbol": "PRND-OX",
    "side": "buy",
    "time_in_force": "gtc",
    "price": "463000.00",
    "quantity": 5,
    "leaves_qty": 3,
    "cum_qty": 2,
    "avg_px": "463000.00",
    "state": "partially_filled",
    "reason": None,
    "created_at": "2023-12-01T02:00:01.000000Z",
}
FILL: dict[str, Any] = {
    "symbol": "PRND-OX",
    "side": "sell",
    "price": "463000.00",
    "quantity": 2,
    "amount": "926000.00",
    "fee": "463.00",
    "time": "2023-12-01T02:00:01.000000Z",
}


def test_an_open_order_has_a_button_with_its_id() -> None:
    html = open_orders([ORDER])
    assert texts(html)[-9:] == [
        "10:00:01",
        "PRND-OX",
        "buy",
        "GTC",
        "463,000.00",
        "5",
        "3",
        "partially filled",
        "cancel",
    ]
    assert re.findall(r'data-cancel="([^"]*)"', html) == ["4711"]
    assert re.findall(r'data-key="([^"]*)"', html) == ["4711"]
    assert "no open orders" in open_orders([])


def test_a_fill_shows_amount_and_fee() -> None:
    assert texts(fills([FILL]))[-7:] == ["10:00:01", "PRND-OX", "sell", "463,000.00", "2", "926,000.00", "463.00"]
    assert "no fills yet" in fills([])


def test_balances_are_of_the_instrument_on_the_page() -> None:
    account = {
        "cash": "50000000.00",
        "reserved": "463231.50",
        "available": "49536768.50",
        "holdings": [
            {"symbol": "Y-OX", "quantity": 9, "reserved": 0},
            {"symbol": "PRND-OX", "quantity": 200, "reserved": 7},
        ],
    }
    shown = re.findall(r"data-balance=([\w-]+)>([^<]*)<", balances(account, INSTRUMENT))
    assert dict(shown) == {
        "cash": "50,000,000.00",
        "reserved": "463,231.50",
        "available": "49,536,768.50",
        "lots": "200",
        "reserved-lots": "7",
    }


def test_an_outcome_says_state_reason_and_fills() -> None:
    assert texts(outcome_line(ORDER)) == [
        "partly filled, the rest is resting",
        ": 2 lots at ¥ 463,000.00",
        " ",
        "order 4711",
    ]
    rejected = ORDER | {"state": "rejected", "reason": "insufficient_funds", "cum_qty": 0, "avg_px": None}
    assert texts(outcome_line(rejected))[:2] == ["rejected", ": insufficient funds"]
    assert 'data-state="rejected"' in outcome_line(rejected)


def test_a_problem_is_shown_in_the_venues_words_and_escaped() -> None:
    assert problem_line("invalid_price", "price: <b>") == (
        '<span class=warn data-code="invalid_price">price: &lt;b&gt;</span>'
    )
