"""The alerts of a venue as the composition roots start them: the monitor, and the webhook if the settings name a receiver."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from services.alerts.monitor import AlertMonitor, Watched
from services.venue.settings import Settings

if TYPE_CHECKING:
    from services.alerts.webhook.sender import WebhookSender


@dataclass(frozen=True)
class Alerting:
    """The monitor and the webhook of a venue."""

    monitor: AlertMonitor
    webhook: WebhookSender | None

    def work(self) -> list[Coroutine[Any, Any, None]]:
        """What runs while the venue does; each ends only with an error, or at once where there is nothing to do."""
        return [self.monitor.run(), *([] if self.webhook is None else [self.webhook.run()])]

    def warnings(self) -> list[str]:
        """What keeps the alerts from being raised or sent, one sentence each."""
        return [*self.monitor.warnings(), *([] if self.webhook is None else self.webhook.warnings())]


def make_alerting(settings: Settings, watched: Watched, projected: Callable[[int], Awaitable[None]]) -> Alerting:
    """`projected` waits until the read database has reached a sequence number."""
    monitor = AlertMonitor(watched, every_s=settings.alerts_every_s, quiet_s=settings.alert_quiet_s)
    return Alerting(monitor, _webhook(settings, settings.data_dir, watched, projected))


def _webhook(
    settings: Settings, folder: Path, watched: Watched, projected: Callable[[int], Awaitable[None]]
) -> WebhookSender | None:
    url = settings.alert_webhook_url.get_secret_value()
    if not url:
        return None
    # Not before: what it sends with would take 20 ms from the start of every venue.
    from services.alerts.webhook.position import POSITION_FILE, PositionFile
    from services.alerts.webhook.sender import Start, WebhookSender
    from services.standard_webhooks.signature import secret_bytes

    key = secret_bytes(settings.alert_webhook_secret.get_secret_value())
    position = PositionFile(folder / POSITION_FILE)
    start = Start(watched.read_database, projected, watched.followed.last_seq, watched.market.last_seq)
    sender = WebhookSender(url, key, start, position, watched.clock)
    watched.followed.alerts.listeners.append(sender.on_change)
    return sender
