"""Changes that a process of a scaled venue makes to itself before it runs: a defect that a rig must catch, or its own death at
a chosen statement. The product has no switch for any of them."""

from __future__ import annotations

import asyncio
import os
import signal
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import suppress
from functools import partial
from typing import Any

import asyncpg

from services.gateway.order_entry import request_tracker
from services.gateway.problems import ProblemError
from services.journal.batch import JournalBatch
from services.journal.postgres.batch_reader import BatchReader
from services.journal.postgres.connections import Database
from services.journal.postgres.journal import PostgresJournal
from services.messaging import Feed, Gap
from services.messaging.link import client
from services.messaging.tail import Readable
from services.read_model import projector
from services.read_model.postgres import writer
from services.scaled import sequencer


def early_acknowledgement() -> None:
    """Publishes batches when their write to PostgreSQL starts, not when their commit is confirmed."""
    append = PostgresJournal.append

    def append_carelessly(journal: PostgresJournal, batch: JournalBatch) -> Awaitable[None]:
        append(journal, batch)
        done = asyncio.get_running_loop().create_future()
        done.set_result(None)
        return done

    PostgresJournal.append = append_carelessly  # type: ignore[assignment, method-assign]


def clock_ahead(ahead_s: int) -> None:
    """The clock of a sequencer's machine is wrong."""
    vars(sequencer)["open_sequencer"] = partial(
        sequencer.open_sequencer, clock=lambda: time.time_ns() + ahead_s * 10**9
    )


def links_through(port: int) -> None:
    """This gateway alone reaches the sequencer through a proxy on this port, which can take its way from it."""
    connect = vars(client)["connect"]
    vars(client)["connect"] = lambda _url, **options: connect(f"ws://127.0.0.1:{port}", **options)


def undurable_server() -> None:
    """Claims the journal of a server with fsync = off."""

    async def check_nothing(*_arguments: object) -> None:
        return

    Database.check_durable = check_nothing  # type: ignore[assignment, method-assign]
    BatchReader.check_durable = check_nothing  # type: ignore[assignment, method-assign]


def refusal_of_unknown_outcomes() -> None:
    """After half a second a gateway says that it did not take a request in, although the request may be on its way."""
    vars(request_tracker)["REPLY_SECONDS"] = 0.5
    vars(request_tracker)["outcome_unknown"] = lambda: ProblemError(503, "not_ready", "Nothing was taken in.")


def patience() -> None:
    """A gateway waits an hour for the answer of a request."""
    vars(request_tracker)["REPLY_SECONDS"] = 3_600.0


def no_transactions() -> None:
    """The projector's statements are transactions of their own."""
    vars(writer)["_BEGIN"] = vars(writer)["_WAIT_FOR_OTHERS"] = "SELECT 1"


def killed_at_statement(number: int, *, sent: bool, mutant: Callable[[], None] | None = None) -> None:
    """SIGKILLs this process at a statement of the projector: before it, or when it was sent and its answer not yet read. It may
    have another defect, too."""
    if mutant is not None:
        mutant()
    count = 0

    def at(name: str) -> None:
        original = getattr(asyncpg.Connection, name)

        async def counted(connection: asyncpg.Connection[Any], *arguments: Any, **named: Any) -> Any:
            nonlocal count
            count += 1
            if count == number and sent:
                asyncio.get_running_loop().call_soon(os.kill, os.getpid(), signal.SIGKILL)
            elif count == number:
                os.kill(os.getpid(), signal.SIGKILL)
            return await original(connection, *arguments, **named)

        setattr(asyncpg.Connection, name, counted)

    at("execute")
    at("copy_records_to_table")


def ignored_gaps() -> None:
    """The projector takes a gap of the feed for silence."""

    async def careless(journal: Readable, feed: Feed, after_seq: int) -> AsyncIterator[JournalBatch]:
        subscription = feed.subscribe()
        async for batch in journal.read(after_seq):
            after_seq = batch.last_seq
            yield batch
        while True:
            with suppress(Gap):
                if (batch := await subscription.next_batch()).last_seq > after_seq:
                    after_seq = batch.last_seq
                    yield batch

    vars(projector)["tail"] = careless
