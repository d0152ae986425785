"""`rex user` on a stopped and on a running venue, and the link that the first start prints."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from services.scaled.launch import REX
from tests.faults.venue_process import rex, serve
from tests.patience import PATIENCE_S, http_post

pytestmark = pytest.mark.slow

PASSWORD = "a password of the test's own"
A_DAY = "Li.Na confirms no act of two persons for 24 hours.\n"


def asked(folder: Path, *arguments: str, password: str = PASSWORD) -> tuple[int, str]:
    """`rex user …` with the password on standard input: exit status, and what it said."""
    command = [REX, "user", *arguments, "--data-dir", str(folder)]
    done = subprocess.run(
        command, input=password + "\n", capture_output=True, text=True, timeout=PATIENCE_S, check=False
    )
    return done.returncode, done.stdout + done.stderr


def user(*arguments: str | Path) -> tuple[int | None, str]:
    done = rex("user", *arguments)
    return done.exit_status, (done.out + done.err).strip()


def test_users_of_a_stopped_and_of_a_running_venue(tmp_path: Path) -> None:
    where = ("--data-dir", tmp_path, "--schedule", "always")
    with serve(tmp_path) as begun:
        assert begun.stop() == 0
    assert asked(tmp_path, "add", "Li.Na", "--role", "operator") == (0, f"Li.Na may log in, as operator.\n{A_DAY}")
    assert asked(tmp_path, "add", "li.na", "--role", "admin")[0] == 1
    assert asked(tmp_path, "passwd", "li.na") == (0, f"li.na has another password.\n{A_DAY.replace('Li.Na', 'li.na')}")
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


def test_refusals_are_sentences(tmp_path: Path) -> None:
    with serve(tmp_path) as begun:
        assert begun.stop() == 0
    status, said = asked(tmp_path, "add", "li.na", "--role", "visitor", password="short")
    assert (status, said) == (1, "rex: password: must have 12 or more characters\n")
    nowhere, said = user("list", "--data-dir", tmp_path, "--url", "http://127.0.0.1:1")
    assert nowhere == 1
    assert said.startswith("rex: http://127.0.0.1:1 does not answer")
