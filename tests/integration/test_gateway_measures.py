"""Declared control and measures over HTTP: what they change, who imposed them and why, and what is refused."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy.ext.asyncio import AsyncConnection

from matching_engine.records import Side
from services.commands import administrative as admin
from services.commands.attachments import AccountText
from services.files.data_folder import READ_DATABASE_FILE
from services.gateway.order_entry import decisions
from services.read_model.records import Record, read_records
from tests.integration.test_gateway_decisions import fills, refusal
from tests.integration.test_reporting import trade
from tests.integration.venue import CASH_FEN, RunningVenue
from tests.patience import PATIENCE_S
from tests.unit.read_model.history import SENDER, order

pytestmark = pytest.mark.anyio

GROUPS, MEASURES = "/v1/admin/control_groups", "/v1/admin/measures"
BY = {"reason": "one person signs for both", "name": "Li Na"}


def account_of(venue: RunningVenue, name: str) -> int:
    return venue.keys[name].account


async def post(venue: RunningVenue, path: str, **body: Any) -> httpx.Response:
    return await venue.client("operator").post(path, json=BY | body)


async def read(venue: RunningVenue, path: str) -> Any:
    await venue.projector.reached(venue.sequencer.last_seq)
    answer = await venue.client("operator").get(f"/v1/reports/{path}")
    assert answer.status_code == 200, answer.text
    return answer.json()


async def place(venue: RunningVenue, name: str, side: str) -> dict[str, Any]:
    order = {"symbol": "PRND-OX", "side": side, "price": "473000.00", "quantity": 1, "time_in_force": "gtc"}
    answer = await venue.client(name).post("/v1/orders", json=order)
    placed: dict[str, Any] = answer.json()
    return placed


async def try_to_trade_with_oneself(venue: RunningVenue, name: str, times: int) -> None:
    resting = await place(venue, name, "sell")
    for _ in range(times):
        assert (await place(venue, name, "buy"))["reason"] == "self_trade"
    await venue.client(name).delete(f"/v1/orders/{resting['order_id']}")


async def test_members_of_a_declared_group_are_counted_together_until_it_ends(venue: RunningVenue) -> None:
    alice, bob = account_of(venue, "alice"), account_of(venue, "bob")
    await try_to_trade_with_oneself(venue, "alice", 3)
    await try_to_trade_with_oneself(venue, "bob", 2)
    assert (await read(venue, "abnormal_trading/2023"))["steps"] == []
    declared = (await post(venue, GROUPS, accounts=[bob, alice])).json()["seq"]
    (step,) = (await read(venue, "abnormal_trading/2023"))["steps"]
    assert (step["trading_date"], step["members"], step["provided"]) == ("2023-12-01", ["alice", "bob"], "warning")
    assert step["breaches"] == [{"symbol": "PRND-OX", "behaviour": "self_trade_attempts", "count": 5, "limit": 5}]
    (group,) = (await read(venue, "control_groups"))["control_groups"]
    assert (group["control_group"], group["accounts"], group["name"], group["ended"]) == (
        str(declared), [alice, bob], "Li Na", None,
    )  # fmt: skip
    again = await post(venue, GROUPS, accounts=[alice, bob])
    assert refusal(again) == (409, "already_decided", "accounts")
    ended = (await post(venue, f"{GROUPS}/{declared}/end", reason="sold", name="Wu")).json()["seq"]
    (group,) = (await read(venue, "control_groups"))["control_groups"]
    assert (group["ended"]["seq"], group["ended"]["reason"]) == (ended, "sold")
    assert (await read(venue, "abnormal_trading/2023"))["steps"] == []
    assert (await post(venue, f"{GROUPS}/{declared}/end")).status_code == 409


async def test_the_pages_of_control_groups_have_each_once_also_one_that_is_declared_between_them(
    venue: RunningVenue,
) -> None:
    async def declare() -> str:
        declared = (await post(venue, GROUPS, accounts=[2, 3])).json()["seq"]
        assert (await post(venue, f"{GROUPS}/{declared}/end")).status_code == 200
        return str(declared)

    declared = [await declare() for _ in range(3)]
    for limit in range(1, 5):
        page = await read(venue, f"control_groups?limit={limit}")
        found = page["control_groups"]
        if limit <= len(declared):
            declared.append(await declare())
        while page["next_cursor"] is not None:
            page = await read(venue, f"control_groups?limit={limit}&cursor={page['next_cursor']}")
            found += page["control_groups"]
            assert len(page["control_groups"]) <= limit
        assert [group["control_group"] for group in found] == declared
        assert all(group["ended"] for group in found)


async def test_a_member_whose_number_is_no_account_has_the_name_of_its_first_account(venue: RunningVenue) -> None:
    oxide, account = venue.state.by_symbol["PRND-OX"], len(venue.keys) + 1
    ticks = oxide.price_ticks("473000.00")
    attempts = (order(account, side, ticks, 1, instrument=oxide.number) for side in (Side.SELL, *[Side.BUY] * 5))
    for submission in (
        admin.open_account(SENDER, AccountText(name="Baotou"), owner=77),
        admin.change_cash(SENDER, account, CASH_FEN),
        admin.change_inventory(SENDER, account, oxide.number, 1),
        *attempts,
    ):
        await venue.inbox.put(submission)
    await place(venue, "alice", "sell")  # answered after those
    (step,) = (await read(venue, "abnormal_trading/2023"))["steps"]
    assert step["members"] == ["Baotou"]


async def test_trades_within_a_declared_group_are_a_finding_and_still_count(venue: RunningVenue) -> None:
    await trade(venue)
    assert (await read(venue, "findings/2023"))["findings"] == []
    await post(venue, GROUPS, accounts=[account_of(venue, "alice"), account_of(venue, "bob")])
    (finding,) = (await read(venue, "findings/2023"))["findings"]
    assert (finding["kind"], finding["trades"], finding["members"]) == ("common_control", 3, ["alice", "bob"])
    assert set(finding["trade_ids"]) == {fill["trade_id"] for fill in await fills(venue)}
    assert (await read(venue, "turnover/2023"))["net"] == finding["amount"]


async def test_an_opening_ban_stops_orders_until_it_is_lifted(venue: RunningVenue) -> None:
    alice, bob = account_of(venue, "alice"), account_of(venue, "bob")
    resting = await place(venue, "bob", "sell")
    body = {"measure": "opening_ban", "trading_date": "2023-12-01"}
    first = (await post(venue, MEASURES, accounts=[bob, alice], **body)).json()["seq"]
    second = (await post(venue, MEASURES, accounts=[bob], **body)).json()["seq"]
    assert (await place(venue, "bob", "buy"))["reason"] == "account_kill_switch"
    assert (await venue.client("bob").delete(f"/v1/orders/{resting['order_id']}")).status_code == 200
    await post(venue, f"{MEASURES}/{first}/lift")
    assert (await place(venue, "alice", "buy"))["state"] == "new"
    assert (await place(venue, "bob", "buy"))["reason"] == "account_kill_switch", "the second ban holds"
    lifted = (await post(venue, f"{MEASURES}/{second}/lift", reason="done", name="Wu")).json()["seq"]
    assert (await place(venue, "bob", "buy"))["state"] == "new"
    older, newer = (await read(venue, "abnormal_trading/2023"))["measures"]
    assert (older["accounts"], older["measure"], older["trading_date"]) == ([alice, bob], "opening_ban", "2023-12-01")
    assert (newer["measure_id"], newer["lifted"]["seq"], newer["lifted"]["name"]) == (str(second), lifted, "Wu")


async def impose(venue: RunningVenue, *names: str) -> int:
    """Bans these traders from opening; returns the measure."""
    accounts = [account_of(venue, name) for name in names]
    answer = await post(venue, MEASURES, accounts=accounts, measure="opening_ban", trading_date="2023-12-01")
    seq: int = answer.json()["seq"]
    return seq


async def lift(venue: RunningVenue, measure: int) -> httpx.Response:
    return await post(venue, f"{MEASURES}/{measure}/lift")


async def switch(venue: RunningVenue, name: str, to: str) -> httpx.Response:
    return await venue.client("operator").post(f"/v1/admin/accounts/{account_of(venue, name)}/kill_switch/{to}")


def is_on(venue: RunningVenue, name: str) -> bool:
    return venue.state.accounts[account_of(venue, name)].kill_switch


async def test_a_kill_switch_that_was_on_before_the_ban_stays_on(venue: RunningVenue) -> None:
    await switch(venue, "bob", "on")
    ban = await impose(venue, "alice", "bob")
    await lift(venue, ban)
    assert (is_on(venue, "alice"), is_on(venue, "bob")) == (False, True)
    assert (await switch(venue, "bob", "off")).status_code == 200
    # What an earlier ban switched on and its lifting off says nothing of the next switch.
    ban = await impose(venue, "alice", "bob")
    await lift(venue, ban)
    await switch(venue, "bob", "on")
    ban = await impose(venue, "bob")
    await lift(venue, ban)
    assert is_on(venue, "bob")


async def test_a_kill_switch_under_a_ban_is_not_switched_off(venue: RunningVenue) -> None:
    ban = await impose(venue, "bob")
    before = venue.sequencer.last_seq
    answer = await switch(venue, "bob", "off")
    assert (answer.status_code, answer.json()["code"]) == (409, "already_decided")
    assert f"measure {ban}" in answer.json()["detail"]
    assert (is_on(venue, "bob"), venue.sequencer.last_seq) == (True, before)
    assert (await switch(venue, "alice", "off")).status_code == 200
    await lift(venue, ban)
    assert (await switch(venue, "bob", "off")).status_code == 200


@pytest.mark.parametrize("ending", ["lift", "off with a key"])
async def test_a_ban_that_another_gateway_imposes_meanwhile_holds(
    venue: RunningVenue, monkeypatch: pytest.MonkeyPatch, ending: str
) -> None:
    """It is journaled after this gateway has read the records, and before its command."""
    ban = await impose(venue, "bob") if ending == "lift" else 0
    read_now = read_records
    others: list[int] = []

    async def read_and_be_overtaken(connection: AsyncConnection, types: Sequence[str]) -> list[Record]:
        found = await read_now(connection, types)
        if not others:
            others.append(0)
            others.append(await asyncio.create_task(impose(venue, "bob")))  # a request of its own
        return found

    monkeypatch.setattr(decisions, "read_records", read_and_be_overtaken)
    if ending == "lift":
        await lift(venue, ban)
    else:
        path = f"/v1/admin/accounts/{account_of(venue, 'bob')}/kill_switch/off"
        reply = await venue.client("operator").post(path, headers={"idempotency-key": "k-1"})
        assert reply.status_code == 200
    assert is_on(venue, "bob"), "the second ban holds"
    assert (await place(venue, "bob", "buy"))["reason"] == "account_kill_switch"
    await lift(venue, others[1])
    assert not is_on(venue, "bob")


async def test_a_switch_off_that_is_sent_again_under_a_later_ban_gets_its_first_answer(venue: RunningVenue) -> None:
    path, headers = f"/v1/admin/accounts/{account_of(venue, 'bob')}/kill_switch/off", {"idempotency-key": "k-1"}
    first = await venue.client("operator").post(path, headers=headers)
    await impose(venue, "bob")
    again = await venue.client("operator").post(path, headers=headers)
    assert (first.status_code, first.json()) == (again.status_code, again.json()) == (200, first.json())
    assert is_on(venue, "bob")


async def test_a_read_database_that_is_behind_delays_no_ban(venue: RunningVenue, tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / READ_DATABASE_FILE, isolation_level=None)) as writer:
        writer.execute("BEGIN IMMEDIATE")  # The projector cannot write meanwhile.
        await place(venue, "bob", "sell")
        async with asyncio.timeout(PATIENCE_S):
            await impose(venue, "bob")
        assert is_on(venue, "bob")
        (position,) = writer.execute("SELECT seq FROM position").fetchone()
        assert position < venue.state.last_seq
        writer.execute("ROLLBACK")


async def test_a_measure_answers_the_step_of_its_day(venue: RunningVenue) -> None:
    await try_to_trade_with_oneself(venue, "alice", 5)
    answer = await post(
        venue, MEASURES, accounts=[account_of(venue, "alice")], measure="warning", trading_date="2023-12-01"
    )
    found = await read(venue, "abnormal_trading/2023")
    assert [step["imposed"] for step in found["steps"]] == [[str(answer.json()["seq"])]]
    assert (await place(venue, "alice", "buy"))["state"] == "new", "a warning stops nobody"


@pytest.mark.parametrize(
    ("path", "body", "refused"),
    [
        (GROUPS, {"accounts": [2]}, (422, "validation_failed", "accounts")),
        (GROUPS, {"accounts": [2, 99]}, (422, "unknown_account", "accounts.1")),
        (GROUPS, {"accounts": [2, 1]}, (422, "unknown_account", "accounts.1")),
        (GROUPS, {"accounts": [2, 2]}, (422, "validation_failed", "accounts.1")),
        (GROUPS, {"accounts": [2, 3], "reason": ""}, (422, "validation_failed", "reason")),
        (MEASURES, {"accounts": [2], "measure": "fine"}, (422, "validation_failed", "measure, trading_date")),
        (
            MEASURES,
            {"accounts": [2], "measure": "warning", "trading_date": "2023-02-30"},
            (422, "validation_failed", "trading_date"),
        ),
        (
            MEASURES,
            {"accounts": [2], "measure": "warning", "trading_date": "2023-12-04"},
            (422, "validation_failed", "trading_date"),
        ),
    ],
)
async def test_refuses_a_body_and_names_the_field(
    refusing_venue: RunningVenue, path: str, body: dict[str, Any], refused: tuple[int, str, str]
) -> None:
    before = refusing_venue.sequencer.last_seq
    assert refusal(await post(refusing_venue, path, **body)) == refused
    assert refusing_venue.sequencer.last_seq == before


async def test_refuses_numbers_that_name_nothing(venue: RunningVenue) -> None:
    for path in (f"{GROUPS}/7/end", f"{MEASURES}/7/lift"):
        answer = await post(venue, path)
        assert (answer.status_code, answer.json()["code"]) == (404, "not_found")
