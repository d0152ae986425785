"""The port for links is one sequencer's, from its start on; it is free again when that one has ended."""

from __future__ import annotations

import socket
import sys

import pytest

from load_tests.servers.server_process import free_port
from services.scaled.link_port import bound_links


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux has the name that is reserved")
def test_two_standbys_cannot_have_the_same_port() -> None:
    port = free_port()
    sentence = rf"port {port} of 127\.0\.0\.1 cannot be used for the links \(REX_LINK_PORT\): another sequencer on this machine"
    with bound_links("127.0.0.1", port):
        with pytest.raises(OSError, match=sentence), bound_links("127.0.0.1", port):
            pass
        with bound_links("127.0.0.2", port):
            pass
    with bound_links("127.0.0.1", port):
        pass


def test_a_port_that_another_process_listens_on_is_refused_with_the_setting() -> None:
    with bound_links("127.0.0.1", 0) as links:
        links.listen()
        port = links.getsockname()[1]
        with (
            pytest.raises(OSError, match=rf"port {port} .* \(REX_LINK_PORT\): Address"),
            bound_links("127.0.0.1", port),
        ):
            pass


def test_the_port_listens_only_when_it_is_told_to() -> None:
    with bound_links("127.0.0.1", 0) as links, socket.socket() as client:
        with pytest.raises(ConnectionRefusedError):
            client.connect(links.getsockname())
        links.listen()
        client.connect(links.getsockname())
