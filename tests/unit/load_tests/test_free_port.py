"""Who is given a port may listen on it later, or stop and listen again: nobody else gets it meanwhile."""

from __future__ import annotations

import socket
import subprocess
import sys
from pathlib import Path

import pytest

from load_tests.servers import server_process
from load_tests.servers.server_process import ServerFailed, free_port

COUNT = 300


def test_no_port_is_given_twice_in_this_process_and_in_others() -> None:
    program = f"from load_tests.servers.server_process import free_port; print(*(free_port() for _ in range({COUNT})))"
    others = [subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True) for _ in range(2)]
    given = [free_port() for _ in range(COUNT)]
    for other in others:
        given += [int(port) for port in other.communicate()[0].split()]
        assert other.returncode == 0
    assert len(set(given)) == len(given) == 3 * COUNT


def test_a_port_that_somebody_listens_on_is_left_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    taken, free = sorted((free_port(), free_port()))
    monkeypatch.setattr(server_process, "PORTS", range(taken, free + 1, free - taken))
    monkeypatch.setattr(server_process, "_LAST_GIVEN", tmp_path / "last")
    with socket.create_server(("127.0.0.1", taken)):
        assert [free_port(), free_port()] == [free, free]
        with socket.create_server(("127.0.0.1", free)), pytest.raises(ServerFailed, match="no free port"):
            free_port()
