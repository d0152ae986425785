"""Events in the words of a scenario's table: `TRADE #3 x #1 5 @ 100`, `sell 5 @ 100 (1)`.

No field of an event is left out: a field without words must have the value that follows from the order, the command and the
plain fees below. Otherwise ` field=value` is added to the words, so that no table expects it by accident.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from matching_engine.records import (
    BOTH_SIDES,
    Command,
    CommandKind,
    Event,
    EventKind,
    OrderType,
    Phase,
    Reason,
    SettlementSource,
    Side,
)
from tests.scenarios.names import Names, yuan

TICK_FEN = 100
PLAIN_FEE_FEN = 1
"""The fee of a trade, and of a reserved lot, while the fee rates are 0: the least fee there is."""

MONEY = ("amount_fen", "fee_fen", "maker_fee_fen", "reserve_fen")
MARKET_DATA = (EventKind.LEVEL, EventKind.INDICATIVE)
ENDS = (EventKind.CANCELED, EventKind.EXPIRED, EventKind.SELF_TRADE_PREVENTED)


@dataclass
class Order:
    """An order as the events describe it."""

    account: int
    instrument: int
    side: int
    order_type: int
    price_ticks: int
    open_lots: int

    @property
    def plain_reserve_fen(self) -> int:
        """A buy's reserve where the fee rates are 0."""
        return self.open_lots * (self.price_ticks * TICK_FEN + PLAIN_FEE_FEN) if self.side == Side.BUY else 0


@dataclass
class Wording:
    """Words for the events of one scenario."""

    names: Names
    orders: dict[int, Order] = field(default_factory=dict)
    trades: dict[int, Event] = field(default_factory=dict)

    def words(self, command: Command, events: list[Event], with_money: bool) -> list[tuple[str, str]]:
        """(words, money) of each event of a command; the money is empty where the table has no such column."""
        number = 0
        lines = []
        for event in events:
            number += event.kind == EventKind.TRADE
            text, implied = self._worded(command, event, number)
            implied |= {"seq": command.seq, "kind": event.kind}
            for name, value in event._asdict().items():
                is_worded = (with_money and name in MONEY) or name in WORDED[EventKind(event.kind)]
                if not is_worded and value != implied.get(name, 0):
                    text += f" {name}={value}"
            lines.append((text, money(event) if with_money else ""))
        return lines

    def _worded(self, command: Command, e: Event, number: int) -> tuple[str, dict[str, int]]:
        """The words, and the values that the fields without words must have."""
        kind = EventKind(e.kind)
        if kind == EventKind.ACCEPTED:
            return self._accepted(command, e)
        if kind == EventKind.REJECTED:
            return self._rejected(command, e)
        if kind == EventKind.TRADE:
            return self._trade(e, number)
        if kind in (*ENDS, EventKind.REPLACED, EventKind.TRIGGERED):
            return self._changed(kind, e)
        if kind == EventKind.TRADE_BUSTED:
            return self._busted(e)
        return f"{kind.name}{self._other(kind, e)}" if kind != EventKind.LEVEL else self._level(e), {}

    def _order(self, order_id: int) -> Order:
        """The order as the events describe it; a blank one if it was never accepted."""
        return self.orders.get(order_id, Order(0, 0, 0, 0, 0, 0))

    def _accepted(self, command: Command, e: Event) -> tuple[str, dict[str, int]]:
        c = command
        order = Order(e.account, e.instrument, e.side, e.order_type, e.price_ticks, e.leaves_lots)
        self.orders[e.order_id] = order
        implied = {"order_id": c.seq, "account": c.account, "instrument": c.instrument, "side": c.side}
        implied |= {"order_type": c.order_type, "quantity_lots": c.quantity_lots, "leaves_lots": c.quantity_lots}
        implied |= {"price_ticks": e.price_ticks, "reserve_fen": order.plain_reserve_fen}
        price = "" if e.price_ticks == c.price_ticks else f" @ {e.price_ticks}"
        return f"ACCEPTED {self.names.label(e.order_id)}{price}", implied

    def _rejected(self, command: Command, e: Event) -> tuple[str, dict[str, int]]:
        c = command
        known = e.order_id in self.orders or c.kind == CommandKind.NEW_ORDER
        targets = (CommandKind.CANCEL, CommandKind.AMEND, CommandKind.BUST_TRADE)
        implied = {"order_id": c.seq} if c.kind == CommandKind.NEW_ORDER else {}
        implied |= {"order_id": e.order_id if known else c.order_id} if c.kind in targets else {}
        implied |= {"account": c.account, "instrument": c.instrument, "side": c.side}
        implied |= {"price_ticks": c.price_ticks, "quantity_lots": c.quantity_lots}
        return f"REJECTED{' ' + self.names.label(e.order_id) if known else ''} {Reason(e.reason).name}", implied

    def _trade(self, e: Event, number: int) -> tuple[str, dict[str, int]]:
        taker, maker = self._order(e.order_id), self._order(e.maker_order_id)
        buyer = taker if e.side == Side.BUY else maker
        before = buyer.plain_reserve_fen
        taker.open_lots -= e.quantity_lots
        maker.open_lots -= e.quantity_lots
        self.trades[e.trade_id] = e
        pair = (self.names.label(e.order_id), self.names.label(e.maker_order_id))
        self.names.trades[pair] = e.trade_id
        implied = {"account": taker.account, "maker_account": maker.account, "instrument": taker.instrument}
        implied |= {"side": taker.side, "number": number, "amount_fen": e.quantity_lots * e.price_ticks * TICK_FEN}
        implied |= {"fee_fen": PLAIN_FEE_FEN, "maker_fee_fen": PLAIN_FEE_FEN, "leaves_lots": taker.open_lots}
        implied |= {"reserve_fen": buyer.plain_reserve_fen - before}
        auction = " in the auction" if e.phase == Phase.CALL_AUCTION else ""
        implied |= {"phase": Phase.CALL_AUCTION if auction else Phase.CONTINUOUS}
        left = f", {e.leaves_lots} left" if e.leaves_lots else ""
        return f"TRADE {pair[0]} x {pair[1]} {e.quantity_lots} @ {e.price_ticks}{auction}{left}", implied

    def _changed(self, kind: EventKind, e: Event) -> tuple[str, dict[str, int]]:
        order = self._order(e.order_id)
        before = order.plain_reserve_fen
        order.open_lots = e.leaves_lots
        order.price_ticks = e.price_ticks if kind == EventKind.REPLACED else order.price_ticks
        order.order_type = e.order_type if kind == EventKind.TRIGGERED else order.order_type
        implied = {"account": order.account, "instrument": order.instrument, "side": order.side}
        implied |= {"price_ticks": order.price_ticks, "reserve_fen": order.plain_reserve_fen - before}
        words = f"{kind.name} {self.names.label(e.order_id)}"
        if kind == EventKind.REPLACED:
            implied["order_type"] = order.order_type
            return f"{words} {e.leaves_lots} @ {e.price_ticks} ({e.quantity_lots:+})", implied
        if kind == EventKind.TRIGGERED:
            implied["quantity_lots"] = e.leaves_lots
            return f"{words} {OrderType(e.order_type).name} {e.leaves_lots} @ {e.price_ticks}", implied
        if kind == EventKind.SELF_TRADE_PREVENTED:
            implied["reason"] = Reason.SELF_TRADE
            left = f", {e.leaves_lots} left" if e.leaves_lots else ""
            return f"{words} by {self.names.label(e.maker_order_id)} {e.quantity_lots}{left}", implied
        return f"{words} {e.quantity_lots} {Reason(e.reason).name}", implied

    def _busted(self, e: Event) -> tuple[str, dict[str, int]]:
        trade = self.trades.get(e.order_id, Event())
        same = ("account", "maker_account", "instrument", "side", "price_ticks", "quantity_lots", *MONEY[:3])
        implied = {"order_id": trade.trade_id} | {name: getattr(trade, name) for name in same}
        pair = f"{self.names.label(trade.order_id)} x {self.names.label(trade.maker_order_id)}"
        return f"TRADE_BUSTED {pair} {e.quantity_lots} @ {e.price_ticks}", implied

    def _level(self, e: Event) -> str:
        side = Side(e.side).name.lower()
        return f"{side} {e.quantity_lots}{self.names.symbol(e.instrument)} @ {e.price_ticks} ({e.number})"

    def _other(self, kind: EventKind, e: Event) -> str:
        account = f" {self.names.account(e.account)}"
        where = self.names.symbol(e.instrument)
        if kind == EventKind.INDICATIVE:
            words = f"{e.quantity_lots} @ {e.price_ticks} ({e.leaves_lots:+})"
            return f"{where} {'none' if words == '0 @ 0 (+0)' else words}"
        if kind == EventKind.PHASE_CHANGED:
            volatility = f" {Reason(e.reason).name} {e.number} s" if e.reason else ""
            return f"{where} {Phase(e.phase).name}{volatility}"
        if kind == EventKind.SETTLED:
            source = SettlementSource(e.number).name
            return f"{where} @ {e.price_ticks}, {e.quantity_lots} lots, {yuan(e.amount_fen)} yuan, {source}"
        if kind == EventKind.BALANCE_CHANGED:
            cash = f" {yuan(e.amount_fen, '+')} yuan" if e.amount_fen else ""
            lots = f" {e.quantity_lots:+}{where or ' Nd'}" if e.quantity_lots or e.instrument else ""
            return f"{account}{cash}{lots}"
        if kind == EventKind.MASS_CANCELED:
            side = {int(Side.BUY): " buys", int(Side.SELL): " sells", BOTH_SIDES: ""}.get(e.side, f" side {e.side}")
            return f"{account if e.account else ' of everybody'}{side}{where or ' Nd'}: {e.number}"
        if kind == EventKind.KILL_SWITCH_SET:
            return f"{account if e.account else ' all'} {'on' if e.number else 'off'}"
        if kind == EventKind.INSTRUMENT_DELISTED:
            return f"{where or ' Nd'}: {e.number}"
        if kind == EventKind.INSTRUMENT_LISTED:
            return f"{where} @ {e.price_ticks}"
        if kind == EventKind.DAY_ROLLED:
            return f" {e.date // 10_000}-{e.date // 100 % 100:02}-{e.date % 100:02}"
        if kind == EventKind.DUPLICATE:
            return f" {self.names.label(e.order_id)} of{account}"
        return f"{account if e.account else ''}{where}"


def money(event: Event) -> str:
    """The words of the money column: amount of a trade, both fees, change of the buyer's reserve."""
    parts = []
    if event.kind in (EventKind.TRADE, EventKind.TRADE_BUSTED):
        parts.append(f"{yuan(event.amount_fen)}, fees {yuan(event.fee_fen)} + {yuan(event.maker_fee_fen)}")
    if event.reserve_fen:
        parts.append(f"reserve {yuan(event.reserve_fen, '+')}")
    return ", ".join(parts)


WORDED: dict[EventKind, set[str]] = {
    EventKind.ACCEPTED: set(),
    EventKind.DUPLICATE: {"order_id", "account"},
    EventKind.REJECTED: {"reason"},
    EventKind.TRADE: {"order_id", "maker_order_id", "price_ticks", "quantity_lots"},
    EventKind.CANCELED: {"order_id", "quantity_lots", "reason"},
    EventKind.SELF_TRADE_PREVENTED: {"order_id", "maker_order_id", "quantity_lots", "leaves_lots"},
    EventKind.EXPIRED: {"order_id", "quantity_lots", "reason"},
    EventKind.LEVEL: {"instrument", "side", "price_ticks", "quantity_lots", "number"},
    EventKind.REPLACED: {"order_id", "price_ticks", "quantity_lots", "leaves_lots"},
    EventKind.TRIGGERED: {"order_id", "order_type", "price_ticks", "leaves_lots"},
    EventKind.INDICATIVE: {"instrument", "price_ticks", "quantity_lots", "leaves_lots"},
    EventKind.TRADE_BUSTED: {"price_ticks", "quantity_lots"},
    EventKind.MASS_CANCELED: {"account", "instrument", "side", "number"},
    EventKind.ACCOUNT_OPENED: {"account"},
    EventKind.BALANCE_CHANGED: {"account", "instrument", "quantity_lots", "amount_fen"},
    EventKind.LIMITS_SET: {"account"},
    EventKind.KILL_SWITCH_SET: {"account", "number"},
    EventKind.INSTRUMENT_LISTED: {"instrument", "price_ticks"},
    EventKind.FEES_SET: set(),
    EventKind.PHASE_CHANGED: {"instrument", "phase", "reason", "number"},
    EventKind.DAY_ROLLED: {"date"},
    EventKind.SETTLED: {"instrument", "price_ticks", "quantity_lots", "amount_fen", "number"},
    EventKind.COLLAR_SET: {"instrument"},
    EventKind.VOLATILITY_BAND_SET: {"instrument"},
    EventKind.INSTRUMENT_CHANGED: {"instrument"},
    EventKind.INSTRUMENT_DELISTED: {"instrument", "number"},
    EventKind.TIME_PASSED: set(),
    EventKind.RECORDED: set(),
}
"""The fields that the words of a kind contain."""
