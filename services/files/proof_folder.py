"""The folder for temporary files of a proof, or of a start that compares. Its maker removes it after that. If the maker was
killed, the process that works in it does. What both left, killed together or by a power cut, goes with the next start.
"""

from __future__ import annotations

import fcntl
import os
import shutil
from contextlib import suppress
from pathlib import Path
from tempfile import gettempdir, mkdtemp

PREFIX = "rex-temporary-proof-"
"""Whoever sweeps them goes by this name: nobody gives it to a folder that is to stay."""


class ProofFolder:
    """A folder whose lock says that its maker lives."""

    def __init__(self) -> None:
        """Removes those of the dead first: each may hold half of the room. Raises OSError where it cannot be made."""
        remove_abandoned()
        # It has its name when it is locked: another venue that starts would take it for one of the dead.
        draft = Path(mkdtemp(prefix=f".{PREFIX}"))
        self._held = os.open(draft, os.O_RDONLY)
        with suppress(OSError):  # A file system without locks: then nobody removes folders of others there.
            fcntl.flock(self._held, fcntl.LOCK_EX | fcntl.LOCK_NB)
        self.path = draft.rename(draft.with_name(draft.name[1:]))

    def remove(self) -> None:
        """Removes it, as far as that is possible: a process that was killed may have some of its own that still end."""
        shutil.rmtree(self.path, ignore_errors=True)
        os.close(self._held)


def require_room(folder: Path, size_bytes: int, taken_bytes: int = 0) -> None:
    """Raises OSError where a copy of a read database takes more than half of the room that was free before it took taken_bytes
    of it: the journal may be on the same device, and a venue whose journal has no room ends."""
    free_bytes = shutil.disk_usage(folder).free + taken_bytes
    if 2 * size_bytes > free_bytes:
        raise OSError(f"a copy of {size_bytes:,} bytes needs twice that in {folder}, where {free_bytes:,} are free")


def remove_abandoned() -> None:
    """Removes the folders whose makers have ended, as far as that is possible."""
    for path in Path(gettempdir()).glob(f"{PREFIX}*"):
        with suppress(OSError):
            _remove_abandoned(path)


def _remove_abandoned(path: Path) -> None:
    """Raises OSError where its maker lives, or for what is no folder of ours."""
    held = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    try:
        if os.fstat(held).st_uid == os.geteuid():
            fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
            shutil.rmtree(path, ignore_errors=True)
    finally:
        os.close(held)
