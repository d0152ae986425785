"""Command flows for the property tests of the engine: a small venue, then random commands, sensible and hostile.

Prices lie close together, and there are few accounts, two of them of one owner: many orders trade, and many meet their own
group. A flow has stretches: continuous trading, call auctions that cross and are uncrossed, and disorder. The flow runs a
naive engine of its own, so that most cancels, amends and busts name existing orders and trades.
"""

from __future__ import annotations

from collections.abc import Iterable
from random import Random

import numpy as np

from matching_engine.records import (
    ALL_INSTRUMENTS,
    BOTH_SIDES,
    COMMAND,
    STANDING_QUOTES_NS,
    VENUE,
    Command,
    CommandKind,
    Flag,
    OrderType,
    Phase,
    Side,
    TimeInForce,
    pack_commands,
)
from tests.property.flow_commands import ACCOUNTS, AT_ONCE, SIDES, TRADERS, Commands, collar, volatility_band


def venue() -> list[Command]:
    """Three instruments, the last one expensive; accounts 2 to 6 (3 and 4 of one owner) with cash and lots; fees."""
    commands = [
        Command(kind=CommandKind.SET_PHASE, instrument=ALL_INSTRUMENTS, phase=Phase.CONTINUOUS),
        Command(kind=CommandKind.SET_FEES, rate_ppm=300, taker_rate_ppm=500),
    ]
    for instrument, tick_value in enumerate((1, 1000, 4_656_612)):
        commands.append(
            Command(
                kind=CommandKind.LIST_INSTRUMENT,
                instrument=instrument,
                amount_fen=tick_value,
                price_ticks=100,
                rate_ppm=50_000,
                quantity_lots=50 if instrument < 2 else 10**9,
            )
        )
    commands += [Command(kind=CommandKind.OPEN_ACCOUNT, owner=owner) for owner in (0, 3, 3, 0, 0)]
    for account in range(2, 7):
        commands.append(Command(kind=CommandKind.DEPOSIT, account=account, amount_fen=account * 500_000))
        commands += [
            Command(kind=CommandKind.RECEIVE, account=account, instrument=i, quantity_lots=60) for i in range(2)
        ]
    return commands


def terms(chance: Random) -> list[Command]:
    """The terms that differ between flows: instruments at the limits of price, cash and lots (of the venue's own account too),
    a class of account of its own, collars and volatility bands."""
    commands = [
        Command(
            kind=CommandKind.LIST_INSTRUMENT,
            instrument=instrument,
            amount_fen=1,
            price_ticks=price,
            rate_ppm=rate,
            quantity_lots=10**9,
        )
        for instrument, price, rate in ((3, chance.choice((2**31 - 1, 2**31 - 3)), 999_999), (4, 3, 700_000))
    ] + [
        Command(kind=CommandKind.SET_FEES, account_class=2, rate_ppm=chance.choice((0, 999_999)), taker_rate_ppm=1500),
        Command(kind=CommandKind.OPEN_ACCOUNT, account_class=2),
        Command(kind=CommandKind.DEPOSIT, account=7, amount_fen=3_000_000),
    ]
    for account in TRADERS:
        if chance.random() < 0.8:
            commands.append(Command(kind=CommandKind.DEPOSIT, account=account, amount_fen=10**9))
        commands += [
            Command(kind=CommandKind.RECEIVE, account=account, instrument=i, quantity_lots=2000)
            for i in range(5)
            if chance.random() < 0.8
        ]
    if chance.random() < 0.3:
        commands += [
            Command(kind=CommandKind.RECEIVE, account=VENUE, quantity_lots=500),
            Command(kind=CommandKind.DEPOSIT, account=4, amount_fen=5 * 10**15),
            Command(kind=CommandKind.RECEIVE, account=5, instrument=2, quantity_lots=10**8),
            Command(kind=CommandKind.RECEIVE, account=5, instrument=3, quantity_lots=10**8),
        ]
    for instrument in range(5):
        if chance.random() < 0.5:
            commands.append(volatility_band(chance, instrument))
        if chance.random() < 0.4:
            commands.append(collar(chance, instrument))
    return commands


class Flow(Commands):
    """The commands of one seed so far."""

    # Stretches

    def stretch(self) -> None:
        """A stretch: commands of one kind of session."""
        mood = self.chance.random()
        length = self.chance.randint(5, 60)
        if mood < 0.2:
            self.extend(self.orderly(Phase.CALL_AUCTION))
            self.some(length // 2)
            if self.chance.random() < 0.3:
                self.extend(self.interruption())
            ended = Phase.AUCTION_MATCHING if self.chance.random() < 0.7 else Phase.CLOSED
            self.extend(self.orderly(ended)[-1:])
            if self.chance.random() < 0.3:  # The auction was the closing one.
                self.extend([self.day_roll()])
            self.extend(self.orderly(Phase.CONTINUOUS)[-1:])
        elif mood < 0.85:
            self.extend(self.orderly(Phase.CONTINUOUS))
        self.some(length)

    def orderly(self, phase: Phase) -> list[Command]:
        """Mostly no halt, no kill switch, and all instruments in the same phase."""
        killed = [number for number, account in self.engine.ledger.items() if account.kill_switch]
        commands = [Command(kind=CommandKind.KILL_SWITCH_OFF, account=account) for account in (0, *killed)]
        commands += [
            Command(kind=CommandKind.SET_ORDER_LIMITS, account=number)
            for number, account in self.engine.ledger.items()
            if account.max_order_lots or account.max_order_fen or account.max_open_orders
        ]
        commands += [
            Command(kind=CommandKind.SET_TURNOVER_LIMIT, account=number)
            for number, account in self.engine.ledger.items()
            if account.max_day_fen
        ]
        if self.chance.random() < 0.9:
            commands.append(Command(kind=CommandKind.RESUME, instrument=ALL_INSTRUMENTS))
        return [*commands, Command(kind=CommandKind.SET_PHASE, instrument=ALL_INSTRUMENTS, phase=phase)]

    def interruption(self) -> list[Command]:
        """A halt with some orders in it."""
        instrument = self.chance.choice((0, 1, ALL_INSTRUMENTS))
        between = [self.order(), self.cancel(), self.amend()] if self.chance.random() < 0.5 else []
        return [
            Command(kind=CommandKind.HALT, instrument=instrument),
            *between,
            Command(kind=CommandKind.RESUME, instrument=instrument),
        ]

    def some(self, count: int) -> None:
        makers = (
            (self.order, 120), (self.amend, 30), (self.cancel, 8), (self.time, 6), (self.bust, 4), (self.limits, 2),
            (self.control, 4), (self.administration, 4), (self.hostile, 10), (self.noise, 3), (self.again, 3),
            (self.day_roll, 1), (self.delisting, 1),
        )  # fmt: skip
        kinds, weights = zip(*makers, strict=True)
        for make in self.chance.choices(kinds, weights, k=count):
            self.add(make())
        if self.chance.random() < 0.1:
            self.extend(self.interruption())
        if self.chance.random() < 0.3:
            self.extend(
                self.chance.choice(
                    (self.storm, self.storm, self.wall, self.wall, self.squeeze, self.squeeze, self.days, self.close)
                )()
            )

    def storm(self) -> list[Command]:
        """Stops with triggers close together, orders for them to meet, and one order that triggers them."""
        chance = self.chance
        instrument, side = chance.choice((0, 1)), chance.choice(SIDES)
        up = 1 if side == Side.BUY else -1
        start = self.price(instrument)
        stops = [
            self.order()._replace(
                instrument=instrument, side=side,
                order_type=chance.choice((OrderType.STOP, OrderType.STOP, OrderType.STOP_LIMIT)),
                time_in_force=TimeInForce.GTC, price_ticks=0, trigger_ticks=start + up * chance.randint(0, 3), display_lots=0,
                flags=0, time_s=0, quantity_lots=chance.randint(1, 5),
            )
            for _ in range(chance.randint(3, 9))
        ]  # fmt: skip
        stops = [
            stop._replace(price_ticks=stop.trigger_ticks + up) if stop.order_type == OrderType.STOP_LIMIT else stop
            for stop in stops
        ]
        met = [self.plain(instrument, 1 - side, start + up * chance.randint(0, 4)) for _ in range(chance.randint(3, 9))]
        return [*stops, *met, self.plain(instrument, side, start + up)]

    def wall(self) -> list[Command]:
        """Icebergs and plain orders of several groups at one price, and orders that trade with them."""
        chance = self.chance
        instrument, side, price = chance.choice((0, 1)), chance.choice(SIDES), self.price(chance.choice((0, 1)))
        wall = [
            self.plain(instrument, side, price)._replace(display_lots=chance.choice((0, 1, 2)))
            for _ in range(chance.randint(2, 6))
        ]
        against = [
            self.plain(instrument, 1 - side, price)._replace(
                time_in_force=chance.choice((TimeInForce.GTC, *AT_ONCE, TimeInForce.FOK)),
                quantity_lots=chance.randint(2, 14),
            )
            for _ in range(chance.randint(1, 4))
        ]
        return wall + against

    def squeeze(self) -> list[Command]:
        """A limit close to the size of an open order, and an amend that reaches it or nearly does."""
        if not self.engine.orders:
            return []
        o = self.an_open_order()
        total = o.filled + o.leaves + self.chance.randint(0, 4)
        amend = Command(
            kind=CommandKind.AMEND,
            account=o.account,
            order_id=o.order_id,
            flags=Flag.CHANGE_QUANTITY,
            quantity_lots=total,
        )
        return [self.limit_for(o), amend, self.limit_for(o), amend._replace(quantity_lots=total + 1)]

    def days(self) -> list[Command]:
        """A week, then a repeat of an order from before it."""
        again = [self.chance.choice(self.sent[-20:])] if self.sent else []
        return [*(self.day_roll() for _ in range(self.chance.randint(4, 7))), *again]

    def close(self) -> list[Command]:
        """A day of few lots: quotes for about a quarter of an hour, perhaps a small closing auction, and the day roll."""
        chance = self.chance
        begin, end = self.day_roll(), self.day_roll()
        closes_ns = self.time_ns + STANDING_QUOTES_NS + chance.choice((-(10**9), 10**9, 2 * 10**9))
        instrument, account = chance.choice((0, 1)), chance.choice(ACCOUNTS)
        price = self.engine.listed[instrument].reference if instrument < len(self.engine.listed) else 1
        quotes = [self.plain(instrument, side, price + away) for side, away in ((Side.BUY, -1), (Side.SELL, 2))]
        meet = [self.plain(instrument, side, price + 1) for side in chance.sample(SIDES, chance.choice((0, 1, 2)))]
        into = Command(kind=CommandKind.SET_PHASE, instrument=ALL_INSTRUMENTS, phase=Phase.CONTINUOUS)
        return [
            into._replace(phase=Phase.CLOSED),
            Command(kind=CommandKind.MASS_CANCEL, instrument=ALL_INSTRUMENTS, side=BOTH_SIDES),
            begin,
            into,
            *(quote._replace(account=account) for quote in quotes),
            into._replace(phase=Phase.CALL_AUCTION, time_ns=closes_ns),
            *(order._replace(quantity_lots=chance.randint(1, 3)) for order in meet),
            into._replace(phase=Phase.CLOSED),
            *([self.bust()] if chance.random() < 0.3 else []),
            end,
            into,
        ]

    def plain(self, instrument: int, side: int, price: int) -> Command:
        """A LIMIT order that rests."""
        return Command(
            kind=CommandKind.NEW_ORDER,
            account=self.chance.choice(ACCOUNTS),
            instrument=instrument,
            side=side,
            order_type=OrderType.LIMIT,
            time_in_force=TimeInForce.GTC,
            self_trade=self.chance.randrange(4),
            price_ticks=price,
            quantity_lots=self.chance.randint(2, 9),
        )


def flow(seed: int, count: int) -> list[Command]:
    """The small venue and `count` more commands, numbered from 1."""
    made = Flow(seed)
    if made.chance.random() > 0.03:
        made.extend([*venue(), *terms(made.chance)])
    end = len(made.commands) + count
    while len(made.commands) < end:
        made.stretch()
    return made.commands[:end]


def numbered(commands: Iterable[Command], last_seq: int = 0) -> list[Command]:
    """The commands with their sequence numbers."""
    return [command._replace(seq=seq) for seq, command in enumerate(commands, start=last_seq + 1)]


def array(commands: Iterable[Command]) -> np.ndarray:
    """The COMMAND array of commands."""
    return np.frombuffer(pack_commands(commands), COMMAND)
