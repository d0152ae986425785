"""`rex gateway` and `rex reporting`: the API over the journal in PostgreSQL; any number of them may run.

order gateway      submissions go up the link to the active sequencer, committed batches come down on it
read-only gateway  reads the stream of Redis, or follows the journal; refuses orders
reporting          a read-only gateway with the pages
"""

from __future__ import annotations

import asyncio
import secrets
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass

from services.data.calendar import TradingCalendar
from services.data.trading_hours import TradingHours
from services.gateway.limits.shared import SharedLimits
from services.gateway.reader import GatewayReader
from services.gateway.server.server import listen, venue_url
from services.journal.postgres.journal import PostgresJournal
from services.messaging.link.client import Link
from services.pages import mount_pages
from services.read_model.position_watch import PositionWatch
from services.read_model.postgres.answering import bound_queries
from services.scaled.health import lag_facts
from services.scaled.serving import serving
from services.scaled.sources import LINK_PATIENCE_S, BatchSource, linked, reading
from services.scaled.stores import Stores, open_feed, open_stores
from services.sequencer.schedule import calendar_missing
from services.venue.application import Gateway, load_gateway, make_application, make_limits, make_reader
from services.venue.first_start import KEYS_FILE, PAGES, read_keys
from services.venue.parts import OnFault, Parts, cancel
from services.venue.report_process import ReportPlace, ReportProcess
from services.venue.settings import Settings, require
from services.venue.standing_proof import StandingProof, brought_up_to_date
from services.venue_state.state import VenueState


@dataclass(frozen=True)
class _Uncounted:
    """What a proof needs of a gateway: its engine is another process's, so nothing counts the turnover here."""

    state: VenueState

    @property
    def last_seq(self) -> int:
        return self.state.last_seq

    @property
    def trading_date(self) -> int:
        return self.state.trading_date

    def turnover_fen(self, _year: int) -> None:
        return None


@asynccontextmanager
async def open_gateway(
    settings: Settings, *, on_fault: OnFault, read_only: bool = False, with_pages: bool = False
) -> AsyncIterator[str]:
    """Loads the venue's state, follows the journal and serves. Yields the address once the state is at the journal's end.

    Raises SettingsRefused, the journal's and the read database's errors, LinkRefused and RedisRefused, OSError if the address
    is taken, and an exception group with the error that stopped a part.
    """
    require(settings, "database_url", *([] if read_only else ["link_secret"]))
    try:
        async with AsyncExitStack() as opened:
            listener = opened.enter_context(listen(settings.host, settings.port))
            stores = await opened.enter_async_context(open_stores(settings))
            parts = Parts(await opened.enter_async_context(asyncio.TaskGroup()), on_fault)
            running: list[asyncio.Task[None]] = []
            opened.push_async_callback(cancel, running)
            running.append(parts.start(stores.journal.watch(), "journal"))
            if read_only:
                source = reading(await opened.enter_async_context(open_feed(settings, stores.journal)), stores.journal)
            else:
                link = Link(stores.journal, settings.link_secret.get_secret_value())
                running.append(parts.start(link.run(), "link"))
                source = linked(link, stores.journal)
            position = PositionWatch(stores.read_database)
            opened.push_async_callback(position.close)
            calendar = TradingCalendar.load(settings.calendar_file)
            gateway = await _load(settings, calendar, stores, source, position, parts, running)
            bound_queries(stores.read_database)  # not before: loading a large venue takes its time
            uncounted = _Uncounted(gateway.state)
            proof = StandingProof(
                settings.database_url,
                settings.calendar_file,
                uncounted,
                brought_up_to_date,
                time.time_ns,
                0,
                settings.niceness,
            )
            shared = SharedLimits(settings.redis_url, stores.journal.journal_id) if settings.redis_url else None
            if shared is not None:
                running.append(parts.start(shared.run(), "limits"))
            reports = ReportProcess(ReportPlace.of(settings.database_url, settings.calendar_file))
            opened.push_async_callback(reports.close)
            running.append(parts.start(reports.watch(lambda: _a_report(gateway.state)), "reports"))
            days_reports = ReportProcess(
                ReportPlace.of(settings.database_url, settings.calendar_file, journal=settings.database_url)
            )
            opened.push_async_callback(days_reports.close)
            app = make_application(
                gateway,
                settings,
                inbox=source.inbox,
                read_database=stores.read_database,
                journal=stores.journal,
                calendar=calendar,
                clock=time.time_ns,
                not_ready=lambda: [*source.not_ready(), *(reports.troubles if with_pages else [])],
                warnings=lambda: [
                    *source.warnings(),
                    *([] if with_pages else reports.troubles),
                    *calendar_missing(calendar, time.time_ns()),
                    *proof.alarms(),
                    *([shared.trouble] if shared is not None and shared.trouble else []),
                ],
                freshness=source.freshness,
                details=lambda: {
                    **source.details(),
                    **lag_facts(stores.journal, gateway.state.last_seq),
                    "limits_shared": None if shared is None else shared.trouble is None,
                    **proof.progress(),
                    **gateway.open_now(),
                },
                prove=proof.prove,
                limits=make_limits(gateway.state, settings, None if shared is None else shared.bucket),
                elsewhere=reports.answer,
                days_elsewhere=days_reports.answer,
            )
            running.append(parts.start(gateway.channels.liveness.close_when(source.freshness.is_cut_off), "cut off"))
            if with_pages:
                keys = read_keys(settings.data_dir / KEYS_FILE, PAGES)
                url = venue_url(settings.host, listener)
                pages = mount_pages(app, url=lambda: url, read_key=keys[PAGES].key, public=settings.public_market_data)
                running.append(parts.start(pages.run(), "pages"))
            yield await opened.enter_async_context(serving(app, settings, listener, parts, gateway.channels.liveness))
    except Exception as error:
        on_fault(error)
        raise


def _a_report(state: VenueState) -> str:
    """The one that shows whether reports can be made."""
    return f"/v1/reports/turnover/{state.trading_date // 10_000}"


async def _load(
    settings: Settings,
    calendar: TradingCalendar,
    stores: Stores,
    source: BatchSource,
    position: PositionWatch,
    parts: Parts,
    running: list[asyncio.Task[None]],
) -> Gateway:
    """The gateway's memory, from the read database and then the journal's batches up to its present end.

    The read database may be behind or empty: its projector may be away.
    """
    gateway_id = secrets.randbelow(2**16 - 1) + 1
    gateway = await load_gateway(
        stores.read_database,
        source.inbox,
        position.reached,
        hours=TradingHours(calendar, settings.schedule),
        clock=time.time_ns,
        gateway_id=gateway_id,
        behind_tls=settings.behind_tls,
        acts_of_two=settings.four_eyes,
    )
    reader = make_reader(gateway, source.journal, source.feed)
    running.append(parts.start(reader.run(), "gateway reader"))
    await at_end(reader, stores.journal)
    return gateway


async def at_end(reader: GatewayReader, journal: PostgresJournal) -> None:
    """Waits until the gateway has read the journal to its present end. Its last batch, which a failover may take back, is
    waited for as long as a take-over takes: nobody may ever confirm it. The only batch is waited for without end: a gateway
    that has read nothing knows no key."""
    last = await journal.last_batch()
    if last is not None:
        await reader.reached(max(1, last.first_seq - 1))
        with suppress(TimeoutError):
            async with asyncio.timeout(LINK_PATIENCE_S):
                await reader.reached(last.last_seq)
