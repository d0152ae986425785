"""Which errors of PostgreSQL may pass, so that a process waits instead of ending."""

from __future__ import annotations

import asyncpg
import pytest

from services.journal.postgres.connections import is_passing


@pytest.mark.parametrize(
    ("source", "passes"),
    [("md.c", True), ("fd.c", True), ("aclchk.c", False), (None, False)],
)
def test_a_read_only_disk_may_pass_and_a_missing_permission_does_not(source: str | None, passes: bool) -> None:
    """Both have the code 42501."""
    error = asyncpg.InsufficientPrivilegeError("refused")
    error.server_source_filename = source
    assert is_passing(error) == passes


def test_a_missing_table_does_not_pass_and_a_full_disk_may() -> None:
    assert not is_passing(asyncpg.UndefinedTableError("no such table"))
    assert is_passing(asyncpg.DiskFullError("no space"))
