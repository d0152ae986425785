"""Conditions of operation: a failed or late proof, a read database that is behind, a silent journal, a missing calendar."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import NamedTuple

from services.alerts.conditions import Condition, OpenAlerts
from services.commands.attachments import AlertKind
from services.reporting.proven import LATE_KEY, ProofAge, Proven

KINDS: tuple[AlertKind, ...] = ("proof_failed", "proof_late", "projector_lag", "journal_quiet", "calendar_missing")

LAG_S = 60
"""The read database is behind if it lacks commands that are older."""

_MAX_LOOKS = 512
_NS = 10**9


@dataclass(frozen=True)
class Operation:
    """What one look sees of the venue's operation."""

    lag_ns: int
    """The age of the oldest command that the read database lacks, as far as looks can tell (`ReaderLag`)."""
    lag_is_known: bool
    """Whether it is not older than that: the process began, and has not seen when the command came."""
    quiet_ns: int
    """How long continuous trading has had no command, as far as looks can tell (`Quiet`)."""
    quiet_is_known: bool
    """Whether it was not longer."""
    quiet_s: int
    """The bound of quiet_ns, in seconds; 0: none."""
    proofs: Mapping[int, Proven]
    """The latest proof of each year that was proven since the process began."""
    proof_age: ProofAge | None
    """The age of the last one that agreed; None where none is due."""
    calendar_year: int | None
    """A year whose calendar should be published by now, and is not known."""


class _Look(NamedTuple):
    seq: int
    at_ns: int


class ReaderLag:
    """Measures how old the commands are that the read database lacks."""

    def __init__(self) -> None:
        self._looks: deque[_Look] = deque()
        self._first_seq: int | None = None
        self.is_known = False
        """Whether the read database has the commands that were there at the first look: those came at an unknown time."""

    def look(self, now_ns: int, last_seq: int, projected_seq: int) -> int:
        """Nanoseconds since the first look at which the venue had a command that the read database still lacks."""
        looks = self._looks
        self._first_seq = last_seq if self._first_seq is None else self._first_seq
        self.is_known = self.is_known or projected_seq >= self._first_seq
        while looks and looks[0].seq <= projected_seq:
            looks.popleft()
        if last_seq > (looks[-1].seq if looks else projected_seq) and len(looks) < _MAX_LOOKS:
            looks.append(_Look(last_seq, now_ns))
        return now_ns - looks[0].at_ns if looks else 0


class Quiet:
    """Measures how long no command has come while the market is open."""

    def __init__(self) -> None:
        self._commands: int | None = None
        self._since_ns = 0
        self.is_known = False
        """Whether a look saw when the silence began."""

    def look(self, now_ns: int, commands: int, *, in_session: bool) -> int:
        """Nanoseconds since the look at which `commands`, a number that grows with each command, last changed."""
        if not in_session or commands != self._commands:
            self.is_known = self.is_known or not in_session or self._commands is not None
            self._commands, self._since_ns = commands, now_ns
        return now_ns - self._since_ns


def operation_conditions(seen: Operation, is_open: OpenAlerts) -> list[Condition]:
    """All that holds of KINDS. An open alert holds until there is evidence: a proof that failed until a later one of its year
    agrees, a late one until any agrees, lag and silence until looks of this process can tell."""
    return [
        *_proofs(seen.proofs, is_open),
        *_late(seen.proof_age, is_open),
        *_lag(seen, is_open),
        *_quiet(seen, is_open),
        *_calendar(seen),
    ]


def _proofs(proofs: Mapping[int, Proven], is_open: OpenAlerts) -> Iterator[Condition]:
    for alert in is_open.values():
        if alert.kind == "proof_failed" and int(alert.subject) not in proofs:
            yield Condition.of_alert(alert)
    for year, proven in proofs.items():
        if proven.alarm is not None:
            chinese = f"{year}年度成交额在序号{proven.seq:,}处的证明未通过。"
            yield Condition("proof_failed", proven.alert_key, str(year), "critical", proven.alarm, chinese)


def _late(age: ProofAge | None, is_open: OpenAlerts) -> Iterator[Condition]:
    if age is not None and age.seq is None and LATE_KEY in is_open:
        yield Condition.of_alert(is_open[LATE_KEY])
    elif age is not None and age.is_late:
        yield Condition("proof_late", LATE_KEY, "figure", "critical", age.sentence, age.sentence_zh)


def _lag(seen: Operation, is_open: OpenAlerts) -> Iterator[Condition]:
    if not seen.lag_is_known and "projector_lag" in is_open:
        yield Condition.of_alert(is_open["projector_lag"])
    elif seen.lag_ns > LAG_S * _NS:
        english = f"The read database is behind: it lacks commands that are more than {LAG_S} seconds old."
        chinese = f"读库落后：缺少{LAG_S}秒以前的指令。"
        yield Condition("projector_lag", "projector_lag", "read database", "critical", english, chinese)


def _quiet(seen: Operation, is_open: OpenAlerts) -> Iterator[Condition]:
    if seen.quiet_s and not seen.quiet_is_known and "journal_quiet" in is_open:
        yield Condition.of_alert(is_open["journal_quiet"])
    elif 0 < seen.quiet_s * _NS < seen.quiet_ns:
        english = f"Trading is continuous, and no command was journaled for more than {seen.quiet_s} seconds."
        chinese = f"连续竞价时段内已超过{seen.quiet_s}秒没有任何指令入账。"
        yield Condition("journal_quiet", "journal_quiet", "journal", "critical", english, chinese)


def _calendar(seen: Operation) -> Iterator[Condition]:
    if (year := seen.calendar_year) is not None:
        english = f"The trading days of {year} are assumed: set REX_CALENDAR_FILE to its published calendar."
        chinese = f"{year}年的交易日为推定：请将REX_CALENDAR_FILE设为已公布的交易日历。"
        yield Condition("calendar_missing", f"calendar_missing:{year}", str(year), "warning", english, chinese)
