"""Every route × every role. A route without a row here fails; so does a row without a route."""

from __future__ import annotations

from typing import get_args

import pytest

from services.commands.attachments import Role
from services.gateway.http.session_cookie import OPEN
from tests.integration.documented import openapi
from tests.integration.logged_in import add_user, logged_in
from tests.integration.test_gateway_routes import operations_of
from tests.integration.venue import RunningVenue

pytestmark = pytest.mark.anyio

ROLES: tuple[Role, ...] = get_args(Role)
TABLE: dict[str, str] = {
    "visitor trader operator auditor admin": """
        GET /v1/market/{symbol}/depth
        GET /v1/market/{symbol}/trades
        GET /v1/market/{symbol}/ticker
        GET /v1/market/{symbol}/candles
        GET /v1/market/trades/{trade_id}
        GET /v1/account/ledger
        GET /v1/account/cash_movements
        GET /v1/market/{symbol}/auction
        GET /v1/market/tickers
        GET /v1/time
        GET /v1/calendar
        GET /v1/fees
        GET /v1/account
        GET /v1/venue
        GET /v1/instruments
        GET /v1/orders
        GET /v1/orders/{order_id}
        GET /v1/fills
        PUT /v1/session/password
        GET /v1/reports/bulletins/{period}
        GET /v1/reports/turnover/{year}
        GET /v1/reports/turnover/{year}/range
        GET /v1/reports/turnover/{year}/last_day
        GET /v1/reports/targets/{year}
        GET /v1/reports/decisions
        GET /v1/reports/index
        GET /v1/reports/quality/{date}
        GET /v1/reports/books/{symbol}
        GET /v1/reports/turnover/{year}/changed_hands
        GET /v1/reports/turnover/{year}/ladder
        GET /v1/reports/turnover/{year}/splits
        GET /v1/reports/turnover/{year}/concentration
        GET /v1/reports/turnover/{year}/effects
        GET /v1/reports/turnover/{year}/months
        GET /v1/reports/turnover/{year}/days
        GET /v1/reports/turnover/{year}/fees
        GET /v1/reports/turnover/{year}/flagged
        GET /v1/reports/turnover/{year}/forecasts
        GET /v1/reports/targets/{year}/progress
        GET /v1/reports/context/{year}""",
    "trader": """
        POST /v1/orders
        PATCH /v1/orders
        POST /v1/orders/batch
        PATCH /v1/orders/{order_id}
        POST /v1/orders/mixed_batch
        POST /v1/orders/test
        PUT /v1/orders/cancel_all_after""",
    "trader operator admin": """
        DELETE /v1/orders
        DELETE /v1/orders/{order_id}
        POST /v1/orders/cancel""",
    "operator auditor admin": """
        GET /v1/admin/accounts
        GET /v1/admin/log
        GET /v1/admin/proposals
        GET /v1/alerts
        GET /v1/reports/findings/{year}
        GET /v1/reports/abnormal_trading/{year}
        GET /v1/reports/control_groups
        GET /v1/reports/turnover/{year}/members
        GET /v1/reports/turnover/{year}/proof
        GET /v1/reports/turnover/{year}/certificate
        GET /v1/reports/trades
        GET /v1/reports/trades/{trade_id}
        GET /v1/reports/orders/{order_id}
        GET /v1/reports/journal/{seq}""",
    "auditor admin": """
        GET /v1/admin/fees
        GET /v1/admin/keys
        GET /v1/admin/users""",
    "operator admin": """
        POST /v1/admin/halt
        POST /v1/admin/resume
        POST /v1/admin/instruments/{symbol}/halt
        POST /v1/admin/instruments/{symbol}/resume
        PUT /v1/admin/instruments/{symbol}/phase
        PUT /v1/admin/instruments/{symbol}/collar
        POST /v1/admin/instruments
        PATCH /v1/admin/instruments/{symbol}
        POST /v1/admin/instruments/{symbol}/delist
        PUT /v1/admin/instruments/{symbol}/volatility_band
        POST /v1/admin/kill_switch/{switch}
        POST /v1/admin/accounts/{account}/kill_switch/{switch}
        PUT /v1/admin/accounts/{account}/limits
        POST /v1/admin/trades/{trade_id}/bust
        POST /v1/alerts/{alert_id}/acknowledge
        POST /v1/admin/targets
        POST /v1/admin/decisions
        POST /v1/admin/control_groups
        POST /v1/admin/control_groups/{seq}/end
        POST /v1/admin/measures
        POST /v1/admin/measures/{seq}/lift
        POST /v1/admin/context
        POST /v1/admin/proposals/{seq}/confirm
        POST /v1/admin/proposals/{seq}/reject
        POST /v1/admin/proposals/{seq}/withdraw""",
    "admin": """
        POST /v1/admin/accounts
        POST /v1/admin/accounts/{account}/cash
        POST /v1/admin/accounts/{account}/inventory
        POST /v1/admin/keys
        DELETE /v1/admin/keys/{key_id}
        PUT /v1/admin/fees/{account_class}
        PUT /v1/admin/keys/{key_id}/limits
        POST /v1/admin/users
        PUT /v1/admin/users/{user_id}/role
        PUT /v1/admin/users/{user_id}/password
        POST /v1/admin/users/{user_id}/link
        DELETE /v1/admin/users/{user_id}""",
}
ALLOWED = {tuple(line.split()): roles.split() for roles, lines in TABLE.items() for line in lines.split("\n") if line}


async def test_a_role_may_do_what_the_table_says_and_nothing_else(venue: RunningVenue) -> None:
    schemas = openapi()["components"]["schemas"]
    operations = [
        operation for operation in operations_of() if operation.path.startswith("/v1/") and operation.path not in OPEN
    ]
    assert {(operation.method, operation.path) for operation in operations} == set(ALLOWED)
    for role in ROLES:
        await add_user(venue, role, role, account=2 if role == "trader" else 0)
        client = await logged_in(venue, role)
        for operation in operations:
            reply = await client.request(operation.method, operation.url, json=operation.body(schemas))
            is_refused = reply.status_code == 403 and reply.json()["code"] == "scope_missing"
            case = (operation.method, operation.path, role)
            assert is_refused == (role not in ALLOWED[operation.method, operation.path]), case
            assert reply.status_code != 401 or operation.path == "/v1/session/password", case


def test_an_auditor_changes_nothing() -> None:
    changing = {route for route, roles in ALLOWED.items() if "auditor" in roles and route[0] != "GET"}
    assert changing == {("PUT", "/v1/session/password")}


async def test_an_auditor_reads_every_account_and_a_visitor_none(venue: RunningVenue) -> None:
    await add_user(venue, "auditor", "auditor")
    await add_user(venue, "visitor", "visitor")
    auditor, visitor = await logged_in(venue, "auditor"), await logged_in(venue, "visitor")
    for path in ("/v1/account?account=2", "/v1/orders?account=3", "/v1/fills?account=2", "/v1/orders"):
        assert (await auditor.get(path)).status_code == 200, path
        assert (await visitor.get(path)).json()["code"] in ("scope_missing", "account_required"), path
