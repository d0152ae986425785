"""Scenario files: `## 1.1 Title`, a line `Source: ...`, any prose, and one table.

    | in | events | market data |
    |---|---|---|
    | #1 Ann buys 5 @ 100 | ACCEPTED #1 | buy 5 @ 100 (1) |

A row with an empty first cell continues the step above. A table may have a column `money` after the events.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

FOLDER = Path(__file__).parent
COLUMNS = (["in", "events", "market data"], ["in", "events", "money", "market data"])
HEADING = re.compile(r"^## (?P<rule>\d+\.\d+) (?P<title>.+)$", re.MULTILINE)
SOURCE = re.compile(r"^Source: (S|K|A|S/K|S/A|K/A)\.", re.MULTILINE)


@dataclass
class Step:
    """A sentence and the expected answers."""

    text: str
    events: list[tuple[str, str]]
    market_data: list[str]


@dataclass
class Scenario:
    """The scenario below one heading."""

    file: str
    rule: str
    title: str
    source: str
    with_money: bool
    steps: list[Step]

    @property
    def is_long(self) -> bool:
        """Whether the scenario repeats a sentence thousands of times."""
        return any(" times: " in step.text for step in self.steps)

    @property
    def name(self) -> str:
        """`1.1 Title`."""
        return f"{self.rule} {self.title}"

    @property
    def address(self) -> str:
        """`orders.md#11-title`, as a link to the heading ends."""
        anchor = re.sub(r"[^\w\- ]", "", self.name.lower()).replace(" ", "-")
        return f"{self.file}#{anchor}"


class UnreadableScenario(ValueError):
    """A file that breaks the form above; the message names the place."""


def scenarios() -> list[Scenario]:
    """Every scenario of the folder, file by file. Raises UnreadableScenario."""
    return [each for file in sorted(FOLDER.glob("*.md")) if file.name != "README.md" for each in read(file)]


def read(file: Path) -> list[Scenario]:
    """The scenarios of one file."""
    text = file.read_text(encoding="utf-8")
    found = list(HEADING.finditer(text))
    if len(found) != len(re.findall(r"^##", text, re.MULTILINE)):
        raise UnreadableScenario(f"{file.name}: a heading that begins with no rule's number")
    ends = [heading.start() for heading in found[1:]] + [len(text)]
    return [scenario(file.name, heading, text[heading.end() : end]) for heading, end in zip(found, ends, strict=True)]


def scenario(file: str, heading: re.Match[str], body: str) -> Scenario:
    """The scenario of one heading."""
    name = f"{file}: {heading['rule']} {heading['title']}"
    source = SOURCE.search(body)
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in body.splitlines() if line.startswith("|")]
    if source is None or len(rows) < 3 or rows[0] not in COLUMNS:
        raise UnreadableScenario(f"{name}: needs a source and one table with the columns {COLUMNS}")
    with_money = "money" in rows[0]
    steps: list[Step] = []
    for row in rows[2:]:
        if len(row) != len(rows[0]) or not (row[0] or steps):
            raise UnreadableScenario(f"{name}: {row}")
        if row[0]:
            steps.append(Step(row[0], [], []))
        step = steps[-1]
        step.events += [(row[1], row[2] if with_money else "")] if row[1] else []
        step.market_data += [row[-1]] if row[-1] else []
    found = Scenario(file, heading["rule"], heading["title"], source[1], with_money, steps)
    if not found.is_long and not any(step.text == "book" for step in steps):
        raise UnreadableScenario(f"{name}: never looks at the book")
    return found
