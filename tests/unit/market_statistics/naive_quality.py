"""The quality of a day as a slow program: the naive engine's books after each command, and plain sums over time. It knows no
LEVEL event, no sorted arrays and no steps."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from statistics import median

from matching_engine.records import Command, EventKind, Phase, Side
from services.market_statistics.contracts import Quality
from tests.model.naive_engine import NaiveEngine
from tests.model.naive_tables import Trade


@dataclass
class Moment:
    """An instrument's market after a command, until the next command."""

    seq: int
    time_ns: int
    lasts_ns: int
    continuous: bool
    buys: dict[int, int]
    sells: dict[int, int]

    @property
    def two_sided(self) -> bool:
        return self.continuous and bool(self.buys) and bool(self.sells)

    @property
    def middle(self) -> Fraction:
        return Fraction(max(self.buys) + min(self.sells), 2)

    @property
    def spread(self) -> int:
        return min(self.sells) - max(self.buys)


def shown_lots(engine: NaiveEngine, instrument: int, side: Side) -> dict[int, int]:
    queues = engine.listed[instrument].sides[side]
    return {price: sum(order.shown for order in orders) for price, orders in queues.items()}


class NaiveDay:
    """The commands of one trading day, from its DAY_ROLL to the one that ends it."""

    def __init__(self) -> None:
        self.engine = NaiveEngine()
        self.moments: dict[int, list[Moment]] = {}
        self.trades: dict[int, Trade] = {}
        self.phases: dict[int, int] = {}
        """Of trades."""
        self.references: dict[int, int] = {}

    def run(self, commands: Sequence[Command], date: int) -> dict[int, Quality]:
        """The day's quality by instrument; the commands are all of the venue, in order."""
        last_ns = 0
        for command in commands:
            before = self.engine.trading_date
            events = self.engine.submit(command)
            if before == date != self.engine.trading_date:
                return self.qualities(command.time_ns)
            if self.engine.trading_date != date:
                continue
            last_ns = command.time_ns
            for event in events:
                if event.kind == EventKind.TRADE:
                    self.phases[event.trade_id] = event.phase
            self.trades |= self.engine.trades
            for number, row in enumerate(self.engine.listed):
                self.references.setdefault(number, row.reference)
                if self.moments.get(number):
                    latest = self.moments[number][-1]
                    latest.lasts_ns = command.time_ns - latest.time_ns
                continuous = self.engine.phase(number) == Phase.CONTINUOUS
                books = [shown_lots(self.engine, number, side) for side in Side]
                self.moments.setdefault(number, []).append(Moment(command.seq, command.time_ns, 0, continuous, *books))
        return self.qualities(last_ns)

    def qualities(self, ended_ns: int) -> dict[int, Quality]:
        for moments in self.moments.values():
            moments[-1].lasts_ns = ended_ns - moments[-1].time_ns
        return {number: self.quality(number) for number in self.moments}

    def quality(self, number: int) -> Quality:
        moments = self.moments[number]
        both = [moment for moment in moments if moment.two_sided]
        whole_ns = sum(moment.lasts_ns for moment in both)
        all_trades = [trade for trade in self.trades.values() if trade.instrument == number and not trade.busted]
        trades = [trade for trade in all_trades if self.phases[trade.trade_id] == Phase.CONTINUOUS]
        spread = average((moment.spread, moment.lasts_ns) for moment in both)
        middle = average((moment.middle, moment.lasts_ns) for moment in both)
        usual = self.median_spread(both)
        away, middles = self.effective(moments, trades)
        waits = [] if usual is None else self.waits(moments, trades, usual)
        known = sorted(wait for wait in waits if wait is not None)
        padded = [*known, *[None] * (len(waits) - len(known))]
        middle_waits = [padded[(len(waits) - 1) // 2], padded[len(waits) // 2]] if waits else [None]
        amount = sum(trade.amount for trade in all_trades)
        reference = self.references[number]
        return Quality(
            instrument=number,
            continuous_ns=sum(moment.lasts_ns for moment in moments if moment.continuous),
            two_sided_ns=whole_ns,
            spread_ticks=spread,
            spread_share=None if spread is None or middle is None else spread / middle,
            median_spread_ticks=usual,
            buy_depth_lots=average((self.near(moment, moment.buys), moment.lasts_ns) for moment in both),
            sell_depth_lots=average((self.near(moment, moment.sells), moment.lasts_ns) for moment in both),
            trades=len(trades),
            effective_spread_ticks=away,
            effective_spread_share=None if away is None or middles is None else away / middles,
            large_trades=len(waits),
            unrecovered_trades=len(waits) - len(known),
            recovery_ns=None if None in middle_waits else Fraction(sum(middle_waits), 2),  # type: ignore[arg-type]
            amihud=abs(Fraction(all_trades[-1].price, reference) - 1) / Fraction(amount, 10**8) if amount else None,
        )

    def near(self, moment: Moment, book: dict[int, int]) -> int:
        return sum(lots for price, lots in book.items() if abs(price - moment.middle) <= moment.middle / 100)

    def median_spread(self, both: Sequence[Moment]) -> int | None:
        whole_ns = sum(moment.lasts_ns for moment in both)
        for spread in sorted({moment.spread for moment in both}) if whole_ns else []:
            if 2 * sum(moment.lasts_ns for moment in both if moment.spread <= spread) >= whole_ns:
                return spread
        return None

    def effective(self, moments: Sequence[Moment], trades: Sequence[Trade]) -> tuple[Fraction | None, Fraction | None]:
        aways, middles = [], []
        for trade in trades:
            seq = trade.trade_id >> 20
            before = next((moment for moment in reversed(moments) if moment.seq < seq), None)
            if before is not None and before.two_sided:
                sign = 1 if trade.side == Side.BUY else -1
                aways.append((2 * sign * (trade.price - before.middle), trade.lots))
                middles.append((before.middle, trade.lots))
        return average(aways), average(middles)

    def waits(self, moments: Sequence[Moment], trades: Sequence[Trade], usual: int) -> list[int | None]:
        """The waits after large trades; None where trading ended first."""
        traded: dict[int, int] = {}
        for trade in trades:
            traded[trade.trade_id >> 20] = traded.get(trade.trade_id >> 20, 0) + trade.lots
        found: list[int | None] = []
        for seq, lots in traded.items():
            if lots < 5 * Fraction(median(map(Fraction, traded.values()))):
                continue
            since = next(moment for moment in moments if moment.seq == seq).time_ns
            wait = None
            for moment in moments:
                if moment.seq >= seq and not moment.continuous:
                    break
                if moment.seq >= seq and moment.two_sided and moment.spread <= usual:
                    wait = moment.time_ns - since
                    break
            found.append(wait)
        return found


def average(weighed: Iterable[tuple[Fraction | int, int]]) -> Fraction | None:
    pairs = list(weighed)
    whole = sum(weight for _, weight in pairs)
    return sum(Fraction(value) * weight for value, weight in pairs) / Fraction(whole) if whole else None
