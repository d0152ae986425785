"""The outcome of one proof of a year, and the age of the last one that agreed. Apart from their route: the processes that
prove need no web framework."""

from __future__ import annotations

import re
from collections.abc import Awaitable
from dataclasses import dataclass
from typing import Any, Protocol

from services.values.times import time_text

OLD, LATE = 2, 24
"""So many intervals of the schedule after it ended, the last proof that agreed is old, and late: a warning, and an alert."""

SHORTEST_S = 3600.0
"""An interval counts as an hour at least: proofs wait for processor time that orders do not need."""

DATABASE_URL = "REX_DATABASE_URL"
"""The variable in which the processes of a proof find the venue's database: every user sees a command line, which would hold
its password."""

NONE = "-"
"""An argument of the process of a proof that is left out."""

LATE_KEY = "proof_late"
"""The key of the alert that says so."""

_ERROR = re.compile(r"(?:\w+\.)*([A-Z]\w*)(?:: |$)", re.ASCII)
"""The type of an error at the beginning of a traceback's last line."""


@dataclass(frozen=True)
class Proven:
    """The outcome of one proof."""

    year: int
    seq: int
    time_ns: int
    """When it ended."""
    figure: dict[str, Any] | None
    """As `Figure.to_json`; None where the proof could not be made."""
    trouble: str | None
    """Why it could not be made."""
    breakdown: dict[str, Any] | None = None
    """What the turnover is made of after `seq`, as `Breakdown.to_json`, where it was asked for and the proof agrees; None where
    the venue could not make it."""

    @property
    def agree(self) -> bool:
        """Whether the computations agree to the fen, and the read database has no differences."""
        return self.figure is not None and bool(self.figure["agree"])

    @property
    def alert_key(self) -> str:
        """The key of the alert that says that it failed."""
        return f"proof_failed:{self.year}"

    @property
    def alarm(self) -> str | None:
        """A sentence for whoever watches the venue's health; None where all agrees. Health is public: of a trouble it has the
        type alone."""
        if self.agree:
            return None
        why = "the computations of the turnover disagree, or the read database differs"
        if self.trouble is not None:
            named = _ERROR.match(self.trouble)
            why = f"it could not be made ({named[1] if named else 'the log has the reason'})"
        return f"The proof of {self.year} at seq {self.seq:,} failed: {why}."


class Prove(Protocol):
    """Makes the proof of a year, with its breakdown if that is asked for."""

    def __call__(self, year: int, /, *, breakdown: bool = False) -> Awaitable[Proven]:
        """The proof of a command that is the venue's last one after this call."""


@dataclass(frozen=True)
class ProofAge:
    """How long ago the last proof ended that agreed, of whichever year."""

    seq: int | None
    """Its command; None: none has agreed since the process began."""
    since_ns: int
    """When it ended; where there is none, when the process began."""
    age_s: float
    every_s: float
    """Seconds between two proofs on the schedule."""

    @property
    def is_old(self) -> bool:
        """Whether an operator should look."""
        return self.age_s > OLD * self._interval_s

    @property
    def is_late(self) -> bool:
        """Whether it is an alert."""
        return self.age_s > LATE * self._interval_s

    @property
    def sentence(self) -> str:
        """What is said of an old one."""
        since = time_text(self.since_ns)
        last = f"the last one is of seq {self.seq:,} and ended" if self.seq is not None else "none since the start"
        return f"No proof of the figure has agreed for more than {self._hours:g} hours: {last} at {since}."

    @property
    def sentence_zh(self) -> str:
        """The same in Chinese."""
        since = time_text(self.since_ns)
        last = (
            f"最近一次在序号{self.seq:,}处，完成于{since}" if self.seq is not None else f"自{since}启动以来一次也没有"
        )
        return f"已有超过{self._hours:g}小时没有一致的成交额证明：{last}。"

    @property
    def _interval_s(self) -> float:
        return max(self.every_s, SHORTEST_S)

    @property
    def _hours(self) -> float:
        return (LATE if self.is_late else OLD) * self._interval_s / 3600
