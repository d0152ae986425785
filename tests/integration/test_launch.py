"""Processes that say when they are ready: the first that does not start ends the wait; the stop has an order and a bound."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from services.scaled.launch import DidNotStart, Launched, LaunchedVenue, rex_arguments

READY = """echo '{"url": "http://127.0.0.1:1"}';"""


@pytest.fixture
def venue() -> Iterator[LaunchedVenue]:
    launched = LaunchedVenue(os.environ)
    yield launched
    launched.stop()


def test_the_command_line_names_a_free_port_before_the_options_of_the_caller() -> None:
    assert rex_arguments("gateway", "--port", "7") == ["gateway", "--port", "0", "--json", "--port", "7"]


def test_the_wait_ends_with_the_first_that_ends_or_says_anything_else(venue: LaunchedVenue, tmp_path: Path) -> None:
    ready = Launched("rex gateway", ["sh", "-c", f"{READY} exec sleep 1000"])
    venue.processes += [ready, Launched("rex reporting", ["sleep", "1000"])]
    with (tmp_path / "errors").open("a+b") as errors:
        silent = Launched("rex projector", ["sh", "-c", "echo no room >&2; exit 3"], errors)
        venue.processes.append(silent)
        with pytest.raises(DidNotStart) as ended:
            venue.wait_ready()
    sentence = f"rex projector (process {silent.pid}) did not start (exit status 3): no room"
    assert (str(ended.value), ended.value.exit_status) == (sentence, 3)
    other = Launched("rex projector", ["sh", "-c", "echo 7; exec sleep 1000"])
    with pytest.raises(DidNotStart, match=r"exit status -15\): 7"):
        other.wait_ready()


def test_the_stop_begins_with_the_last_and_kills_what_does_not_end(venue: LaunchedVenue, tmp_path: Path) -> None:
    script = f"trap 'echo $0 >>{tmp_path}/ended; exit 0' TERM; {READY} while :; do sleep 0.01; done"
    venue.processes += [Launched(name, ["sh", "-c", script, name]) for name in ("first", "last")]
    venue.wait_ready()
    assert venue.processes[0].url == "http://127.0.0.1:1"
    venue.stop()
    assert (tmp_path / "ended").read_text().split() == ["last", "first"]
    deaf = Launched("deaf", ["sh", "-c", f"trap '' TERM; {READY} while :; do sleep 0.01; done"])
    deaf.wait_ready()
    deaf.stop(within_s=0.1)
    assert (deaf.exit_status, deaf.end) == (-9, "been ended by SIGKILL")
