"""Lets standbys claim the journal at once while the writer's append is on its way.

    python -m tests.faults claims --count 200 --seed 1

In this process, with connections to a real PostgreSQL: a writer appends through a proxy that holds its statement back
(`late_request`), or the reply (`late_reply`), or resets the connection (`cut`). Two to four standbys claim at once: exactly one
may win, and it appends. Then the writer's statement arrives: it must write nothing and end with JournalBusy, unless it was
committed before the claim. The journal must hold exactly the acknowledged batches, as one chain. With processes: the rig
`leader`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import AsyncExitStack
from random import Random

from load_tests.servers.postgres import PostgresServer
from load_tests.servers.server_process import ServerMissing
from services.journal import JournalBusy, JournalError
from services.journal.batch import JournalBatch
from services.journal.postgres import tables
from services.journal.postgres.journal import PostgresJournal
from services.journal.postgres.writer_row import WriterRow
from services.processes.exit_codes import ExitCode
from services.venue.fatal_errors import exit_code_of
from tests.faults.rig import Advance, CannotRun, Report, Rig
from tests.faults.tcp_proxy import TcpProxy, server_of, through
from tests.patience import PATIENCE_S
from tests.unit.journal.chains import next_batch

KINDS = ("late_request", "late_reply", "cut")
HELD_S = 0.1
"""How long a message takes to the proxy and an append to its commit, generously: if it takes longer, the trial is another one
of the same kind, and no less valid."""


def run(claims: int, seed: int, advance: Advance) -> Report:
    """Runs `claims` claims. Raises CannotRun."""
    report = Report("claims")
    try:
        with PostgresServer() as server:
            asyncio.run(in_process(server.create_database("journal"), claims, Random(seed), report, advance))
    except ServerMissing as missing:
        raise CannotRun(str(missing)) from missing
    except TimeoutError:
        report.broken.append("a statement was not answered")
    return report


async def in_process(url: str, claims: int, random: Random, report: Report, advance: Advance) -> None:
    """Claims of connections of this process."""
    await tables.create(url)
    kinds = _dealt(random)
    acknowledged: list[JournalBatch] = []
    proxy = TcpProxy(server_of(url))
    async with proxy.running():
        for _ in range(claims):
            kind = next(kinds)
            try:
                async with asyncio.timeout(PATIENCE_S), AsyncExitStack() as opened:
                    trial = Trial(url, proxy, acknowledged, random, report)
                    await trial.open(opened)
                    await trial.claim(kind)
            except JournalError as error:
                report.broken.append(f"{kind}: the writer in office ends with {type(error).__name__}: {error}")
                return
            report.add(kind)
            advance()


def _dealt(random: Random) -> Iterator[str]:
    while True:
        yield from random.sample(KINDS, len(KINDS))


class Trial:
    """A writer behind the proxy, the standbys that depose it, and the batches that were acknowledged so far."""

    def __init__(
        self, url: str, proxy: TcpProxy, acknowledged: list[JournalBatch], random: Random, report: Report
    ) -> None:
        self._url = url
        self._proxy = proxy
        self._acknowledged = acknowledged
        self._random = random
        self._report = report

    async def open(self, opened: AsyncExitStack) -> None:
        """Makes the connections; the writer claims and appends."""
        self._writer = await self._journal(through(self._url, self._proxy.port), opened)
        self._standbys = [await self._journal(self._url, opened) for _ in range(self._random.randint(2, 4))]
        if await self._writer.claim(await self._writer.look(), "ws://writer") is None:
            self._report.broken.append("a claim without a rival failed")
        await self._append(self._writer, self._random.randint(1, 3))

    async def _journal(self, url: str, opened: AsyncExitStack) -> PostgresJournal:
        journal = await PostgresJournal.open(url)
        opened.push_async_callback(journal.close)
        return journal

    async def _append(self, journal: PostgresJournal, count: int) -> None:
        for _ in range(count):
            batch = self._next(journal)
            await journal.append(batch)
            self._acknowledged.append(batch)

    def _next(self, journal: PostgresJournal) -> JournalBatch:
        last = self._acknowledged[-1] if self._acknowledged else None
        size = self._random.randint(1, 3)
        return next_batch(last, size, journal_id=journal.journal_id, epoch=journal.epoch)

    async def claim(self, kind: str) -> None:
        """The writer's append on its way, the claims, and what became of both."""
        late = self._next(self._writer)
        await self._proxy.black_hole("to_client" if kind == "late_reply" else "to_server")
        appending = asyncio.ensure_future(self._writer.append(late))
        appending.add_done_callback(lambda done: done.exception())  # awaited below, unless the trial fails before
        await asyncio.sleep(HELD_S)
        winner = await self._race()
        if (await winner.look()).epoch_after == late.last_seq:
            self._acknowledged.append(late)  # It was committed before the claim, and the new writer goes on from there.
            self._report.add("committed_before_the_claim")
        await self._append(winner, self._random.randint(0, 2))
        if kind == "cut":
            await self._proxy.cut()
        await self._proxy.heal()
        await self._stale(appending, late)
        await self._append(winner, 1)
        await self._compare(winner)

    async def _race(self) -> PostgresJournal:
        """Claims at once until one has won."""
        while True:
            seen = await asyncio.gather(*(standby.look() for standby in self._standbys))
            claims = zip(self._standbys, seen, strict=True)
            rows = await asyncio.gather(*(standby.claim(row, f"ws://{at}") for at, (standby, row) in enumerate(claims)))
            won = [standby for standby, row in zip(self._standbys, rows, strict=True) if row is not None]
            if len(won) > 1:
                self._report.broken.append(f"{len(won)} standbys won the claim at once: {_urls(rows)}")
            if won:
                return won[0]

    async def _stale(self, appending: asyncio.Future[None], late: JournalBatch) -> None:
        """The deposed writer's append, and everything it tries afterwards."""
        try:
            await appending
        except JournalError as error:
            self._deposed(error)
        else:
            if late not in self._acknowledged:
                self._report.broken.append(f"a deposed writer acknowledged the batch from seq {late.first_seq} on")
        try:
            await self._writer.beat()
        except JournalError as error:
            self._deposed(error)
        else:
            self._report.broken.append("a deposed writer still beats")

    def _deposed(self, error: JournalError) -> None:
        if isinstance(error, JournalBusy) and exit_code_of(error) == ExitCode.OTHER_WRITER:
            self._report.add("deposed")
        else:
            self._report.broken.append(f"a deposed writer ended with {type(error).__name__}: {error}")

    async def _compare(self, winner: PostgresJournal) -> None:
        found = [batch async for batch in winner.read(0)]
        if found != self._acknowledged:
            self._report.broken.append(
                f"the journal holds {len(found)} batches, {len(self._acknowledged)} were acknowledged"
            )


def _urls(rows: list[WriterRow | None]) -> str:
    return ", ".join(row.url for row in rows if row is not None)


RIG = Rig("claims", run, "claims", short=10, long=200)
