from __future__ import annotations

import httpx
import pytest
from fastapi import APIRouter, FastAPI
from starlette.types import Receive, Scope, Send

from services.gateway.http.access_middleware import KEY
from services.gateway.http.caller import Caller, needs, one_account, visible_account
from services.gateway.problems import ProblemError, install, problem_of
from services.venue_state.errors import NotAllowed
from services.venue_state.keys import ApiKey
from tests.patience import AsyncHttpClient

TRADER = ApiKey(1, 2, "desk", frozenset({"read", "trade"}))
OPERATOR = ApiKey(2, 0, "operator", frozenset({"read", "operate"}))
VIEWER = ApiKey(3, 0, "pages", frozenset({"read"}))
BLIND = ApiKey(4, 2, "robot", frozenset({"trade"}))


@pytest.mark.parametrize(
    ("key", "asked", "seen"),
    [(TRADER, None, 2), (TRADER, 2, 2), (OPERATOR, None, None), (OPERATOR, 3, 3)],
)
def test_whose_affairs_a_key_may_see(key: ApiKey, asked: int | None, seen: int | None) -> None:
    assert visible_account(key, asked) == seen


@pytest.mark.parametrize(
    ("key", "asked", "code"),
    [
        (TRADER, 3, "scope_missing"),
        (VIEWER, None, "account_required"),
        (VIEWER, 2, "scope_missing"),
    ],
)
def test_whose_affairs_it_may_not_see(key: ApiKey, asked: int | None, code: str) -> None:
    with pytest.raises(NotAllowed) as caught:
        visible_account(key, asked)
    problem = problem_of(caught.value)
    assert (problem.status, problem.code) == (403, code)


def test_an_operator_names_the_account() -> None:
    assert one_account(OPERATOR, 3) == 3
    with pytest.raises(ProblemError, match="account="):
        one_account(OPERATOR, None)


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("key", "path", "answer"),
    [
        (VIEWER, "/v1/reports/x", (200, None)),
        (BLIND, "/v1/reports/x", (403, "This key or role may not do that: it lacks the scope `read`.")),
        (VIEWER, "/v1/reports/x?yaer=2023", (422, "yaer: there is no such query parameter here")),
        (BLIND, "/v1/reports/x?yaer=2023", (403, "This key or role may not do that: it lacks the scope `read`.")),
        (VIEWER, "/v1/reports/x?year=2023", (200, None)),
        (BLIND, "/v1/cancel", (200, None)),
        (OPERATOR, "/v1/cancel", (200, None)),
        (VIEWER, "/v1/cancel", (403, "This key or role may not do that: it lacks the scope `trade`.")),
    ],
)
async def test_a_router_needs_one_of_its_scopes_and_known_queries(
    key: ApiKey, path: str, answer: tuple[int, str | None]
) -> None:
    app, reports = FastAPI(), APIRouter()
    cancels = APIRouter(dependencies=[needs("trade", "operate")])

    @reports.get("/v1/reports/x")
    async def report(year: int = 0) -> dict[str, int]:
        return {"year": year}

    @cancels.get("/v1/cancel")
    async def cancel(caller: Caller) -> dict[str, bool]:
        return {"is_caller": caller is key}

    app.include_router(reports, dependencies=[needs("read")])
    app.include_router(cancels)
    install(app)

    async def with_key(scope: Scope, receive: Receive, send: Send) -> None:
        await app({**scope, KEY: key}, receive, send)

    async with AsyncHttpClient(transport=httpx.ASGITransport(with_key), base_url="http://127.0.0.1") as client:
        reply = await client.get(path)
    assert (reply.status_code, reply.json().get("detail")) == answer
    assert reply.json().get("is_caller", True)
