"""The outcome of one proof of a year. Apart from its route: the processes that prove need no web framework."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

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
