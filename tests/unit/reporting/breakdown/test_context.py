from __future__ import annotations

from services.commands.attachments import ContextStated
from services.read_model.records import Record
from services.reporting.breakdown.context import figures_of


def stated(seq: int, figure: str, value: str, year: int = 2023) -> Record:
    text = ContextStated(year=year, figure=figure, value=value, unit="yuan", source="a bulletin", name="Li Na")
    return Record(seq, 0, 5, text)


def test_the_newest_of_each_figure_and_year_holds() -> None:
    found = [
        stated(1, "output", "70"),
        stated(2, "exports", "9"),
        stated(3, "output", "75"),
        stated(4, "output", "100", 2025),
    ]
    assert [(one.figure, one.value, one.seq) for one in figures_of(found, 2023)] == [
        ("output", "75", 3),
        ("exports", "9", 2),
    ]
    assert [one.value for one in figures_of(found, 2025)] == ["100"]
    assert figures_of(found, 2024) == ()


def test_a_withdrawn_figure_may_come_back() -> None:
    found = [stated(1, "output", "70"), stated(2, "output", "")]
    assert figures_of(found, 2023) == ()
    assert [one.value for one in figures_of([*found, stated(3, "output", "75")], 2023)] == ["75"]
