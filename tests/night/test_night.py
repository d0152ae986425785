"""A night runs every rig, whatever becomes of the others, and its report says what was seen."""

from __future__ import annotations

import json
import os
import select
import signal
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from tests.faults.__main__ import RIGS as FAULTS
from tests.long import some
from tests.night import __main__ as night
from tests.night import builds
from tests.night.report import Report, hours_text
from tests.night.rigs import RIGS, NightRig
from tests.night.rounds import MOST_ROUNDS, MOST_TIMES, RigResult, Round, run_rig
from tests.patience import PATIENCE_S, impatience

pytestmark = pytest.mark.slow  # starts processes

GREEN = NightRig(
    "green",
    "tries",
    5,
    """-c 'import json; print(json.dumps({{"counts": {{"seen": {count}, "longest_ms": {seed}}}, "broken": []}}))'""",
)
RED = NightRig(
    "red",
    "tries",
    1,
    """-c 'import json, sys; print(json.dumps({{"counts": {{}}, "broken": ["an order is gone"]}})); sys.exit(1)'""",
)
CRASHING = NightRig("crashing", "tries", 1, "-c 'raise KeyError({seed})'")
MISSING = NightRig(
    "missing", "tries", 1, """-c 'import sys; print("NOT RUN: no disk", file=sys.stderr); sys.exit(2)'"""
)
SECONDS = 2.0


@pytest.fixture(autouse=True)
def nothing_required(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("REX_REQUIRE_EVERYTHING", raising=False)  # CI sets it: then what cannot run is red.


def run(folder: Path, *rigs: NightRig) -> tuple[int, dict[str, Any], str]:
    """The exit status and both reports."""
    arguments = ["--hours", str(SECONDS / 3_600), "--seed", "7", "--folder", str(folder)]
    status = night.main(rigs, arguments)
    return status, json.loads((folder / "report.json").read_text()), (folder / "report.md").read_text()


def test_a_red_rig_stops_no_other_and_the_night_is_red(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    status, told, page = run(tmp_path, RED, CRASHING, MISSING, GREEN)
    assert (status, told["failed"], told["seed"]) == (1, ["red", "crashing"], 7)
    red, crashing, missing, green = told["rigs"]
    assert red["rounds"][0]["broken"] == ["an order is gone"]
    assert "KeyError: 7" in crashing["rounds"][0]["said"]
    assert (missing["ran"], missing["failed"], len(missing["rounds"])) == (False, False, 1)
    assert (green["ran"], green["failed"], green["count"]) == (True, False, green["counts"]["seen"])
    assert len(set(green["seeds"])) == len(green["seeds"])
    assert green["counts"]["longest_ms"] == green["seeds"][-1]
    assert "**FAILED: red, crashing. 3 of 4 rigs ran. NOT RUN: missing.**" in page
    assert "- an order is gone" in page
    assert "| green | " in page
    said = capsys.readouterr().out
    assert "missing: 1 tries, seed 7" in said
    assert "NOT RUN: no disk" in said
    assert " min left)" in said
    assert " h left)" not in said
    assert " min of 0.0 min\n" in page


def test_a_night_that_holds_is_green(tmp_path: Path) -> None:
    status, told, page = run(tmp_path, GREEN)
    assert (status, told["failed"]) == (0, [])
    assert {"system", "processor", "cores", "python", "engine", "rex", "commit"} <= told["machine"].keys()
    assert "**Every promise held.**" in page


def test_a_rig_of_which_a_trial_takes_an_instant_ends_and_its_counts_are_bounded(tmp_path: Path) -> None:
    found = run_rig(GREEN, 1e6, 1, tmp_path, lambda _result: None)
    assert len(found.rounds) == MOST_ROUNDS
    assert max(one.count for one in found.rounds) == MOST_TIMES * GREEN.first
    assert not found.failed


def test_a_night_in_which_rigs_have_not_begun_says_so() -> None:
    """A report that is written anew after each round: most rigs wait."""
    report = Report(0.05, 1, results=[RigResult(GREEN, [Round("", 1, 1, 1.0, 0)]), RigResult(RED)])
    report.waiting = ["missing"]
    assert "**1 of 3 rigs ran; every promise that was tried held.**" in report.markdown()
    assert " min of 3.0 min\n" in report.markdown()
    assert hours_text(1.5) == "1.5 h"


def test_what_must_run_and_cannot_is_red(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REX_REQUIRE_EVERYTHING", "1")
    assert run(tmp_path, MISSING)[0] == 1


WAITING = """
import sys
from tests.night import __main__ as night
from tests.night.rigs import NightRig
waits = f"-c 'import signal; open(\\"{sys.argv.pop()}\\", \\"w\\").write(\\"begun\\"); signal.pause()'"
rigs = [NightRig("green", "tries", 1, "-c pass", 1), NightRig("waiting", "tries", 1, waits, 10**9)]
sys.exit(night.main(rigs, sys.argv[1:]))
"""


@pytest.mark.parametrize("number", some([signal.SIGINT, signal.SIGTERM]))
def test_an_interrupted_night_writes_its_report(tmp_path: Path, number: signal.Signals) -> None:
    begun = tmp_path / "begun"
    os.mkfifo(begun)
    reading = os.open(
        begun, os.O_RDWR | os.O_NONBLOCK
    )  # as its writer, too, it finds no end before something is written
    command = [sys.executable, "-c", WAITING, "--hours", "0.01", "--folder", str(tmp_path), str(begun)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    with impatience(process), process:
        assert select.select([reading], [], [], PATIENCE_S)[0], "the second rig, which never ends, has not begun"
        process.send_signal(number)
        process.communicate()
    os.close(reading)
    assert process.returncode == night.INTERRUPTED
    told = json.loads((tmp_path / "report.json").read_text())
    assert (told["ended_early"], [rig["name"] for rig in told["rigs"]]) == ("it was interrupted", ["green", "waiting"])


def test_every_rig_of_the_list_has_a_program_and_a_name_of_its_own() -> None:
    assert len({rig.name for rig in RIGS}) == len(RIGS)
    for rig in RIGS:
        flag, program, name, *_ = rig.arguments.format(count=1, seed=1).split()
        assert (flag, find_spec(program) is not None) == ("-m", True)
        assert program != "tests.faults" or name in FAULTS


def test_builds_that_differ_are_told() -> None:
    found = [
        {"hash": hash_, "native": native, "python": "3.11.2", "hash_seed": "0", "copied": copied}
        for hash_, native, copied in (("a", True, False), ("b", False, True), ("a", True, True))
    ]
    sentences = builds.broken(found)
    assert len(sentences) == 2
    assert sentences[0] == "Python 3.11.2, hash seed 0, uncompiled: b, not a"
    assert "without extension modules is native" in sentences[1]
