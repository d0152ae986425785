"""The site that `make docs` builds from README, guides and docstrings. Nothing in it is fetched from a network."""

from __future__ import annotations

import re
from importlib.metadata import version as installed_version
from textwrap import indent
from typing import Any

from pygments.lexers.special import TextLexer

project = "REX"
release = installed_version("rex-exchange")
html_title = "REX, a rare-earth exchange"
html_theme = "furo"
html_show_copyright = False
html_copy_source = False
html_show_sourcelink = False

extensions = ["myst_parser", "sphinx.ext.autodoc"]
root_doc = "docs/index"
include_patterns = ["*.md", "docs/**.md", "tests/scenarios/*.md"]
myst_heading_anchors = 4
default_role = "code"  # `name` in a docstring is code
autodoc_member_order = "bysource"
autodoc_default_options = {"members": True}
LITERAL = re.compile(r"^ +\S|\S {2,}\S", re.MULTILINE)


def literal_blocks(_app: object, _what: str, _name: str, _object: object, _options: object, lines: list[str]) -> None:
    """Keeps examples, columns and drawings in a docstring as they stand: paragraphs that are indented or have gaps inside."""
    paragraphs = "\n".join(lines).split("\n\n")
    lines.clear()
    for paragraph in paragraphs:
        if LITERAL.search(paragraph) and not paragraph.startswith("- "):
            paragraph = "::\n\n" + indent(paragraph, "    ")
        lines += [*paragraph.split("\n"), ""]


def setup(app: Any) -> None:
    """Called by Sphinx."""
    app.add_lexer("mermaid", TextLexer)  # its drawing program would come from a network: the site shows the text
    app.connect("autodoc-process-docstring", literal_blocks)
