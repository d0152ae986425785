"""A snapshot of many open alerts comes in parts of a bounded size, which the client joins; updates follow it."""

from __future__ import annotations

import pytest
from rex_client.subscription import Subscription

from services.commands import administrative as admin
from services.commands.attachments import AlertRaised, KeyIssued
from services.gateway.websocket.channels import AlertStream
from services.gateway.websocket.private_models import PART_ROWS
from services.venue_state.keys import key_hash
from services.venue_state.state import VenueState
from tests.unit.gateway.websocket.test_orders_snapshot import Client
from tests.unit.read_model.history import SENDER, History, opening

pytestmark = pytest.mark.anyio

KEY = KeyIssued(key_hash=key_hash("rex_x").hex(), account=0, name="k", scopes=("operate",))


def raised(number: int) -> AlertRaised:
    return AlertRaised(
        kind="wash_finding",
        key=f"wash_finding:{number}",
        subject=str(number),
        severity="warning",
        sentence="They traded.",
        sentence_zh="成交。",
    )


@pytest.mark.parametrize("sizes", [[1], [PART_ROWS], [PART_ROWS, PART_ROWS, 3]])
async def test_no_part_is_longer_than_its_bound_and_the_client_has_one_snapshot(sizes: list[int]) -> None:
    count = sum(sizes)
    history, state = History(), VenueState()
    state.apply(history.batch(opening()))
    state.apply(
        history.batch([admin.record(SENDER, KEY), admin.recorded(SENDER, [raised(each) for each in range(count)])])
    )
    stream, client = AlertStream(state), Client(state.find_key("rex_x"))
    stream.subscribe(client)
    parts = client.read()
    assert [len(part["data"]["alerts"]) for part in parts] == sizes
    state.apply(history.batch([admin.recorded(SENDER, [raised(count)])]))
    stream.publish()
    pushes = Subscription(["alerts"], None, lambda _closed: None)
    for push in (*parts, *client.read()):
        pushes.take(push)
    snapshot, update = [await anext(pushes) for _ in range(2)]
    assert [alert["subject"] for alert in snapshot["data"]["alerts"]] == [str(each) for each in range(count)]
    assert "more" not in snapshot["data"]
    assert (update["prev_seq"], [alert["subject"] for alert in update["data"]["alerts"]]) == (
        snapshot["seq"],
        [str(count)],
    )
