"""A process's figures from /proc (Linux): memory, descriptors, sockets, CPU time."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

_PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")
_TICKS_A_SECOND = os.sysconf("SC_CLK_TCK")


class Figures(NamedTuple):
    """The figures of a process at one time."""

    rss_bytes: int
    descriptors: int
    sockets: int
    cpu_s: float

    @property
    def rss_mb(self) -> int:
        return self.rss_bytes >> 20


def figures(pid: int) -> Figures:
    """The figures of a running process."""
    proc = Path("/proc", str(pid))
    links = []
    for descriptor in os.listdir(proc / "fd"):
        with suppress(FileNotFoundError):  # closed since it was listed
            links.append(os.readlink(proc / "fd" / descriptor))
    rss_pages = int((proc / "statm").read_text().split()[1])
    # The fields after the name, which may contain spaces: state is field 3, user and system time are fields 14 and 15.
    fields = (proc / "stat").read_text().rpartition(")")[2].split()
    return Figures(
        rss_bytes=rss_pages * _PAGE_BYTES,
        descriptors=len(links),
        sockets=sum(link.startswith("socket:") for link in links),
        cpu_s=(int(fields[11]) + int(fields[12])) / _TICKS_A_SECOND,
    )


def unsent_bytes(port: int) -> int:
    """The bytes that the server on this port of 127.0.0.1 has sent and the kernel still holds, because no client has read
    them."""
    local = f"0100007F:{port:04X}"
    lines = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
    return sum(int(fields[4].split(":")[0], 16) for fields in lines if fields[1] == local)
