"""Makes the documents of the ladder, the splits, the concentration, the effects and the fees from what was computed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from matching_engine.records import Phase
from services.read_database.names import member_names
from services.reporting.breakdown import schemas
from services.reporting.breakdown.concentration import SIDES, Concentration, concentrate, member_amounts
from services.reporting.breakdown.contracts import Account, AccountYear, Listed, Quantity
from services.reporting.breakdown.fees import fees_by
from services.reporting.breakdown.ladder import Ladder
from services.reporting.breakdown.splits import Part, SidedPart, group, split, split_sides
from services.reporting.breakdown.texts import fraction_text, quantity_fields, ratio_text, tonnes_text
from services.values.decimals import yuan_text
from services.values.times import date_text

LADDER_RULES = (
    "Gross are all trades; busted are those that an operator took back on their trading day; excluded are those that a person "
    "decided not to count. Net = gross − busted − excluded.",
    "Changed hands is what each member (owner group) bought more than it sold, product by product, within the period. Goods "
    "that went in a circle within it did not change hands. Of a longer period it is at most the sum over its parts.",
    "Delivered are the goods of the trades that count: a trade is settled when it is made, delivery against payment, so each "
    "one delivers all of it, and delivered equals net. The goods of excluded trades moved, too; they are not counted.",
    "Taken out are warehouse receipts that were released from the venue, at the settlement price of that day, whether they "
    "were traded or not.",
    "Churn = net traded tonnes / tonnes taken out: how often a tonne was traded for each tonne that left.",
)


_SPLIT_KEYS = {"category": ("category",), "family": ("category", "family"), "product": ("symbol",)}


def ladder_fields(ladder: Ladder) -> dict[str, Any]:
    """The fields of `schemas.LadderLine`."""
    counted, out = ladder.counted, ladder.taken_out
    return {
        "gross": quantity_fields(ladder.gross),
        "busted": quantity_fields(counted.busted),
        "excluded": quantity_fields(counted.excluded),
        "net": quantity_fields(counted.net),
        "changed_hands": yuan_text(ladder.changed_hands_fen),
        "delivered": quantity_fields(ladder.delivered),
        "taken_out": {
            "amount": yuan_text(out.amount_fen),
            "tonnes": tonnes_text(out.kilograms),
            "unsettled": yuan_text(out.unsettled_fen),
        },
        "churn": None if ladder.churn is None else fraction_text(ladder.churn, 2),
    }


def hands_of_period(days: Sequence[int], net_fen: int, changed_hands_fen: int) -> schemas.HandsOfPeriod:
    """What changed hands in these trading days, ascending, as one period."""
    return schemas.HandsOfPeriod(
        first_date=date_text(days[0]),
        last_date=date_text(days[-1]),
        net=yuan_text(net_fen),
        changed_hands=yuan_text(changed_hands_fen),
        share=ratio_text(changed_hands_fen, net_fen),
    )


def split_lines(
    by: schemas.SplitBy, products: Iterable[tuple[int, Quantity]], instruments: Mapping[int, Listed]
) -> tuple[schemas.SplitLine, ...]:
    """The trades by category, family or product, in the order of the instruments."""

    def key(number: int) -> tuple[str, ...]:
        listed = instruments[number]
        return tuple(getattr(listed, name) for name in _SPLIT_KEYS[by])

    parts = split(group((key(number), traded) for number, traded in products))
    names = {listed.symbol: (listed.name_en, listed.name_zh) for listed in instruments.values() if by == "product"}
    return tuple(_split_line(part, found, *names.get(part, (None, None))) for (*_, part), found in parts.items())


def phase_lines(phases: Iterable[tuple[int, Quantity]]) -> tuple[schemas.SplitLine, ...]:
    """The trades by the trading phase in which they were made."""
    parts = split(group((Phase(number).name.lower(), traded) for number, traded in phases))
    return tuple(_split_line(part, found, None, None) for part, found in parts.items())


def _split_line(part: str, found: Part, name_en: str | None, name_zh: str | None) -> schemas.SplitLine:
    return schemas.SplitLine(part=part, name_en=name_en, name_zh=name_zh, **_part_fields(found))


def _part_fields(found: Part) -> dict[str, Any]:
    shares = {"share": found.share, "tonnes_share": found.tonnes_share, "trades_share": found.trades_share}
    return {**quantity_fields(found.traded), **shares}


def class_lines(traded: Sequence[AccountYear], accounts: Mapping[int, Account]) -> tuple[schemas.SidedLine, ...]:
    """The sides by account class."""
    found = split_sides(traded, lambda line: accounts[line.account].account_class)
    return tuple(schemas.SidedLine(**_sided_fields(str(number), part)) for number, part in sorted(found.items()))


def ranked_lines(traded: Sequence[AccountYear], accounts: Mapping[int, Account]) -> tuple[schemas.SidedLine, ...]:
    """The sides by member, without saying who it is."""
    found = split_sides(traded, lambda line: accounts[line.account].member).values()
    return tuple(schemas.SidedLine(**_sided_fields(str(rank), part)) for rank, part in enumerate(found, start=1))


def member_lines(traded: Sequence[AccountYear], accounts: Mapping[int, Account]) -> tuple[schemas.MemberLine, ...]:
    """The sides by member, with number, name and fees."""

    def member(line: AccountYear) -> int:
        return accounts[line.account].member

    fees = fees_by(traded, member)
    names = member_names((number, account.member, account.name) for number, account in accounts.items())
    found = split_sides(traded, member).items()
    return tuple(
        schemas.MemberLine(
            **_sided_fields(str(rank), part), member=number, name=names[number], fees=yuan_text(fees[number])
        )
        for rank, (number, part) in enumerate(found, start=1)
    )


def _sided_fields(part: str, found: SidedPart) -> dict[str, Any]:
    return {
        "part": part,
        "share": found.share,
        "bought": _part_fields(found.bought),
        "sold": _part_fields(found.sold),
    }


def concentration_lines(
    traded: Sequence[AccountYear], accounts: Mapping[int, Account], instruments: Mapping[int, Listed]
) -> tuple[schemas.MarketConcentration, ...]:
    """All products together, then each that has trades that count."""
    of_products: dict[int, list[AccountYear]] = {}
    for line in traded:
        of_products.setdefault(line.instrument, []).append(line)
    markets = [_market(None, traded, accounts)]
    markets += [_market(instruments[number].symbol, of_products[number], accounts) for number in sorted(of_products)]
    return tuple(market for market in markets if market.symbol is None or market.both is not None)


def _market(
    symbol: str | None, traded: Sequence[AccountYear], accounts: Mapping[int, Account]
) -> schemas.MarketConcentration:
    sides = {side: _side(concentrate(member_amounts(traded, accounts, side).values())) for side in SIDES}
    return schemas.MarketConcentration(symbol=symbol, **sides)


def _side(found: Concentration | None) -> schemas.SideConcentration | None:
    if found is None:
        return None
    shares = {name: fraction_text(getattr(found, name)) for name in ("top_5", "top_10", "hhi")}
    return schemas.SideConcentration(members=found.members, **shares)
