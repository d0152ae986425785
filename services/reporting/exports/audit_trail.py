"""Makes the audit trail: a line (audit_line.py) for each order event of the journal.

The lines follow from the journal alone. Names of accounts and products are added from the read database (streams.py).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from matching_engine.records import ALL_INSTRUMENTS, Command, CommandKind, Event, EventKind, Phase, Reason, Side
from services.journal.batch import JournalBatch
from services.reporting.exports.audit_line import Line

_SIDES = {int(Side.BUY): "buy", int(Side.SELL): "sell"}
_PHASES = {int(phase): phase.name.lower() for phase in Phase}
_REASONS = {int(reason): None if not reason else reason.name.lower() for reason in Reason}


@dataclass(slots=True)
class _Order:
    """An open order."""

    account: int
    key_id: int
    client_order_id: str | None
    instrument: int
    leaves_lots: int


class AuditTrail:
    """Turns the journal's batches, from the first one on, into the lines of one year; without a year, into all lines.

    It remembers the open orders, and the trades of the current day.
    """

    def __init__(self, year: int | None) -> None:
        self._first, self._last = (0, 10**9) if year is None else (year * 10_000, year * 10_000 + 9_999)
        self._trading_date = 0
        self._owners: dict[int, int] = {}
        self._phase_of_all = int(Phase.CLOSED)
        self._phases: dict[int, int] = {}
        """Of instruments whose phase was changed after the last change for all."""
        self._orders: dict[int, _Order] = {}
        self._trades: dict[int, tuple[int, _Order, int, _Order]] = {}
        """The orders of the current day's trades by trade id, for busts."""
        self._command = Command()
        self._number = 0
        self._row_hash = ""
        self._handlers: dict[int, Callable[[Event], Iterator[Line] | tuple[Line, ...] | None]] = {
            EventKind.ACCOUNT_OPENED: self._account_opened,
            EventKind.DAY_ROLLED: self._day_rolled,
            EventKind.PHASE_CHANGED: self._phase_changed,
            EventKind.ACCEPTED: self._accepted,
            EventKind.REJECTED: self._rejected,
            EventKind.REPLACED: self._replaced,
            EventKind.TRIGGERED: self._triggered,
            EventKind.TRADE: self._traded,
            EventKind.CANCELED: self._canceled,
            EventKind.EXPIRED: self._expired,
            EventKind.SELF_TRADE_PREVENTED: self._prevented,
            EventKind.TRADE_BUSTED: self._busted,
        }

    def take(self, batch: JournalBatch, to_seq: int) -> list[Line]:
        """The lines of a batch that are of the year, up to the command to_seq. Batches come in order."""
        lines: list[Line] = []
        self._row_hash = batch.hash.hex()
        commands, first_seq, handlers = batch.command_list, batch.first_seq, self._handlers
        seq = number = 0
        for event in batch.event_list:
            if event.seq > to_seq:
                break
            number = number + 1 if event.seq == seq else 1
            seq = event.seq
            handler = handlers.get(event.kind)
            if handler is not None:
                self._command, self._number = commands[seq - first_seq], number
                made = handler(event)
                if made and self._first <= self._trading_date <= self._last:
                    lines += made
        return lines

    def _line(
        self, event: Event, order_id: int, order: _Order, name: str, exec_type: str | None, **values: Any
    ) -> Line:
        command = self._command
        phase = self._phases.get(order.instrument, self._phase_of_all)
        known: dict[str, Any] = {
            "side": _SIDES.get(event.side),
            "price_ticks": event.price_ticks or None,
            "quantity_lots": event.quantity_lots,
            "leaves_lots": order.leaves_lots,
            "trade_id": None, "counter_order_id": None, "counter_account": None, "amount_fen": None, "fee_fen": None,
            "liquidity": None, "phase": _PHASES[phase], "reason": _REASONS.get(event.reason), "msg_type": "8",
        } | values  # fmt: skip
        return Line(
            seq=event.seq, event_number=self._number, time_ns=command.time_ns, trading_date=self._trading_date,
            account=order.account, owner=self._owners.get(order.account, order.account), key_id=order.key_id,
            command_key_id=command.actor, order_id=order_id, client_order_id=order.client_order_id,
            instrument=order.instrument, event=name, exec_type=exec_type, row_hash=self._row_hash, **known,
        )  # fmt: skip

    def _account_opened(self, event: Event) -> None:
        self._owners[event.account] = self._command.owner or event.account

    def _day_rolled(self, event: Event) -> None:
        self._trading_date = event.date
        self._trades.clear()  # A trade can be busted on its trading day only.

    def _phase_changed(self, event: Event) -> None:
        if event.instrument == ALL_INSTRUMENTS:
            self._phase_of_all = event.phase
            self._phases.clear()
        else:
            self._phases[event.instrument] = event.phase

    def _accepted(self, event: Event) -> tuple[Line, ...]:
        order = self._order_of(event, event.leaves_lots)
        self._orders[event.order_id] = order
        return (self._line(event, event.order_id, order, "new", "0"),)

    def _order_of(self, event: Event, leaves_lots: int) -> _Order:
        text = self._command.client_order_id
        client_order_id = text.decode("latin-1") if text else None
        return _Order(event.account, self._command.actor, client_order_id, event.instrument, leaves_lots)

    def _rejected(self, event: Event) -> tuple[Line, ...] | None:
        if self._command.kind == CommandKind.NEW_ORDER:
            return (self._line(event, event.order_id, self._order_of(event, 0), "reject", "8"),)
        if self._command.kind not in (CommandKind.CANCEL, CommandKind.AMEND):
            return None
        order = self._orders.get(event.order_id) or self._order_of(event, 0)
        values = {
            "msg_type": "9",
            "quantity_lots": event.quantity_lots or None,
            "leaves_lots": order.leaves_lots or None,
        }
        return (self._line(event, event.order_id, order, "cancel_reject", None, **values),)

    def _replaced(self, event: Event) -> tuple[Line, ...]:
        order = self._orders[event.order_id]
        order.leaves_lots, order.key_id = event.leaves_lots, self._command.actor
        return (self._line(event, event.order_id, order, "replace", "5"),)

    def _triggered(self, event: Event) -> tuple[Line, ...]:
        return (self._line(event, event.order_id, self._orders[event.order_id], "trigger", "L"),)

    def _traded(self, event: Event) -> tuple[Line, ...]:
        taker, maker = self._orders[event.order_id], self._orders[event.maker_order_id]
        taker.leaves_lots -= event.quantity_lots
        maker.leaves_lots -= event.quantity_lots
        self._trades[event.trade_id] = event.order_id, taker, event.maker_order_id, maker
        lines = self._both(event, event.trade_id, "trade", "F")
        self._forget(event.order_id, taker)
        self._forget(event.maker_order_id, maker)
        return lines

    def _both(self, event: Event, trade_id: int, name: str, exec_type: str) -> tuple[Line, ...]:
        """The lines of the two orders of a trade; an auction has no taker, there the first order is the buy."""
        taker_id, taker, maker_id, maker = self._trades[trade_id]
        auction = name == "trade" and event.phase == Phase.CALL_AUCTION
        words = ("auction", "auction") if auction else ("aggressive", "passive")
        known: dict[str, Any] = {"trade_id": trade_id, "amount_fen": event.amount_fen}
        if name == "trade":
            known["phase"] = _PHASES[event.phase]
        return (
            self._line(
                event, taker_id, taker, name, exec_type, counter_order_id=maker_id, counter_account=maker.account,
                fee_fen=event.fee_fen, liquidity=words[0] if name == "trade" else None, **known,
            ),
            self._line(
                event, maker_id, maker, name, exec_type, counter_order_id=taker_id, counter_account=taker.account,
                fee_fen=event.maker_fee_fen, liquidity=words[1] if name == "trade" else None,
                side=_SIDES[1 - event.side], **known,
            ),
        )  # fmt: skip

    def _forget(self, order_id: int, order: _Order) -> None:
        if not order.leaves_lots:
            self._orders.pop(order_id, None)

    def _canceled(self, event: Event) -> tuple[Line, ...]:
        return self._ended(event, "cancel", "4")

    def _expired(self, event: Event) -> tuple[Line, ...]:
        return self._ended(event, "expire", "C")

    def _ended(self, event: Event, name: str, exec_type: str) -> tuple[Line, ...]:
        order = self._orders.pop(event.order_id)
        order.leaves_lots = 0
        return (self._line(event, event.order_id, order, name, exec_type),)

    def _prevented(self, event: Event) -> tuple[Line, ...]:
        order = self._orders[event.order_id]
        order.leaves_lots = event.leaves_lots
        self._forget(event.order_id, order)
        other = {"counter_order_id": event.maker_order_id}
        return (self._line(event, event.order_id, order, "prevented", "D" if event.leaves_lots else "4", **other),)

    def _busted(self, event: Event) -> tuple[Line, ...]:
        return self._both(event, event.order_id, "bust", "H")
