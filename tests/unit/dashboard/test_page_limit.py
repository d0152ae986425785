from __future__ import annotations

from collections.abc import AsyncIterator, Iterator

import httpx
import pytest
from nicegui import Client

from services.dashboard.page_limit import CONNECT_SECONDS, PAGES_WITHOUT_BROWSER
from tests.unit.dashboard.test_mount import application

pytestmark = pytest.mark.anyio


@pytest.fixture(autouse=True)
def no_pages() -> Iterator[None]:
    """No page of another test counts, and none stays."""
    _forget_pages()
    yield
    _forget_pages()


@pytest.fixture
async def browser() -> AsyncIterator[httpx.AsyncClient]:
    """Asks as a browser does, but never connects."""
    transport = httpx.ASGITransport(application())
    async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1") as client:
        yield client


def _forget_pages() -> None:
    for client in list(Client.instances.values()):
        client.delete()


def refused(answer: httpx.Response) -> bool:
    return (answer.status_code, answer.headers.get("retry-after")) == (503, "1") and answer.json()[
        "code"
    ] == "too_many_pages"


async def test_pages_without_a_browser_are_bounded_and_end_after_seconds(browser: httpx.AsyncClient) -> None:
    answers = [await browser.get("/ui/") for _ in range(3 * PAGES_WITHOUT_BROWSER)]
    assert [answer.status_code for answer in answers[:PAGES_WITHOUT_BROWSER]] == [200] * PAGES_WITHOUT_BROWSER
    assert all(refused(answer) for answer in answers[PAGES_WITHOUT_BROWSER:])
    assert len(Client.instances) == PAGES_WITHOUT_BROWSER
    assert refused(await browser.get("/ui/no/such/page")), "its error would be a page as well"
    for client in list(Client.instances.values())[:5]:
        client.created -= CONNECT_SECONDS
    assert (await browser.get("/ui/")).status_code == 200
    assert len(Client.instances) == PAGES_WITHOUT_BROWSER - 5 + 1


async def test_pages_with_a_browser_are_bounded_as_well(
    browser: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("services.dashboard.page_limit.PAGES", PAGES_WITHOUT_BROWSER + 5)
    for _ in range(PAGES_WITHOUT_BROWSER + 5):
        assert (await browser.get("/ui/")).status_code == 200
        for client in Client.instances.values():
            client.tab_id = "a browser has connected"
    assert refused(await browser.get("/ui/"))
    assert len(Client.instances) == PAGES_WITHOUT_BROWSER + 5


async def test_scripts_and_sockets_are_no_pages(browser: httpx.AsyncClient) -> None:
    for _ in range(PAGES_WITHOUT_BROWSER):
        await browser.get("/ui/")
    page = await browser.get("/ui/_nicegui/0/nothing.js")
    assert not refused(page)


async def test_the_pages_talk_by_websocket_only(browser: httpx.AsyncClient) -> None:
    page = await browser.get("/ui/")
    assert "polling" not in page.text
    answer = await browser.get("/ui/_nicegui_ws/socket.io/?EIO=4&transport=polling")
    assert (answer.status_code, answer.text) == (400, '"Invalid transport"')
