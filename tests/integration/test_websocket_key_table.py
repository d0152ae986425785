"""Every method and channel of the WebSocket × every scope and role, and keys that must not work. A new one without a row fails.

The same of the routes is in test_key_table.py, test_gateway_routes.py and test_people_roles.py.
"""

from __future__ import annotations

import json
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, NamedTuple, get_args

import pytest
from websockets.asyncio.client import ClientConnection
from websockets.exceptions import InvalidStatus

from services.commands.attachments import Role, Scope
from services.gateway.websocket.protocol import CHANNELS, METHODS
from tests.integration.documented import document
from tests.integration.logged_in import add_user
from tests.integration.served_venue import Served, served_venue
from tests.integration.test_gateway_routes import ACCOUNTS
from tests.integration.test_key_table import HIDDEN, HOUR_NS, KINDS, ORDER, SCOPES, issue, keys_of
from tests.integration.test_people_sessions import session
from tests.integration.venue import START_NS
from tests.patience import WebSocketClient

pytestmark = pytest.mark.anyio

Json = dict[str, Any]
ROLES: tuple[Role, ...] = get_args(Role)
EVERY = "read trade operate admin audit"
NOBODY = "nobody"
"""A connection without a key."""


class Row(NamedTuple):
    """What a method is sent, and who may: scopes (each alone), roles."""

    params: Json
    scopes: str
    roles: str
    is_open: bool = False
    """Whether a connection without a key may."""


EVERYBODY = (EVERY, "visitor trader operator auditor admin")
READERS = ("read", "visitor trader operator auditor admin")
TRADERS = ("trade", "trader")
CANCELERS = ("trade operate", "trader operator admin")
CANCEL = {"cancel": {"order_id": "1"}}

TABLE = {
    "authenticate": Row({"key": "rex_wrong"}, *EVERYBODY, is_open=True),
    "place_order": Row({**ORDER, "client_order_id": None}, *TRADERS),
    "amend_order": Row({"order_id": "1", "quantity": 1}, *TRADERS),
    "cancel_order": Row({"order_id": "1"}, *CANCELERS),
    "mass_cancel": Row({"symbol": "*"}, *CANCELERS),
    "batch": Row({"requests": [CANCEL]}, *TRADERS),
    "cancel_orders": Row({"order_ids": ["1"]}, *CANCELERS),
    "test_order": Row(ORDER, *TRADERS),
    "cancel_on_disconnect": Row({}, *TRADERS),
    "cancel_all_after": Row({"seconds": 0}, *TRADERS),
    "subscribe": Row({"channels": ["status"]}, *READERS, is_open=True),
    "unsubscribe": Row({"channels": ["status"]}, *READERS, is_open=True),
    "subscriptions": Row({}, *EVERYBODY, is_open=True),
    "options": Row({}, *EVERYBODY, is_open=True),
    "ping": Row({}, *EVERYBODY, is_open=True),
}
OWN = ("read trade", "trader")
OPERATORS = ("operate audit", "operator auditor admin")

SUBSCRIPTIONS = {
    **dict.fromkeys(
        ("depth", "top", "trades", "ticker", "auction"), Row({"symbols": ["PRND-OX"]}, *EVERYBODY, is_open=True)
    ),
    "candles": Row({"symbols": ["PRND-OX"], "interval": "1m"}, *EVERYBODY, is_open=True),
    "status": Row({}, *EVERYBODY, is_open=True),
    "turnover": Row({}, *EVERYBODY, is_open=True),
    "orders": Row({}, *OWN),
    "fills": Row({}, *OWN),
    "balances": Row({}, *OWN),
    "drop_copy": Row({}, *OPERATORS),
    "alerts": Row({}, *OPERATORS),
}  # fmt: skip
"""Who may subscribe to a channel: here each scope stands beside `read`, and the keys of `read` and `trade` have an account."""
PAGE = (Path(__file__).parents[2] / "docs/websocket.md").read_text(encoding="utf-8")
UNASKED = {"heartbeat", "venue"}
REFUSALS = {"scope_missing", "account_required", "missing_key"}


@pytest.fixture
async def served(tmp_path: Path) -> AsyncIterator[Served]:
    async with served_venue(tmp_path) as running:
        yield running


@asynccontextmanager
async def socket_of(served: Served, **headers: str) -> AsyncIterator[ClientConnection]:
    url = served.url.replace("http", "ws") + "/v1/ws"
    async with WebSocketClient(url, additional_headers=headers) as socket:
        yield socket


async def code_of(socket: ClientConnection, method: str, params: Json) -> str | None:
    """The code of the reply's error."""
    reply = await answer(socket, method, params)
    return reply["error"]["code"] if "error" in reply else None


async def answer(socket: ClientConnection, method: str, params: Json) -> Json:
    """The reply; pushes before it are not looked at."""
    await socket.send(json.dumps({"method": method, "params": params, "req_id": method}))
    while True:
        message: Json = json.loads(await socket.recv())
        if message.get("req_id") == method:
            return message


async def headers_by_scope(served: Served, *beside: Scope) -> dict[str, dict[str, str]]:
    """The headers of a key of each scope, with these beside it; and none."""
    headers: dict[str, dict[str, str]] = {NOBODY: {}}
    for scope, account in ACCOUNTS.items():
        body = {"name": scope, "scopes": sorted({scope, *beside}), "account": account}
        issued = (await served.venue.client("operator").post("/v1/admin/keys", json=body)).json()
        headers[scope] = {"authorization": f"Bearer {issued['key']}"}
    return headers


async def headers_by_role(served: Served) -> dict[str, dict[str, str]]:
    """The headers of a page of the venue, for a user of each role who is logged in."""
    headers: dict[str, dict[str, str]] = {}
    for role in ROLES:
        await add_user(served.venue, role, role, account=2 if role == "trader" else 0)
        headers[role] = await headers_of_session(served, role)
    return headers


async def headers_of_session(served: Served, name: str) -> dict[str, str]:
    return {"cookie": f"rex_session={await session(served, name)}", "origin": served.url}


def test_every_method_and_channel_has_a_row() -> None:
    assert TABLE.keys() == METHODS.keys()
    assert SUBSCRIPTIONS.keys() == CHANNELS.keys() - UNASKED


def test_the_document_names_the_scopes_of_the_table() -> None:
    operations = document("asyncapi.json")["operations"]
    for method, row in TABLE.items():
        named = operations[method].get("x-scopes")
        assert named == (None if row.scopes == EVERY else row.scopes.split()), method
    for channel, row in SUBSCRIPTIONS.items():
        named = row.scopes.split() if row.scopes == OPERATORS[0] else ["read"]
        assert operations[channel]["x-scopes"] == named, channel


def test_the_page_names_the_scopes_of_the_table() -> None:
    section = PAGE.split("\n## Methods\n")[1].split("\n## ")[0]
    written = re.findall(r"^\| `(\w+)` \| ([a-z, ]*)\|", section, re.MULTILINE)
    assert {name: scopes.replace(",", " ").split() for name, scopes in written} == {
        name: [] if row.scopes == EVERY else row.scopes.split() for name, row in TABLE.items()
    }
    for channel, row in SUBSCRIPTIONS.items():
        said = re.search(rf"^\| `{channel}` \|.*Scope `operate` or `audit`", PAGE, re.MULTILINE)
        assert (said is not None) == (row.scopes == OPERATORS[0]), channel


async def test_a_method_takes_the_scopes_and_roles_of_its_row(served: Served) -> None:
    callers = await headers_by_scope(served) | await headers_by_role(served)
    for caller, headers in callers.items():
        async with socket_of(served, **headers) as socket:
            for method, row in TABLE.items():
                code = await code_of(socket, method, row.params)
                may = row.is_open if caller == NOBODY else caller in f"{row.scopes} {row.roles}".split()
                assert (code not in REFUSALS) == may, (method, caller, code)


async def test_a_channel_takes_the_scopes_and_roles_of_its_row(served: Served) -> None:
    callers = await headers_by_scope(served, "read") | await headers_by_role(served)
    for caller, headers in callers.items():
        async with socket_of(served, **headers) as socket:
            for channel, row in SUBSCRIPTIONS.items():
                code = await code_of(socket, "subscribe", {"channels": [channel], **row.params})
                may = row.is_open if caller == NOBODY else caller in f"{row.scopes} {row.roles}".split()
                assert code is None if may else code in REFUSALS, (channel, caller, code)


async def test_no_handshake_and_no_authenticate_takes_a_key_that_is_none(served: Served) -> None:
    venue = served.venue
    keys = {of: await keys_of(venue, of) for of in SCOPES}
    venue.clock.now_ns = START_NS + HOUR_NS
    for of in SCOPES:
        for name, kind in KINDS.items():
            header = kind.header(keys[of][name])
            if header is None:
                continue  # A browser: test_a_method_takes_the_scopes_and_roles_of_its_row has what it may.
            with pytest.raises(InvalidStatus) as refused:
                async with socket_of(served, authorization=header):
                    pass
            problem = json.loads(refused.value.response.body or b"")
            assert (problem["status"], problem["code"]) == (kind.status, kind.code), name
            if header.startswith("Bearer "):
                async with socket_of(served) as socket:
                    code = await code_of(socket, "authenticate", {"key": header.removeprefix("Bearer ")})
                    assert code == ("unknown_key" if kind.code == "session_ended" else kind.code), name
                    assert await code_of(socket, "place_order", ORDER) == "missing_key", name
        async with socket_of(served, authorization=f"Bearer {keys[of]['good']}") as socket:
            assert await code_of(socket, "subscribe", {"channels": ["status"]}) is None, "else this proves nothing"


FOREIGN = [
    ("amend_order", {"order_id": "{order_id}", "quantity": 1}),
    ("amend_order", {"client_order_id": "mine", "quantity": 1}),
    ("cancel_order", {"order_id": "{order_id}"}),
    ("cancel_order", {"client_order_id": "mine"}),
    ("mass_cancel", {"symbol": "*", "account": 2}),
    ("batch", {"requests": [{"cancel": {"order_id": "{order_id}"}}]}),
    ("batch", {"requests": [{"amend": {"order_id": "{order_id}", "quantity": 1}}]}),
    ("batch", {"requests": [{"cancel": {"client_order_id": "mine"}}]}),
    ("cancel_orders", {"order_ids": ["{order_id}"]}),
    ("cancel_orders", {"client_order_ids": ["mine"]}),
]
"""Requests with ids of account 2."""


async def test_ids_of_one_account_are_nothing_to_the_sockets_of_others(served: Served) -> None:
    alice = served.venue.client("alice")
    order = (await alice.post("/v1/orders", json=ORDER)).json()
    stranger = await issue(served.venue, "member", account=3)
    await add_user(served.venue, "member", "trader", account=3)
    for headers in ({"authorization": f"Bearer {stranger['key']}"}, await headers_of_session(served, "member")):
        async with socket_of(served, **headers) as socket:
            for method, params in FOREIGN:
                sent = json.loads(json.dumps(params).replace("{order_id}", order["order_id"]))
                reply = await answer(socket, method, sent)
                told = [reply["error"]] if "error" in reply else [one["error"] for one in reply["result"]["results"]]
                assert all(problem is not None and problem["code"] in HIDDEN for problem in told), (
                    method,
                    params,
                    reply,
                )
    assert (await alice.get(f"/v1/orders/{order['order_id']}")).json() == order, "and it stands as it stood"
