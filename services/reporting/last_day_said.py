"""What a trading day added, in one sentence, in English and Chinese."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from services.reporting.target import Progress
from services.reporting.verdict import hundred_millions
from services.values.decimals import decimal_text, short_yuan
from services.values.times import date_text


@dataclass(frozen=True)
class Close:
    """A year when a trading day had ended."""

    seq: int
    """The command that ended the day."""
    net_by_day: Mapping[int, int]
    progress: Progress
    reach_permille: int | None

    @property
    def net_fen(self) -> int:
        """The year's net turnover."""
        return self.progress.net_fen

    def net_fen_of(self, day: int) -> int:
        """Net turnover of a trading day."""
        return self.net_by_day.get(day, 0)


def said(date: int, net_fen: int, moved_fen: int, before: Close, close: Close) -> str:
    """The sentence in English. `moved_fen`: what decisions of the day changed of earlier days."""
    clauses = [
        f"On {date_text(date)} {short_yuan(net_fen)} net was added, and the year stood at {short_yuan(close.net_fen)} at the "
        "close",
        _moved(moved_fen),
        _target(before, close),
        _gap(before.progress, close.progress),
        _chance(before.reach_permille, close.reach_permille),
    ]
    return "; ".join(filter(None, clauses)) + "."


def said_zh(date: int, net_fen: int, moved_fen: int, before: Close, close: Close) -> str:
    """The sentence in Chinese."""
    clauses = [
        f"{date_text(date)}新增净成交额{hundred_millions(net_fen)}，收盘时年度累计{hundred_millions(close.net_fen)}",
        _moved_zh(moved_fen),
        _target_zh(before, close),
        _gap_zh(before.progress, close.progress),
        _chance_zh(before.reach_permille, close.reach_permille),
    ]
    return "；".join(filter(None, clauses)) + "。"


def _moved(moved_fen: int) -> str:
    took = f"took {short_yuan(-moved_fen)} away" if moved_fen < 0 else f"gave {short_yuan(moved_fen)} back"
    return f"decisions about earlier days {took}" if moved_fen else ""


def _moved_zh(moved_fen: int) -> str:
    verb = "剔除" if moved_fen < 0 else "恢复"
    return f"当日决定就此前交易日{verb}{hundred_millions(abs(moved_fen))}" if moved_fen else ""


def _target(before: Close, close: Close) -> str:
    old_fen, new_fen = before.progress.target_fen, close.progress.target_fen
    return "" if old_fen == new_fen else f"the target went from {short_yuan(old_fen)} to {short_yuan(new_fen)}"


def _target_zh(before: Close, close: Close) -> str:
    old_fen, new_fen = before.progress.target_fen, close.progress.target_fen
    return "" if old_fen == new_fen else f"目标由{hundred_millions(old_fen)}改为{hundred_millions(new_fen)}"


def _gap(before: Progress, after: Progress) -> str:
    before_fen, after_fen = before.ahead_fen, after.ahead_fen
    if not before.completed:
        return f"it was {_side(after_fen)}"
    if (before_fen < 0) != (after_fen < 0):
        return f"it went from {_side(before_fen)} to {_side(after_fen)}"
    change_fen = abs(after_fen) - abs(before_fen)
    name = "lag behind" if after_fen < 0 else "lead over"
    if not change_fen:
        return f"the {name} the pace stayed at {short_yuan(abs(after_fen))}"
    verb = "grew" if change_fen > 0 else "shrank"
    return f"the {name} the pace {verb} by {short_yuan(abs(change_fen))} to {short_yuan(abs(after_fen))}"


def _side(ahead_fen: int) -> str:
    return f"{short_yuan(abs(ahead_fen))} {'behind' if ahead_fen < 0 else 'ahead of'} the pace"


def _gap_zh(before: Progress, after: Progress) -> str:
    before_fen, after_fen = before.ahead_fen, after.ahead_fen
    if not before.completed:
        return _side_zh(after_fen)
    if (before_fen < 0) != (after_fen < 0):
        return f"由{_side_zh(before_fen)}转为{_side_zh(after_fen)}"
    change_fen = abs(after_fen) - abs(before_fen)
    name, now = "落后进度" if after_fen < 0 else "领先进度", hundred_millions(abs(after_fen))
    if not change_fen:
        return f"{name}仍为{now}"
    return f"{name}{'扩大' if change_fen > 0 else '缩小'}{hundred_millions(abs(change_fen))}至{now}"


def _side_zh(ahead_fen: int) -> str:
    return f"{'落后' if ahead_fen < 0 else '领先'}进度{hundred_millions(abs(ahead_fen))}"


def _chance(before: int | None, after: int | None) -> str:
    if after is None:
        return ""
    now = _percent(after)
    if before is None:
        return f"the chance to reach the target was {now} %"
    if _percent(before) == now:
        return f"the chance to reach the target stayed at {now} %"
    verb = "rose" if after > before else "fell"
    return f"the chance to reach the target {verb} from {_percent(before)} % to {now} %"


def _chance_zh(before: int | None, after: int | None) -> str:
    if after is None:
        return ""
    now = _percent(after)
    if before is None:
        return f"达标概率为{now}%"
    if _percent(before) == now:
        return f"达标概率仍为{now}%"
    return f"达标概率由{_percent(before)}%{'升' if after > before else '降'}至{now}%"


def _percent(permille: int) -> str:
    return decimal_text(permille, 10, 0)
