"""What ends a process of the scaled mode, and `rex init`, before there is a venue."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import asyncpg
import pytest

from services.journal.postgres.journal import PostgresJournal
from services.journal.postgres.tables import initialise
from services.processes.exit_codes import ExitCode
from services.venue.settings import MIN_SECRET_CHARACTERS
from tests.faults.venue_process import rex

pytestmark = pytest.mark.slow


@pytest.mark.parametrize(
    ("command", "variables", "sentence"),
    [
        (["init"], {"REX_DATABASE_URL": ""}, "REX_DATABASE_URL is not set"),
        (["sequencer", "--host", "0.0.0.0"], {"REX_DATABASE_URL": "postgresql://127.0.0.1:1/x"}, "REX_LINK_URL is not"),
        (["sequencer"], {}, "REX_DATABASE_URL is not the address of a PostgreSQL database: write postgresql://"),
        (["gateway", "--database-url", "postgresql://a/b?c"], {}, "--database-url is not the address of a PostgreSQL"),
        (["sequencer", "--redis-url", "redis://127.0.0.1:none/0"], {}, "--redis-url is no address of Redis or Valkey:"),
    ],
)
def test_a_process_with_a_wrong_setting_ends_with_a_sentence_that_names_it(
    tmp_path: Path, command: list[str], variables: dict[str, str], sentence: str
) -> None:
    wrong = {"REX_DATABASE_URL": "postgresql://rex:secret-word@127.0.0.1:port/rex", **variables}
    secret = {"REX_LINK_SECRET": "s" * MIN_SECRET_CHARACTERS, "REX_DATA_DIR": str(tmp_path / "keys")}
    port = [] if command == ["init"] else ["--port", "0"]
    refused = rex(*command, *port, variables={**wrong, **secret})
    assert (refused.exit_status, refused.out, refused.err.count("\n")) == (ExitCode.USAGE, "", 1), refused.err
    assert refused.err.startswith(f"rex: {sentence}")
    assert not [*tmp_path.iterdir()]


def test_init_needs_the_tables_goes_on_where_a_killed_one_stopped_and_changes_no_venue(
    postgres_url: str, tmp_path: Path
) -> None:
    variables = {"REX_DATABASE_URL": postgres_url, "REX_DATA_DIR": str(tmp_path / "keys")}
    refused = rex("init", variables=variables)
    assert (refused.exit_status, "run `rex migrate`" in refused.err) == (ExitCode.TROUBLE, True), refused
    assert (refused.is_traceback, [*tmp_path.iterdir()]) == (False, [])
    assert rex("migrate", variables=variables).exit_status == ExitCode.OK
    asyncio.run(_claim_and_die(postgres_url))
    again = rex("init", "--json", variables=variables)
    assert (again.exit_status, again.err) == (ExitCode.OK, "")
    assert json.loads(again.out)["last_seq"] > 0
    refused = rex("init", "--json", variables={**variables, "REX_DATA_DIR": "/nowhere"})
    assert (refused.exit_status, "nothing was changed" in refused.err) == (ExitCode.TROUBLE, True), refused


async def _claim_and_die(url: str) -> None:
    """What a `rex init` leaves that is killed after its claim."""
    connection = await asyncpg.connect(url)
    await initialise(connection)
    await connection.close()
    journal = await PostgresJournal.open(url)
    assert await journal.claim(await journal.look(), "rex init") is not None
    await journal.close()
