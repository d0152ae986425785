"""The year's report as sheets: figure and verdict, the ladder from gross to net, the splits, the days, the forecast. No I/O."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from services.reporting.exports.monthly_bulletin import CATEGORIES
from services.reporting.exports.xlsx_file import LineChart
from services.reporting.sheet import Column, Sheet, Value

_YUAN = Column("yuan", "decimal", "Yuan", "元")
_PART = (
    Column("turnover", "decimal", "Turnover (yuan)", "成交额（元）"),
    Column("share", "decimal", "Share", "占比"),
    Column("tonnes", "decimal", "Volume (t)", "成交量（吨）"),
    Column("trades", "integer", "Trades", "成交笔数"),
)
_LABEL = (Column("en", "text", "Fact", "项目（英文）"), Column("zh", "text", "Fact (Chinese)", "项目"))

FAMILY_NAMES = {
    "bonded_ndfeb": ("Bonded NdFeB", "粘结钕铁硼"),
    "catalyst": ("Catalysts", "催化材料"),
    "heat_stabiliser": ("Heat stabilisers", "热稳定剂"),
    "hot_pressed_ndfeb": ("Hot-pressed NdFeB", "热压钕铁硼"),
    "hydrogen_storage": ("Hydrogen storage", "储氢材料"),
    "magnet_feedstock": ("Magnet feedstock", "磁材原料"),
    "phosphor": ("Phosphors", "发光材料"),
    "polishing_material": ("Polishing materials", "抛光材料"),
    "rare_earth_metal": ("Rare earth metals", "稀土金属"),
    "separated_oxide": ("Separated oxides", "单一氧化物"),
    "sintered_ndfeb": ("Sintered NdFeB", "烧结钕铁硼"),
    "smco": ("SmCo magnets", "钐钴磁体"),
    "sputtering_target": ("Sputtering targets", "溅射靶材"),
}

YEAR_CHART = LineChart("days", "Net turnover and its pace 净成交额与进度", ("pace", "seasonal_pace", "cumulative"))


_SUMMARY = (
    ("Net turnover (yuan)", "净成交额（元）", "net"),
    ("Target (yuan)", "目标（元）", "target"),
    ("Share of the target", "完成比例", "share"),
    ("Missing (yuan)", "距目标（元）", "missing"),
    ("Net without 13 % VAT (yuan)", "不含税净成交额（元）", "net_without_vat"),
    ("Today (yuan)", "今日成交额（元）", "today"),
    ("Pace of the completed days (yuan)", "应达进度（元）", "pace"),
    ("Ahead of pace (yuan)", "领先进度（元）", "ahead"),
    ("Ahead of pace (trading days)", "领先进度（交易日）", "ahead_days"),
    ("Required a day left (yuan)", "剩余每日所需（元）", "required_per_day"),
    ("Mean of the last 20 days (yuan)", "近20日均值（元）", "recent_mean"),
    ("Required / recent mean", "所需与均值之比", "required_ratio"),
    ("Trading days completed", "已完成交易日", "days_completed"),
    ("Trading days left", "剩余交易日", "days_left"),
    ("Trades", "成交笔数", "trades"),
    ("Busted trades", "撤销成交笔数", "busted_trades"),
    ("Trades excluded by decision", "经认定剔除笔数", "excluded_trades"),
    ("Self-trades prevented", "自成交拦截次数", "prevented_self_trades"),
)
_LADDER = (
    ("Gross turnover", "总成交额", "gross"),
    ("− Busted trades", "− 撤销成交", "busted"),
    ("− Excluded by decision", "− 经认定剔除", "excluded"),
    ("= Net turnover", "= 净成交额", "net"),
    ("Net ÷ 1.13, without VAT", "净成交额 ÷ 1.13（不含税）", "net_without_vat"),
)
_ESTIMATES = (
    ("P10 (yuan)", "P10（元）", "p10"),
    ("P50 (yuan)", "P50（元）", "p50"),
    ("P90 (yuan)", "P90（元）", "p90"),
    ("Probability of reaching the target", "达标概率", "reach"),
)

Report = Mapping[str, Any]
"""`TurnoverReport.to_json()`."""
Fact = tuple[str, str, str | None]
"""English, Chinese, value."""


def year_sheets(report: Report) -> tuple[Sheet, ...]:
    """Every part of the report, in the order in which it is read."""
    columns = (*_LABEL, Column("value", "decimal", "Value", "数值"))
    found = report["forecast"]
    words = () if found is None else tuple((text, "", None) for text in (found["method"], *found["assumptions"]))
    return (
        Sheet("summary", "Summary", "概要", columns, (*_words(report), *summary_facts(report))),
        Sheet("ladder", "Gross to net", "总额至净额", (*_LABEL, _YUAN), ladder(report)),
        *_splits(report),
        _days(report),
        Sheet("forecast", "Forecast", "预测", columns, (*forecast_facts(report), *words)),
    )


def named(names: dict[str, tuple[str, str]], key: str) -> tuple[str, str]:
    """English and Chinese of a category or family; one without a name here is spelt as it is."""
    return names.get(key, (key.replace("_", " ").capitalize(), key))


def summary_facts(report: Report) -> tuple[Fact, ...]:
    """The facts beside the figure."""
    return _facts(_SUMMARY, report)


def ladder(report: Report) -> tuple[Fact, ...]:
    """From gross to net, in yuan."""
    return _facts(_LADDER, report)


def _facts(names: Iterable[tuple[str, str, str]], values: Mapping[str, Any]) -> tuple[Fact, ...]:
    return tuple((en, zh, None if values[name] is None else str(values[name])) for en, zh, name in names)


def _words(report: Report) -> tuple[Fact, ...]:
    return (
        ("Year", "年度", f"{report['year']} 年"),  # a word: a number has separators
        ("Verdict", "结论", f"{report['verdict']} {report['verdict_zh']}"),
        *(("Discrepancy", "不一致", f"{one['sentence']} {one['sentence_zh']}") for one in report["discrepancies"]),
        ("Name of the target", "目标名称", report["target_name"]),
        ("Calendar", "交易日历", report["calendar"]),
    )


def _splits(report: Report) -> Iterable[Sheet]:
    def part(line: Sequence[Value], share: Mapping[str, Any]) -> tuple[Value, ...]:
        return (*line, *(share[name] for name in ("net", "share", "tonnes", "trades")))

    en, zh = Column("name_en", "text", "Name", "名称（英文）"), Column("name_zh", "text", "Name (Chinese)", "名称")
    categories = tuple(part(named(CATEGORIES, one["category"]), one) for one in report["categories"])
    yield Sheet("categories", "By category", "按类别", (en, zh, *_PART), categories)
    families = tuple(part(named(FAMILY_NAMES, one["family"]), one) for one in report["families"])
    yield Sheet("families", "By family", "按系列", (en, zh, *_PART), families)
    symbol, busted = (
        Column("symbol", "text", "Symbol", "代码"),
        Column("busted", "decimal", "Busted (yuan)", "撤销（元）"),
    )
    names = ("symbol", "name_en", "name_zh")
    products = tuple((*part([one[name] for name in names], one), one["busted"]) for one in report["products"])
    yield Sheet("products", "By product", "按品种", (symbol, en, zh, *_PART, busted), products)


def _days(report: Report) -> Sheet:
    columns = (
        Column("date", "date", "Trading day", "交易日"),
        Column("net", "decimal", "Net turnover (yuan)", "净成交额（元）"),
        Column("cumulative", "decimal", "Year so far (yuan)", "累计（元）"),
        Column("pace", "decimal", "Pace (yuan)", "进度（元）"),
        Column("seasonal_pace", "decimal", "Seasonal pace (yuan)", "季节进度（元）"),
    )
    rows = tuple(tuple(day[column.name] for column in columns) for day in report["days"])
    return Sheet("days", "Trading days", "交易日", columns, rows)


def forecast_facts(report: Report) -> tuple[Fact, ...]:
    """The forecast of the year's end; empty where the year is not under way.

    While it is too early to say, the range is not shown: only how wide it is.
    """
    found = report["forecast"]
    if found is None:
        return ()
    return (
        *(() if found["too_early"] else _facts(_ESTIMATES, found)),
        ("Width (P90 − P10) / P50", "区间宽度 (P90 − P10) / P50", found["width"]),
        ("Too early to say", "为时尚早", "yes 是" if found["too_early"] else "no 否"),
        ("At the year's mean (yuan)", "按年内均值（元）", report["forecast_year_mean"]),
        ("At the last 20 days' mean (yuan)", "按近20日均值（元）", report["forecast_recent_mean"]),
    )
