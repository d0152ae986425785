"""The address on which a sequencer accepts links once it leads. It is taken at the start, and two sequencers cannot take it."""

from __future__ import annotations

import socket
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager


@contextmanager
def bound_links(host: str, port: int) -> Iterator[socket.socket]:
    """A socket that is bound and does not listen: gateways are refused until this process leads.

    Raises OSError with a sentence that names the setting, also if a standby on this machine has the same address. The system
    lets both bind it, because both allow that (SO_REUSEADDR, without which a restart would wait a minute for the old links),
    and the second would learn at its take-over that the first one listens.
    """
    with ExitStack() as opened:
        try:
            links = opened.enter_context(socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET))
            links.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            links.bind((host, port))
        except OSError as error:
            raise OSError(_refusal(host, port, str(error.strerror))) from error
        try:
            _reserve(links, opened)
        except OSError as error:
            raise OSError(_refusal(host, port, "another sequencer on this machine has it")) from error
        yield links


def _reserve(links: socket.socket, opened: ExitStack) -> None:
    """Holds a name of this address until the process ends. Raises OSError if another process holds it.

    It is a name among the abstract Unix sockets, which a machine or container has for itself as it has its ports. Only Linux
    has them; elsewhere nothing is reserved.
    """
    if sys.platform == "linux":
        host, port = links.getsockname()[:2]
        opened.enter_context(socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)).bind(f"\0rex links {host}:{port}")


def _refusal(host: str, port: int, reason: str) -> str:
    return f"port {port} of {host} cannot be used for the links (REX_LINK_PORT): {reason}"
