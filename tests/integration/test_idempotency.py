"""Administrative requests with an Idempotency-Key: each is carried out once, also after a restart from the journal alone."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import httpx
import pytest

from services.files.data_folder import READ_DATABASE_FILE
from services.gateway.order_entry.idempotency import takes_key
from services.messaging import Submission
from tests.integration.documented import openapi
from tests.integration.logged_in import add_user, logged_in
from tests.integration.test_gateway_routes import NAMES, operations_of
from tests.integration.venue import CASH_FEN, RunningVenue, running_venue

pytestmark = pytest.mark.anyio

CASH = "/v1/admin/accounts/2/cash"
REFUSED_TWICE = {"POST /v1/admin/keys"}
"""Its secret is shown once."""
NOT_TRIED = {
    "POST /v1/admin/decisions",
    "POST /v1/admin/proposals/{seq}/confirm",
    "POST /v1/admin/proposals/{seq}/reject",
    "POST /v1/admin/proposals/{seq}/withdraw",
    "POST /v1/admin/trades/{trade_id}/bust",
    "POST /v1/alerts/{alert_id}/acknowledge",
}
"""What the example of the document does not carry out: there is no such alert, trade or proposal."""


async def send(venue: RunningVenue, path: str, body: dict[str, Any], key: str | None = "k-1") -> httpx.Response:
    headers = {} if key is None else {"idempotency-key": key}
    return await venue.client("operator").post(path, json=body, headers=headers)


async def test_a_deposit_sent_again_is_one_deposit(venue: RunningVenue) -> None:
    replies = [await send(venue, CASH, {"amount": "12.50"}) for _ in range(3)]
    assert {reply.status_code for reply in replies} == {200}
    assert len({reply.json()["seq"] for reply in replies}) == 1
    assert venue.state.accounts[2].cash_fen == CASH_FEN + 1_250
    other = await send(venue, CASH, {"amount": "12.50"}, key="k-2")
    assert other.json()["seq"] > replies[0].json()["seq"]
    assert venue.state.accounts[2].cash_fen == CASH_FEN + 2_500


async def test_requests_at_the_same_moment_are_one(venue: RunningVenue) -> None:
    replies = await asyncio.gather(*[send(venue, CASH, {"amount": "1.00"}) for _ in range(5)])
    assert len({reply.json()["seq"] for reply in replies}) == 1
    assert venue.state.accounts[2].cash_fen == CASH_FEN + 100


async def test_every_request_may_be_repeated_but_those_of_this_list(venue: RunningVenue) -> None:
    """A route that takes a key carries its request out once, and answers the repeat as the first. A new one is tried, too."""
    operator, schemas = venue.client("operator"), openapi()["components"]["schemas"]
    key_id = (await operator.post("/v1/admin/keys", json={"name": "desk", "scopes": ["read"]})).json()["key_id"]
    why = {"reason": "family", "name": "Li Na"}
    group = (await operator.post("/v1/admin/control_groups", json={"accounts": [2, 3], **why})).json()["seq"]
    warned = {"accounts": [2], "measure": "warning", "trading_date": "2023-12-01", **why}
    measure = (await operator.post("/v1/admin/measures", json=warned)).json()["seq"]
    seqs = {"/v1/admin/control_groups/{seq}/end": group, "/v1/admin/measures/{seq}/lift": measure}
    bodies = {"/v1/admin/measures": warned, "/v1/admin/control_groups": {"accounts": [2, 3], **why}}
    told: dict[str, list[tuple[int, Any]]] = {}
    # A group can be declared anew when it has ended; a product that is delisted takes nothing more.
    backwards = sorted(operations_of(), key=lambda one: one.path, reverse=True)
    for number, operation in enumerate(sorted(backwards, key=lambda one: one.path.endswith("/delist"))):
        if operation.method == "GET" or not takes_key(operation.path):
            continue
        headers = {"idempotency-key": f"request-{number}"}
        url = operation.path.format(**NAMES | {"key_id": key_id, "seq": seqs.get(operation.path, 1)})
        body = bodies.get(operation.path, operation.body(schemas))
        replies = [await operator.request(operation.method, url, json=body, headers=headers) for _ in range(2)]
        told[f"{operation.method} {operation.path}"] = [(reply.status_code, reply.json()) for reply in replies]
    carried_out = {route for route, (first, _) in told.items() if first[0] < 300}
    assert told.keys() - carried_out == NOT_TRIED
    assert {route for route in carried_out if told[route][0] != told[route][1]} == REFUSED_TWICE


async def test_the_key_of_another_request_is_refused(venue: RunningVenue) -> None:
    await send(venue, CASH, {"amount": "1.00"})
    for path, body in ((CASH, {"amount": "2.00"}), ("/v1/admin/accounts/3/cash", {"amount": "1.00"})):
        reply = await send(venue, path, body)
        assert (reply.status_code, reply.json()["code"]) == (422, "idempotency_key_reused")
        assert reply.json()["errors"][0]["field"] == "Idempotency-Key"
    assert venue.state.accounts[3].cash_fen == CASH_FEN


async def test_a_refused_request_may_be_sent_again(venue: RunningVenue) -> None:
    account = (await send(venue, "/v1/admin/accounts", {"name": "new"}, key=None)).json()["account"]
    cash = f"/v1/admin/accounts/{account}/cash"
    assert (await send(venue, cash, {"amount": "-5.00"})).json()["code"] == "insufficient_funds"
    await send(venue, cash, {"amount": "5.00"}, key=None)
    assert (await send(venue, cash, {"amount": "-5.00"})).status_code == 200
    assert (await send(venue, cash, {"amount": "-5.00"})).status_code == 200
    assert venue.state.accounts[account].cash_fen == 0


async def test_after_a_restart_from_the_journal_alone_a_retry_is_no_second_request(tmp_path: Path) -> None:
    limits = {"max_order_quantity": 5}
    async with running_venue(tmp_path) as venue:
        operator = venue.client("operator")
        refused = await send(venue, CASH, {"amount": "-99999999999.00"}, key="refused")
        assert refused.status_code == 409
        first = [
            await send(venue, CASH, {"amount": "1.00"}, key="cash"),
            await send(venue, "/v1/admin/accounts", {"name": "new"}, key="account"),
            await operator.put("/v1/admin/accounts/2/limits", json=limits, headers={"idempotency-key": "limits"}),
        ]
        last_seq = venue.state.last_seq
    (tmp_path / READ_DATABASE_FILE).unlink()  # As after a kill at any instant: the read database may lack everything.
    async with running_venue(tmp_path) as venue:
        operator = venue.client("operator")
        again = [
            await send(venue, CASH, {"amount": "1.00"}, key="cash"),
            await send(venue, "/v1/admin/accounts", {"name": "new"}, key="account"),
            await operator.put("/v1/admin/accounts/2/limits", json=limits, headers={"idempotency-key": "limits"}),
        ]
        assert [reply.json() for reply in again] == [reply.json() for reply in first]
        assert venue.state.last_seq == last_seq
        assert venue.state.accounts[2].cash_fen == CASH_FEN + 100
        assert (await send(venue, CASH, {"amount": "2.00"}, key="cash")).json()["code"] == "idempotency_key_reused"
        assert (await send(venue, CASH, {"amount": "-1.00"}, key="refused")).status_code == 200


async def test_a_secret_is_not_shown_again(venue: RunningVenue) -> None:
    body = {"name": "desk", "scopes": ["read"], "account": 2}
    issued = (await send(venue, "/v1/admin/keys", body)).json()
    again = await send(venue, "/v1/admin/keys", body)
    assert (again.status_code, again.json()["code"]) == (409, "already_carried_out")
    assert str(issued["seq"]) in again.json()["detail"]
    assert sum(key.name == "desk" for key in venue.state.keys.values()) == 1


async def test_the_log_shows_the_request_and_not_its_key(venue: RunningVenue) -> None:
    await send(venue, CASH, {"amount": "1.00"})
    log = (await venue.client("operator").get("/v1/admin/log")).json()["actions"]
    assert [action["kind"] for action in log] == ["deposit"]


@pytest.mark.parametrize("key", ["", "x" * 65, "with space"])
async def test_a_key_of_another_form_is_refused(refusing_venue: RunningVenue, key: str) -> None:
    reply = await send(refusing_venue, CASH, {"amount": "1.00"}, key=key)
    assert (reply.status_code, reply.json()["errors"][0]["field"]) == (422, "Idempotency-Key")
    assert refusing_venue.state.accounts[2].cash_fen == CASH_FEN


async def test_requests_about_users_take_no_key(venue: RunningVenue) -> None:
    await add_user(venue, "root", "admin", account=0)
    client = await logged_in(venue, "root")
    body = {"name": "wang", "role": "visitor", "account": 0, "password": "a long enough password"}
    reply = await client.post("/v1/admin/users", json=body, headers={"idempotency-key": "k"})
    assert (reply.status_code, reply.json()["errors"][0]["field"]) == (422, "Idempotency-Key")
    other = await client.post(CASH, json={"amount": "1.00"}, headers={"idempotency-key": "k"})
    assert other.status_code == 200


async def test_what_has_no_reply_is_not_sent_again(venue: RunningVenue, monkeypatch: pytest.MonkeyPatch) -> None:
    """The inbox keeps the first request; the second is told that the outcome is unknown, and then the outcome."""
    held: list[Submission] = []
    arrived = asyncio.Event()

    async def hold(submission: Submission) -> None:
        held.append(submission)
        arrived.set()

    put = venue.inbox.put
    monkeypatch.setattr(venue.inbox, "put", hold)
    first = asyncio.create_task(send(venue, CASH, {"amount": "1.00"}))
    await arrived.wait()
    venue.order_entry.pending.give_up(float("inf"))
    assert (await first).json()["code"] == "outcome_unknown"
    assert (await send(venue, CASH, {"amount": "1.00"})).json()["code"] == "outcome_unknown"
    assert (await send(venue, CASH, {"amount": "9.00"})).json()["code"] == "idempotency_key_reused"
    assert len(held) == 1
    monkeypatch.undo()
    await put(held[0])
    assert (await send(venue, CASH, {"amount": "3.00"}, key="later")).status_code == 200
    assert (await send(venue, CASH, {"amount": "1.00"})).status_code == 200
    assert venue.state.accounts[2].cash_fen == CASH_FEN + 400
