"""The font of Chinese characters: whole, small, licensed, and what the pages name."""

from __future__ import annotations

import io
import json
import re

import pytest
from fontTools.ttLib import TTFont

from services.data.instruments import load_instruments
from services.pages import cjk_font
from tests.unit.pages.modules import ROOT
from tests.unit.pages.mounted import mounted

MOST_BYTES = 150_000


@pytest.mark.anyio
async def test_a_browser_gets_a_font_with_every_chinese_character_of_the_pages() -> None:
    client, _ = mounted()
    page = await client.get("/ui/?lang=zh")
    found = re.search(r'href="(/ui/static/\w+)/tokens\.css"', page.text)
    assert found is not None
    style = (await client.get(f"{found[1]}/tokens.css")).text
    named = re.search(r'url\("([^"]+)"\)', style)
    assert named is not None
    answer = await client.get(f"{found[1]}/{named[1]}")
    assert (answer.status_code, answer.headers["content-type"]) == (200, "font/woff")
    assert answer.headers["cache-control"] == "public, max-age=31536000, immutable"
    assert len(answer.content) < MOST_BYTES
    font = TTFont(io.BytesIO(answer.content))
    words = [json.loads(path.read_text("utf-8")).values() for path in (ROOT / "words").glob("*.json")]
    texts = [text for texts in words for text in texts]
    shown = "".join(chinese for _, chinese in texts) + "".join(one.name_zh for one in load_instruments()) + "稀土交易所"
    chinese = {one for one in shown if one >= cjk_font.FIRST_CJK}
    assert chinese <= {chr(code) for code in font.getBestCmap()}
    assert "Open Font License" in str(font["name"].getDebugName(13))
    ranges = re.findall(r"U\+([0-9A-F]+)-([0-9A-F]+)", style)
    inside = [(int(first, 16), int(last, 16)) for first, last in ranges]
    assert all(any(first <= ord(one) <= last for first, last in inside) for one in chinese)
