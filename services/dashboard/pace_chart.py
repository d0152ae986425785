"""The year's cumulative turnover against its pace line, over trading days, as ECharts options."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

Json = Mapping[str, Any]

_TEXT, _LINE, _ACCENT, _PACE = "#93a1af", "#242e39", "#d9a566", "#6fa8dc"
_FONT = {"fontFamily": 'Roboto, "Noto Sans CJK SC", sans-serif', "fontSize": 11, "color": _TEXT}
_TOOLTIP = {
    "trigger": "axis",
    "confine": True,
    "backgroundColor": "#1a222b",
    "borderColor": _LINE,
    "textStyle": {**_FONT, "color": "#d9e0e7"},
}


def pace_chart(report: Json) -> dict[str, Any]:
    """The chart's options. Its values are rounded to billions for drawing; the panel above shows the exact figures."""
    days = report["days"]
    actual = [_billions(day["cumulative"]) for day in days]
    reached = [index for index, value in enumerate(actual) if value is not None]
    return {
        "animation": False,
        "textStyle": _FONT,
        "grid": {"left": 42, "right": 18, "top": 16, "bottom": 26},
        "tooltip": _TOOLTIP,
        "xAxis": _day_axis([day["date"][5:] for day in days]),
        "yAxis": {"type": "value", "splitLine": {"lineStyle": {"color": _LINE}}, "axisLabel": _FONT},
        "series": [
            _line("pace", [_billions(day["pace"]) for day in days], _PACE, {"type": "dashed", "width": 1.4}),
            {
                **_line("net turnover", actual, _ACCENT, {"width": 2}),
                "areaStyle": {"opacity": 0.12},
                "markPoint": {
                    "symbol": "circle",
                    "symbolSize": 8,
                    "label": {"show": False},
                    "data": [{"coord": [reached[-1], actual[reached[-1]]]}] if reached else [],
                },
            },
        ],
    }


def _line(name: str, data: list[float | None], colour: str, style: dict[str, Any]) -> dict[str, Any]:
    return {"name": name, "type": "line", "data": data, "showSymbol": False, "color": colour, "lineStyle": style}


def _day_axis(dates: list[str]) -> dict[str, Any]:
    return {
        "type": "category",
        "data": dates,
        "boundaryGap": False,
        "axisLine": {"lineStyle": {"color": _LINE}},
        "axisTick": {"show": False},
        "axisLabel": {**_FONT, "interval": 19},
    }


def _billions(yuan: str | None) -> float | None:
    return None if yuan is None else float(Decimal(yuan) / 10**9)
