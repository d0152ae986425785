"""A finding as a sentence, in English and in Chinese. The numbers are rounded for the eye; the exact ones stand beside."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from services.surveillance.contracts import FindingKind
from services.values.decimals import counted, half_up, short_yuan

_MOST_NAMES = 6
"""A sentence names so many members, and counts the others."""

_YI_FEN, _WAN_FEN = 10_000_000_000, 1_000_000


class FindingFacts(NamedTuple):
    """What a sentence says: fields of a Finding."""

    kind: FindingKind
    members: tuple[int, ...]
    trades: int
    amount_fen: int
    inside_share: float
    lift: float
    net_share: float
    reshaped_share: float
    """How much left the members as one product and came back as another."""


def english(facts: FindingFacts, names: Mapping[int, str]) -> str:
    """The finding in English; `names` by member, "member 7" where there is none."""
    who = _listed([names.get(member, f"member {member}") for member in facts.members], ", ", " and ", " more")
    amount, share = short_yuan(facts.amount_fen), f"{facts.inside_share:.0%}".replace("%", " %")
    match facts.kind:
        case FindingKind.COMMON_CONTROL:
            trades = counted(facts.trades, "trade")
            return f"{who} are under declared common control and traded {amount} with each other in {trades}."
        case FindingKind.MATCHED_ORDERS:
            what = f"{facts.trades} times filled each other's orders whole, entered seconds apart: {amount}, {share} of all"
            return f"{who} {what} they did, {_times(facts.lift)} times what chance gives."
        case _:
            net = f"{facts.net_share:.0%}".replace("%", " %")
            what = f"traded {amount} with each other, {share} of all they did, {_times(facts.lift)} times what chance gives"
            reshaped = f"{facts.reshaped_share:.0%}"
            form = "" if reshaped == "0%" else f"; {reshaped.replace('%', ' %')} of it came back as another product"
            return f"{who} {what}, and ended where they began (net {net}){form}."


def chinese(facts: FindingFacts, names: Mapping[int, str]) -> str:
    """The finding in Chinese; `names` by member, "会员7" where there is none."""
    who = _listed([names.get(member, f"会员{member}") for member in facts.members], "、", "和", "家其他会员")
    amount, share = f"{_amount_zh(facts.amount_fen)}元", f"{facts.inside_share:.0%}"
    match facts.kind:
        case FindingKind.COMMON_CONTROL:
            return f"{who}属于已申报的同一实际控制关系，相互成交{facts.trades}笔，共{amount}。"
        case FindingKind.MATCHED_ORDERS:
            what = f"有{facts.trades}笔成交双方订单全部相互成交且申报相隔仅数秒，共{amount}，占其全部成交的{share}"
            return f"{who}{what}，为随机情形的{_times(facts.lift)}倍。"
        case _:
            what = f"相互成交{amount}，占其全部成交的{share}，为随机情形的{_times(facts.lift)}倍"
            reshaped = f"{facts.reshaped_share:.0%}"
            form = "" if reshaped == "0%" else f"；成交额的{reshaped}以其他品种换回"
            return f"{who}{what}，最终回到起点（净额{facts.net_share:.0%}）{form}。"


def _listed(names: list[str], comma: str, last: str, more: str) -> str:
    if len(names) > _MOST_NAMES:
        names = [*names[: _MOST_NAMES - 1], f"{len(names) - _MOST_NAMES + 1}{more}"]
    return comma.join(names[:-1]) + last + names[-1]


def _times(lift: float) -> str:
    return f"{lift:.1f}" if lift < 10 else f"{lift:.0f}"


def _amount_zh(fen: int) -> str:
    if fen >= _YI_FEN:
        return f"{_tenths(fen, _YI_FEN)}亿"
    if fen >= _WAN_FEN:
        return f"{_tenths(fen, _WAN_FEN)}万"
    return f"{half_up(fen, 100):,}"


def _tenths(fen: int, unit_fen: int) -> str:
    """The amount in the unit: with one decimal below ten units, else whole."""
    if fen < 10 * unit_fen:
        tenths = half_up(10 * fen, unit_fen)
        return f"{tenths // 10}.{tenths % 10}"
    return f"{half_up(fen, unit_fen):,}"
