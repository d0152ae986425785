from __future__ import annotations

import httpx
import pytest
from fastapi import APIRouter, Depends, FastAPI
from starlette.types import Receive, Scope, Send

from services.gateway.http.caller import may_read, one_account, visible_account
from services.gateway.http.doorway import KEY
from services.gateway.problems import ProblemError, install, problem_of
from services.venue_state.errors import NotAllowed
from services.venue_state.keys import ApiKey

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
        (BLIND, None, "scope_missing"),
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
@pytest.mark.parametrize(("key", "status"), [(VIEWER, 200), (BLIND, 403)])
async def test_other_rooms_routes_need_read(key: ApiKey, status: int) -> None:
    app, router = FastAPI(), APIRouter()

    @router.get("/v1/reports/x")
    async def report() -> dict[str, str]:
        return {}

    app.include_router(router, dependencies=[Depends(may_read)])
    install(app)

    async def with_key(scope: Scope, receive: Receive, send: Send) -> None:
        await app({**scope, KEY: key}, receive, send)

    async with httpx.AsyncClient(transport=httpx.ASGITransport(with_key), base_url="http://127.0.0.1") as client:
        assert (await client.get("/v1/reports/x")).status_code == status
