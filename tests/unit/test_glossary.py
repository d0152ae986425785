"""docs/glossary.md: each term stands in English and Chinese, names rules that the rulebook has, and files that exist."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
HEAD = ["term", "中文", "meaning", "FIX", "rule", "file"]
RULES = re.findall(r"^#{2,3} (\d+(?:\.\d+)?) ", (ROOT / "docs/rulebook.md").read_text(encoding="utf-8"), re.MULTILINE)


def rows() -> list[list[str]]:
    """The cells of every row of every table, heads and rules excepted."""
    lines = (ROOT / "docs/glossary.md").read_text(encoding="utf-8").splitlines()
    cells = [[cell.strip() for cell in line[1:-1].split("|")] for line in lines if line.startswith("|")]
    return [row for row in cells if row != HEAD and set(row[0]) != {"-"}]


def test_a_term_stands_in_both_languages_with_its_rule_and_file() -> None:
    for row in rows():
        term, chinese, meaning, fix, rule, file = row
        assert re.search(r"[A-Za-z]", term), term
        assert re.search(r"[\u4e00-\u9fff]", chinese), term
        assert not re.search(r"[A-Za-z]", chinese), term
        assert meaning, term
        assert fix == "" or re.fullmatch(r"\d+(=\w)?(, \d+(=\w)?)*", fix), term
        assert set(re.findall(r"\d+(?:\.\d+)?", rule)) <= set(RULES), term
        assert (ROOT / file.strip("`")).is_file(), term


def test_a_term_stands_once() -> None:
    terms = [row[0] for row in rows()]
    assert len(terms) == len(set(terms)) > 100
