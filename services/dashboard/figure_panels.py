"""The year's turnover against its target in HTML fragments. Pure: the report in, HTML out."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from html import escape
from typing import Any

from services.dashboard.amounts import grouped, percent

Json = Mapping[str, Any]

CATEGORIES = {"magnetic_material": "Magnetic 磁性材料", "deep_processed": "Deep-processed 深加工"}

CALENDAR_ASSUMED = (
    '<span class=assumed title="The calendar of this year is not published: its days are assumed from holidays of others.">'
    "calendar: assumed</span>"
)

_LEVEL_COLOURS = {"green": "good", "amber": "warn", "red": "up", None: ""}


def hero(report: Json) -> str:
    """The figure, its share of the target, the pace, and the counting rule."""
    target = Decimal(report["target"])
    done, due = (min(Decimal(report[name]) / target, Decimal(1)) * 100 for name in ("net", "pace"))
    assumed = f" {CALENDAR_ASSUMED}" if report["calendar"] == "assumed" else ""
    return (
        f"<div class=hero data-testid=hero><div class=label>Net turnover {report['year']} 净成交额{assumed}"
        f"<span class=aside>single-sided, as of seq {grouped(report['seq'])}</span></div>"
        f"<div class=amount><b><small>¥</small><span data-testid=net>{grouped(report['net'])}</span></b>"
        f'<i title="{escape(report["target_name"], quote=True)}">of ¥ {grouped(report["target"])}</i></div>'
        f'<div class=track><i style="width:{done:.4f}%"></i><u style="left:{due:.4f}%" title="pace today"></u></div>'
        f"<p class=verdict data-testid=verdict>{escape(report['verdict'])}"
        f" <span class=zh>{escape(report['verdict_zh'])}</span></p>"
        f"{_keys(report)}<details class=rule><summary>How it is counted, and what is assumed 统计口径</summary>"
        f"<p>{escape(report['counting_rule'])}</p><p>{escape(' '.join(report['assumptions']))}</p></details></div>"
    )


def _keys(report: Json) -> str:
    ahead = Decimal(report["ahead"])
    word, colour = ("ahead", "good") if ahead >= 0 else ("behind", "warn")
    forecast = report["forecast"]
    known = forecast is not None and not forecast["too_early"]
    keys = (
        ("Share of target", "share", percent(report["share"], 4), ""),
        (f"¥ {word} of pace" if word == "ahead" else "¥ behind pace", "ahead", _size(report["ahead"]), colour),
        (f"Trading days {word}", "ahead-days", _size(report["ahead_days"]), colour),
        ("Days completed / left", "days", f"{report['days_completed']} / {report['days_left']}", ""),
        (
            "¥ required a day left",
            "required",
            grouped(report["required_per_day"]) if report["required_per_day"] else "closed 已结束",
            _LEVEL_COLOURS[report["required_level"]],
        ),
        ("¥ today 今日", "today", grouped(report["today"]), ""),
        (
            "¥ year end, forecast 预测",
            "forecast",
            grouped(forecast["p50_rounded"]) if known else "too early to say",
            "",
        ),
        ("Trades", "trades", grouped(report["trades"]), ""),
    )
    cells = [
        f'<div><small>{name}</small><b class="{tint}" data-key={key}>{text}</b></div>' for name, key, text, tint in keys
    ]
    return f"<div class=keys>{''.join(cells)}</div>"


def _size(number: str) -> str:
    """The absolute value of a difference; its label gives the direction."""
    return grouped(number.removeprefix("-"))


def products(report: Json) -> str:
    """Turnover by category, then by product, largest first, each with a bar proportional to it."""
    lines = sorted(report["products"], key=lambda line: Decimal(line["net"]), reverse=True)
    largest = Decimal(lines[0]["net"]) if lines else Decimal(0)
    rows = "".join([_product(line, largest) for line in lines])
    head = "<th>Product 产品</th><th class=num>Net ¥</th><th class=num>Share</th>"
    return (
        f"{_categories(report)}<div class=scroll><table class=bars data-testid=products>"
        f"<thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table></div>"
    )


def _categories(report: Json) -> str:
    cells, bar = [], []
    for tag, line in zip("iu", report["categories"], strict=False):  # two categories, two colours
        name = CATEGORIES.get(line["category"], escape(line["category"]))
        cells.append(
            f"<span><{tag} class=key></{tag}>{name}</span><span class='num dim'>{grouped(line['tonnes'])} t</span>"
            f"<b class=num data-category={escape(line['category'])}>{grouped(line['net'])}</b>"
            f"<span class='num dim'>{percent(line['share'])}</span>"
        )
        bar.append(f'<{tag} style="width:{Decimal(line["share"]) * 100:.3f}%"></{tag}>')
    return f"<div class=category data-testid=categories>{''.join(cells)}<div class=split>{''.join(bar)}</div></div>"


def _product(line: Json, largest: Decimal) -> str:
    width = Decimal(line["net"]) / largest * 100 if largest else Decimal(0)
    names = escape(f"{line['name_en']} {line['name_zh']} · {line['tonnes']} t", quote=True)
    bar = f'<i class=bar style="width:{width:.2f}%"></i>'
    return (
        f'<tr data-product="{escape(line["symbol"])}"><td class=cut title="{names}">{bar}'
        f"<span class=zh>{escape(line['name_zh'])}</span> {escape(line['name_en'])}</td>"
        f"<td class=num>{grouped(line['net'])}</td><td class='num dim'>{percent(line['share'])}</td></tr>"
    )


def adds_up(report: Json) -> bool:
    """Whether categories, products and days each add up to the year's net turnover, to the fen."""
    net = Decimal(report["net"])
    parts = [report["categories"], report["products"], [day for day in report["days"] if day["net"] is not None]]
    return all(sum((Decimal(line["net"]) for line in lines), Decimal(0)) == net for lines in parts)
