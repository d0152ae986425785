"""What health shows of the open alerts."""

from __future__ import annotations

from services.venue_state.alerts import SHOWN_IN_HEALTH, VenueAlert, VenueAlerts


def opened(alerts: VenueAlerts, seq: int, severity: str = "critical") -> None:
    key = f"abnormal_trading:{seq}"
    alerts.open[key] = VenueAlert(seq, 0, "abnormal_trading", key, "alice", severity, "A sentence.", "一句话。")


def test_health_names_the_oldest_critical_alerts_and_says_how_many_more_there_are() -> None:
    alerts = VenueAlerts()
    for seq in range(1, SHOWN_IN_HEALTH + 1):
        opened(alerts, seq)
    opened(alerts, 100, severity="warning")
    assert [sentence.split()[1] for sentence in alerts.critical()] == [str(1 + each) for each in range(SHOWN_IN_HEALTH)]
    for seq in range(200, 1_200):
        opened(alerts, seq)
    *named, more = alerts.critical()
    assert len(named) == SHOWN_IN_HEALTH
    assert more == "More critical alerts are open: 1000. GET /v1/alerts lists them."
