"""The venue's health in one strip. Pure: API objects in, HTML out."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape
from typing import Any

from services.dashboard.amounts import NONE, age_seconds, grouped
from services.dashboard.figure_panels import adds_up

Json = Mapping[str, Any]

LAG_COMMANDS = 10_000
"""A report that is more than this many commands behind the venue is shown in red."""


def health(venue: Json, report: Json, last_trade: Json | None, now_ns: int) -> str:
    """The journal's last seq, the age of the last trade, how far the report is behind, and whether its sums agree."""
    lag = max(0, venue["seq"] - report["seq"])
    age = f"{age_seconds(last_trade['time'], now_ns)} s" if last_trade else NONE
    sound = adds_up(report)
    prevented = f"{grouped(report['prevented_self_trades'])} · {report['prevented_tonnes']} t"
    seal = f'<span title="{report["row_hash"]}">{escape(report["row_hash"][:12])}…</span>'
    items = (
        ("journal seq", f"<b data-testid=seq>{grouped(venue['seq'])}</b>", True),
        ("last trade", age, True),
        ("report lags", f"{grouped(lag)} seq", lag < LAG_COMMANDS),
        ("sums agree", "to the fen" if sound else "no", sound),
        ("gross ¥", f"<span data-integrity=gross>{grouped(report['gross'])}</span>", True),
        (
            "busted ¥",
            f"<span data-integrity=busted>{grouped(report['busted'])} ({report['busted_trades']})</span>",
            True,
        ),
        (
            "excluded ¥",
            f"<span data-integrity=excluded>{grouped(report['excluded'])} ({report['excluded_trades']})</span>",
            True,
        ),
        ("net ¥", f"<b data-integrity=net>{grouped(report['net'])}</b>", True),
        ("self-trades prevented", f"<span data-integrity=prevented>{prevented}</span>", True),
        ("sealed by", seal, True),
    )
    cells = [
        f'<span><i class="dot{"" if good else " bad"}"></i><small>{name}</small>{text}</span>'
        for name, text, good in items
    ]
    return f"<div class=health data-testid=health>{''.join(cells)}</div>"
