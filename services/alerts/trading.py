"""Conditions of surveillance: findings of the wash screen, influence on settlement prices, abnormal trading."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256

from services.alerts.conditions import Condition
from services.commands.attachments import AlertKind
from services.surveillance.abnormal_trading import Behaviour, Breach, Measure, Step
from services.surveillance.contracts import Finding
from services.surveillance.settlement_influence import InfluenceAlert
from services.values.times import date_text

KINDS: tuple[AlertKind, ...] = ("wash_finding", "settlement_influence", "abnormal_trading")

_MEASURES = {
    Measure.WARNING: ("a warning", "警示"),
    Measure.WATCH_LIST: ("the watch list", "列入重点监控名单"),
    Measure.OPENING_BAN: ("a ban on new orders", "限制开仓"),
}
_BEHAVIOURS = {
    Behaviour.SELF_TRADE_ATTEMPTS: ("self-trade attempts", "次自成交"),
    Behaviour.CANCELS: ("cancels", "次撤单"),
    Behaviour.LARGE_CANCELS: ("large cancels", "次大额撤单"),
}


@dataclass(frozen=True)
class Trading:
    """What surveillance finds in completed trading days."""

    findings: Sequence[Finding]
    """Of the judged years."""
    excluded: frozenset[int]
    """The ids of their trades that do not count by decision."""
    influences: Sequence[InfluenceAlert]
    steps: Sequence[Step]
    """Both of the last 20 trading days."""
    names: Mapping[int, str]
    """Of the members."""
    symbols: Mapping[int, str]


def trading_conditions(seen: Trading) -> list[Condition]:
    """All that holds of KINDS. A finding holds until all its trades are excluded; the others for 20 trading days."""
    return [*_findings(seen), *_influences(seen), *_steps(seen)]


def _findings(seen: Trading) -> Iterator[Condition]:
    """One for each kind and group of members: a ring that goes on trading is the same condition, with more trades."""
    for finding in seen.findings:
        if not seen.excluded.issuperset(finding.trade_ids):
            members = sha256(",".join(map(str, finding.members)).encode()).hexdigest()[:16]
            year, english, chinese = finding.first_date // 10_000, finding.sentence_en, finding.sentence_zh
            key = f"wash_finding:{year}:{finding.kind}:{members}"
            # Not the finding_id: it is another one with each trade that the ring adds.
            subject = f"{'+'.join(map(str, finding.members))}:{year}"
            yield Condition("wash_finding", key, subject, "warning", english, chinese)


def _influences(seen: Trading) -> Iterator[Condition]:
    for alert in seen.influences:
        who, symbol = seen.names[alert.member], seen.symbols[alert.instrument]
        days = [date_text(one.trading_date) for one in alert.influences]
        english = f"Late trades of {who} moved the settlement price of {symbol} by 0.5 % or more on {', '.join(days)}."
        chinese = f"{who}的尾盘主动成交在{'、'.join(days)}使{symbol}的结算价变动0.5%以上。"
        key = f"settlement_influence:{alert.member}:{symbol}"
        yield Condition("settlement_influence", key, f"{alert.member}:{symbol}", "warning", english, chinese)


def _steps(seen: Trading) -> Iterator[Condition]:
    for step in seen.steps:
        who = [seen.names[member] for member in step.members]
        english, chinese = zip(*(_counted(breach, seen.symbols) for breach in step.breaches), strict=True)
        measure, measure_zh = _MEASURES[step.measure]
        day, members = date_text(step.trading_date), "+".join(map(str, step.members))
        yield Condition(
            "abnormal_trading",
            f"abnormal_trading:{step.trading_date}:{members}",
            f"{members}:{step.trading_date}",
            "critical" if step.measure is Measure.OPENING_BAN else "warning",
            f"Abnormal trading of {' and '.join(who)} on {day}: {', '.join(english)}. The ladder provides {measure}.",
            f"{'、'.join(who)}在{day}交易异常：{'、'.join(chinese)}。按规定应{measure_zh}。",
        )


def _counted(breach: Breach, symbols: Mapping[int, str]) -> tuple[str, str]:
    english, chinese = _BEHAVIOURS[breach.behaviour]
    symbol = symbols[breach.instrument]
    return f"{breach.count} {english} in {symbol}", f"{symbol}{breach.count}{chinese}"
