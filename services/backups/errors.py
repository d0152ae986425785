"""What ends a backup or a restore."""

from __future__ import annotations

from services.journal import JournalError, JournalRefused


class BackupRefused(JournalRefused):
    """The backup is damaged, not finished, of another journal, or of a newer REX. Nothing was made."""


class BackupFailed(JournalError):
    """The device of the new files failed, or is full. Nothing was made, unless the sentence says so."""
