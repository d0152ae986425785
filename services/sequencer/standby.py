"""A standby: keeps an engine at the end of the journal, watches the writer, and claims the journal when the writer is silent.

It counts looks, not seconds: a machine that was paused has not looked, so it deposes nobody.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable

import structlog

from services.journal.batch import NO_HASH
from services.journal.errors import JournalBusy, JournalCorrupt, JournalLost, JournalUnclaimed
from services.journal.postgres.writer_row import ClaimableJournal, WriterRow
from services.journal.replay import StateMachine, re_execute
from services.sequencer.clock import ClockRefused, ahead_of_server_ns, refuse_clock_apart

LOOK_EVERY_S = 0.2
SILENT_LOOKS = 7
"""A standby claims the journal after this many looks without any change. A living writer changes the row every 0.4 s."""

log = structlog.get_logger("rex.sequencer")


class Standby:
    """Follows the journal until it may lead. `engine` executes this journal, and has executed it up to the batch with
    `last_hash`; `lead` is called once.

    `clock` is compared with the database server's before a claim, unless an operator has confirmed it (`accept_clock`); `check`
    gets its time then, and raises ClockRefused if this process must not lead for another reason. So a wrong clock costs no
    epoch, and never stamps.
    """

    def __init__(
        self,
        engine: StateMachine,
        journal: ClaimableJournal,
        url: str,
        last_hash: bytes = NO_HASH,
        *,
        clock: Callable[[], int] = time.time_ns,
        accept_clock: bool = False,
        check: Callable[[int], Awaitable[None]] | None = None,
    ) -> None:
        self._engine = engine
        self._journal = journal
        self._url = url
        self._hash = last_hash
        self._clock = clock
        self._accept_clock = accept_clock
        self._check = check
        self.seen: WriterRow | None = None
        """The writer row at the last look."""
        self.ahead_ns = 0
        """By how much the clock was ahead of the server's at the last look; negative: behind."""
        self._told = ""
        """What the log has of it."""
        self.trouble = ""
        """Why the last claim of a silent journal was not made, or failed; empty if there was none, or somebody leads."""

    async def lead(self, on_claimed: Callable[[], None]) -> WriterRow:
        """Follows the journal and returns when this process has claimed it and the engine is at its end.

        Calls `on_claimed` between the two: from then on the claim must be kept alive by beats. A claim that fails, or that the
        clock forbids, is tried again. Raises the journal's errors, JournalBusy if another process has claimed it since,
        JournalLost if a failover has taken back a batch that the engine has executed, JournalCorrupt if the end of the chain
        is not the one that the claim returned.
        """
        silent_looks = 0
        while True:
            row = await self._look()
            self._refuse_to_be_ahead(row)
            await self._follow()
            silent_looks = silent_looks + 1 if row == self.seen else 0
            if silent_looks == 0 and row.url:
                self.trouble = self._told = ""
            self.seen = row
            if not row.url or silent_looks >= SILENT_LOOKS:
                claimed = await self._claim(row)
                if claimed is not None:
                    on_claimed()
                    await self._reach(claimed)
                    return claimed
                silent_looks = 0
            await asyncio.sleep(LOOK_EVERY_S)

    async def _look(self) -> WriterRow:
        before_ns = self._clock()
        row = await self._journal.look()
        self.ahead_ns = ahead_of_server_ns(before_ns, self._journal.server_time_ns, self._clock())
        return row

    async def _claim(self, row: WriterRow) -> WriterRow | None:
        """The claimed row; None if it has changed, or this process must not or cannot claim it now."""
        claimed, trouble = None, ""
        try:
            if not self._accept_clock:
                refuse_clock_apart(self.ahead_ns)
            if self._check is not None:
                await self._check(self._clock())
            claimed = await self._journal.claim(row, self._url)
        except (ClockRefused, JournalUnclaimed) as error:
            trouble = str(error)
            if self._kind_of(error) != self._told:  # The sentences about a clock name times.
                log.warning("the journal is not claimed", reason=trouble)
            self._told = self._kind_of(error)
        self.trouble = trouble
        return claimed

    @staticmethod
    def _kind_of(error: ClockRefused | JournalUnclaimed) -> str:
        return "clock" if isinstance(error, ClockRefused) else str(error)

    async def _reach(self, claimed: WriterRow) -> None:
        """Executes what the writer before has still appended, and compares the end of the chain."""
        await self._follow()
        if claimed.last_seq < self._engine.last_seq:
            # Who was claimed meanwhile is deposed. The answer to a claim may come after the next one's rows.
            row = await self._journal.look()
            if row.epoch > claimed.epoch:
                raise JournalBusy(
                    f"another process has claimed the journal: it is at epoch {row.epoch}, this one at {claimed.epoch}"
                )
        self._refuse_to_be_ahead(claimed)
        self.seen = claimed
        if (self._engine.last_seq, self._hash) != (claimed.last_seq, claimed.last_hash):
            raise JournalCorrupt(
                f"the journal ends at seq {self._engine.last_seq}, its writer row says seq {claimed.last_seq}",
                claimed.last_seq,
            )

    def _refuse_to_be_ahead(self, row: WriterRow) -> None:
        """Raises JournalLost if the journal, by a row that was read after the last batch, ends before that batch."""
        if row.last_seq < self._engine.last_seq:
            evidence = (
                f"it ends at seq {row.last_seq}, and this process has executed it up to seq {self._engine.last_seq}"
            )
            raise JournalLost.replaced(row.last_seq, evidence)

    async def _follow(self) -> None:
        async for batch in self._journal.read(self._engine.last_seq):
            if batch.previous_hash != self._hash:
                end = self._engine.last_seq
                raise JournalLost.replaced(
                    end - 1, f"its row that ends at seq {end} is another one than this process has executed"
                )
            re_execute(self._engine, batch)
            self._hash = batch.hash
            await asyncio.sleep(0)
