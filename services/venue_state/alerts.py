"""The alerts that may still change: what the venue's journal says of them, folded from its RECORD commands.

One alert of a key is open at a time; the first acknowledgement of an alert holds (services/commands/attachments.py).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from typing import Any

from services.commands.attachments import AlertAcknowledged, AlertCleared, AlertRaised, DayClosed, ProofAgreed
from services.journal.batch import Applied


@dataclass(slots=True)
class VenueAlert:
    """One alert: the columns of the table `alerts`."""

    seq: int
    """The command that raised it: the alert's number."""
    time_ns: int
    kind: str
    key: str
    subject: str
    severity: str
    sentence: str
    sentence_zh: str
    cleared_seq: int | None = None
    cleared_ns: int | None = None
    acknowledged_seq: int | None = None
    acknowledged_ns: int | None = None
    actor: int | None = None
    """The key_id of the operator who acknowledged it."""
    name: str | None = None
    note: str | None = None

    @classmethod
    def from_columns(cls, row: Mapping[Any, Any]) -> VenueAlert:
        """An alert from its row in the read database."""
        return cls(**{field.name: row[field.name] for field in fields(cls)})

    @property
    def last_seq(self) -> int:
        """The command that last changed it."""
        return max(self.seq, self.cleared_seq or 0, self.acknowledged_seq or 0)


REMEMBERED = 1_000
"""So many alerts that have ended and that nobody has acknowledged are remembered; of more, the oldest is forgotten. It may
still be acknowledged; nobody who listens is told then."""


SHOWN_IN_HEALTH = 20
"""So many open critical alerts have a sentence of their own in what load balancers read every second."""

OfAlerts = AlertRaised | AlertCleared | AlertAcknowledged | DayClosed | ProofAgreed
"""What the monitor records, and the acknowledgements of it: no sign that somebody trades."""

AlertListener = Callable[[VenueAlert, int], None]
"""Called with an alert after the command with this seq has changed it."""


class VenueAlerts:
    """The open alerts, those that nobody has acknowledged, and who listens to their changes."""

    def __init__(self) -> None:
        self.open: dict[str, VenueAlert] = {}
        """By key."""
        self.cleared: dict[int, VenueAlert] = {}
        """By number, oldest first: the last REMEMBERED that may still be acknowledged."""
        self.commands = 0
        """Number of commands `OfAlerts` since this object was made."""
        self.listeners: list[AlertListener] = []

    def find(self, seq: int) -> VenueAlert | None:
        """The open alert with this number."""
        return next((alert for alert in self.open.values() if alert.seq == seq), None)

    def critical(self) -> list[str]:
        """A sentence for each of the first SHOWN_IN_HEALTH open critical alerts, oldest first, and one for how many more there
        are. Health is public: number and kind, and no member or amount."""
        critical = [alert for alert in self.open.values() if alert.severity == "critical"]
        shown = [f"Alert {one.seq} ({one.kind}) is open: GET /v1/alerts." for one in critical[:SHOWN_IN_HEALTH]]
        more = len(critical) - len(shown)
        return [*shown, f"More critical alerts are open: {more}. GET /v1/alerts lists them."] if more else shown

    def remember(self, alert: VenueAlert) -> None:
        """Adds an alert that has ended and may still be acknowledged."""
        self.cleared[alert.seq] = alert
        if len(self.cleared) > REMEMBERED:
            del self.cleared[next(iter(self.cleared))]

    def apply(self, applied: Applied, change: OfAlerts) -> None:
        """Applies what a RECORD command says of alerts. What the monitor records besides is counted only."""
        self.commands += 1
        if isinstance(change, DayClosed | ProofAgreed):
            return
        seq, time_ns = applied.event.seq, applied.command.time_ns
        if isinstance(change, AlertRaised):
            if change.key not in self.open:
                alert = VenueAlert(seq, time_ns, **change.model_dump(exclude={"type"}))
                self.open[change.key] = alert
                self._notify(alert, seq)
            return
        found = self.find(change.alert)
        if isinstance(change, AlertCleared):
            if found is None:
                return
            del self.open[found.key]
            found.cleared_seq, found.cleared_ns = seq, time_ns
            if found.acknowledged_seq is None:
                self.remember(found)
        elif (found := found or self.cleared.pop(change.alert, None)) is not None and found.acknowledged_seq is None:
            found.acknowledged_seq, found.acknowledged_ns = seq, time_ns
            found.actor, found.name, found.note = applied.command.actor, change.name, change.note
        else:
            return
        self._notify(found, seq)

    def _notify(self, alert: VenueAlert, seq: int) -> None:
        for listener in self.listeners:
            listener(alert, seq)
