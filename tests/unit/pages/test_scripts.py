"""The scripts, styles and templates of the pages: small, whole, with nothing that the content security policy refuses."""

from __future__ import annotations

import re

from tests.unit.pages.modules import ALL_PAGES, STATIC, TEMPLATES, code, exports, imports, loaded, scripts

MOST_LINES = 250
FORBIDDEN = {
    r"\b(?:inner|outer)HTML\b": "parses HTML",
    r"\binsertAdjacentHTML\b": "parses HTML",
    r"\bsetHTMLUnsafe\b": "parses HTML",
    r"\bdocument\.write\b": "parses HTML",
    r"\bcreateContextualFragment\b": "parses HTML",
    r"\beval\s*\(": "makes code of text",
    r"\bnew\s+Function\b": "makes code of text",
    r"\bset(?:Timeout|Interval)\(\s*[\"'`]": "makes code of text",
    r"setAttribute\(\s*[\"']style": "an inline style, which the policy refuses",
    r"[{,]\s*style\s*:\s": "an inline style by h(), which the policy refuses",
    r"\.cssText\b": "an inline style",
    r"\bjavascript:": "an inline script",
    r"[\"'`](?:https?|wss?)://(?!www\.w3\.org/)": "another site",
}


def test_a_script() -> None:
    for path in scripts():
        text = code(path)
        for pattern, why in FORBIDDEN.items():
            assert not re.search(pattern, text), f"{path}: {why}"
        lines = path.read_text("utf-8").splitlines()
        assert len(lines) <= MOST_LINES, f"{path}: a smaller module is read in one go"
        assert len(lines) == 1 or lines[0].startswith("//"), f"{path}: what it is for stands at its beginning"
        for one in imports(path):
            assert one.target.is_file(), f"{path}: {one.target.name} is not there"
            assert one.target.is_relative_to(STATIC), path
            assert set(one.names) <= exports(one.target), f"{path}: {one.target.name} does not export what is imported"
            assert one.target != path, path


def test_every_script_is_loaded_by_a_page() -> None:
    used = {path for page in ALL_PAGES for path in loaded(page.name)}
    unused = {str(path.relative_to(STATIC)) for path in scripts() if path not in used}
    assert unused <= {"charts/types.js"}, "it holds types only"


def test_a_style_sheet_loads_nothing_from_elsewhere() -> None:
    for path in STATIC.rglob("*.css"):
        text = path.read_text("utf-8")
        assert "@import" not in text, path
        for address in re.findall(r"url\(([^)]*)\)", text):
            assert (path.parent / address.strip("\"'")).is_file() or address == '"rex_cjk.woff"', path


def test_a_template_has_nothing_inline() -> None:
    for path in TEMPLATES.glob("*.html"):
        text = path.read_text("utf-8")
        assert not re.search(r"<[^>]*\sstyle\s*=", text), path
        assert not re.search(r"<[^>]*\son\w+\s*=", text), path
        assert "<style" not in text, path
        for attributes in re.findall(r"<script([^>]*)>", text):
            assert "src=" in attributes or 'type="application/json"' in attributes, path
        assert re.findall(r"\|\s*safe\b", text) == (["| safe"] if path.name == "base.html" else []), path
