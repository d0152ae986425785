"""Instruments of a running scaled venue: what one gateway lists, changes and delists, the other one trades, also under the
next leader."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from rex_client import RexClient

from tests.faults.scaled_venue import ScaledVenue, scaled_venue
from tests.faults.traders import open_traders
from tests.integration.postgres_journal import until
from tests.integration.test_client_methods import SCANDIUM, SIGNED

pytestmark = [pytest.mark.anyio, pytest.mark.slow]

SYMBOL = str(SCANDIUM["symbol"])


@pytest.fixture
def venue(postgres_url: str) -> Iterator[ScaledVenue]:
    with scaled_venue(postgres_url) as running:
        yield running


async def seen(client: RexClient, **fields: Any) -> None:
    """Waits until a gateway shows the instrument with these fields."""
    wanted = {"symbol": SYMBOL, **fields}.items()
    await until(client.instruments, lambda shown: any(wanted <= one.items() for one in shown))


async def test_what_one_gateway_lists_changes_and_delists_is_so_at_the_other(venue: ScaledVenue) -> None:
    first, second = venue.gateways()
    buyer, _ = await open_traders(venue)
    order = {"symbol": SYMBOL, "side": "buy", "price": "6000.00", "quantity": 1, "time_in_force": "gtc"}
    async with (
        RexClient(first, venue.operator_key) as operator,
        RexClient(second, venue.operator_key) as other_operator,
        RexClient(second, buyer.key) as trader,
    ):
        await operator.list_instrument(SCANDIUM, **SIGNED)
        await seen(trader, upper_limit="6360.00")
        resting = await trader.place_order(order)
        assert resting["state"] == "new"
        await other_operator.change_instrument(SYMBOL, {"band_rate": "0.02"}, **SIGNED)
        await seen(operator, upper_limit="6120.00")
        await operator.delist_instrument(SYMBOL, **SIGNED)
        await seen(trader, phase="delisted")
        ended = await trader.order(resting["order_id"])
        assert (ended["state"], ended["reason"]) == ("canceled", "instrument_delisted")
        venue.end(venue.leader())
        venue.leader()
        venue.wait_ready()
        refused = await trader.place_order(order)
        assert (refused["state"], refused["reason"]) == ("rejected", "no_longer_listed")
