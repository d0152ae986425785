"""The daily bulletin: prices, volume and turnover of each product, and the members' rankings. Rows in, document out; no I/O."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cache

from services.market_statistics.prnd_index import IndexDay
from services.reporting.documents import ratio
from services.reporting.exports.reading import BulletinRows, ClosingRow, Goods, MemberDay, Prices
from services.reporting.exports.schemas import DailyBulletin, DailyProduct, DayClosing, IndexValue, MemberRank, Total
from services.reporting.exports.seal import Seal
from services.reporting.queries import Values
from services.reporting.report import lot_kilograms
from services.reporting.sheet import Column, Sheet, Value, columns_of, sheet_of
from services.values.decimals import fixed_text

TOP_MEMBERS = 20

_RANKINGS = (("bought", "bought", "买入"), ("sold", "sold", "卖出"), ("both", "bought and sold", "买卖合计"))


def trading_days_of(market: BulletinRows) -> list[int]:
    """The trading days of the span that the venue has begun, yyyymmdd. Every day that has ended has rows."""
    return sorted(market.days)


def daily_bulletins(market: BulletinRows) -> Iterable[DailyBulletin]:
    """The bulletin of each trading day of the span, ascending. The settlement prices of a day lead to the next."""
    settled, stock, moves = dict(market.settled_before), dict(market.stock_before), list(market.goods.items())
    for date in trading_days_of(market):
        while moves and moves[0][0][0] <= date:
            _move(stock, *moves.pop(0))
        yield _bulletin(market, date, settled, stock)
        for instrument, row in market.days[date].items():
            if row["settlement_ticks"] is not None:
                settled[instrument] = row["settlement_ticks"]


def empty_bulletin(market: BulletinRows) -> DailyBulletin:
    """The bulletin of the current trading day before anything has traded on it."""
    stock = dict(market.stock_before)
    for move in market.goods.items():
        _move(stock, *move)
    return _bulletin(market, market.position["trading_date"], market.settled_before, stock)


def _move(stock: dict[int, int], of: tuple[int, int], goods: Goods) -> None:
    _, number = of
    stock[number] = stock.get(number, 0) + goods.received_lots - goods.released_lots


def _bulletin(market: BulletinRows, date: int, settled: Mapping[int, int], stock: Mapping[int, int]) -> DailyBulletin:
    complete = date < market.position["trading_date"]
    rows = market.days.get(date, {})
    shown = [number for number in market.instruments if number in rows or not complete]
    products = tuple(_product(market, date, number, settled, stock) for number in shown)
    kilograms = sum(lot_kilograms(market.instruments[number]) * row["quantity_lots"] for number, row in rows.items())
    members = market.members.get(date, []) if complete else []
    return DailyBulletin(
        **vars(Seal.of(market.position, simulated=date // 10_000 in market.simulated)),
        date=date,
        complete=complete,
        products=products,
        total=Total(
            turnover_fen=sum(row["amount_fen"] for row in rows.values()),
            volume_kilograms=kilograms,
            trades=sum(row["trades"] for row in rows.values()),
        ),
        prnd_index=_index(market.index.get(date)),
        bought=_ranking(market, members, lambda member: member.bought_fen),
        sold=_ranking(market, members, lambda member: member.sold_fen),
        both=_ranking(market, members, lambda member: member.bought_fen + member.sold_fen),
        closings=tuple(_closing(closing) for closing in market.closings.get(date, ())),
    )


def _closing(closing: ClosingRow) -> DayClosing:
    told = {name: getattr(closing, name) for name in ("revision", "seq", "at_seq", "row_hash", "sha256")}
    return DayClosing(**told, closed_at_ns=closing.time_ns)


def _index(found: IndexDay | None) -> IndexValue | None:
    return None if found is None else IndexValue(value=found.value, assessed=found.assessed)


_NO_GOODS = Goods(0, 0)
_NOTHING: Values = {"quantity_lots": 0, "amount_fen": 0, "trades": 0, "settlement_ticks": None}


def _product(
    market: BulletinRows, date: int, number: int, settled: Mapping[int, int], stock: Mapping[int, int]
) -> DailyProduct:
    facts = market.instruments[number]
    row = market.days.get(date, {}).get(number, _NOTHING)
    previous = settled.get(number, facts["first_reference_ticks"])
    price = _price_text(facts["tick_size"])
    prices, settlement = market.prices.get((date, number)), row["settlement_ticks"]
    goods = market.goods.get((date, number), _NO_GOODS)

    def text(ticks: int | None) -> str | None:
        return None if ticks is None else price(ticks)

    return DailyProduct(
        **{name: facts[name] for name in ("symbol", "name_en", "name_zh", "unit")},
        previous_settlement=price(previous),
        open=text(prices.opening if prices else None),
        high=text(prices.high if prices else None),
        low=text(prices.low if prices else None),
        close=text(prices.close if prices else None),
        settlement=text(settlement),
        change_1=text(_change(prices, previous)),
        change_2=text(None if settlement is None else settlement - previous),
        volume_lots=row["quantity_lots"],
        volume_kilograms=lot_kilograms(facts) * row["quantity_lots"],
        turnover_fen=row["amount_fen"],
        trades=row["trades"],
        received_lots=goods.received_lots,
        released_lots=goods.released_lots,
        stock_lots=stock.get(number, 0),
    )


@cache
def _price_text(tick_size: str) -> Callable[[int], str]:
    """Turns ticks of this size into yuan per unit."""
    decimals = len(tick_size.partition(".")[2])
    tick_units = int(tick_size.replace(".", ""))
    return lambda ticks: fixed_text(ticks * tick_units, decimals)


def _change(prices: Prices | None, previous: int) -> int | None:
    return None if prices is None else prices.close - previous


def _ranking(
    market: BulletinRows, members: Sequence[MemberDay], of: Callable[[MemberDay], int]
) -> tuple[MemberRank, ...]:
    """The members with the most, the lower account first of equals; those with nothing are left out."""
    ranked = sorted((member for member in members if of(member)), key=lambda member: (-of(member), member.account))
    whole = sum(map(of, members))
    return tuple(
        MemberRank(
            rank=rank,
            account=member.account,
            name=market.names.get(member.account, ""),
            turnover_fen=of(member),
            share=ratio(of(member), whole),
        )
        for rank, member in enumerate(ranked[:TOP_MEMBERS], start=1)
    )


def product_sheet(bulletin: DailyBulletin) -> Sheet:
    """The products of a day."""
    return sheet_of("daily", "Daily bulletin", "日行情", DailyProduct, bulletin.products)


def member_sheet(bulletin: DailyBulletin) -> Sheet:
    """The three rankings of a day, one below the other."""
    about = "What the ranking is by: `bought`, `sold` or `both`."
    columns = (Column("ranking", "text", "Ranking", "排名", about), *columns_of(MemberRank))
    rows: list[tuple[Value, ...]] = []
    for name, *_ in _RANKINGS:
        rows += [(name, *row) for row in sheet_of("", "", "", MemberRank, getattr(bulletin, name)).rows]
    return Sheet("members", "Members' rankings", "会员成交排名", columns, tuple(rows))
