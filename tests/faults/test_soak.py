"""A few seconds of all kinds of load: no order fails, and after all clients have left the process has the sockets it had."""

from __future__ import annotations

from tests.faults import soak


def test_all_clients_together_leave_no_socket_behind() -> None:
    report = soak.run(3, 1, lambda: None)
    assert report.broken == []
    assert min(report.counts[name] for name in ("orders", "subscribers", "deaf_clients", "pages")) > 0
