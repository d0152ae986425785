"""A disk that cannot write to new blocks for a while: the fsync fails once, and the kernel then marks the page as written.

The image of a `loop_disk` is in a small file system in memory. ext4's own blocks (its log, its tables) have memory from the
start; free blocks get memory when they are first written. `fill` uses up the remaining memory: a write to a new block then
fails, the fsync that waits for it reports the error **once**, and the kernel marks the page clean. From then on every process
reads the intended page from the cache, no later fsync writes it, and it is lost at the next mount. `relieve` frees the memory.
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.faults.loop_disk import IMAGE_BYTES, LoopDisk, check_tools, unmount
from tests.faults.rig import CannotRun

SPARE_BYTES = 8 * 2**20
"""The memory of the pool beyond the image's."""
PAGE_KIB = 4


class ThinDisk(LoopDisk):
    """A mounted image in a file system in memory."""

    def __init__(self, pool: Path, mount_point: Path, size_bytes: int = IMAGE_BYTES) -> None:
        super().__init__(pool / "image", mount_point, size_bytes)
        self._filler = pool / "filler"

    def format(self) -> None:
        """Makes an empty file system in which only ext4's own blocks have memory."""
        super().format()
        self.unmount()
        with open(self._image, "r+b") as image:
            os.posix_fallocate(image.fileno(), 0, self._size_bytes)
        self.mount()
        self.run("fstrim", self._mount_point)

    def mount(self) -> None:
        super().mount()
        source = self.run("findmnt", "-no", "SOURCE", self._mount_point).strip()
        # One page a request: a request that is written only in part would count as written.
        Path("/sys/block", Path(source).name, "queue/max_sectors_kb").write_text(str(PAGE_KIB))

    def fill(self) -> None:
        """Makes writes to new blocks fail."""
        with open(self._filler, "wb", buffering=0) as filler:
            pool = os.statvfs(self._filler)
            left = pool.f_bavail * pool.f_frsize
            with suppress(OSError):
                os.posix_fallocate(filler.fileno(), 0, max(left - 2**20, 1))
            filler.seek(0, os.SEEK_END)
            with suppress(OSError):
                while True:
                    filler.write(bytes(PAGE_KIB * 1_024))

    def relieve(self) -> None:
        """Makes writes to new blocks succeed again."""
        self._filler.unlink(missing_ok=True)


@contextmanager
def thin_disk(size_bytes: int = IMAGE_BYTES) -> Iterator[ThinDisk]:
    """A new disk, unmounted and removed at the end. Raises CannotRun."""
    check_tools("mkfs.ext4", "mount", "umount", "fstrim", "findmnt")
    with TemporaryDirectory(prefix="rex-disk-") as work:
        pool, mount_point = Path(work) / "pool", Path(work) / "mounted"
        pool.mkdir()
        mount_point.mkdir()
        Path(work).chmod(0o711)  # PostgreSQL runs as another user.
        disk = ThinDisk(pool, mount_point, size_bytes)
        try:
            disk.run("mount", "-t", "tmpfs", "-o", f"size={size_bytes + SPARE_BYTES}", "rex-pool", pool)
        except subprocess.CalledProcessError as error:
            raise CannotRun(f"a pool cannot be mounted here: {error.stderr.strip()}") from error
        try:
            disk.format()
            try:
                yield disk
            finally:
                disk.unmount()
        except subprocess.CalledProcessError as error:
            raise CannotRun(f"an image cannot be mounted here: {error.stderr.strip()}") from error
        finally:
            unmount(pool)
