"""PostgreSQL on a disk of its own, which can lose its power, fill up, fail to write, or become read-only."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from load_tests.servers.postgres import PostgresServer
from load_tests.servers.server_process import POLL_S, ServerFailed, ServerMissing
from tests.faults.rig import CannotRun, TooLate
from tests.faults.thin_disk import ThinDisk, thin_disk
from tests.patience import PATIENCE_S

DISK_BYTES = 256 * 2**20
OPTIONS = {"max_wal_size": "48MB", "min_wal_size": "32MB", "restart_after_crash": "off"}
"""After a failed fsync PostgreSQL ends, and the disk must be mounted again before the next start: the kernel has marked the
pages as written, and on ext4 a later write of such a page does not reach the device either (`device_faults.py`). A server that
restarts by itself builds on them, and loses commits at the next power cut."""


class PostgresMachine:
    """The server and its disk."""

    def __init__(self, disk: ThinDisk, server: PostgresServer) -> None:
        self.disk = disk
        self.server = server
        self._filler = disk.folder.parent / "filler"

    def cut_power(self) -> None:
        """Cuts the power and gives it back; the server does not run afterwards.

        The server is stopped before the disk, so that it acknowledges nothing in between: a sync that is under way when the
        disk is cut may seem to succeed, and at a real power cut nobody would hear of it.
        """
        self.server.pause()
        self.disk.cut()
        self.server.kill()
        self.disk.restart()

    def without_syncs(self) -> None:
        """Starts the server again with fsync = off: it acknowledges what only the memory has."""
        self.server.stop()
        self.server.options["fsync"] = "off"
        self.server.start()

    def fill(self) -> None:
        """Leaves no room on the disk."""
        self.disk.run("sh", "-c", f"cat /dev/zero >{self._filler} 2>/dev/null || true")

    def empty(self) -> None:
        """Undoes `fill`; a power cut does not bring it back."""
        self._filler.unlink(missing_ok=True)
        self.disk.run("sync", "-f", self.disk.folder)

    def make_read_only(self) -> None:
        """What ext4 does by default of its distributions when it meets an error: it becomes read-only."""
        self.disk.run("mount", "-o", "remount,errors=remount-ro", self.disk.folder.parent)
        device = Path(self.disk.run("findmnt", "-no", "SOURCE", self.disk.folder.parent).strip()).name
        Path("/sys/fs/ext4", device, "trigger_fs_error").write_text("an error that a rig asked for")

    def remount(self) -> None:
        """What an operator does after an error of the disk: ends the server and mounts the disk again."""
        self.disk.relieve()
        self.server.kill()
        self.disk.restart()

    def until_it_answers(self) -> None:
        """Starts the server unless it runs, and waits until it answers. Raises TooLate or ServerFailed."""
        deadline = time.monotonic() + PATIENCE_S
        while True:
            if not self.server.running:
                self.server.stop()
                self.server.start()
            try:
                self.server.query("SELECT 1")
            except ServerFailed:
                if time.monotonic() > deadline:
                    raise TooLate("PostgreSQL does not answer") from None
                time.sleep(POLL_S)
            else:
                return


@contextmanager
def postgres_machine() -> Iterator[PostgresMachine]:
    """A new disk with a server on it. Raises CannotRun."""
    try:
        with (
            thin_disk(DISK_BYTES) as disk,
            PostgresServer(disk.folder, **OPTIONS) as server,
        ):
            disk.run("sync", "-f", disk.folder)  # initdb has not synced its files.
            yield PostgresMachine(disk, server)
    except ServerMissing as missing:
        raise CannotRun(str(missing)) from missing
