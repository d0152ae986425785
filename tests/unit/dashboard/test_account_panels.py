from __future__ import annotations

import re
from typing import Any

from services.dashboard.account_panels import amendable, balances, ended_orders, fills, open_orders
from services.dashboard.outcome import outcome_line, problem_line
from tests.unit.dashboard.test_market_panels import INSTRUMENT, texts

ORDER: dict[str, Any] = {
    "order_id": "4711",
    "symbol": "PRND-OX",
    "side": "buy",
    "order_type": "limit",
    "time_in_force": "gtc",
    "price": "463000.00",
    "quantity": 5,
    "leaves_qty": 3,
    "cum_qty": 2,
    "avg_px": "463000.00",
    "state": "partially_filled",
    "reason": None,
    "reason_text": None,
    "stop_price": None,
    "triggered": None,
    "display_quantity": None,
    "expire_time": None,
    "post_only": False,
    "created_at": "2023-12-01T02:00:01.000000Z",
    "updated_at": "2023-12-01T02:00:02.000000Z",
}
STOP = ORDER | {"order_id": "4712", "order_type": "stop", "price": None, "stop_price": "470000.00", "triggered": False}
STOP_LIMIT = STOP | {"order_id": "4713", "order_type": "stop_limit", "price": "471000.00"}
ICEBERG = ORDER | {"order_id": "4714", "quantity": 100, "leaves_qty": 73, "display_quantity": 10}
FILL: dict[str, Any] = {
    "symbol": "PRND-OX",
    "side": "sell",
    "price": "463000.00",
    "quantity": 2,
    "amount": "926000.00",
    "fee": "463.00",
    "time": "2023-12-01T02:00:01.000000Z",
    "busted": False,
}


def row(html: str, order_id: str) -> str:
    found = re.search(f'<tr data-order="{order_id}".*?</tr>', html)
    assert found is not None
    return found[0]


def test_an_open_order_has_its_numbers_and_buttons() -> None:
    html = open_orders([ORDER])
    assert texts(row(html, "4711")) == [
        *("10:00:01", "PRND-OX", "buy", "limit ", "GTC", "463,000.00", "3", "3", "5", "amend", " ", "cancel")
    ]
    assert re.findall(r"data-act=(\w+)", html) == ["edit", "cancel"]
    assert re.findall(r'data-key="([^"]*)"', html) == ["4711"]
    until = ORDER | {"time_in_force": "gtd", "expire_time": "2023-12-05T07:00:00.000000Z"}
    assert 'title="until 2023-12-05 15:00:00">GTD<' in open_orders([until])
    assert "no open orders" in open_orders([])


def test_a_waiting_stop_shows_its_trigger_and_nothing_in_the_book() -> None:
    shown = texts(row(open_orders([STOP]), "4712"))
    assert shown[3:] == ["stop ", "GTC", "470,000.00", "–", "waiting", "3", "5", "amend", " ", "cancel"]
    triggered = texts(row(open_orders([STOP_LIMIT | {"triggered": True}]), "4713"))
    assert triggered[3:11] == ["stop-limit ", "GTC", " ", "triggered", "470,000.00", "471,000.00", "3", "3"]


def test_an_iceberg_shows_what_is_shown_beside_all_of_it() -> None:
    assert texts(row(open_orders([ICEBERG]), "4714"))[6:11] == ["iceberg", "463,000.00", "10", "73", "100"]
    last_slice = ICEBERG | {"leaves_qty": 4}
    assert texts(row(open_orders([last_slice]), "4714"))[8:11] == ["4", "4", "100"]


def test_an_order_being_amended_has_fields_for_what_it_may_change() -> None:
    def fields(order: dict[str, Any]) -> dict[str, str]:
        html = open_orders([order, ORDER | {"order_id": "1"}], order["order_id"])
        assert "<input" not in row(html, "1")
        assert re.findall(r"data-act=(\w+)", row(html, order["order_id"])) == ["save", "keep"]
        return dict(re.findall(r'<input name=(\w+) value="([^"]*)"', html))

    assert fields(ORDER) == {"price": "463000.00", "display_quantity": "", "quantity": "5"}
    assert fields(STOP) == {"stop_price": "470000.00", "quantity": "5"}
    assert fields(STOP_LIMIT) == {"stop_price": "470000.00", "price": "471000.00", "quantity": "5"}
    assert fields(ICEBERG) == {"price": "463000.00", "display_quantity": "10", "quantity": "100"}
    for order in (ORDER, STOP, STOP_LIMIT, ICEBERG):
        assert fields(order) == amendable(order)


def test_an_order_that_ended_says_how_in_the_venues_words_with_its_products_name() -> None:
    reason = {"reason": "price_above_band", "reason_text": "The price is above <the> band."}
    html = ended_orders([ORDER | {"state": "rejected"} | reason], {"PRND-OX": "氧化镨钕"})
    assert texts(html)[-7:] == [
        *("10:00:02", "PRND-OX ", "氧化镨钕", "buy", "5", "rejected", ": The price is above &lt;the&gt; band")
    ]
    assert ended_orders([], {}) == ""


def test_a_fill_shows_amount_and_fee_and_a_busted_one_is_marked() -> None:
    assert texts(fills([FILL]))[-7:] == ["10:00:01", "PRND-OX", "sell", "463,000.00", "2", "926,000.00", "463.00"]
    assert "class=busted" not in fills([FILL])
    assert "<tr class=busted>" in fills([FILL | {"busted": True}])
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
    said = rejected | {"reason_text": "Needs ¥ 5.00 more than is available."}
    assert texts(outcome_line(said))[:2] == ["rejected", ": Needs ¥ 5.00 more than is available"]
    waiting = STOP | {"state": "new", "cum_qty": 0}
    assert texts(outcome_line(waiting))[0] == "waiting for a trade at ¥ 470,000.00"


def test_a_problem_is_shown_in_the_venues_words_and_escaped() -> None:
    assert problem_line("invalid_price", "price: <b>") == (
        '<span class=warn data-code="invalid_price">price: &lt;b&gt;</span>'
    )
