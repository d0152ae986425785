"""The frame of every page: the theme, the header with the venue's state, and the line shown when the connection is lost."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape
from pathlib import Path
from typing import Any

from nicegui import ui
from nicegui.element import Element

from services.dashboard.amounts import NONE
from services.dashboard.figure_panels import CALENDAR_ASSUMED
from services.dashboard.fragment import Fragment
from services.dashboard.live import LiveFeed

_STATIC = Path(__file__).with_name("static")

PROTOTYPE = "PROTOTYPE 原型 · not a licensed venue<br>"

SIMULATED_YEAR = "SIMULATED 模拟 · no trade is real"


class Frame:
    """The header of a page; `refresh` updates it."""

    def __init__(self, live: LiveFeed, here: str) -> None:
        self._live = live
        ui.add_css(_STATIC / "rex.css")
        ui.query("body").classes("rex")
        self._top = Fragment()
        self._lost = Fragment()
        self._here = here

    def refresh(self) -> None:
        """Shows the current data."""
        live = self._live
        self._top.show(
            header(live.venue, live.phases(), live.calendar_assumed(), self._here, simulated=live.simulated())
        )
        self._lost.show(_lost_line(self._live.problem) + _switch_line(self._live.venue))


def panel(title: str, zh: str, aside: str = "") -> Element:
    """A framed area with a heading. Used as a context manager: elements made inside are placed below the heading."""
    box = ui.element("section").classes("panel")
    with box:
        Fragment(f"<h2>{title} <span class=zh>{zh}</span><span class=aside>{aside}</span></h2>")
    return box


def header(
    venue: Mapping[str, Any] | None,
    phases: Mapping[str, int],
    calendar_assumed: bool,
    here: str,
    *,
    simulated: bool = False,
) -> str:
    """Brand, navigation and the venue's state. `phases` holds the number of instruments by the name of their phase,
    `simulated` says that the year, or its beginning, was."""
    tabs = (
        ("operator", "/ui", "Operator 运营"),
        ("control", "/ui/control", "Control 控制"),
        ("trade", "/ui/trade", "Trade 交易"),
    )
    links = "".join(
        [f'<a href="{href}"{" class=here" if name == here else ""}>{text}</a>' for name, href, text in tabs]
    )
    people = "demo: simulated traders 模拟交易" if venue and venue["demo"] else "prices and terms partly assumed"
    people = SIMULATED_YEAR if simulated else people
    return (
        "<header class=top><div class=brand><b>REX</b><i title='Rare-Earth Exchange'>稀土交易所</i></div>"
        f"<nav>{links}</nav><div class=facts>{_facts(venue, phases, calendar_assumed)}</div>"
        f"<div class=prototype>{PROTOTYPE}{people}</div></header>"
    )


def _facts(venue: Mapping[str, Any] | None, phases: Mapping[str, int], calendar_assumed: bool) -> str:
    if venue is None:
        return ""
    schedule = {"always": "24 h continuous", "exchange": "09:00–11:30 · 13:30–16:00"}
    phase = " · ".join([name if len(phases) == 1 else f"{name} {count}" for name, count in phases.items()])
    facts = (
        (
            "Trading date 交易日",
            f"<b data-testid=trading-date>{escape(venue['trading_date'])}</b>{CALENDAR_ASSUMED if calendar_assumed else ''}",
        ),
        ("Phase 状态", f"<b data-testid=phase>{escape(phase) or NONE}</b>"),
        ("Schedule, Shanghai", schedule.get(venue["schedule"], escape(venue["schedule"]))),
    )
    return "".join(
        [f"<span><small>{name}</small><span style='display:block'>{value}</span></span>" for name, value in facts]
    )


def _lost_line(problem: str | None) -> str:
    if problem is None:
        return ""
    return f"<div class=lost data-testid=lost>No connection to the venue: {escape(problem)}. What is below may be old.</div>"


def _switch_line(venue: Mapping[str, Any] | None) -> str:
    if venue is None or not venue["kill_switch"]:
        return ""
    return "<div class=lost data-testid=kill-switch-on>The venue's kill switch is on 熔断: it takes cancels only.</div>"
