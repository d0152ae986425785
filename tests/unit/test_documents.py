"""The documents name what exists: paths in backticks, tests, and links between the pages and into them."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/*.md")])
PATH = re.compile(r"`((?:docs|load_tests|matching_engine|services|tests)/[\w./-]*)`")
TEST = re.compile(r"`(tests/[\w/]+\.py)::(\w+)`")
LINK = re.compile(r"\]\(([^)\s]+)\)")


@cache
def anchors(page: Path) -> set[str]:
    """The names under which the headings of a page can be reached."""
    headings = re.findall(r"^#+ (.+)$", page.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def named_paths() -> list[tuple[str, str]]:
    """Each page with each path that stands in backticks in it, once."""
    return sorted(
        {(str(page.relative_to(ROOT)), path) for page in PAGES for path in PATH.findall(page.read_text("utf-8"))}
    )


def named_tests() -> list[tuple[str, str]]:
    """Each test that a page names, its file and its name."""
    return sorted({named for page in PAGES for named in TEST.findall(page.read_text("utf-8"))})


def rooms() -> list[str]:
    """The folders of the tree in ARCHITECTURE.md: a name that ends in a slash, under the less indented one before it."""
    tree = (ROOT / "ARCHITECTURE.md").read_text("utf-8").split("## Rooms\n\n```\n")[1].split("```")[0]
    found, above = [], {-1: Path()}
    for line in tree.splitlines():
        indent = len(line) - len(line.lstrip())
        parents = above[max(level for level in above if level < indent)]
        if line.split()[0].endswith("/"):
            above = {level: folder for level, folder in above.items() if level < indent} | {
                indent: parents / line.split()[0]
            }
            found.append(str(above[indent]))
    return found


def links() -> list[tuple[str, str]]:
    """Each page with each link to a file or heading of this repository, once."""
    found = {(str(page.relative_to(ROOT)), link) for page in PAGES for link in LINK.findall(page.read_text("utf-8"))}
    return sorted((page, link) for page, link in found if "://" not in link)


def test_a_path_in_a_page_exists() -> None:
    assert [(page, path) for page, path in named_paths() if not (ROOT / path).exists()] == []
    assert len(named_paths()) > 120


def test_a_test_that_a_page_names_is_in_its_file() -> None:
    texts = {file: (ROOT / file).read_text("utf-8") for file, _ in named_tests()}
    assert [(file, name) for file, name in named_tests() if f"def {name}(" not in texts[file]] == []
    assert len(named_tests()) > 70


def test_the_architecture_names_every_room_and_each_is_a_folder() -> None:
    assert [room for room in rooms() if not (ROOT / room).is_dir()] == []
    for package in ("matching_engine", "services", "services/gateway"):
        folders = {str(file.parent.relative_to(ROOT)) for file in (ROOT / package).glob("*/__init__.py")}
        assert folders <= set(rooms())


def leads_somewhere(page: str, link: str) -> bool:
    file, _, heading = link.partition("#")
    target = (ROOT / page).parent / file if file else ROOT / page
    return target.exists() and (not heading or target.suffix != ".md" or heading in anchors(target))


def test_a_link_leads_to_a_file_and_its_heading() -> None:
    assert [(page, link) for page, link in links() if not leads_somewhere(page, link)] == []
    assert len(links()) > 150
