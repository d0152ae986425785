"""Single commands of the engine's flows: orders, amends, cancels, operators' commands, and hostile ones."""

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
)
from tests.model.naive_engine import NaiveEngine
from tests.model.naive_tables import Order

START_S = 1_700_000_000
HOSTILE_NUMBERS = (-(2**63), -(10**16), -1, 0, 1, 2, 10**9, 10**15, 10**16, 10**16 + 1, 2**62, 2**63 - 1)
DATES = (0, 20221231, 20230100, 20231232, 20241399, 100000101, 2**32 - 1)
CLIENT_IDS = (b"a", b"b", b"a" * 36, b"b" * 35, b"\0x")
KINDS = [kind.value for kind in CommandKind if kind != CommandKind.DELIST_INSTRUMENT]  # Flows trade on.
STEPS = (-5, -2, -1, -1, 0, 0, 0, 1, 1, 2, 5)
QUANTITIES = (1, 1, 2, 3, 5, 7, 12, 20, 45)
SIDES = (Side.BUY, Side.SELL)
RESTS = (TimeInForce.DAY, TimeInForce.GTC, TimeInForce.GTC, TimeInForce.GTD)
AT_ONCE = (TimeInForce.IOC, TimeInForce.FOK)
CHANGES = (Flag.CHANGE_PRICE, Flag.CHANGE_QUANTITY, Flag.CHANGE_DISPLAY, Flag.CHANGE_TRIGGER)
TRADERS = range(2, 7)
ACCOUNTS = (2, 3, 3, 4, 4, 5, 6, 7)
INSTRUMENTS = (0, 0, 0, 0, 1, 1, 1, 2, 3, 4)


def volatility_band(chance: Random, instrument: int) -> Command:
    rate, seconds = chance.choice(((0, 0), (10_000, 2), (20_000, 3), (30_000, 20), (1, 1), (500_000, 86_400)))
    return Command(kind=CommandKind.SET_VOLATILITY_BAND, instrument=instrument, rate_ppm=rate, time_s=seconds)


def collar(chance: Random, instrument: int) -> Command:
    rate = chance.choice((0, 10_000, 20_000, 40_000, 999_999))
    return Command(kind=CommandKind.SET_COLLAR, instrument=instrument, rate_ppm=rate)


def change(chance: Random, instrument: int) -> Command:
    """Each term changes or stays."""
    terms = {
        Flag.CHANGE_BAND: chance.choice((10_000, 30_000, 50_000, None, 90_000, 999_999, 1_000_000)),
        Flag.CHANGE_COLLAR: chance.choice((0, None, 20_000, 40_000, 1_000_000)),
        Flag.CHANGE_QUANTITY: chance.choice((0, 20, 50, None, 10**9, 10**9 + 1)),
    }
    band, collar_rate, lots = (value or 0 for value in terms.values())
    return Command(
        kind=CommandKind.CHANGE_INSTRUMENT,
        instrument=instrument,
        flags=sum(flag for flag, value in terms.items() if value is not None),
        rate_ppm=band,
        taker_rate_ppm=collar_rate,
        quantity_lots=lots,
    )


class Commands:
    """The commands of one seed, with seq and time as a sequencer sets them, and generators of the next one."""

    def __init__(self, seed: int) -> None:
        self.chance = Random(seed)
        self.commands: list[Command] = []
        self.engine = NaiveEngine()
        self.sent: list[Command] = []  # NEW_ORDERs
        self.time_ns = START_S * 10**9
        self.day = 0

    def add(self, command: Command) -> None:
        self.time_ns += self.chance.choice((0, 0, 1, 10**8, 4 * 10**8))
        time_ns = self.time_ns if command.time_ns == 0 else command.time_ns
        if self.chance.random() < 0.01:
            time_ns = self.chance.choice((-(2**63), -1, 0, 2**63 - 10**9, 2**63 - 1))
        command = command._replace(seq=len(self.commands) + 1, time_ns=time_ns)
        self.commands.append(command)
        self.engine.submit(command)
        if command.kind == CommandKind.NEW_ORDER:
            self.sent.append(command)

    def extend(self, commands: Iterable[Command]) -> None:
        for command in commands:
            self.add(command)

    # Orders

    def price(self, instrument: int) -> int:
        """A price near the market."""
        listed = self.engine.listed
        anchor = listed[instrument].anchor() if instrument < len(listed) else 100
        return anchor + self.chance.choice(STEPS) * (1 if self.chance.random() < 0.97 else 5)

    def order(self) -> Command:
        """An order that is mostly accepted and often trades."""
        chance = self.chance
        kind = chance.random()
        instrument = chance.choice(INSTRUMENTS)
        price, trigger = self.price(instrument), 0
        calling = instrument < self.engine.instruments and self.engine.phase(instrument) == Phase.CALL_AUCTION
        order_type, time_in_force = OrderType.LIMIT, chance.choice(RESTS)
        if calling and kind < 0.3:
            pass  # Most of these would be refused.
        elif kind < 0.12:
            order_type, price, time_in_force = OrderType.MARKET, 0, chance.choice(AT_ONCE)
        elif kind < 0.2:
            order_type, price, trigger = OrderType.STOP, 0, self.price(instrument)
        elif kind < 0.28:
            order_type, trigger = OrderType.STOP_LIMIT, self.price(instrument)
            if chance.random() < 0.05:
                price, trigger = chance.choice(((price - 20, price + 20), (price + 20, price - 20)))
        elif kind < 0.4:
            time_in_force = chance.choice(AT_ONCE)
        quantity = chance.choice(QUANTITIES)
        if instrument in (2, 3) and chance.random() < 0.3:
            quantity *= chance.choice((10, 101, 10**5, 10**6, 10**7))
        display = flags = 0
        if order_type == OrderType.LIMIT and time_in_force in RESTS:
            if chance.random() < 0.25:
                display = chance.choice((1, 1, 2, 3, quantity, -(-quantity // 100)))
            if chance.random() < 0.1:
                flags = Flag.POST_ONLY
        return Command(
            kind=CommandKind.NEW_ORDER,
            account=chance.choice(ACCOUNTS) if chance.random() < 0.98 else VENUE,
            instrument=instrument,
            side=chance.choice(SIDES),
            order_type=order_type,
            time_in_force=time_in_force,
            self_trade=chance.randrange(4),
            price_ticks=price,
            trigger_ticks=trigger,
            quantity_lots=quantity,
            display_lots=display,
            flags=flags,
            time_s=self.time_ns // 10**9 + chance.choice((1, 2, 5, 30)) if time_in_force == TimeInForce.GTD else 0,
            client_order_id=self.client_id(),
        )

    def client_id(self) -> bytes:
        kind = self.chance.random()
        if kind < 0.6:
            return b""
        return self.chance.choice(CLIENT_IDS) if kind < 0.65 else b"%d" % self.chance.randint(0, 400)

    def an_open_order(self) -> Order:
        """An open order; sometimes one that has traded already."""
        filled = [o for o in self.engine.orders.values() if o.filled]
        return self.chance.choice(
            filled if filled and self.chance.random() < 0.3 else list(self.engine.orders.values())
        )

    def target(self) -> tuple[int, int, bytes]:
        """Account and id of an order, mostly a recent one; sometimes another account's, or none."""
        if self.engine.orders and self.chance.random() < 0.8:
            o = self.an_open_order()
            return o.account, o.order_id, b""
        if not self.sent or self.chance.random() < 0.1:
            return self.chance.randint(0, 8), self.chance.choice((0, 1, 2**64 - 1, len(self.commands))), b""
        sent = self.sent[-min(int(self.chance.expovariate(1 / 12)) + 1, len(self.sent))]
        account = sent.account if self.chance.random() < 0.93 else self.chance.randint(0, 8)
        if sent.client_order_id and self.chance.random() < 0.3:
            return account, 0, sent.client_order_id
        return account, sent.seq, b""

    def cancel(self) -> Command:
        account, order_id, client_order_id = self.target()
        if self.chance.random() < 0.3:
            account = 0
        return Command(kind=CommandKind.CANCEL, account=account, order_id=order_id, client_order_id=client_order_id)

    def amend(self) -> Command:
        """One or several changes; sometimes a flag without its field, or a field without its flag."""
        chance = self.chance
        account, order_id, client_order_id = self.target()
        o = self.engine.orders.get(order_id)
        instrument = o.instrument if o else 0
        flags = int(chance.choice(CHANGES[:2]))
        if chance.random() < 0.5:
            flags = sum(int(flag) for flag in CHANGES if chance.random() < 0.4)
        quantities = (*QUANTITIES, 60, o.filled, o.filled + o.leaves, o.filled + o.leaves - 1) if o else QUANTITIES
        given = flags if chance.random() < 0.95 else chance.randrange(32)
        return Command(
            kind=CommandKind.AMEND,
            account=account,
            order_id=order_id,
            client_order_id=client_order_id,
            flags=flags,
            price_ticks=self.price(instrument) if given & Flag.CHANGE_PRICE else 0,
            quantity_lots=chance.choice(quantities) if given & Flag.CHANGE_QUANTITY else 0,
            display_lots=chance.choice((0, 1, 2, 5)) if given & Flag.CHANGE_DISPLAY else 0,
            trigger_ticks=self.price(instrument) if given & Flag.CHANGE_TRIGGER else 0,
        )

    # Operators

    def time(self) -> Command:
        """Advances the time: not at all, within a second, or far."""
        second = self.time_ns // 10**9 * 10**9
        return Command(
            kind=CommandKind.TIME,
            time_ns=self.chance.choice((self.time_ns, second, second - 1, self.time_ns + 20 * 10**9)),
        )

    def bust(self) -> Command:
        """The id of a recent trade, or one that does not exist."""
        if self.engine.trades and self.chance.random() < 0.6:
            return Command(kind=CommandKind.BUST_TRADE, order_id=self.chance.choice(list(self.engine.trades)))
        seq = max(len(self.commands) - int(self.chance.expovariate(1 / 10)), 0)
        number = self.chance.choice((1, 1, 1, 2, 3, 0))
        return Command(kind=CommandKind.BUST_TRADE, order_id=seq << 20 | number)

    def limits(self) -> Command:
        """Limits close to an open order, or extreme ones."""
        chance = self.chance
        if not self.engine.orders or chance.random() < 0.3:
            return Command(
                kind=chance.choice((CommandKind.SET_ORDER_LIMITS, CommandKind.SET_TURNOVER_LIMIT)),
                account=chance.choice(TRADERS),
                quantity_lots=chance.choice((0, 10, 10**9 + 1, -1)),
                amount_fen=chance.choice((0, 2_000, 10**6, 9 * 10**18 + 1)),
                number=chance.choice((0, 2, 5)),
            )
        return self.limit_for(self.an_open_order())

    def limit_for(self, o: Order) -> Command:
        """A limit near the current value of an order."""
        chance = self.chance
        total, account = o.filled + o.leaves + chance.randint(-1, 3), self.engine.ledger[o.account]
        if chance.random() < 0.4:
            amount = account.day_amount + self.engine.value(o, o.leaves + chance.randint(-1, 4))
            return Command(kind=CommandKind.SET_TURNOVER_LIMIT, account=o.account, amount_fen=amount)
        return Command(
            kind=CommandKind.SET_ORDER_LIMITS,
            account=o.account,
            quantity_lots=total if chance.random() < 0.4 else 0,
            amount_fen=self.engine.value(o, total) if chance.random() < 0.4 else 0,
            number=chance.choice((0, 0, 0, 2, 5)),
        )

    def control(self) -> Command:
        """An operators' command for the market: phases, halts, bands, collars, switches."""
        chance = self.chance
        instrument = chance.choice((0, 1, 2, ALL_INSTRUMENTS))
        phase = chance.choice((0, 1, 1, 1, 3, 3, 4))
        account = chance.choice((0, 0, *TRADERS))
        return chance.choice(
            (
                Command(kind=CommandKind.SET_PHASE, instrument=instrument, phase=phase),
                Command(kind=CommandKind.SET_PHASE, instrument=instrument, phase=phase),
                Command(kind=CommandKind.HALT, instrument=instrument),
                Command(kind=CommandKind.RESUME, instrument=instrument),
                Command(kind=CommandKind.RESUME, instrument=ALL_INSTRUMENTS),
                Command(kind=CommandKind.KILL_SWITCH_ON, account=account),
                Command(kind=CommandKind.KILL_SWITCH_OFF, account=account),
                Command(kind=CommandKind.KILL_SWITCH_OFF),
                volatility_band(chance, chance.randrange(5)),
                collar(chance, chance.randrange(5)),
                change(chance, chance.randrange(5)),
                Command(
                    kind=CommandKind.SET_FEES,
                    account_class=chance.choice((0, 0, 2)),
                    rate_ppm=chance.choice((0, 300, 20_000)),
                    taker_rate_ppm=chance.choice((0, 500, 999_999)),
                ),
                Command(
                    kind=CommandKind.MASS_CANCEL,
                    account=account,
                    instrument=instrument,
                    side=chance.choice((*SIDES, BOTH_SIDES)),
                ),
            )
        )

    def delisting(self) -> Command:
        """Mostly of an instrument with few orders: what is delisted never trades again."""
        instrument = self.chance.choice((2, 3, 4, 4, 9)) if self.chance.random() < 0.9 else self.chance.choice((0, 1))
        return Command(kind=CommandKind.DELIST_INSTRUMENT, instrument=instrument)

    def day_roll(self) -> Command:
        """The next trading day. A year has thirteen of them, so that a flow crosses several years. Half of them come a
        quarter of an hour later, to the nanosecond or not: quotes may have stood as long."""
        self.time_ns += self.chance.choice((0, 1)) * (STANDING_QUOTES_NS + self.chance.choice((-1, 0, 1)))
        self.day += 1
        date = (2023 + self.day // 13) * 10_000 + (self.day % 12 + 1) * 100 + self.day % 28 + 1
        date = self.chance.choice((date, date, date, *DATES[:2]))
        return Command(kind=CommandKind.DAY_ROLL, date=date)

    def administration(self) -> Command:
        """Any administrative command, with small numbers."""
        chance = self.chance
        return Command(
            kind=chance.choice(KINDS[3:]),
            account=chance.randint(0, 8),
            instrument=chance.choice((0, 1, 2, 3, 4, ALL_INSTRUMENTS)),
            amount_fen=chance.choice((0, 1, 1000, 100_000)),
            quantity_lots=chance.choice((0, 1, 10, 40)),
            price_ticks=chance.choice((1, 100, 2**31 - 1)),
            rate_ppm=chance.choice((0, 500, 50_000, 999_999, 1_000_000)),
            taker_rate_ppm=chance.choice((0, 500, 999_999)),
            time_s=chance.choice((0, 0, 1, 86_400, 86_401)),
            number=chance.choice((0, 3)),
            phase=chance.choice((0, 1, 1, 2, 3, 4, 5)),
            side=chance.choice((0, 1, 2, 2, 3)),
            owner=chance.choice((0, 2)),
            account_class=chance.randrange(4),
            date=chance.choice(DATES),
        )

    # Hostility

    def again(self) -> Command:
        """Repeats a command."""
        if not self.commands:
            return Command()
        return self.chance.choice(self.commands[-20:])._replace(time_ns=0)

    def hostile(self) -> Command:
        """A sensible command with one extreme field."""
        chance = self.chance
        command = chance.choice((self.order, self.order, self.amend, self.control, self.administration))()
        name = chance.choice(
            ("time_ns", "order_id", "price_ticks", "quantity_lots", "display_lots", "trigger_ticks", "amount_fen", "side",
             "order_type", "time_in_force", "self_trade", "flags", "phase", "kind", "instrument", "account", "number",
             "time_s", "rate_ppm")
        )  # fmt: skip
        field = COMMAND[name]
        bits = 8 * field.itemsize
        if bits < 64:
            value = chance.randrange(2 ** chance.choice((2, bits)))
        else:
            value = chance.choice(HOSTILE_NUMBERS) % 2**64 - (2**64 if field.kind == "i" else 0)
            value = value + 2**64 if value < -(2**63) else value
        return Command(**{**command._asdict(), name: value})

    def noise(self) -> Command:
        """Random bytes, half of the time with a known kind."""
        row = np.frombuffer(self.chance.randbytes(COMMAND.itemsize), COMMAND)[0]
        command = Command._make(row.tolist())
        return command._replace(kind=self.chance.choice(KINDS)) if self.chance.random() < 0.5 else command
