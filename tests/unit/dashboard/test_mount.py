from __future__ import annotations

import httpx
import pytest
from fastapi import FastAPI

from services.dashboard import mount_dashboard
from services.dashboard.page_limit import PAGES_PER_ADDRESS
from services.gateway import problems
from tests.patience import AsyncHttpClient


def application(trader_key: str | None = None, pages_per_address: int = PAGES_PER_ADDRESS) -> FastAPI:
    app = FastAPI(docs_url=None, redoc_url=None)

    @app.get("/v1/venue")
    async def venue() -> dict[str, str]:
        return {"name": "REX"}

    problems.install(app)
    mount_dashboard(
        app,
        url=lambda: "http://127.0.0.1:1",
        read_key="rex_read",
        trader_key=trader_key,
        operator_key=None,
        pages_per_address=pages_per_address,
    )
    return app


@pytest.mark.anyio
async def test_pages_leave_the_apis_errors_alone() -> None:
    async with AsyncHttpClient(transport=httpx.ASGITransport(application()), base_url="http://127.0.0.1") as client:
        assert (await client.get("/v1/venue")).json() == {"name": "REX"}
        for method, path, status, code in (
            ("GET", "/v1/nothing", 404, "not_found"),
            ("GET", "/nothing", 404, "not_found"),
            ("DELETE", "/v1/venue", 405, "method_not_allowed"),
            ("POST", "/", 405, "method_not_allowed"),
        ):
            answer = await client.request(method, path)
            assert (answer.status_code, answer.headers["content-type"]) == (status, "application/problem+json")
            assert answer.json()["code"] == code


@pytest.mark.anyio
async def test_the_root_leads_to_the_pages() -> None:
    async with AsyncHttpClient(transport=httpx.ASGITransport(application()), base_url="http://127.0.0.1") as client:
        answer = await client.get("/")
        assert (answer.status_code, answer.headers["location"]) == (307, "/ui/")


def test_pages_act_only_with_a_key_for_it_and_can_be_mounted_again() -> None:
    def mounted(trader_key: str | None, operator_key: str | None) -> tuple[bool, bool]:
        dashboard = mount_dashboard(
            FastAPI(), url=lambda: "", read_key="rex_read", trader_key=trader_key, operator_key=operator_key
        )
        return dashboard.desk is not None, dashboard.operations is not None

    assert [mounted(None, None), mounted("rex_trade", None), mounted(None, "rex_operate"), mounted(None, None)] == [
        (False, False),
        (True, False),
        (False, True),
        (False, False),
    ]
