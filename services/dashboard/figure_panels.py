"""The year's turnover against its target in HTML fragments and one chart. Pure: the report in, HTML and options out."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from html import escape
from typing import Any

from services.dashboard.amounts import grouped, percent, signed

Json = Mapping[str, Any]

CATEGORIES = {"magnetic_material": "Magnetic materials 磁性材料", "deep_processed": "Deep-processed 深加工产品"}

_BILLION = Decimal(10**9)


def hero(report: Json) -> str:
    """The figure, its share of the target, the pace, and the rule it was counted by."""
    share = min(Decimal(report["share"]), Decimal(1)) * 100
    pace = min(Decimal(report["pace"]) / Decimal(report["target"]), Decimal(1)) * 100
    mark = " <span class=assumed title='no calendar for this year: weekdays are used'>calendar: assumed</span>"
    return (
        f"<div class=hero data-testid=hero><div class=label>Net turnover {report['year']} 净成交额"
        f"{mark if report['calendar'] == 'assumed' else ''}"
        f"<span class=aside>single-sided, as of seq {grouped(report['seq'])}</span></div>"
        f"<div class=amount><b data-testid=net><small>¥</small>{grouped(report['net'])}</b>"
        f"<span>of ¥ {grouped(report['target'])}</span></div>"
        f'<div class=track><i style="width:{share:.4f}%"></i><u style="left:{pace:.4f}%" title="pace today"></u></div>'
        f"{_keys(report)}<details class=rule><summary>How it is counted 统计口径</summary>"
        f"{escape(report['counting_rule'])}</details></div>"
    )


def _keys(report: Json) -> str:
    ahead = Decimal(report["ahead"])
    word, colour = ("ahead of pace", "good") if ahead >= 0 else ("behind pace", "warn")
    keys = (
        ("Share of target", "share", percent(report["share"], 4), ""),
        (f"¥ {word}", "ahead", signed(report["ahead"]), colour),
        (f"Trading days {word.split()[0]}", "ahead-days", signed(report["ahead_days"]), colour),
        ("Days elapsed / left", "days", f"{report['days_elapsed']} / {report['days_left']}", ""),
        ("¥ required per remaining day", "required", grouped(report["required_per_day"]), ""),
        ("¥ today", "today", grouped(report["today"]), ""),
        ("¥ gross", "gross", grouped(report["gross"]), ""),
        ("¥ excluded", "excluded", grouped(report["excluded"]), ""),
    )
    cells = [
        f'<div><small>{name}</small><b class="{colour}" data-key={key}>{value}</b></div>'
        for name, key, value, colour in keys
    ]
    return f"<div class=keys>{''.join(cells)}</div>"


def products(report: Json, instruments: Mapping[str, Json]) -> str:
    """Turnover by category, then by product, largest first, with a bar for its share of the largest."""
    lines = sorted(report["products"], key=lambda line: Decimal(line["net"]), reverse=True)
    largest = max([Decimal(line["net"]) for line in lines], default=Decimal(0)) or Decimal(1)
    total = Decimal(report["net"])
    rows = "".join([_product(line, instruments[line["symbol"]], largest, total) for line in lines])
    head = "<th>Product 产品</th><th class=num>Net ¥</th><th class=num>Share</th>"
    return (
        f"{_categories(report, total)}<div class=scroll><table class=bars data-testid=products>"
        f"<thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table></div>"
    )


def _categories(report: Json, total: Decimal) -> str:
    cells, bar = [], []
    for tag, line in zip("iu", report["categories"], strict=True):
        share = Decimal(line["net"]) / total if total else Decimal(0)
        name = CATEGORIES.get(line["category"], escape(line["category"]))
        cells.append(
            f'<span><{tag} class=key></{tag}>{name}</span><b class=num data-category="{line["category"]}">'
            f"{grouped(line['net'])}</b><span class='num dim'>{percent(share)}</span>"
        )
        bar.append(f'<{tag} style="width:{share * 100:.3f}%"></{tag}>')
    return f"<div class=category data-testid=categories>{''.join(cells)}<div class=split>{''.join(bar)}</div></div>"


def _product(line: Json, instrument: Json, largest: Decimal, total: Decimal) -> str:
    net = Decimal(line["net"])
    names = escape(f"{instrument['name_en']} {instrument['name_zh']}", quote=True)
    return (
        f'<tr data-product="{escape(line["symbol"])}"><td class=cut title="{names}">'
        f'<i class=bar style="width:{net / largest * 100:.2f}%"></i>{escape(instrument["name_en"])} '
        f"<span class=zh>{escape(instrument['name_zh'])}</span></td>"
        f"<td class=num>{grouped(line['net'])}</td><td class='num dim'>{percent(net / total) if total else ''}</td></tr>"
    )


def health(report: Json | None, venue_seq: int, last_event_seconds: int | None) -> str:
    """The journal's position, the age of the last trade, how far the read database is behind, whether the sums agree."""
    if report is None:
        return ""
    lag = max(0, venue_seq - report["seq"])
    age = "–" if last_event_seconds is None else f"{last_event_seconds} s"
    items = (
        ("journal seq", f"<b data-testid=seq>{grouped(venue_seq)}</b>", True),
        ("last trade", age, True),
        ("report behind by", f"{grouped(lag)} commands", lag < 10_000),
        ("reconciled", "…", True),
    )
    cells = "".join(
        [
            f'<span><i class="dot{"" if good else " bad"}"></i><small>{name}</small>{value}</span>'
            for name, value, good in items
        ]
    )
    return f"<div class=health data-testid=health>{cells}</div>"
