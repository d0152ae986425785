"""docs/openapi.json and docs/asyncapi.json are what the venue serves, and current: they follow from its models and routes."""

from __future__ import annotations

import json

import pytest

from services.venue.api_documents import documents, text_of
from tests.integration.documented import DOCS
from tests.integration.venue import RunningVenue

pytestmark = pytest.mark.anyio


def written(name: str) -> str:
    return (DOCS / name).read_text("utf-8")


async def test_the_files_are_current() -> None:
    for name, document in (await documents()).items():
        assert written(name) == text_of(document), f"docs/{name} is stale: `make records` writes it"


async def test_a_venue_serves_them(refusing_venue: RunningVenue) -> None:
    client = refusing_venue.client(None)
    for name in ("asyncapi.json", "openapi.json"):
        assert (await client.get(f"/{name}")).json() == json.loads(written(name))


async def test_the_page_shows_every_operation_and_model_and_loads_nothing(refusing_venue: RunningVenue) -> None:
    page = await refusing_venue.client(None).get("/docs/websocket")
    assert page.headers["content-type"] == "text/html; charset=utf-8"
    assert "default-src 'none'; style-src 'unsafe-inline'" in page.headers["content-security-policy"]
    document = json.loads(written("asyncapi.json"))
    for name in document["operations"]:
        assert f'<h3 id="{name}">' in page.text
    for name in document["components"]["schemas"]:
        assert f'<h3 id="model-{name}">' in page.text
    assert not any(loading in page.text for loading in ("<script", "<link", "<img", "src="))
