from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AsyncExitStack

import httpx
import pytest
from nicegui import Client

from services.dashboard.page_limit import CONNECT_SECONDS, PAGES, PAGES_PER_ADDRESS, PAGES_WITHOUT_BROWSER
from tests.patience import AsyncHttpClient
from tests.unit.dashboard.test_mount import application

pytestmark = pytest.mark.anyio

SHARE_WITHOUT_BROWSER = PAGES_WITHOUT_BROWSER // 4
"""How many pages without a browser one address may have."""


@pytest.fixture(autouse=True)
def no_pages() -> Iterator[None]:
    """Counts no page of another test, and leaves none."""
    _forget_pages()
    yield
    _forget_pages()


@pytest.fixture
def pages_per_address(request: pytest.FixtureRequest) -> int:
    """The limit of pages of one address; a test may set another."""
    number: int = getattr(request, "param", PAGES_PER_ADDRESS)
    return number


@pytest.fixture
async def browsers(pages_per_address: int) -> AsyncIterator[Callable[[int], AsyncHttpClient]]:
    """Clients that request pages as browsers do, each from an address of its own, but never connect."""
    app, opened = application(pages_per_address=pages_per_address), AsyncExitStack()

    def browser(number: int) -> AsyncHttpClient:
        transport = httpx.ASGITransport(app, client=(f"10.0.0.{number}", 1))
        client = AsyncHttpClient(transport=transport, base_url="http://127.0.0.1")
        opened.push_async_callback(client.aclose)
        return client

    async with opened:
        yield browser


@pytest.fixture
def browser(browsers: Callable[[int], AsyncHttpClient]) -> AsyncHttpClient:
    return browsers(1)


def _forget_pages() -> None:
    for client in list(Client.instances.values()):
        client.delete()


def refused(answer: httpx.Response) -> bool:
    return (answer.status_code, answer.headers.get("retry-after")) == (503, "1") and answer.json()[
        "code"
    ] == "too_many_pages"


async def ask(browser: AsyncHttpClient, times: int, *, connects: bool = False) -> tuple[int, int]:
    """How many pages were served, how many refused."""
    answers = []
    for _ in range(times):
        answers.append(await browser.get("/ui/"))
        for page in Client.instances.values():
            page.tab_id = "a browser has connected" if connects else page.tab_id
    served = sum(answer.status_code == 200 for answer in answers)
    assert all(refused(answer) for answer in answers if answer.status_code != 200)
    return served, times - served


async def test_pages_without_a_browser_are_bounded_and_end_after_seconds(browser: AsyncHttpClient) -> None:
    assert await ask(browser, 3 * SHARE_WITHOUT_BROWSER) == (SHARE_WITHOUT_BROWSER, 2 * SHARE_WITHOUT_BROWSER)
    assert len(Client.instances) == SHARE_WITHOUT_BROWSER
    assert refused(await browser.get("/ui/no/such/page")), "its error would be a page as well"
    for client in list(Client.instances.values())[:5]:
        client.created -= CONNECT_SECONDS
    assert (await browser.get("/ui/")).status_code == 200
    assert len(Client.instances) == SHARE_WITHOUT_BROWSER - 5 + 1


@pytest.mark.parametrize(
    ("pages_per_address", "places"), [(PAGES, PAGES_WITHOUT_BROWSER), (1, 1)], indirect=["pages_per_address"]
)
async def test_a_venue_behind_one_address_may_give_it_every_place(browser: AsyncHttpClient, places: int) -> None:
    assert await ask(browser, 40) == (places, 40 - places)


@pytest.mark.parametrize("pages_per_address", [10], indirect=True)
async def test_one_address_leaves_three_quarters_of_the_places_to_others(
    browsers: Callable[[int], AsyncHttpClient], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("services.dashboard.page_limit.PAGES", 40)
    one, other = browsers(1), browsers(2)
    assert await ask(one, 100) == (SHARE_WITHOUT_BROWSER, 100 - SHARE_WITHOUT_BROWSER)
    assert await ask(other, SHARE_WITHOUT_BROWSER) == (SHARE_WITHOUT_BROWSER, 0)
    _forget_pages()
    share = 40 // 4
    assert await ask(one, 2 * share, connects=True) == (share, share)
    for number in (2, 3, 4):
        assert await ask(browsers(number), share, connects=True) == (share, 0)
    assert await ask(browsers(5), 1) == (0, 1), "all places are taken"


async def test_a_page_whose_browser_has_left_does_not_wait_for_one(browser: AsyncHttpClient) -> None:
    """A reload leaves the old page for the seconds in which its browser may reconnect."""
    for _ in range(2 * SHARE_WITHOUT_BROWSER):
        assert (await browser.get("/ui/")).status_code == 200
        for page in Client.instances.values():
            page.environ = {"asgi.scope": {}}


async def test_scripts_and_sockets_are_no_pages(browser: AsyncHttpClient) -> None:
    await ask(browser, PAGES_WITHOUT_BROWSER)
    page = await browser.get("/ui/_nicegui/0/nothing.js")
    assert not refused(page)


async def test_the_pages_talk_by_websocket_only(browser: AsyncHttpClient) -> None:
    page = await browser.get("/ui/")
    assert "polling" not in page.text
    answer = await browser.get("/ui/_nicegui_ws/socket.io/?EIO=4&transport=polling")
    assert (answer.status_code, answer.text) == (400, '"Invalid transport"')
