from __future__ import annotations

from copy import deepcopy
from typing import Any

import pytest

from load_tests.replay.result import verdict_sentence
from load_tests.replay.verdict import AccountRecord, Check, SentOrder, Terms, TurnoverMove, fen, is_green, replay_checks

LOT_SIZES = {"PRND-OX": 1}


def order(
    order_id: str, side: str, quantity: int, state: str, filled: int, leaves: int, **changed: Any
) -> dict[str, Any]:
    fields = {
        "order_id": order_id,
        "client_order_id": f"c{order_id}",
        "symbol": "PRND-OX",
        "side": side,
        "price": "473000.00",
        "quantity": quantity,
        "cum_qty": filled,
        "leaves_qty": leaves,
        "state": state,
        "fees": "0.00",
    }
    return fields | changed


def fill(order_id: str, side: str, liquidity: str, **changed: Any) -> dict[str, Any]:
    fields = {
        "trade_id": "900",
        "order_id": order_id,
        "symbol": "PRND-OX",
        "side": side,
        "liquidity": liquidity,
        "price": "473000.00",
        "quantity": 2,
        "amount": "946000.00",
        "fee": "473.00",
        "seq": 12,
    }
    return fields | changed


def balances(cash: str, lots: int, reserved: str = "0.00", reserved_lots: int = 0) -> dict[str, Any]:
    holding = {"symbol": "PRND-OX", "quantity": lots, "reserved": reserved_lots}
    return {"cash": cash, "reserved": reserved, "holdings": [holding]}


def replay() -> list[AccountRecord]:
    """A buyer and a seller. The buyer's order of 3 lots traded with an offer of 2, another was canceled; the seller has an open
    offer and a rejected one."""
    buyer = AccountRecord(
        account=2,
        acknowledged={"c11": "11", "c13": "13"},
        sent=[SentOrder("c11", "PRND-OX", "buy", 3), SentOrder("c13", "PRND-OX", "buy", 5)],
        orders=[
            order("11", "buy", 3, "partially_filled", 2, 1, fees="473.00"),
            order("13", "buy", 5, "canceled", 0, 0),
        ],
        fills=[fill("11", "buy", "maker")],
        before=balances("9000000.00", 0),
        after=balances("8053527.00", 2, reserved="473236.50"),
    )
    seller = AccountRecord(
        account=3,
        sent=[SentOrder(f"c{number}", "PRND-OX", "sell", 2) for number in (12, 14, 15)],
        refused={"c16"},
        acknowledged={f"c{number}": str(number) for number in (12, 14, 15)},
        orders=[
            order("12", "sell", 2, "filled", 2, 0, fees="473.00", price=None),
            order("14", "sell", 2, "new", 0, 2),
            order("15", "sell", 2, "rejected", 0, 0),
        ],
        fills=[fill("12", "sell", "taker")],
        before=balances("0.00", 10),
        after=balances("945527.00", 8, reserved_lots=2),
    )
    seller.sent.append(SentOrder("c16", "PRND-OX", "sell", 1))
    return [buyer, seller]


MOVE = TurnoverMove(10, 16, before_fen=500, after_fen=94_600_500, range_fen=94_600_000, range_trades=1)


def failing(accounts: list[AccountRecord], move: TurnoverMove = MOVE) -> dict[str, Check]:
    return {check.name: check for check in replay_checks(accounts, move, LOT_SIZES) if not check.holds}


def test_a_replay_that_adds_up_is_green() -> None:
    checks = replay_checks(replay(), MOVE, LOT_SIZES)
    assert [check.name for check in checks if not check.holds] == []
    assert is_green(checks)
    assert len({check.name for check in checks}) == len(checks) == 15


Change = tuple[int, str, int, dict[str, Any]]

FAULTS: list[tuple[list[Change], set[str]]] = [
    ([(0, "orders", 1, {"client_order_id": "c99"})], {"orders_as_sent", "replies"}),
    ([(0, "orders", 1, {"order_id": "99"})], {"replies"}),
    ([(0, "orders", 1, {"side": "sell"})], {"orders_as_sent"}),
    ([(0, "orders", 1, {"symbol": "ND-OX"})], {"orders_as_sent"}),
    ([(0, "orders", 1, {"quantity": 4})], {"orders_as_sent"}),
    ([(0, "orders", 1, {"state": "pending"})], {"one_state"}),
    ([(1, "orders", 1, {"state": "filled"})], {"one_state", "quantities"}),
    ([(0, "orders", 1, {"state": "filled"})], {"quantities"}),
    ([(0, "orders", 0, {"leaves_qty": 2})], {"quantities"}),
    ([(0, "orders", 0, {"cum_qty": 1, "leaves_qty": 2})], {"fills_of_orders"}),
    ([(0, "orders", 0, {"fees": "473.01"})], {"fills_of_orders"}),
    ([(0, "orders", 0, {"price": "472900.00"})], {"prices"}),
    ([(1, "orders", 0, {"price": "473100.00"})], {"prices"}),
    ([(0, "fills", 0, {"order_id": "77"})], {"fills_of_orders"}),
    ([(0, "fills", 0, {"trade_id": "901"})], {"trades"}),
    ([(0, "fills", 0, {"liquidity": "taker"})], {"trades"}),
    (
        [(0, "fills", 0, {"price": "472900.00", "amount": "945800.00"})],
        {"trades", "sides_agree", "cash", "turnover", "turnover_of_range"},
    ),
    ([(0, "fills", 0, {"price": "472900.00"})], {"trades", "amounts"}),
    ([(0, "fills", 0, {"seq": 10})], {"turnover", "turnover_of_range"}),
    ([(0, "fills", 0, {"seq": 17})], {"turnover", "turnover_of_range"}),
]


@pytest.mark.parametrize(("changes", "names"), FAULTS)
def test_each_fault_turns_its_check_red(changes: list[Change], names: set[str]) -> None:
    accounts = deepcopy(replay())
    for place, collection, index, fields in changes:
        entries = getattr(accounts[place], collection)
        entries[index] = entries[index] | fields
    assert set(failing(accounts)) == names


@pytest.mark.parametrize(
    ("place", "after", "name"),
    [
        (0, balances("8053527.01", 2, reserved="473236.50"), "cash"),
        (1, balances("945526.99", 8, reserved_lots=2), "cash"),
        (0, balances("8053527.00", 3, reserved="473236.50"), "inventory"),
        (1, {"cash": "945527.00", "reserved": "0.00", "holdings": []}, "inventory"),
        (1, balances("945527.00", 8, reserved_lots=1), "reserves"),
        (0, balances("8053527.00", 2), "reserves"),
        (0, balances("8053527.00", 2, reserved="9000000.00"), "reserves"),
        (1, balances("945527.00", 8, reserved="0.01", reserved_lots=2), "reserves"),
    ],
)
def test_balances_that_do_not_add_up_are_red(place: int, after: dict[str, Any], name: str) -> None:
    accounts = replay()
    accounts[place].after = after
    assert name in failing(accounts)


def test_a_trade_of_an_auction_has_no_taker() -> None:
    accounts = replay()
    for record in accounts:
        record.fills[0] = {**record.fills[0], "liquidity": "auction"}
    assert failing(accounts) == {}
    accounts[0].fills[0] = {**accounts[0].fills[0], "liquidity": "maker"}
    assert set(failing(accounts)) == {"trades"}


def amended(quantity: int, price: str) -> list[AccountRecord]:
    """The same replay, in which the buyer's first order was sent with 2 lots and amended after its fill."""
    accounts = replay()
    accounts[0].sent[0] = accounts[0].sent[0]._replace(quantity=2)
    accounts[0].amends["c11"] = [Terms("473000.00", 2), Terms(price, quantity)]
    accounts[0].amended = {"c11": (price, quantity)}
    accounts[0].orders[0] = {**accounts[0].orders[0], "price": price}
    return accounts


def test_an_amended_order_is_checked_against_its_terms() -> None:
    """The order traded at its first limit and was amended to a worse one."""
    assert failing(amended(3, "472900.00")) == {}
    assert set(failing(amended(4, "472900.00"))) == {"orders_as_sent", "replies"}
    lost = amended(3, "472900.00")
    lost[0].amended = {"c11": ("472800.00", 3)}
    assert set(failing(lost)) == {"replies"}
    unsure = amended(3, "472900.00")
    unsure[0].amended = {}
    assert failing(unsure) == {}


def test_an_order_listed_twice_is_red() -> None:
    accounts = replay()
    accounts[1].orders.append(accounts[1].orders[1])
    assert "orders_as_sent" in failing(accounts)


def test_a_lost_order_is_red_and_named() -> None:
    accounts = replay()
    del accounts[0].orders[1]
    check = failing(accounts)["orders_as_sent"]
    assert check.actual.startswith("account 2: sent SentOrder(client_order_id='c13'")


def test_an_unanswered_order_is_red() -> None:
    accounts = replay()
    accounts[0].acknowledged = {"c11": "11"}
    assert set(failing(accounts)) == {"replies"}


def test_an_odd_reply_is_red() -> None:
    accounts = replay()
    accounts[1].unexpected = ["cancel c14: forbidden"]
    assert failing(accounts)["replies"].actual == "account 3: cancel c14: forbidden"


def test_a_refused_order_that_stands_in_the_venue_is_red() -> None:
    accounts = replay()
    accounts[1].orders.append(order("16", "sell", 1, "rejected", 0, 0))
    assert "orders_as_sent" in failing(accounts)


def test_a_trade_with_a_stranger_is_red() -> None:
    accounts = replay()
    del accounts[1].fills[0]
    check = failing(accounts)["trades"]
    assert check.actual == "trade 900: its other side is no account of this run"


def test_a_replay_without_trades_is_red() -> None:
    accounts = [AccountRecord(2, before=balances("1.00", 0), after=balances("1.00", 0))]
    assert set(failing(accounts, TurnoverMove(1, 2, 0, 0, 0, 0))) == {"both_sides"}


@pytest.mark.parametrize("after_fen", [94_600_499, 94_600_501, 500])
def test_a_report_that_moved_by_another_sum_is_red(after_fen: int) -> None:
    failed = failing(replay(), MOVE._replace(after_fen=after_fen))
    assert set(failed) == {"turnover"}
    assert failed["turnover"].expected == "trades worth 94600000 fen in seq 11 to 16"


@pytest.mark.parametrize("change", [{"range_fen": 94_600_001}, {"range_trades": 2}])
def test_a_report_on_the_range_that_says_otherwise_is_red(change: dict[str, int]) -> None:
    assert set(failing(replay(), MOVE._replace(**change))) == {"turnover_of_range"}


def test_many_faults_are_counted_and_the_first_named() -> None:
    accounts = replay()
    accounts[0].orders += [order(str(number), "buy", 1, "rejected", 0, 0) for number in range(100, 110)]
    actual = failing(accounts)["orders_as_sent"].actual
    assert actual.count("was never sent") == 3
    assert actual.endswith("… and 7 more")


@pytest.mark.parametrize(("yuan", "expected"), [("0.01", 1), ("23000000000.00", 2_300_000_000_000), ("-1.5", -150)])
def test_fen_are_exact(yuan: str, expected: int) -> None:
    assert fen(yuan) == expected


def test_no_amount_has_a_fraction_of_a_fen() -> None:
    with pytest.raises(ValueError, match=r"0\.001 yuan is not a whole number of fen"):
        fen("0.001")


def test_the_verdict_is_also_a_sentence() -> None:
    holds, broken = Check("cash", True, "1", "1"), Check("prices", False, "1", "2")

    def sentence(*checks: Check) -> str:
        return verdict_sentence({"verdict": {"checks": [check._asdict() for check in checks]}})

    assert sentence(holds, holds) == "The verdict is green: all 2 checks hold."
    assert sentence(holds, broken) == "The verdict is red: of 2 checks these do not hold: prices."
