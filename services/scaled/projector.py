"""`rex projector`: writes the journal's batches into the read database in PostgreSQL."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

from services.gateway.http.metrics import Facts
from services.gateway.server.server import listen
from services.read_model.postgres.writer import PostgresWriter
from services.read_model.projector import Projector
from services.scaled.health import health_app, lag_facts
from services.scaled.serving import serving
from services.scaled.stores import open_feed, open_stores
from services.venue.parts import OnFault, Parts, cancel
from services.venue.settings import Settings


@asynccontextmanager
async def open_projector(settings: Settings, *, on_fault: OnFault) -> AsyncIterator[str]:
    """Projects while the block runs. Yields the address of its health pages.

    Raises the errors of `open_stores` and `open_feed`, and an exception group with the error that stopped a part.
    """
    try:
        async with AsyncExitStack() as opened:
            listener = opened.enter_context(listen(settings.host, settings.port))
            stores = await opened.enter_async_context(open_stores(settings))
            feed = await opened.enter_async_context(open_feed(settings, stores.journal))
            parts = Parts(await opened.enter_async_context(asyncio.TaskGroup()), on_fault)
            writer = PostgresWriter(settings.database_url)
            projector = Projector(writer, stores.journal, feed.feed)

            def facts() -> Facts:
                redis = feed.trouble() is None if feed.uses_redis else None
                lag = lag_facts(stores.journal, projector.seq)
                return {"last_seq": projector.seq, **lag, "redis": redis, "redis_trouble": feed.trouble()}

            def not_ready() -> list[str]:
                return [f"{stores.journal.waiting_for}."] if stores.journal.waiting_for else []

            def warnings() -> list[str]:
                trouble = feed.trouble()
                return [] if trouble is None else [trouble]

            app = health_app("projector", facts, not_ready, warnings)
            url = await opened.enter_async_context(serving(app, settings, listener, parts))
            running = [parts.start(stores.journal.watch(), "journal"), parts.start(projector.run(), "projector")]
            opened.push_async_callback(cancel, running)
            yield url
    except Exception as error:
        on_fault(error)
        raise
