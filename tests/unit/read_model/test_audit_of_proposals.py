"""An audit finds every changed column, missing row and added row of proposals."""

from __future__ import annotations

import json

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from services.commands import administrative as admin
from services.commands.attachments import ActProposed, read_decision
from services.gateway.order_entry.four_eyes import Asked, confirming, proposal_of
from services.gateway.problems import ProblemError
from services.gateway.strict_json import check_json
from services.read_model import tables
from tests.unit.read_model.history import OPERATOR, SENDER, History, opening
from tests.unit.read_model.test_write_batch import audited, empty_database, project

ACT = ActProposed(act="resume", scope="operate", method="POST", path="/v1/admin/resume", body='{"a":"1"}', why="done")


@pytest.mark.parametrize(
    "sql",
    [f"UPDATE proposals SET {column.name} = '7'" for column in tables.proposals.columns if column.name != "seq"]
    + ["UPDATE proposals SET seq = seq + 1", "DELETE FROM proposals"]
    + [
        "UPDATE proposals SET outcome = NULL",
        "INSERT INTO proposals SELECT 9, 1, 1, 'a', 'b', 'c', 'd', NULL, 'e', NULL, NULL, NULL, NULL, NULL, NULL",
    ],
)
def test_an_audit_finds_it(sql: str) -> None:
    history = History()
    batches = [history.batch([*opening(), admin.record(SENDER, ACT)])]
    batches.append(history.batch([confirming(admin.resume(SENDER), OPERATOR, batches[0].last_seq)]))
    with empty_database() as connection:
        project(connection, batches)
        assert audited(connection, history.engine, batches) == []
        connection.execute(sql)
        assert audited(connection, history.engine, batches)


_DEEP = '{"a":' + "[" * 500 + "]" * 500 + "}"
_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


@given(st.dictionaries(st.text(), _values, max_size=4).map(json.dumps))
@example(_DEEP)
@example('{"a": "\\u0000\\ud83d\\ude00", "b": 1e400}')
def test_every_body_that_the_venue_takes_in_is_read_again(body: str) -> None:
    """From the request to the journal, to the read database, and by the audit."""
    try:
        check_json(body)
    except ProblemError:
        return
    asked = Asked("POST", "/v1/admin/accounts/2/cash", body.encode(), "admin")
    act = proposal_of(asked, "deposit")
    assert read_decision(act.to_bytes()) == act
    history = History()
    batch = history.batch([*opening(), admin.record(SENDER, act)])
    with empty_database() as connection:
        project(connection, [batch])
        assert audited(connection, history.engine, [batch]) == []
        assert connection.execute("SELECT body FROM proposals").fetchone() == (body,)
