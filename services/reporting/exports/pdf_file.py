"""The reports as PDF: JSON goes into a layout of the folder `layouts/`, and Typst sets it. Fonts are embedded.

Typst is native and releases the interpreter while it works, so that a venue's event loop goes on.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any, Literal

from services.reporting.exports.certificate_tables import certificate_tables
from services.reporting.exports.daily_bulletin import TOP_MEMBERS
from services.reporting.exports.monthly_bulletin import CATEGORIES
from services.reporting.exports.schemas import DailyBulletin, MonthlyBulletin
from services.reporting.exports.seal import COUNTING_RULE_ZH, IS_SIMULATED_ZH
from services.reporting.exports.year_sheets import FAMILY_NAMES, forecast_facts, ladder, named, summary_facts
from services.reporting.report import IS_SIMULATED
from services.reporting.schemas import TurnoverReport

Layout = Literal["year", "daily", "monthly", "certificate"]

_SCALE = 10_000
"""A place in a chart is a whole number from 0 to this: no float comes near an amount."""

_TOPS = (4, 8, 12, 16, 20, 24, 28, 32, 36, 40, 48, 60, 80, 100)


def year_pdf(report: TurnoverReport) -> bytes:
    """The year's report, typeset in English and Chinese."""
    document = report.to_json()
    document["facts"] = summary_facts(document)
    document["ladder"] = ladder(document)
    document["forecast_facts"] = forecast_facts(document)
    for part, names, key in (("categories", CATEGORIES, "category"), ("families", FAMILY_NAMES, "family")):
        document[part] = [{**line, "names": named(names, line[key])} for line in sorted(document[part], key=_by_net)]
    document["products"] = sorted(document["products"], key=_by_net)
    document["chart"] = _year_chart(report)
    return _set("year", document)


def daily_pdf(bulletin: DailyBulletin) -> bytes:
    """The bulletin of a trading day."""
    return _set("daily", {**bulletin.to_json(), "top": TOP_MEMBERS})


def monthly_pdf(bulletin: MonthlyBulletin) -> bytes:
    """The bulletin of a month, with the months of the year so far beside those of the year before."""
    document = bulletin.to_json()
    fen = [(one.turnover_fen, one.turnover_year_before_fen) for one in bulletin.months]
    top = _top(max(map(max, fen), default=0))
    bars = [[_place(amount, top) for amount in pair] for pair in fen]
    document["chart"] = {"bars": bars, "ticks": _ticks(top), "months": [one.month for one in bulletin.months]}
    return _set("monthly", document)


def certificate_pdf(certificate: Mapping[str, Any]) -> bytes:
    """A certificate (certificate.py): a page, and another with what the turnover is made of. `certificate` are its JSON
    values."""
    breakdown = certificate["breakdown"]
    tables = None if breakdown is None else certificate_tables(breakdown)
    return _set("certificate", {**certificate, "as_of": certificate["made_at"], "breakdown": tables})


def _by_net(line: dict[str, Any]) -> int:
    return -_fen(line["net"])


def _year_chart(report: TurnoverReport) -> dict[str, Any]:
    """The lines and bars of the year's charts, as places from 0 to _SCALE."""
    days = report.days
    names = ("pace", "seasonal_pace", "cumulative", "net")
    lines: dict[str, list[int | None]] = {name: [getattr(day, f"{name}_fen") for day in days] for name in names}
    top = _top(max((value for name in ("pace", "cumulative") for value in lines[name] if value is not None), default=0))
    highest = _top(max((value for value in lines["net"] if value is not None), default=0))
    places = {
        name: [None if value is None else _place(value, highest if name == "net" else top) for value in values]
        for name, values in lines.items()
    }
    starts = [
        number for number, day in enumerate(days) if not number or day.date // 100 != days[number - 1].date // 100
    ]
    return {
        **places,
        "ticks": _ticks(top),
        "net_ticks": _ticks(highest),
        "months": [{"at": number, "month": days[number].date // 100 % 100} for number in starts],
        "days": len(days),
    }


def _fen(text: str) -> int:
    return int(text.replace(".", ""))


def _place(value: int, top: int) -> int:
    return max(value, 0) * _SCALE // top


def _top(value: int) -> int:
    """The end of an axis of four parts that holds the value, in fen: a fourth of it has at most two digits."""
    power: int = 10 ** max(len(str(value)) - 2, 1)
    return next(step * power for step in _TOPS if step * power >= value)


def _ticks(top: int) -> list[dict[str, Any]]:
    """Five marks of an axis up to `top` fen: their places, and their labels in hundred million yuan (亿元)."""
    marks = [top * number // 4 for number in range(5)]
    return [{"at": _place(mark, top), "label": _label(mark)} for mark in marks]


def _label(fen: int) -> str:
    whole, part = divmod(fen, 10**10)
    return f"{whole:,}.{part:010d}".rstrip("0").rstrip(".")


def _set(layout: Layout, document: dict[str, Any]) -> bytes:
    """The layout's PDF. Its times are those of the document, so that equal documents make equal bytes.

    It is PDF/A-2u, for archives. That standard allows no character that the font lacks, and a member's name may have one: then
    the PDF is an ordinary one, with a box in its place.
    """
    from typst import TypstError

    document["counting_rule_zh"] = COUNTING_RULE_ZH
    document["simulated_says"] = [IS_SIMULATED, IS_SIMULATED_ZH] if document["simulated"] else []
    data = json.dumps(document, ensure_ascii=False, sort_keys=True)
    try:
        return _compile(layout, data, "a-2u")
    except TypstError:
        return _compile(layout, data, None)


def _compile(layout: Layout, data: str, standard: Literal["a-2u"] | None) -> bytes:
    import typst

    folder = _layouts()
    return typst.compile(
        folder / f"{layout}.typ", root=folder, font_paths=_fonts(), ignore_system_fonts=True, sys_inputs={"data": data},
        format="pdf", pdf_standards=standard,
    )  # fmt: skip


@cache
def _layouts() -> Path:
    return Path(str(files("services.reporting.exports") / "layouts"))


@cache
def _fonts() -> list[Path]:
    import pylopdf_fonts_zh_cn as noto

    return [noto.sans_path().parent]
