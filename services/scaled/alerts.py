"""The alerts of a leading sequencer: the monitor and the webhook on the read database in PostgreSQL.

The leader needs no read database to lead, so nothing here stops it: what fails is tried again, and its health says so.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import structlog

from matching_engine import Engine
from services.alerts.following import FollowedAlerts
from services.alerts.judging import DaysJudge
from services.alerts.monitor import Proofs, Watched
from services.data.calendar import TradingCalendar
from services.files.data_folder import make_private_folder
from services.messaging import Feed, Inbox
from services.messaging.tail import Readable
from services.read_model.position_watch import PositionWatch
from services.read_model.postgres.database import open_read_database
from services.venue.alerting import Alerting, make_alerting
from services.venue.settings import Settings

AGAIN_S = 10.0
"""The wait before a read database that was away is opened again."""

log = structlog.get_logger("rex.alerts")


class LeaderAlerts:
    """Runs beside the sequencer of this process while it leads."""

    def __init__(
        self,
        settings: Settings,
        *,
        engine: Engine,
        journal: Readable,
        feed: Feed,
        inbox: Inbox,
        calendar: TradingCalendar,
        proofs: Proofs,
        clock: Callable[[], int],
    ) -> None:
        self._settings = settings
        self._engine = engine
        self._journal = journal
        self._feed = feed
        self._inbox = inbox
        self._calendar = calendar
        self._proofs = proofs
        self._clock = clock
        self._alerting: Alerting | None = None
        self._trouble: str | None = None
        self.followed: FollowedAlerts | None = None
        """None while there is no read database to load them from."""

    def warnings(self) -> list[str]:
        """Number and kind of the open critical alerts, and what keeps alerts from being raised or sent, one sentence each."""
        trouble = [] if self._trouble is None else [f"No alerts are raised or shown here: {self._trouble}."]
        critical = [] if self.followed is None else self.followed.alerts.critical()
        return [*trouble, *critical, *([] if self._alerting is None else self._alerting.warnings())]

    async def run(self) -> None:
        """Watches until it is canceled: also where the settings let it raise and send nothing, for the alerts that are open."""
        while True:
            try:
                await self._watch()
            except Exception as error:  # A TaskGroup raises a group.
                cause = error.exceptions[0] if isinstance(error, ExceptionGroup) else error
                self._trouble = type(cause).__name__
                log.warning("the alerts of the leader have failed and begin anew", reason=str(cause))
            await asyncio.sleep(AGAIN_S)

    async def _watch(self) -> None:
        """Opens the read database and watches; ends only with an error."""
        read_database = await open_read_database(self._settings.database_url)
        position = PositionWatch(read_database)
        try:
            self.followed = followed = await FollowedAlerts.load(read_database)
            watched = Watched(
                followed=followed,
                market=self._engine,
                read_database=read_database,
                judge=DaysJudge(self._settings.database_url, self._settings.calendar_file, self._settings.niceness),
                calendar=self._calendar,
                proofs=self._proofs,
                put=self._inbox.put,
                clock=self._clock,
            )
            if self._settings.alert_webhook_url:
                make_private_folder(self._settings.data_dir)
            self._alerting = alerting = make_alerting(self._settings, watched, position.reached)
            self._trouble = None
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(followed.run(self._journal, self._feed))
                for work in alerting.work():
                    tasks.create_task(work)
        finally:
            self.followed = self._alerting = None
            await position.close()
            await read_database.dispose()
