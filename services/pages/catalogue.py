"""The words of the pages in English and Chinese, by the keys with which templates and scripts name them.

`words/NAME.json` holds those of page NAME, `words/all.json` those of every page, as `{"key": ["English", "中文"]}`.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from pathlib import Path

_WORDS = Path(__file__).with_name("words")

LANGUAGES = ("en", "zh")


@cache
def catalogue(page: str) -> Mapping[str, tuple[str, str]]:
    """Every word of a page, in both languages, by its key."""
    found: dict[str, tuple[str, str]] = {}
    for name in ("all", page):
        path = _WORDS / f"{name}.json"
        if path.exists():
            found |= {
                key: (english, chinese) for key, (english, chinese) in json.loads(path.read_text("utf-8")).items()
            }
    return found


@cache
def words(page: str, language: str) -> Mapping[str, str]:
    """The words of a page in one of the LANGUAGES, by key."""
    number = LANGUAGES.index(language)
    return {key: texts[number] for key, texts in catalogue(page).items()}


def every_text() -> str:
    """The texts of all pages, one after the other."""
    pages = sorted(path.stem for path in _WORDS.glob("*.json"))
    return "".join(text for page in pages for texts in catalogue(page).values() for text in texts)
