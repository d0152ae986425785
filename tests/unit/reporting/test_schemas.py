"""docs/operators.md explains every field of the report."""

from __future__ import annotations

from pathlib import Path

from services.reporting.schemas import TurnoverReport

OPERATORS = Path(__file__).parents[3] / "docs" / "operators.md"


def test_every_field_of_the_report_is_explained() -> None:
    text = OPERATORS.read_text(encoding="utf-8")
    names = {field.serialization_alias for field in TurnoverReport.model_fields.values()} - {"year"}
    assert [name for name in names if f"`{name}`" not in text] == []
