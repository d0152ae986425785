"""The templates and ES modules of the pages as text: what each names, and which of them a page loads."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import NamedTuple

from services import pages
from services.pages.mount import NOT_FOUND, PAGES, TRADE

ROOT = Path(pages.__file__).parent
STATIC, TEMPLATES = ROOT / "static", ROOT / "templates"
ALL_PAGES = (*PAGES.values(), TRADE, NOT_FOUND)
WORDS_OF = {page.name: page.folder or page.name for page in ALL_PAGES}
"""The name of a page's words, by the page's."""

_COMMENT = re.compile(
    r"""("(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*'|`(?:\\.|[^`\\])*`)|/\*.*?\*/|(?<![:\\])//[^\n]*""", re.DOTALL
)
_IMPORT = re.compile(r"""^\s*(?:import|export)\s*(?:([^"';]*?)\s*from\s*)?["']([^"']+)["']""", re.MULTILINE)
_DYNAMIC_IMPORT = re.compile(r"""\bimport\(\s*["']([^"']+)["']""")
_EXPORT = re.compile(r"^export\s+(?:default\s+)?(?:async\s+)?(?:const|let|function\*?|class)\s+(\w+)", re.MULTILINE)
_EXPORT_LIST = re.compile(r"^export\s*\{([^}]*)\}", re.MULTILINE)
_KEY = re.compile(r"""(?<![\w.])t\(\s*["']([^"']+)["']\s*([~+]?)""")
_TEMPLATE_KEY = re.compile(r"(?<![\w.])t\(\s*`([^`]*)`")
_TERM = re.compile(r"""(?<![\w.])term\(([^,()]+),""")
_WORDS = re.compile(r"\.words\[`([^`]*)`\]")
_LITERAL = re.compile(r"""(["'`])((?:\\.|(?!\1)[^\\])*)\1""")


def scripts() -> list[Path]:
    """Every script."""
    return sorted(STATIC.rglob("*.js"))


@cache
def code(path: Path) -> str:
    """A script without its comments."""
    return _COMMENT.sub(lambda found: found[1] or "", path.read_text("utf-8"))


class Import(NamedTuple):
    """An import of a script."""

    target: Path
    names: tuple[str, ...]


@cache
def imports(path: Path) -> tuple[Import, ...]:
    """The imports of a script, with the names that it takes."""
    found = []
    for given, address in _IMPORT.findall(code(path)):
        listed = re.search(r"\{([^}]*)\}", given)
        names = [name.split(" as ")[0].strip() for name in listed[1].split(",")] if listed else []
        found.append(Import((path.parent / address).resolve(), tuple(filter(None, names))))
    dynamic = [Import((path.parent / address).resolve(), ()) for address in _DYNAMIC_IMPORT.findall(code(path))]
    return (*found, *dynamic)


@cache
def exports(path: Path) -> frozenset[str]:
    """The names that a script exports."""
    lists = [name.split(" as ")[-1].strip() for names in _EXPORT_LIST.findall(code(path)) for name in names.split(",")]
    return frozenset([*_EXPORT.findall(code(path)), *lists])


def loaded(page: str) -> set[Path]:
    """The scripts that a page loads, with those that they import."""
    found: set[Path] = set()
    waiting = [path for template in templates(page) for path in _entries(template, page)]
    while waiting:
        path = waiting.pop()
        if path not in found and path.exists():
            found.add(path)
            waiting += [one.target for one in imports(path)]
    return found


def templates(page: str) -> list[str]:
    """The texts of a page's template and of those that it extends."""
    texts, name = [], f"{page}.html"
    while name:
        text = (TEMPLATES / name).read_text("utf-8")
        parent = re.search(r'{%\s*extends\s+"([^"]+)"', text)
        texts += [
            text,
            *[(TEMPLATES / part).read_text("utf-8") for part in re.findall(r'{%\s*(?:include|from)\s+"([^"]+)"', text)],
        ]
        name = parent[1] if parent else ""
    return texts


def _entries(template: str, page: str) -> Iterator[Path]:
    for address in re.findall(r'<script[^>]*src="\{\{ static \}\}/([^"]+)"', template):
        yield STATIC / re.sub(r"\{\{\s*folder\s*\}\}", WORDS_OF[page], address)


class Named(NamedTuple):
    """The keys of the catalogue that a text names."""

    keys: frozenset[str]
    patterns: frozenset[str]
    """Regular expressions of keys that it puts together."""
    terms: frozenset[str]
    """The same of codes of the API: a code without a word is shown as it is."""
    literals: frozenset[str]
    """All its quoted texts: a key may be handed on as one."""


def _pattern(text: str, hole: str) -> str:
    """The regular expression of a text with holes."""
    return "[^ ]*".join(map(re.escape, re.split(hole, text)))


_HOLE = r"\$\{(?:[^{}]|\{[^{}]*\})*\}"


@cache
def named(text: str) -> Named:
    """What a script without comments, or a template, names."""
    keys = {key for key, joined in _KEY.findall(text) if not joined}
    patterns = {re.escape(key) + "[^ ]*" for key, joined in _KEY.findall(text) if joined}
    literals = {literal for _, literal in _LITERAL.findall(text)}
    made = [*_TEMPLATE_KEY.findall(text), *_WORDS.findall(text)]
    patterns |= {_pattern(key, _HOLE) for key in made if "${" in key}
    keys |= {key for key in made if "${" not in key}
    kinds = [literal for kind in _TERM.findall(text) for _, literal in _LITERAL.findall(kind)]
    terms = {re.escape(kind) + r"\.[^ ]*" for kind in kinds}
    return Named(frozenset(keys), frozenset(patterns), frozenset(terms), frozenset(literals))
