"""What holds now, and which alerts follow from it: raise what holds and is not open, clear what is open and no longer holds."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

from services.commands.attachments import AlertCleared, AlertKind, AlertRaised, Severity
from services.venue_state.alerts import VenueAlert

OpenAlerts = Mapping[str, VenueAlert]
"""The open alerts by key."""


@dataclass(frozen=True)
class Condition:
    """Something that an operator must know of while it holds."""

    kind: AlertKind
    key: str
    """The same as long as the condition is the same; of its kind alone."""
    subject: str
    severity: Severity
    sentence: str
    sentence_zh: str

    @classmethod
    def of_alert(cls, alert: VenueAlert) -> Condition:
        """The condition of an open alert, which still holds."""
        kept = AlertRaised.model_validate(
            {name: getattr(alert, name) for name in ("kind", "key", "subject", "severity", "sentence", "sentence_zh")}
        )
        return cls(**kept.model_dump(exclude={"type"}))

    def raised(self) -> AlertRaised:
        """The attachment that raises its alert."""
        return AlertRaised(
            kind=self.kind,
            key=self.key,
            subject=self.subject,
            severity=self.severity,
            sentence=self.sentence,
            sentence_zh=self.sentence_zh,
        )


def changes(
    is_open: OpenAlerts, holding: Iterable[Condition], looked_at: Collection[AlertKind]
) -> list[AlertRaised | AlertCleared]:
    """What turns the open alerts into those of `holding`: cleared ones first, by number, then new ones in their order.

    `holding` is all that holds of the kinds `looked_at`; alerts of other kinds stay as they are.
    """
    holds = {condition.key: condition for condition in holding}
    cleared = [
        AlertCleared(alert=alert.seq)
        for alert in sorted(is_open.values(), key=lambda alert: alert.seq)
        if alert.kind in looked_at and alert.key not in holds
    ]
    return [*cleared, *(condition.raised() for key, condition in holds.items() if key not in is_open)]
