"""Runs one rig of a night again and again until its time is over; a rig that crashes or hangs stops no other."""

from __future__ import annotations

import json
import os
import shlex
import signal
import subprocess
import sys
from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path
from time import monotonic
from typing import Any

from tests.night.rigs import NightRig

NOT_RUN, BROKEN_OFF = 2, 3
LONGEST_S = 900.0
"""A round is planned to be no longer, so that a report is never far behind."""
MOST_TIMES = 1_000
"""The count of a round is at most so many times that of the first one: that of a trial which takes an instant would grow with
each round, and with it what the rig keeps."""
MOST_ROUNDS = 25
"""A rig has no more rounds; the later rigs get its time."""
HANGS_AFTER_S = 1_800.0
"""A round that takes so much longer than it was planned has failed."""
MOST_FAILURES = 3
"""A rig with so many rounds that failed has said enough."""
ENDS_S = 60.0
"""How long a program may take to end after SIGTERM."""
SAID = 2_000
"""So many characters of its standard error are kept of a round that failed."""


@dataclass
class Round:
    """One run of a rig."""

    command: str
    count: int
    seed: int
    seconds: float
    exit_status: int
    broken: list[str] = field(default_factory=list)
    counts: dict[str, Any] = field(default_factory=dict)
    said: str = ""
    """The end of its standard error, where it failed or could not run."""

    @property
    def failed(self) -> bool:
        """Whether a promise was broken, or the program crashed or hung."""
        return self.exit_status not in (0, NOT_RUN, BROKEN_OFF)

    @property
    def verdict(self) -> str:
        """In words."""
        if self.exit_status == NOT_RUN:
            return f"NOT RUN: {self.said.strip().splitlines()[-1] if self.said.strip() else 'no reason given'}"
        if not self.failed:
            return "every promise held"
        return f"BROKEN: {'; '.join(self.broken[:3]) or f'exit status {self.exit_status}'}"


@dataclass
class RigResult:
    """The rounds of one rig."""

    rig: NightRig
    rounds: list[Round] = field(default_factory=list)

    @property
    def ran(self) -> bool:
        """Whether any round could run."""
        return any(one.exit_status != NOT_RUN for one in self.rounds)

    @property
    def failed(self) -> bool:
        """Whether any round failed; with REX_REQUIRE_EVERYTHING=1, also whether none could run."""
        required = os.environ.get("REX_REQUIRE_EVERYTHING") == "1"
        return any(one.failed for one in self.rounds) or (required and not self.ran)

    @property
    def trials(self) -> int:
        """How many trials ended."""
        return sum(one.count for one in self.rounds if one.exit_status in (0, 1))

    @property
    def counts(self) -> dict[str, Any]:
        """The counts of all rounds: sums, and of what is called longest, highest or most the largest."""
        merged: dict[str, Any] = {}
        for one in self.rounds:
            for name, value in one.counts.items():
                if (
                    isinstance(value, bool)
                    or not isinstance(value, int | float)
                    or name in ("seed", "took_s", self.rig.trials)
                ):
                    continue
                most = any(
                    word in name for word in ("longest", "highest", "most", "slowest", "rss", "sockets", "_error")
                )
                merged[name] = max(merged.get(name, value), value) if most else merged.get(name, 0) + value
        return merged

    def to_json(self) -> dict[str, Any]:
        """JSON values."""
        return {
            **{name: value for name, value in self.rig._asdict().items() if name in ("name", "trials", "share")},
            "failed": self.failed,
            "ran": self.ran,
            "count": self.trials,
            "seconds": round(sum(one.seconds for one in self.rounds)),
            "seeds": [one.seed for one in self.rounds],
            "counts": self.counts,
            "rounds": [asdict(one) for one in self.rounds],
        }


def run_rig(rig: NightRig, seconds: float, seed: int, folder: Path, on_round: Callable[[RigResult], None]) -> RigResult:
    """Runs rounds for about this time, at least one and at most MOST_ROUNDS. Each has a seed that no other has. `on_round` is
    called after each."""
    result, began_s = RigResult(rig), monotonic()
    count = max(1, round(seconds)) if rig.is_seconds else rig.first
    while True:
        planned_s = seconds if rig.is_seconds else min(LONGEST_S, max(0.0, seconds - (monotonic() - began_s)))
        result.rounds.append(_round(rig, count, seed, planned_s + HANGS_AFTER_S, folder))
        on_round(result)
        last, left_s = result.rounds[-1], seconds - (monotonic() - began_s)
        a_trial_s = last.seconds / last.count
        has_ended = rig.is_seconds or last.exit_status == NOT_RUN or left_s < a_trial_s * min(count, rig.first)
        has_ended = has_ended or len(result.rounds) >= MOST_ROUNDS
        if has_ended or sum(one.failed for one in result.rounds) >= MOST_FAILURES:
            return result
        seed += count
        fits = max(1, int(min(LONGEST_S, left_s) / a_trial_s))
        count = min(fits, MOST_TIMES * rig.first) if not last.failed else rig.first


def _round(rig: NightRig, count: int, seed: int, limit_s: float, folder: Path) -> Round:
    arguments = shlex.split(rig.arguments.format(count=count, seed=seed))
    command, began_s = [sys.executable, *arguments], monotonic()
    with (folder / f"{rig.name}.log").open("a+", encoding="utf-8", errors="replace") as errors:
        errors.write(f"== {shlex.join(['python', *arguments])}\n")
        errors.flush()
        start = errors.tell()
        # A session of its own: Ctrl-C reaches only the night, which ends what runs.
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=errors, text=True, start_new_session=True)
        try:
            out, _ = process.communicate(timeout=limit_s)
        except subprocess.TimeoutExpired:
            out = _ended(process)
            errors.write(f"it had not ended after {limit_s:.0f} s and was ended\n")
        except BaseException:
            _ended(process)
            raise
        finally:
            with suppress(ProcessLookupError):  # What a rig that crashed has left.
                os.killpg(process.pid, signal.SIGKILL)
        errors.seek(start)
        said = errors.read()[-SAID:]
    one = Round(shlex.join(["python", *arguments]), count, seed, monotonic() - began_s, process.returncode)
    for report in _reports(out):
        one.broken += report.get("broken", [])
        one.counts |= report.get("counts", {})
    if one.exit_status != 0:
        one.said = said
    return one


def _ended(process: subprocess.Popen[str]) -> str:
    """Ends a program in order, so that it unmounts its disks and stops its servers; kills it where it does not. Its output."""
    process.terminate()
    try:
        out, _ = process.communicate(timeout=ENDS_S)
    except subprocess.TimeoutExpired:
        process.kill()
        out, _ = process.communicate()
    return out or ""


def _reports(out: str) -> list[dict[str, Any]]:
    try:
        found = json.loads(out)
    except ValueError:
        return []
    return [one for one in (found if isinstance(found, list) else [found]) if isinstance(one, dict)]
