"""Figures about the world outside: entered with a source, shown apart, counted in nothing."""

from __future__ import annotations

from io import StringIO
from pathlib import Path
from typing import Any

import httpx
import pytest
from rich.console import Console

from matching_engine import Engine
from services.commands import administrative as admin
from services.commands.attachments import ContextStated
from services.reporting.checked_report import report_at_rest
from services.reporting.terminal import render
from tests.integration.test_breakdown_routes import YEAR, answer_of
from tests.integration.test_reporting import NET, trade
from tests.integration.test_reporting_folder import deals, journal_of
from tests.integration.venue import RunningVenue
from tests.unit.read_model.history import SENDER, History, opening

pytestmark = pytest.mark.anyio

OUTPUT = {
    "year": 2023, "figure": "output value", "value": "75000000000", "unit": "yuan", "source": "a bulletin", "name": "Li Na",
}  # fmt: skip


async def state(venue: RunningVenue, **changes: Any) -> httpx.Response:
    return await venue.client("operator").post("/v1/admin/context", json=OUTPUT | changes)


async def test_the_newest_value_holds_until_it_is_withdrawn(venue: RunningVenue) -> None:
    for changes in ({"value": "70"}, {"figure": "on-site conversion", "value": "80", "unit": "%"}, {}, {"year": 2025}):
        assert (await state(venue, **changes)).status_code == 201
    found = await answer_of(venue, "/v1/reports/context/2023")
    assert [(one["figure"], one["value"], one["unit"], one["source"], one["name"]) for one in found["figures"]] == [
        ("output value", "75000000000", "yuan", "a bulletin", "Li Na"),
        ("on-site conversion", "80", "%", "a bulletin", "Li Na"),
    ]
    assert "Not of this venue" in found["notice"]
    assert (await state(venue, value="")).status_code == 201
    left = (await answer_of(venue, "/v1/reports/context/2023"))["figures"]
    assert [one["figure"] for one in left] == ["on-site conversion"]
    assert (await answer_of(venue, "/v1/reports/context/2024"))["figures"] == []


async def test_context_changes_no_number_of_the_venue(venue: RunningVenue) -> None:
    await trade(venue)
    paths = [YEAR, f"{YEAR}/ladder", f"{YEAR}/months", f"{YEAR}/fees", "/v1/reports/targets/2023/progress"]
    before = [await answer_of(venue, path) for path in paths]
    assert (await state(venue)).status_code == 201
    after = [await answer_of(venue, path) for path in paths]
    seal = {"seq", "row_hash", "as_of"}
    for old, new in zip(before, after, strict=True):
        assert {name: value for name, value in old.items() if name not in seal} == {
            name: value for name, value in new.items() if name not in seal
        }
    assert before[0]["net"] == str(NET)


async def test_what_is_refused(refusing_venue: RunningVenue) -> None:
    wrong = [
        ("value", "much"),
        ("value", "1e9"),
        ("value", "七五"),
        ("value", "٧٥"),
        ("source", ""),
        ("figure", ""),
        ("year", 1999),
    ]
    for field, value in wrong:
        answer = await state(refusing_venue, **{field: value})
        assert (answer.status_code, [error["field"] for error in answer.json()["errors"]]) == (422, [field]), value


async def test_a_report_shows_it_apart_and_its_proof_agrees(tmp_path: Path) -> None:
    history = History(Engine())
    stated = admin.record(SENDER, ContextStated.model_validate(OUTPUT))
    await journal_of(tmp_path, history, [opening(), deals(1), [stated]])
    found = await report_at_rest(tmp_path, 2023, prove=True, breakdown=True)
    assert found.agree
    assert found.report.net_fen == 2_000_000
    assert [one["value"] for one in found.to_json()["breakdown"]["context"]["figures"]] == ["75000000000"]
    shown = StringIO()
    Console(width=200, file=shown).print(render(found))
    assert "context, not of this venue: output value" in shown.getvalue()
