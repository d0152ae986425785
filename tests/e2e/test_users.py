"""`rex user` on a stopped and on a running venue, and the link that the first start prints."""

from __future__ import annotations

import io
import json
import sys
from functools import partial
from pathlib import Path

import pytest

from tests.faults.venue_process import rex, serve
from tests.patience import http_post

pytestmark = pytest.mark.slow

PASSWORD = "a password of the test's own"
A_DAY = "Li.Na confirms no act of two persons for 24 hours."


def typed(password: str) -> None:
    """For a process: its standard input."""
    sys.stdin = io.StringIO(password + "\n")


def user(*arguments: str | Path, password: str = PASSWORD) -> tuple[int | None, str]:
    """`rex user …` with the password on standard input: exit status, and what it said."""
    done = rex("user", *arguments, mutant=partial(typed, password))
    return done.exit_status, (done.out + done.err).strip()


def test_users_of_a_stopped_and_of_a_running_venue(tmp_path: Path) -> None:
    where = ("--data-dir", tmp_path, "--schedule", "always")
    with serve(tmp_path) as begun:
        assert begun.stop() == 0
    refused = user("add", "Li.Na", "--role", "operator", *where, password="short")
    assert refused == (1, "rex: password: must have 12 or more characters")
    added = user("add", "Li.Na", "--role", "operator", *where, password="the first of her passwords")
    assert added == (0, f"Li.Na may log in, as operator.\n{A_DAY}")
    changed = user("passwd", "li.na", *where)
    assert changed == (0, f"li.na has another password.\n{A_DAY.replace('Li.Na', 'li.na')}")
    assert user("list", *where) == (0, "Li.Na: operator, 0 sessions")
    with serve(tmp_path) as venue:
        assert venue.ready["first_link"].startswith(f"{venue.url}/first#")
        at = ("--data-dir", tmp_path, "--url", venue.url)
        log_in = {"name": "li.na", "password": PASSWORD}
        assert http_post(f"{venue.url}/v1/session", json=log_in).json()["role"] == "operator"
        done = rex("user", "link", "li.na", *at)
        link = done.out.strip()
        assert (done.exit_status, link.partition("#")[0]) == (0, f"{venue.url}/new-password")
        assert done.err == "For 24 hours after its use, the user confirms no act of two persons.\n"
        body = {"token": link.partition("#")[2], "password": "quite another password"}
        assert http_post(f"{venue.url}/v1/session/link", json=body).status_code == 201
        assert http_post(f"{venue.url}/v1/session", json=log_in).status_code == 401
        assert user("role", "LI.NA", "--role", "admin", *at) == (0, "LI.NA is admin now.")
        assert user("remove", "nobody", *at) == (1, "rex: no user is named nobody")
        assert venue.stop() == 0
    with serve(tmp_path) as venue:
        assert "first_link" not in venue.ready  # there is an administrator
        assert venue.stop() == 0
    assert user("remove", "li.na", *where) == (0, "li.na may not log in any more.")
    listed = rex("user", "list", *where, "--json")
    assert json.loads(listed.out) == {"users": []}
