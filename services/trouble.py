"""What ends a `rex` process: one sentence and one exit status for each, decided here. Everything else is a bug of ours."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator

from matching_engine.faults import EngineFault
from services.data.instruments import DataFileError
from services.exit_codes import ExitCode
from services.first_start import KeysFileRefused
from services.journal import JournalBusy, JournalCorrupt, JournalError, JournalMissing, JournalRefused
from services.read_database.database import ReadDatabaseFailed, ReadDatabaseRefused
from services.read_database.projector import ProjectorStopped
from services.sequencer.clock import ClockRefused
from services.sequencer.sequencer import SequencerStopped

TROUBLE = (
    ClockRefused,
    JournalError,
    SequencerStopped,
    ReadDatabaseRefused,
    ReadDatabaseFailed,
    KeysFileRefused,
    DataFileError,
    sqlite3.Error,
    OSError,
)
"""What the environment does to a venue."""

FOLLOWS = (ProjectorStopped,)
"""Raised to whoever waited for a part that failed; what made it fail is among the others."""

_STATUSES: tuple[tuple[type[BaseException], ExitCode], ...] = (
    (ClockRefused, ExitCode.CLOCK),
    (EngineFault, ExitCode.ENGINE_FAULT),
    (JournalMissing, ExitCode.TROUBLE),
    (JournalBusy, ExitCode.OTHER_WRITER),
    (JournalCorrupt, ExitCode.JOURNAL_DAMAGED),
    (JournalRefused, ExitCode.JOURNAL_DAMAGED),
    (JournalError, ExitCode.DEVICE_FAILED),
)


def exit_code_of(error: BaseException) -> ExitCode:
    """The exit status this ends a process with."""
    if isinstance(error, SequencerStopped):
        return exit_code_of(error.cause)
    return next((status for kind, status in _STATUSES if isinstance(error, kind)), ExitCode.TROUBLE)


def sentence_of(error: BaseException) -> str:
    """What there is to say of it; never nothing."""
    return (error.told if isinstance(error, JournalError) else str(error)) or type(error).__name__


def root_cause(error: BaseException) -> BaseException:
    """What there is to say of an exception group: a bug first, then what concerns journal or engine, then what came first."""
    causes = [cause for cause in _causes(error) if not isinstance(cause, FOLLOWS)] or list(_causes(error))
    bugs = [cause for cause in causes if not isinstance(cause, TROUBLE)]
    grave = [cause for cause in causes if exit_code_of(cause) != ExitCode.TROUBLE]
    return (bugs or grave or causes)[0]


def _causes(error: BaseException) -> Iterator[BaseException]:
    """What a group comes down to: parts of the venue have groups of their own."""
    if isinstance(error, BaseExceptionGroup):
        for part in error.exceptions:
            yield from _causes(part)
    else:
        yield error
