from __future__ import annotations

import pytest

from matching_engine.records import Event, EventKind, Side
from services.values.trade_sides import TradeSides, sides


@pytest.mark.parametrize("kind", [EventKind.TRADE, EventKind.TRADE_BUSTED])
@pytest.mark.parametrize(
    ("side", "expected"), [(Side.BUY, TradeSides(2, 3, 5, 7)), (Side.SELL, TradeSides(3, 2, 7, 5))]
)
def test_the_taker_buys_or_sells(kind: EventKind, side: Side, expected: TradeSides) -> None:
    event = Event(kind=kind, side=side, account=2, fee_fen=5, maker_account=3, maker_fee_fen=7)
    assert sides(event) == expected
