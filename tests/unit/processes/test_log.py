"""What a process writes of an event, of an error that was not expected, and of its libraries' warnings."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

from services.people.sessions import SESSION_PREFIX
from services.processes.log import FORMAT_VARIABLE, MAX_TRACEBACK
from services.venue_state.keys import KEY_PREFIX

SECRET = "A1b2-C3d4_" * 5
SECRETS = (
    f"{KEY_PREFIX}{SECRET}",
    f"{SESSION_PREFIX}{SECRET}",
    f"Bearer {SECRET}",
    f"postgresql://rex:{SECRET}@db:5432/rex",
    f"whsec_{SECRET}",
)

PROGRAM = f"""
import logging
import structlog
from services.processes.log import log_to_standard_error

log_to_standard_error()
log = structlog.get_logger("rex")

def broken(key, depth):
    if depth:
        try:
            broken(key, depth - 1)
        except RuntimeError as error:
            raise RuntimeError("over " + "x" * 40) from error
    raise RuntimeError("unexpected")

for depth in (0, 200):
    try:
        broken("value-of-a-variable", depth)
    except RuntimeError:
        log.exception("a bug", depth=depth)
for secret in {SECRETS!r}:
    log.warning("told", reason=secret)
    logging.getLogger("asyncio").error("lost: %s", secret)
"""


def lines_of(log_format: str) -> list[str]:
    """What the program writes to standard error."""
    environment = os.environ | {FORMAT_VARIABLE: log_format}
    ended = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=True, env=environment)
    assert ended.stdout == ""
    return ended.stderr.splitlines()


@pytest.fixture(scope="module")
def for_people() -> list[str]:
    return lines_of("text")


@pytest.fixture(scope="module")
def for_programs() -> list[dict[str, str]]:
    return [json.loads(line) for line in lines_of("json")]


def test_an_error_is_logged_with_its_traceback_and_without_the_values_in_it(for_people: list[str]) -> None:
    text = "\n".join(for_people)
    assert "a bug" in text
    assert "in broken\n" in text
    assert "RuntimeError: unexpected" in text
    assert "value-of-a-variable" not in text


def test_a_program_reads_an_object_for_each_event_also_of_libraries(for_programs: list[dict[str, str]]) -> None:
    assert [line["event"].split(":")[0] for line in for_programs] == ["a bug"] * 2 + ["told", "lost"] * len(SECRETS)
    assert {line["level"] for line in for_programs} == {"error", "warning"}


def test_a_traceback_is_bounded_and_keeps_its_beginning_and_its_end(for_programs: list[dict[str, str]]) -> None:
    short, long = (line["exception"] for line in for_programs[:2])
    assert "left out" not in short
    assert len(long) < MAX_TRACEBACK + 100
    assert long.startswith("Traceback (most recent call last)")
    assert "characters left out" in long
    assert long.endswith("RuntimeError: over " + "x" * 40)


def test_what_looks_like_a_secret_is_masked_whoever_writes_it(
    for_people: list[str], for_programs: list[dict[str, str]]
) -> None:
    for lines in ("\n".join(for_people), json.dumps(for_programs)):
        assert SECRET not in lines
        assert lines.count("***") == 2 * len(SECRETS)
