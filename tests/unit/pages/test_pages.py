"""What a browser gets for the address of a page: bytes, headers, languages; and what they cost."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterator
from html.parser import HTMLParser
from types import SimpleNamespace
from typing import Any

import pytest

from matching_engine.records import Phase
from services.gateway.browser_headers import API_POLICY, PAGES_POLICY
from services.gateway.http.cached_answer import Content
from services.pages import rendering
from services.pages.catalogue import LANGUAGES
from services.pages.mount import PAGES, SHIPPED
from tests.unit.pages.mounted import mounted

pytestmark = pytest.mark.anyio

POLICY = PAGES_POLICY[1].decode()
HOSTILE = "</script><script>alert(1)</script><!--<img src=x onerror=alert(1)>"
SYMBOL = "PRND-OX"
SYMBOLS = sorted(SHIPPED)


def instrument(symbol: str = SYMBOL, **fields: str) -> dict[str, Any]:
    return {
        "symbol": symbol, "name_en": "Praseodymium-neodymium oxide", "name_zh": "氧化镨钕", "category": "magnetic_material",
        "family": "catalyst", "unit": "kg", "lot_size": 100, "tick_size": "50.00", "reference_price_source": "sourced",
        "spec": "a spec", "note": "a note", "reference_price": "473000.00", "settlement_source": None,
        "lower_limit": "449350.00", "upper_limit": "496650.00", "max_quantity": 100_000, "phase": "continuous",
        "band_rate": "0.050000", "collar_rate": None, "volatility_rate": None, "auction_seconds": None, **fields,
    }  # fmt: skip


class Elements(HTMLParser):
    """The elements of a page as a browser finds them."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attributes)))

    def of(self, tag: str) -> Iterator[dict[str, str | None]]:
        return (attributes for name, attributes in self.found if name == tag)


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("path", [*PAGES, f"/ui/trade/{SYMBOL}"])
async def test_a_page_is_whole_without_any_answer_of_the_venue(path: str, language: str) -> None:
    client, _ = mounted()
    answer = await client.get(f"{path}?lang={language}")
    assert (answer.status_code, answer.headers["content-type"]) == (200, "text/html; charset=utf-8")
    assert answer.headers["content-security-policy"] == POLICY
    assert "unsafe" not in POLICY
    assert answer.headers["content-language"] == language
    elements = Elements(answer.text)
    (html,) = elements.of("html")
    assert html["lang"] == {"en": "en", "zh": "zh-Hans"}[language]
    assert [*elements.of("main")]
    assert [*elements.of("h1")]
    for script in elements.of("script"):
        assert script.get("type") == "application/json" or script["src"], "a script of its own"
    for tag, attributes in elements.found:
        for name, value in attributes.items():
            assert name != "style", f"the policy refuses inline styles: <{tag}>"
            assert not name.startswith("on"), f"the policy refuses inline scripts: <{tag} {name}>"
            assert "javascript:" not in (value or "")


@pytest.mark.parametrize("path", [*PAGES, f"/ui/trade/{SYMBOL}"])
async def test_a_page_has_instruments_in_every_phase(path: str) -> None:
    phases = [phase.name.lower() for phase in Phase]
    client, _ = mounted(instruments=[instrument(phase=phase) for phase in phases])
    for language in LANGUAGES:
        answer = await client.get(f"{path}?lang={language}")
        assert answer.status_code == 200, answer.text


@pytest.mark.parametrize("path", [*PAGES, f"/ui/trade/{SYMBOL}"])
async def test_every_file_that_a_page_names_is_there(path: str) -> None:
    client, _ = mounted()
    elements = Elements((await client.get(path)).text)
    addresses = {one.get("src") or one.get("href") for tag in ("script", "link") for one in elements.of(tag)}
    assert len(addresses) > 4
    for address in filter(None, addresses):
        answer = await client.get(address)
        assert answer.status_code == 200, address
        assert answer.headers["cache-control"] == "public, max-age=31536000, immutable"
        assert answer.headers["content-security-policy"] == API_POLICY[1].decode()
        unchanged = await client.get(address, headers={"if-none-match": answer.headers["etag"]})
        assert (unchanged.status_code, unchanged.content) == (304, b"")
    assert all("/ui/static/" in address for address in addresses if address)


async def test_a_file_of_another_version_is_not_there() -> None:
    client, _ = mounted()
    page = (await client.get("/ui/")).text
    (version,) = set(re.findall(r"/ui/static/(\w+)/", page))
    assert (await client.get(f"/ui/static/{version}/tokens.css")).status_code == 200
    for other in ("0" * 12, version[:-1], ""):
        assert (await client.get(f"/ui/static/{other}/tokens.css")).status_code == 404


async def test_no_text_of_the_venue_ends_the_element_that_holds_it() -> None:
    """Not the JSON for the scripts, and not the HTML of a template."""
    client, _ = mounted(instruments=[instrument(name_en=HOSTILE, name_zh=HOSTILE, note=HOSTILE)])
    for path in (*PAGES, f"/ui/trade/{SYMBOL}", "/ui/nowhere"):
        text = (await client.get(path, headers={"accept": "text/html"})).text
        plain, _ = mounted(instruments=[instrument()])
        expected = (await plain.get(path, headers={"accept": "text/html"})).text
        assert [tag for tag, _ in Elements(text).found] == [tag for tag, _ in Elements(expected).found], path
        assert "alert(1)</script>" not in text


async def test_the_first_paint_has_the_long_texts_of_its_own_instrument_only() -> None:
    client, _ = mounted(instruments=[instrument(), instrument("ND-OX", note="another note")])
    text = (await client.get(f"/ui/trade/{SYMBOL}")).text
    assert "a note" in text
    assert "another note" not in text


@pytest.mark.parametrize(
    ("query", "headers", "language"),
    [
        ("", {}, "en"),
        ("", {"accept-language": "zh-CN,zh;q=0.9,en;q=0.8"}, "zh"),
        ("", {"accept-language": "de-DE,de;q=0.9"}, "en"),
        ("", {"accept-language": "zh-CN", "cookie": "lang=en"}, "en"),
        ("", {"cookie": "a=b; lang=zh; c=d"}, "zh"),
        ("", {"cookie": "lang=<script>"}, "en"),
        ("", {"cookie": 'lang="'}, "en"),
        ("?lang=zh", {"cookie": "lang=en"}, "zh"),
        ("?lang=en", {"accept-language": "zh"}, "en"),
        ("?lang=../zh", {}, "en"),
        ("?lang=", {}, "en"),
    ],
)
async def test_the_language(query: str, headers: dict[str, str], language: str) -> None:
    client, _ = mounted()
    answer = await client.get(f"/ui/{query}", headers=headers)
    assert answer.headers["content-language"] == language
    assert {"cookie", "accept-language", "accept-encoding"} <= set(
        re.split(", *", ", ".join(answer.headers.get_list("vary")))
    )


@pytest.mark.parametrize(
    ("path", "to"),
    [("/", "/ui/"), ("/ui", "/ui/"), ("/ui/trade", "/ui/trade/PRND-OX"), ("/ui/trade/", "/ui/trade/PRND-OX")],
)
async def test_an_address_leads_on_and_keeps_its_query(path: str, to: str) -> None:
    client, _ = mounted()
    for query in ("", "?lang=zh&theme=dark"):
        answer = await client.get(path + query)
        assert (answer.status_code, answer.headers["location"]) == (307, to + query)


async def test_what_is_not_there() -> None:
    client, _ = mounted(instruments=[instrument()])
    for path in (
        "/ui/nowhere",
        "/ui/trade/GOLD",
        f"/ui/trade/{SYMBOL}/x",
        "/ui/trade/" + "X" * 40,
        "/nowhere",
        "/docs/no",
    ):
        answer = await client.get(path, headers={"accept": "text/html,*/*"})
        assert (answer.status_code, answer.headers["content-type"]) == (404, "text/html; charset=utf-8")
        assert f"/ui/trade/{SYMBOL}" in answer.text
        assert (await client.head(path, headers={"accept": "text/html"})).content == b""
    for path, accept in (("/ui/nowhere", "*/*"), ("/nowhere", "application/json"), ("/v1/nowhere", "text/html")):
        program = await client.get(path, headers={"accept": accept})
        assert (program.status_code, program.json()["code"]) == (404, "not_found")


async def test_pages_leave_the_api_and_its_errors_alone() -> None:
    client, _ = mounted()
    assert (await client.get("/v1/venue")).json() == {"name": "REX"}
    for method, path, status, code in (
        ("GET", "/v1/nothing", 404, "not_found"),
        ("GET", "/nothing", 404, "not_found"),
        ("DELETE", "/v1/venue", 405, "method_not_allowed"),
        ("POST", "/", 405, "method_not_allowed"),
        ("POST", "/ui/", 405, "method_not_allowed"),
        ("POST", "/log-in", 405, "method_not_allowed"),
        ("POST", "/ui/demo/trader", 404, "not_found"),
    ):
        answer = await client.request(method, path)
        assert (answer.status_code, answer.json()["code"]) == (status, code), (method, path)


async def test_head_is_get_without_a_body() -> None:
    client, _ = mounted()
    for path in ("/ui/", "/log-in", "/"):
        get, head = await client.get(path), await client.head(path)
        assert (head.status_code, head.content) == (get.status_code, b"")
        assert head.headers["content-length"] == get.headers["content-length"]


async def test_a_page_that_is_unchanged_is_not_sent_again() -> None:
    client, _ = mounted()
    answer = await client.get("/ui/")
    again = await client.get("/ui/", headers={"if-none-match": answer.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")


# ---------------------------------------------------------------------- what a flood costs


async def test_all_who_ask_at_once_get_one_page(monkeypatch: pytest.MonkeyPatch) -> None:
    client, _ = mounted()
    made: list[object] = []
    content = rendering.Renderer._content

    def counted(*arguments: Any) -> Any:
        made.append(arguments)
        return content(*arguments)

    monkeypatch.setattr(rendering.Renderer, "_content", counted)
    answers = await asyncio.gather(*[client.get("/ui/") for _ in range(200)])
    assert {answer.status_code for answer in answers} == {200}
    assert len(made) == 1


async def test_made_up_symbols_make_no_pages() -> None:
    """Also where the first paint has no instruments to compare with."""
    client, pages = mounted()
    answers = await asyncio.gather(*[client.get(f"/ui/trade/X{number}") for number in range(50)])
    assert {answer.status_code for answer in answers} == {404}
    assert len(pages.renderer._kept) == 1


async def test_making_pages_takes_a_share_of_a_processor(monkeypatch: pytest.MonkeyPatch) -> None:
    """By a clock that moves only while a page is made, and while the next one waits."""
    began_s = clock_s = 1_000.0
    made = 0

    def one_page(*_: Any) -> Any:
        nonlocal clock_s, made
        clock_s, made = clock_s + 0.01, made + 1
        return Content("text/html", b"page")

    async def sleep(seconds: float) -> None:
        nonlocal clock_s
        clock_s += max(0.0, seconds)
        await asyncio.sleep(0)

    monkeypatch.setattr(rendering.Renderer, "_content", one_page)
    monkeypatch.setattr(rendering, "asyncio", SimpleNamespace(**{**vars(asyncio), "sleep": sleep}))
    monkeypatch.setattr(rendering, "time", SimpleNamespace(monotonic=lambda: clock_s))
    client, _ = mounted()
    await asyncio.gather(*[client.get(f"/ui/trade/{symbol}") for symbol in SYMBOLS[:20]])
    assert made == 20
    assert clock_s - began_s == pytest.approx(20 * 0.01 + 19 * 0.01 * (1 / rendering.SHARE - 1))


async def test_few_pages_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rendering, "MOST_KEPT", 3)
    monkeypatch.setattr(rendering, "SHARE", 1.0)
    client, pages = mounted()
    for symbol in SYMBOLS[:10]:
        await client.get(f"/ui/trade/{symbol}")
    assert len(pages.renderer._kept) == 3
