"""The verdict on a year: one of a dozen sentences, in English and Chinese, that says how the turnover stands to its target."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from fractions import Fraction

from services.reporting.target import Progress, Stage
from services.values.decimals import decimal_text, fraction_text, short_yuan
from services.values.times import date_text

ON_TRACK, BEHIND = Fraction(8, 10), Fraction(2, 10)
"""The probability of reaching the target from which a year is on track, and below which it is behind."""

OUT_OF_REACH = 3
"""A target that needs more than so many times the mean of the best 20 days, every day left, cannot be reached."""


class Outcome(StrEnum):
    """What a verdict says, for programs."""

    NOT_OPEN = "not_open"
    NOT_BEGUN = "not_begun"
    TOO_EARLY = "too_early"
    REACHED = "reached"
    ON_TRACK = "on_track"
    OPEN = "open"
    BEHIND = "behind"
    OUT_OF_REACH = "out_of_reach"
    CLOSED_REACHED = "closed_reached"
    CLOSED_MISSED = "closed_missed"


@dataclass(frozen=True)
class Verdict:
    """An outcome and its sentence in both languages."""

    outcome: Outcome
    en: str
    zh: str


def judge(progress: Progress, reach: Fraction | None) -> Verdict:
    """The verdict on a year; `reach` is the probability of reaching the target, None while it is too early to say."""
    if progress.stage is Stage.NOT_OPEN:
        return Verdict(Outcome.NOT_OPEN, "The venue had not opened in this year.", "该年度平台尚未开市。")
    if progress.stage is Stage.NOT_BEGUN:
        return Verdict(Outcome.NOT_BEGUN, "The year has not begun.", "该年度尚未开始。")
    if progress.stage is Stage.CLOSED:
        return _closed(progress)
    if (date := progress.reached_on) is not None:
        return Verdict(
            Outcome.REACHED, f"The target was reached on {date_text(date)}.", f"已于{date_text(date)}达成目标。"
        )
    if _is_out_of_reach(progress):
        return _out_of_reach(progress)
    if reach is None or not progress.completed:  # past years alone make a forecast, too
        return Verdict(Outcome.TOO_EARLY, "It is too early to say.", "为时尚早，暂无法判断。")
    return _forecast(progress, reach)


def _closed(progress: Progress) -> Verdict:
    difference = abs(progress.net_fen - progress.target_fen)
    en, zh = short_yuan(difference), hundred_millions(difference)
    if progress.net_fen >= progress.target_fen:
        sentence = f"Closed: the target was reached, with {en} more."
        return Verdict(Outcome.CLOSED_REACHED, sentence, f"年度已结束：达成目标，超出{zh}。")
    return Verdict(Outcome.CLOSED_MISSED, f"Closed: the target was missed by {en}.", f"年度已结束：未达目标，差{zh}。")


def _is_out_of_reach(progress: Progress) -> bool:
    required, best = progress.required_per_day_fen, progress.best_mean_fen
    return required is not None and best is not None and required > OUT_OF_REACH * best


def _out_of_reach(progress: Progress) -> Verdict:
    required, best = progress.required_per_day_fen, progress.best_mean_fen
    assert required is not None
    assert best is not None
    en = f"more than {OUT_OF_REACH} times the best 20 days ({short_yuan(best)} a day)"
    zh = f"超过最好20日均值（{hundred_millions(best)}）的{OUT_OF_REACH}倍"
    return Verdict(
        Outcome.OUT_OF_REACH,
        f"It cannot be reached: it needs {short_yuan(required)} a day, {en}.",
        f"无法达成：每日需{hundred_millions(required)}，{zh}。",
    )


def _forecast(progress: Progress, reach: Fraction) -> Verdict:
    percent = fraction_text(100 * reach, 0)
    if reach >= ON_TRACK:
        return Verdict(
            Outcome.ON_TRACK,
            f"On track: the target is reached with a probability of {percent} %.",
            f"进展顺利：达标概率 {percent}%。",
        )
    if reach >= BEHIND:
        return Verdict(
            Outcome.OPEN,
            f"Undecided: the target is reached with a probability of {percent} %.",
            f"尚无定论：达标概率 {percent}%。",
        )
    required, recent, behind = progress.required_per_day_fen, progress.recent_mean_fen, max(-progress.ahead_fen, 0)
    last = progress.last_completed
    assert required is not None, "a running year has days left"
    assert last is not None, "a year without a completed day is too early"
    times = decimal_text(required, recent, 1) if recent else None
    en = f"needs {short_yuan(required)} a day" + (f", {times} times the mean of the last 20 days" if times else "")
    zh = f"每日需{hundred_millions(required)}" + (f"，为近20日均值的{times}倍" if times else "")
    return Verdict(
        Outcome.BEHIND,
        f"Behind the pace by {short_yuan(behind)} at the close of {date_text(last)}: the target is reached with a "
        f"probability of {percent} %, and {en}.",
        f"截至{date_text(last)}收盘落后进度{hundred_millions(behind)}：达标概率 {percent}%，{zh}。",
    )


def hundred_millions(amount_fen: int) -> str:
    """An amount for the eye in Chinese: `166.00亿元`; what would be `0.00亿元` as `4.00万元`."""
    if 0 < amount_fen < 10**8:
        return f"{decimal_text(amount_fen, 10**6, 2)}万元"
    return f"{decimal_text(amount_fen, 10**10, 2)}亿元"
