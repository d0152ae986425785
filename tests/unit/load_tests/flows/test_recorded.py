from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest

from load_tests.flows.flow_file import read_flow
from load_tests.flows.flow_message import FlowError, FlowInstrument, FlowMessage
from load_tests.flows.recorded import HEADER, PriceMap

OXIDE = FlowInstrument(
    symbol="PRND-OX",
    lot_size=1,
    tick_size=Decimal("100.00"),
    reference_price=Decimal("473000.00"),
    lower_limit=Decimal("444700.00"),
    upper_limit=Decimal("501300.00"),
    max_quantity=50,
)


def written(tmp_path: Path, *rows: str) -> Path:
    path = tmp_path / "recorded.csv"
    path.write_text("\n".join([",".join(HEADER), *rows, ""]))
    return path


def read(path: Path) -> tuple[list[FlowMessage], dict[str, int]]:
    flow = read_flow(path, {OXIDE.symbol: OXIDE}, recorded_symbol=OXIDE.symbol)
    return flow.messages, flow.skipped


def test_created_is_a_limit_order_and_deleted_its_cancel(tmp_path: Path) -> None:
    path = written(
        tmp_path,
        "7,1000,900,236.47,200000000,created,bid",
        "7,1100,900,236.47,178855669,changed,bid",
        "8,1090,900,236.47,10,created,ask",
        "7,1200,900,236.47,0,deleted,bid",
    )
    bid = FlowMessage(0, "new", "PRND-OX", "buy", "limit", "gtc", "473000.00", 2, "7")
    ask = FlowMessage(100, "new", "PRND-OX", "sell", "limit", "gtc", "473000.00", 1, "8")
    assert read(path) == ([bid, ask, bid._replace(time_ms=200, action="cancel")], {"changed": 1})


def test_rows_without_an_order_of_ours_are_skipped_and_counted(tmp_path: Path) -> None:
    path = written(
        tmp_path,
        "1,1000,900,236.47,0,deleted,bid",
        "2,1000,900,236.47,100,created,bid",
        "2,1000,900,236.47,100,created,bid",
    )
    messages, skipped = read(path)
    assert [message.client_order_id for message in messages] == ["2"]
    assert skipped == {"unknown_id": 1, "repeated_id": 1}


def test_quantity_is_held_to_the_largest_order(tmp_path: Path) -> None:
    messages, _ = read(written(tmp_path, "1,1000,900,236.47,99900000000,created,bid"))
    assert messages[0].quantity == 50


def test_prices_spread_over_the_band_and_stay_inside() -> None:
    mapping = PriceMap(centre=23_481, spread=460, reference_ticks=4730, low_ticks=4447, high_ticks=5013)
    quarter = (5013 - 4447) // 4
    prices = [23_481, 23_481 + 460, 23_481 - 460, 35_000, 16_460, 0]
    assert [mapping.ticks(price) for price in prices] == [4730, 4730 + quarter, 4730 - quarter, 5013, 4447, 4447]


def test_median_lands_on_the_reference(tmp_path: Path) -> None:
    rows = [f"{number},1000,900,{price},1,created,bid" for number, price in enumerate(["230.00", "234.00", "900.00"])]
    messages, _ = read(written(tmp_path, *rows))
    assert messages[1].price == "473000.00"
    assert [Decimal(message.price) % OXIDE.tick_size for message in messages] == [0, 0, 0]


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ("1,1000,900,236.47,1,created", "6 fields instead of 7"),
        ("x,1000,900,236.47,1,created,bid", "id 'x' is not a whole number"),
        ("1,later,900,236.47,1,created,bid", "timestamp 'later' is not a whole number of milliseconds"),
        ("1,1000,900,NaN,1,created,bid", "price 'NaN' is not a decimal number"),
        ("1,1000,900,236.47,-1,created,bid", "volume '-1' is not a whole number"),
        ("1,1000,900,236.47,1,updated,bid", "action 'updated' is none of created, changed, deleted"),
        ("1,1000,900,236.47,1,created,buy", "direction 'buy' is neither bid nor ask"),
    ],
)
def test_a_bad_row_is_named_with_line_and_reason(tmp_path: Path, row: str, reason: str) -> None:
    path = written(tmp_path, "7,1000,900,236.47,200000000,created,bid", row)
    with pytest.raises(FlowError) as caught:
        read(path)
    assert str(caught.value) == f"{path}, line 3: {reason}"


def test_an_unlisted_instrument_is_refused(tmp_path: Path) -> None:
    with pytest.raises(FlowError, match="lists no 'ND-OX'"):
        read_flow(written(tmp_path), {OXIDE.symbol: OXIDE}, recorded_symbol="ND-OX")
