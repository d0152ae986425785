from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from http import HTTPStatus
from pathlib import Path

import pytest
from pydantic import ValidationError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from starlette.exceptions import HTTPException
from structlog.testing import capture_logs

from matching_engine.records import Reason
from services.gateway.http.documentation import errors_markdown
from services.gateway.problem_codes import CODES
from services.gateway.problems import ProblemError, declined, field_problem, problem_of
from services.gateway.schemas import Problem
from services.journal.errors import JournalCorrupt
from services.read_model.errors import (
    ReadDatabaseAway,
    ReadDatabaseBusy,
    ReadDatabaseDamaged,
    ReadDatabaseDeviceFailed,
    ReadDatabaseForeign,
    ReadDatabaseSilent,
    ReadDatabaseUnmigrated,
)
from services.values.cursors import InvalidCursor
from services.venue_state.errors import BadField, NotAllowed

ROOT = Path(__file__).parents[3]
DOCUMENT = (ROOT / "docs/api.md").read_text(encoding="utf-8")
PLACE_OF_CODE = {
    "ProblemError": 1,
    "field_problem": 0,
    "_needs": 2,
    "BadField": 0,
    "NotAllowed": 0,
    "RateLimited": 1,
    "Ids": 0,
}


def codes_in_source() -> Iterator[tuple[str, str]]:
    """Every code in a call that makes a problem, with the name of its file."""
    for path in (ROOT / "services").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            place = PLACE_OF_CODE.get(getattr(node.func, "id", "")) if isinstance(node, ast.Call) else None
            if place is not None and isinstance(node, ast.Call):
                code = node.args[place]
                if isinstance(code, ast.Constant):
                    yield str(code.value), path.name


def rows_of(title: str) -> list[list[str]]:
    """The cells of the last table below a heading of docs/api.md."""
    section = DOCUMENT.split(f"\n## {title}\n")[1].split("\n## ")[0]
    return [line.strip("| ").split(" | ") for line in section.splitlines() if line.startswith("| `")]


def test_every_code_in_the_source_is_listed_and_every_listed_code_is_used() -> None:
    found = dict(codes_in_source())
    assert set(found) == set(CODES)


def test_the_document_of_the_codes_is_fresh() -> None:
    written = (ROOT / "docs/errors.md").read_text(encoding="utf-8")
    assert written == errors_markdown(), "docs/errors.md is stale: `make records` writes it"


@pytest.mark.parametrize("code", [code for code, known in CODES.items() if known.status in (429, 500, 503, 504)])
def test_who_need_not_correct_his_request_is_told_what_to_do(code: str) -> None:
    assert ProblemError(CODES[code].status, code, "").document()["next_step"]


def test_every_reason_is_documented_in_order_of_precedence() -> None:
    documented = [re.sub(r"[`○ ]", "", row[0]) for row in rows_of("Reasons")]
    assert documented == [reason.name.lower() for reason in Reason if reason != Reason.NONE]


def test_a_problem_is_what_its_model_says() -> None:
    document = field_problem("invalid_price", "price", "must be above 0").document()
    assert Problem.model_validate(document).model_dump() == document
    assert document == {
        "type": "/errors/invalid_price",
        "title": HTTPStatus(422).phrase,
        "status": 422,
        "detail": "price: must be above 0",
        "code": "invalid_price",
        "errors": [{"field": "price", "message": "must be above 0"}],
        "next_step": None,
        "request_id": None,
    }


@pytest.mark.parametrize(
    ("error", "status", "code"),
    [
        (ProblemError(409, "order_not_open", "x"), 409, "order_not_open"),
        (BadField("price_off_tick", "price", "x"), 422, "price_off_tick"),
        (InvalidCursor(), 422, "invalid_cursor"),
        (NotAllowed("scope_missing", "x"), 403, "scope_missing"),
        (HTTPException(404), 404, "not_found"),
        (HTTPException(404, "No target is set for 2031."), 404, "not_found"),
        (HTTPException(409, "The venue has recorded nothing yet."), 409, "nothing_recorded"),
        (HTTPException(405), 405, "method_not_allowed"),
        (HTTPException(400, "There was an error parsing the body"), 400, "validation_failed"),
        (ValidationError.from_exception_data("x", []), 422, "validation_failed"),
        (declined(Reason.INSUFFICIENT_FUNDS), 409, "insufficient_funds"),
    ],
)
def test_the_mapping(error: Exception, status: int, code: str) -> None:
    problem = problem_of(error)
    assert (problem.status, problem.code) == (status, code)


def test_a_404_with_words_of_its_own_keeps_them() -> None:
    assert problem_of(HTTPException(404, "No target is set for 2031.")).detail == "No target is set for 2031."
    assert "/docs" in problem_of(HTTPException(404)).detail


@pytest.mark.parametrize("error", [RuntimeError("secret"), HTTPException(500, "secret"), KeyError("secret")])
def test_a_bug_is_logged_and_not_told(error: Exception) -> None:
    with capture_logs() as lines:
        problem = problem_of(error)
    assert (problem.status, problem.code) == (500, "internal_error")
    assert "secret" not in str(problem.document())
    assert [(line["log_level"], line["exc_info"]) for line in lines] == [("error", error)]


@pytest.mark.parametrize(
    ("error", "detail"),
    [
        (ReadDatabaseSilent("PostgreSQL at db/rex (REX_DATABASE_URL) …", 5.0), "has not answered within 5 s"),
        (PoolTimeoutError("QueuePool limit of size 10 overflow 0 reached"), "is overloaded"),
    ],
)
def test_a_query_without_an_answer_in_time_is_no_bug_and_says_so(error: Exception, detail: str) -> None:
    with capture_logs() as logs:
        problem = problem_of(error)
    assert (problem.status, problem.code) == (503, "not_ready")
    assert problem.detail == f"The read database {detail}. /readyz says whether orders are taken."
    assert [line["log_level"] for line in logs] == ["warning"]


def test_a_query_that_finds_no_database_is_no_bug() -> None:
    with capture_logs() as logs:
        problem = problem_of(ReadDatabaseAway("PostgreSQL at db/rex (REX_DATABASE_URL) cannot be reached"))
    assert (problem.status, problem.code) == (503, "not_ready")
    assert problem.detail == "The read database cannot be reached. /readyz says whether orders are taken."
    assert [line["log_level"] for line in logs] == ["warning"]


@pytest.mark.parametrize(
    "error",
    [
        ReadDatabaseDamaged("rex-data/read.sqlite", "cannot be read"),
        ReadDatabaseForeign("rex-data/read.sqlite", "was made from another journal"),
        ReadDatabaseUnmigrated("in PostgreSQL at db/rex", "has no tables"),
        ReadDatabaseDeviceFailed("rex-data/read.sqlite", "disk I/O error"),
        ReadDatabaseBusy("rex-data/read.sqlite", 7),
        JournalCorrupt("rex-data/journal.sqlite: seq 3 is damaged", 3),
    ],
    ids=lambda error: type(error).__name__,
)
def test_a_query_that_finds_what_it_reads_unusable_tells_the_operator_and_the_client_no_path(error: Exception) -> None:
    with capture_logs() as logs:
        problem = problem_of(error)
    assert (problem.status, problem.code) == (503, "storage_unusable")
    assert not {"rex-data", "PostgreSQL"} & set(re.split(r"[ /]", problem.detail))
    assert [(line["log_level"], line["reason"], "exc_info" in line) for line in logs] == [("error", str(error), False)]
