"""Maps the errors that may end a `rex` process to one sentence and one exit status each. Every other exception is a bug."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator

from matching_engine.faults import EngineFault
from services.data.instruments import DataFileError
from services.journal import (
    JournalAddressInvalid,
    JournalBusy,
    JournalCorrupt,
    JournalError,
    JournalMissing,
    JournalRefused,
    JournalUnclaimed,
    JournalUnreachable,
)
from services.messaging.link.frames import LinkRefused
from services.messaging.redis_refusals import RedisAddressInvalid
from services.migrations.outcome import MigrationRefused
from services.processes.exit_codes import ExitCode
from services.read_model.errors import (
    ReadDatabaseBusy,
    ReadDatabaseDeviceFailed,
    ReadDatabaseFailed,
    ReadDatabaseRefused,
)
from services.read_model.seq_waiters import ProjectorStopped
from services.sequencer.clock import ClockRefused
from services.sequencer.sequencer import SequencerStopped
from services.snapshots.errors import SnapshotFailed
from services.venue.errors import InitRefused, KeysFileRefused
from services.venue.settings import SettingsRefused

ENVIRONMENT = (
    ClockRefused,
    JournalError,
    SequencerStopped,
    ReadDatabaseRefused,
    ReadDatabaseFailed,
    KeysFileRefused,
    DataFileError,
    InitRefused,
    LinkRefused,
    MigrationRefused,
    SettingsRefused,
    SnapshotFailed,
    sqlite3.Error,
    OSError,
)
"""Errors of the environment: device, files, clock, port."""

CONSEQUENCES = (ProjectorStopped,)
"""Consequences: raised by the parts that wait for a failed part. Its own error is their cause, and what counts: a start that
waits may end before the exception group with that error is there."""

_STATUSES: tuple[tuple[type[BaseException], ExitCode], ...] = (
    (ClockRefused, ExitCode.CLOCK),
    (EngineFault, ExitCode.ENGINE_FAULT),
    (JournalMissing, ExitCode.TROUBLE),
    (JournalAddressInvalid, ExitCode.USAGE),
    (JournalUnreachable, ExitCode.TROUBLE),
    (JournalUnclaimed, ExitCode.TROUBLE),
    (JournalBusy, ExitCode.OTHER_WRITER),
    (JournalCorrupt, ExitCode.JOURNAL_DAMAGED),
    (JournalRefused, ExitCode.JOURNAL_DAMAGED),
    (JournalError, ExitCode.DEVICE_FAILED),
    (ReadDatabaseBusy, ExitCode.OTHER_WRITER),
    (ReadDatabaseDeviceFailed, ExitCode.DEVICE_FAILED),
    (SnapshotFailed, ExitCode.DEVICE_FAILED),
    (SettingsRefused, ExitCode.USAGE),
    (RedisAddressInvalid, ExitCode.USAGE),
)


def exit_code_of(error: BaseException) -> ExitCode:
    """The exit status of a process that this error ends."""
    if isinstance(error, SequencerStopped):
        return exit_code_of(error.cause)
    return next((status for kind, status in _STATUSES if isinstance(error, kind)), ExitCode.TROUBLE)


def sentence_of(error: BaseException) -> str:
    """The error as a sentence; never empty."""
    return (error.operator_sentence if isinstance(error, JournalError) else str(error)) or type(error).__name__


def root_cause(error: BaseException) -> BaseException:
    """The most important error of an exception group, the first of several: a bug; an error with an exit status of its own
    (journal, engine, clock); the read database's device, which is the journal's, too; any other; a consequence."""
    return min(_causes(error), key=_rank)


def _rank(error: BaseException) -> int:
    if isinstance(error, CONSEQUENCES):
        return 4
    if not isinstance(error, ENVIRONMENT):
        return 0
    if exit_code_of(error) == ExitCode.TROUBLE:
        return 3
    return 2 if isinstance(error, ReadDatabaseFailed) else 1


def _causes(error: BaseException) -> Iterator[BaseException]:
    """The single errors of an exception group, nested groups included; of a consequence its cause, unless that is the
    cancellation of the part that it waited for."""
    if isinstance(error, BaseExceptionGroup):
        for part in error.exceptions:
            yield from _causes(part)
    elif isinstance(error, CONSEQUENCES) and isinstance(error.__cause__, Exception):
        yield from _causes(error.__cause__)
    else:
        yield error
