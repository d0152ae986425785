"""A disk whose power can be cut: an ext4 file system in an image file, mounted through a loop device. Needs root on Linux.

`cut` is the file system's own shutdown call (EXT4_IOC_SHUTDOWN without a flush of its log): from then on nothing reaches the
image, whatever a process writes or syncs; what the file system had not yet written to the device is lost at the next mount.
This tests whether a program acknowledges before it syncs. It does not test a device that loses data it reported as written:
the loop device keeps everything that the file system wrote.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import struct
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.faults.rig import CannotRun, until

EXT4_IOC_SHUTDOWN = 0x8004587D
NO_LOG_FLUSH = struct.pack("I", 2)
IMAGE_BYTES = 96 * 2**20
NO_SPARE_TIME = "lazy_itable_init=0,lazy_journal_init=0"
"""mkfs options: ext4 writes all its tables at once, and none in the background later."""


class LoopDisk:
    """A mounted image; `folder` is the venue's data folder on it."""

    def __init__(self, image: Path, mount_point: Path, size_bytes: int = IMAGE_BYTES) -> None:
        self._image = image
        self._size_bytes = size_bytes
        self._mount_point = mount_point
        self.folder = mount_point / "rex-data"

    def format(self) -> None:
        """Makes an empty file system and mounts it."""
        with open(self._image, "wb") as file:
            file.truncate(self._size_bytes)
        self.run("mkfs.ext4", "-q", "-F", "-E", NO_SPARE_TIME, self._image)
        self.mount()

    def mount(self) -> None:
        """Mounts the image: ext4 replays its log."""
        self.run("mount", "-o", "loop,errors=continue", self._image, self._mount_point)

    def cut(self) -> None:
        """Cuts the power."""
        mounted = os.open(self._mount_point, os.O_RDONLY)
        try:
            fcntl.ioctl(mounted, EXT4_IOC_SHUTDOWN, NO_LOG_FLUSH)
        finally:
            os.close(mounted)

    def unmount(self) -> None:
        """Unmounts the image, once no process has a file open on it, and waits until the loop device has let go of it: mounted
        before that, it would still be the file system that was cut."""
        unmount(self._mount_point)
        until(lambda: str(self._image) not in _backing_files(), f"{self._image} is still that of a loop device")

    def run(self, *command: str | Path) -> str:
        """Runs a command and returns its output. Raises CalledProcessError."""
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout

    def restart(self) -> None:
        """After a cut: mounts what a machine would find when its power returns."""
        self.unmount()
        self.mount()


@contextmanager
def loop_disk(image_folder: Path | None = None) -> Iterator[LoopDisk]:
    """A new disk, unmounted and removed at the end. Raises CannotRun if this machine cannot mount one."""
    check_tools("mkfs.ext4", "mount", "umount")
    with TemporaryDirectory(prefix="rex-disk-") as work:
        mount_point = Path(work) / "mounted"
        mount_point.mkdir()
        disk = LoopDisk((image_folder or Path(work)) / "image", mount_point)
        try:
            disk.format()
        except subprocess.CalledProcessError as error:
            raise CannotRun(f"an image cannot be mounted here: {error.stderr.strip()}") from error
        try:
            yield disk
        finally:
            disk.unmount()


def unmount(mount_point: Path) -> None:
    """Unmounts a file system when nothing uses it any more. A process that ends may still have a file open, and one that looks
    for a free loop device opens each for a moment."""
    until(
        lambda: subprocess.run(["umount", mount_point], capture_output=True, check=False).returncode == 0,
        f"{mount_point} is still in use",
    )


def _backing_files() -> Iterator[str]:
    """The files of all loop devices."""
    for file in Path("/sys/block").glob("loop*/loop/backing_file"):
        with suppress(OSError):  # It has just been detached.
            yield file.read_text().strip()


def check_tools(*programs: str) -> None:
    """Raises CannotRun if this process may not mount, or if one of these programs is missing."""
    if os.geteuid() != 0:
        raise CannotRun("it mounts file systems, and this user is not root")
    missing = [program for program in programs if shutil.which(program) is None]
    if missing:
        raise CannotRun(f"there is no {missing[0]} on this machine")
