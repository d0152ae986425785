"""The report of a night: Markdown for people, JSON for programs."""

from __future__ import annotations

import json
import os
import platform
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

from matching_engine import ENGINE_VERSION, build_notice
from tests.night.rounds import RigResult


def machine() -> dict[str, Any]:
    """What the night ran on."""
    facts: dict[str, Any] = {
        "system": f"{platform.system()} {platform.release()}",
        "processor": _line_of("/proc/cpuinfo", "model name") or platform.machine(),
        "cores": os.cpu_count(),
        "memory": _line_of("/proc/meminfo", "MemTotal"),
        "python": sys.version.split()[0],
        "rex": version("rex-exchange"),
        "engine": f"version {ENGINE_VERSION}: {build_notice()}",
    }
    commit = subprocess.run(["git", "describe", "--always", "--dirty"], capture_output=True, text=True, check=False)
    return facts | {"commit": commit.stdout.strip() or "unknown"}


def _line_of(file: str, name: str) -> str:
    if not Path(file).exists():
        return ""
    lines = Path(file).read_text(encoding="utf-8", errors="replace").splitlines()
    return next((line.partition(":")[2].strip() for line in lines if line.startswith(name)), "")


def hours_text(hours: float) -> str:
    """A time for people: in minutes where it is below one hour."""
    return f"{hours:.1f} h" if hours >= 1 else f"{hours * 60:.1f} min"


@dataclass
class Report:
    """What is known of a night so far."""

    hours: float
    seed: int
    began: datetime = field(default_factory=lambda: datetime.now(UTC))
    results: list[RigResult] = field(default_factory=list)
    waiting: Sequence[str] = ()
    """The rigs that have not begun."""
    ended_early: str = ""
    machine: dict[str, Any] = field(default_factory=machine)

    @property
    def failed(self) -> list[str]:
        """The names of the rigs that failed."""
        return [result.rig.name for result in self.results if result.failed]

    def write(self, folder: Path) -> None:
        """Writes report.md and report.json, each whole or not at all."""
        for name, text in (
            ("report.json", json.dumps(self.to_json(), indent=2) + "\n"),
            ("report.md", self.markdown()),
        ):
            (folder / f"{name}.new").write_text(text, encoding="utf-8")
            (folder / f"{name}.new").replace(folder / name)

    def to_json(self) -> dict[str, Any]:
        """JSON values."""
        return {
            "began": self.began.isoformat(timespec="seconds"),
            "written": datetime.now(UTC).isoformat(timespec="seconds"),
            "hours": self.hours,
            "seed": self.seed,
            "machine": self.machine,
            "failed": self.failed,
            "ended_early": self.ended_early,
            "waiting": list(self.waiting),
            "rigs": [result.to_json() for result in self.results],
        }

    def markdown(self) -> str:
        """The page."""
        lines = ["# A night of rigs", "", f"**{self._verdict()}**", ""]
        lines += [f"- {name}: {value}" for name, value in self._facts().items()]
        lines += ["", "| rig | count | rounds | time | seeds | result |", "|---|---|---|---|---|---|"]
        lines += map(self._row, self.results)
        lines += [f"| {name} | 0 | 0 | | | not begun |" for name in self.waiting]
        for result in self.results:
            lines += self._failures(result)
        lines += ["", "## Counts", ""]
        for result in self.results:
            counts = ", ".join(f"{name.replace('_', ' ')} {value:,}" for name, value in result.counts.items())
            lines.append(f"- {result.rig.name}: {counts or 'none'}")
        return "\n".join(lines) + "\n"

    def _verdict(self) -> str:
        early = f" Ended early: {self.ended_early}." if self.ended_early else ""
        not_run = [result.rig.name for result in self.results if result.rounds and not result.ran]
        missing = f" NOT RUN: {', '.join(not_run)}." if not_run else ""
        ran, rigs = sum(result.ran for result in self.results), len(self.results) + len(self.waiting)
        some = f"{ran} of {rigs} rigs ran" if ran < rigs else ""
        if self.failed:
            return f"FAILED: {', '.join(self.failed)}.{f' {some}.' if some else ''}{missing}{early}"
        held = f"{some}; every promise that was tried held" if some else "Every promise held"
        return f"{held}.{missing}{early}"

    def _facts(self) -> dict[str, Any]:
        now = datetime.now(UTC)
        took = f"{hours_text((now - self.began).total_seconds() / 3_600)} of {hours_text(self.hours)}"
        times = f"{self.began:%Y-%m-%d %H:%M} to {now:%Y-%m-%d %H:%M} UTC, {took}"
        return {"time": times, "seed": self.seed, **self.machine}

    @staticmethod
    def _row(result: RigResult) -> str:
        seeds = [one.seed for one in result.rounds]
        if not seeds:
            return f"| {result.rig.name} | 0 | 0 | | | not ended |"
        shown = f"{seeds[0]}" if len(seeds) == 1 else f"{seeds[0]} to {seeds[-1]}"
        seconds = sum(one.seconds for one in result.rounds)
        word = "FAILED" if result.failed else "held" if result.ran else "not run"
        count = f"{result.trials:,} {result.rig.trials.replace('_', ' ')}"
        return f"| {result.rig.name} | {count} | {len(result.rounds)} | {seconds:,.0f} s | {shown} | {word} |"

    @staticmethod
    def _failures(result: RigResult) -> list[str]:
        lines = []
        for one in result.rounds:
            if one.exit_status:
                lines += ["", f"## {result.rig.name}, seed {one.seed}", "", f"`{one.command}`: {one.verdict}"]
                lines += [f"- {sentence}" for sentence in one.broken[:20]]
                if not one.broken and one.said.strip():
                    lines += ["", "```", one.said.strip(), "```"]
        return lines
