"""The catalogue: every key that a page names has a text in both languages, and every text is named somewhere."""

from __future__ import annotations

import json
import re

from services.pages.catalogue import catalogue
from tests.unit.pages.modules import ALL_PAGES, ROOT, WORDS_OF, Named, code, loaded, named, scripts, templates

WORDS = sorted((ROOT / "words").glob("*.json"))
CHINESE = re.compile(r"[\u3400-\u9fff]")
OUR_CHINESE = {"稀土交易所", "中文", "亿", "万"}
"""The name of the venue, that of the language, and the units of short numbers."""
OUR_ENGLISH = {"REX", "English", "UTC", "Grafana"}


def of_page(page: str) -> list[tuple[str, Named]]:
    """What each script and template of a page names."""
    found = [(str(path.relative_to(ROOT)), named(code(path))) for path in sorted(loaded(page))]
    return [*found, *[(f"templates of {page}", named(text)) for text in templates(page)]]


def test_every_key_that_a_page_names_has_its_words() -> None:
    for page in [page.name for page in ALL_PAGES]:
        known = catalogue(WORDS_OF[page])
        missing = [
            f"{where}: {key}" for where, found in of_page(page) for key in sorted(found.keys) if key not in known
        ]
        missing += [
            f"{where}: no key like {pattern}"
            for where, found in of_page(page)
            for pattern in sorted(found.patterns)
            if not any(re.fullmatch(pattern, key) for key in known)
        ]
        assert missing == [], page


def test_every_text_is_named_somewhere() -> None:
    for words in WORDS:
        pages = [page.name for page in ALL_PAGES if words.stem in ("all", WORDS_OF[page.name])]
        assert pages, f"no page has the words {words}"
        found = [one for page in pages for _, one in of_page(page)]
        literal = frozenset[str]().union(*[one.keys | one.literals for one in found])
        patterns = frozenset[str]().union(*[one.patterns | one.terms for one in found])
        unused = [
            key
            for key in json.loads(words.read_text("utf-8"))
            if key not in literal and not any(re.fullmatch(pattern, key) for pattern in patterns)
        ]
        assert unused == [], words


def test_a_text_is_in_english_and_in_chinese() -> None:
    for words in WORDS:
        for key, texts in json.loads(words.read_text("utf-8")).items():
            english, chinese = texts
            assert english.strip() == english != "", key
            assert chinese.strip() == chinese != "", key
            assert not CHINESE.search(english), f"{key}: Chinese in the English text"
            is_name = re.fullmatch(r"[A-Z]\w+", english) and chinese == english
            is_word = not is_name and re.search(r"[a-z]{3}", re.sub(r"\{\w+\}", "", english))
            assert CHINESE.search(chinese) or not is_word, f"{key}: no Chinese in {chinese!r}"
            values = [set(re.findall(r"\{(\w+)\}", text)) for text in texts]
            assert values[0] == values[1], f"{key}: other values in the other language"


COUNTED = "candles commands days keys lines lots members orders points prices requests sessions trades".replace(
    " ", "|"
)


def test_a_count_of_one_has_a_noun_of_its_own() -> None:
    """`{count|trade|trades}`, of a value that the text shows, too."""
    for words in WORDS:
        for key, (english, chinese) in json.loads(words.read_text("utf-8")).items():
            assert not re.search(rf"(?<!1 to )\{{\w+\}} (?:\w+ )?(?:{COUNTED})\b", english), key
            for name in re.findall(r"\{(\w+)\|", english):
                assert f"{{{name}}}" in english, key
            assert "|" not in chinese, key


def test_a_key_stands_once() -> None:
    for words in WORDS:
        keys = [key for key, _ in json.loads(words.read_text("utf-8"), object_pairs_hook=lambda pairs: pairs)]
        assert len(keys) == len(set(keys)), words
        if words.stem != "all":
            assert set(keys) & set(json.loads((ROOT / "words/all.json").read_text("utf-8"))) == set(), (
                "also in all.json"
            )


def test_a_script_has_no_chinese_of_its_own() -> None:
    for path in scripts():
        found = re.findall(r"[\u3400-\u9fff]+", code(path))
        assert set(found) <= OUR_CHINESE, path


def test_a_template_has_no_words_of_its_own() -> None:
    for path in (ROOT / "templates").glob("*.html"):
        text = re.sub(r"\{[{%#].*?[#%}]\}", " ", path.read_text("utf-8"), flags=re.DOTALL)
        shown = re.sub(r"<code>.*?</code>|<[^>]*>|(?<=>)/\w+", " ", text)
        attributes = " ".join(re.findall(r'\b(?:title|aria-label|placeholder|alt|value)="([^"]*)"', text))
        found = {*re.findall(r"[A-Za-z]{3,}", f"{shown} {attributes}"), *re.findall(r"[\u3400-\u9fff]+", text)}
        assert found <= OUR_CHINESE | OUR_ENGLISH, path
