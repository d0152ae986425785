"""Cash and lots of the naive engine: reserves, delivery versus payment, busts, and the sums that must hold."""

from __future__ import annotations

from matching_engine.faults import EngineFault, Fault
from matching_engine.records import VENUE, Command, Event, EventKind, Phase, Reason, Side
from tests.model.naive_tables import Account, ClientId, Holding, Instrument, Order, Trade

MAX_COUNTED_FEN = 9 * 10**18


class Ledger:
    def __init__(self) -> None:
        self.last_seq = 0
        self.time_ns = 0
        self.trading_date = 0
        self.trading_day = 0
        self.venue_phase = int(Phase.CLOSED)
        self.venue_halted = False
        self.venue_kill_switch = False
        self.deposited = 0
        self.fees: dict[int, tuple[int, int]] = {}
        self.turnover: dict[int, int] = {}
        self.listed: list[Instrument] = []
        self.ledger: dict[int, Account] = {VENUE: Account(owner=VENUE)}
        self.held: dict[tuple[int, int], Holding] = {}
        self.orders: dict[int, Order] = {}
        self.trades: dict[int, Trade] = {}
        self.client_ids: dict[tuple[int, bytes], ClientId] = {}
        self.events: list[Event] = []
        self.trades_of_command = 0

    def emit(self, kind: EventKind, **fields: int) -> None:
        self.events.append(Event(seq=self.last_seq, kind=int(kind), **fields))

    def reject(self, c: Command, reason: Reason, order_id: int = 0) -> None:
        self.emit(
            EventKind.REJECTED,
            reason=reason,
            order_id=order_id,
            account=c.account,
            instrument=c.instrument,
            side=c.side,
            price_ticks=c.price_ticks,
            quantity_lots=c.quantity_lots,
        )

    def holding(self, account: int, instrument: int) -> tuple[int, int]:
        row = self.held.get((account, instrument), Holding())
        return row.lots, row.reserved

    def rates(self, account: int) -> tuple[int, int]:
        """The maker and the taker rate of an account's class."""
        return self.fees.get(self.ledger[account].account_class, (0, 0))

    # Reserves

    def lot_reserve(self, o: Order) -> int:
        """6.7: for each lot of a buy its value and a fee rounded up at the higher of two rates, at least a fen."""
        if o.side == Side.SELL:
            return 0
        value = o.price * self.listed[o.instrument].tick_value
        return value + max(1, -(-value * max(self.rates(o.account)) // 1_000_000))

    def reserve(self, o: Order, lots: int) -> None:
        """Reserves cash or lots for `lots` of the order; releases them where `lots` is negative."""
        if o.side == Side.BUY:
            self.ledger[o.account].reserved += lots * o.lot_reserve
        else:
            self.held[o.account, o.instrument].reserved += lots

    # Trades

    def settle_trade(self, taker: Order, maker: Order, price: int, lots: int, phase: Phase) -> None:
        """7.1: delivery versus payment; in an auction `taker` is the buy, and both pay the maker rate."""
        amount = lots * price * self.listed[taker.instrument].tick_value
        buyer, seller = (taker, maker) if taker.side == Side.BUY else (maker, taker)
        released = lots * buyer.lot_reserve
        fees = {}
        for order, rate_number in ((taker, 0 if phase == Phase.CALL_AUCTION else 1), (maker, 0)):
            fee = max(1, (amount * self.rates(order.account)[rate_number] + 500_000) // 1_000_000)
            fees[order.order_id] = min(fee, released - amount) if order is buyer else fee
        self.ledger[buyer.account].cash -= amount + fees[buyer.order_id]
        self.ledger[buyer.account].reserved -= released
        self.ledger[seller.account].cash += amount - fees[seller.order_id]
        self.ledger[VENUE].cash += sum(fees.values())
        self.held.setdefault((buyer.account, taker.instrument), Holding()).lots += lots
        self.held[seller.account, taker.instrument].lots -= lots
        self.held[seller.account, taker.instrument].reserved -= lots
        self.trades_of_command += 1
        trade = Trade(
            self.last_seq << 20 | self.trades_of_command, price, lots, amount, fees[taker.order_id],
            fees[maker.order_id], taker.account, maker.account, taker.instrument, taker.side,
        )  # fmt: skip
        self.trades[trade.trade_id] = trade
        self.count(trade, 1)
        self.emit(
            EventKind.TRADE,
            order_id=taker.order_id,
            account=taker.account,
            maker_order_id=maker.order_id,
            maker_account=maker.account,
            instrument=taker.instrument,
            side=taker.side,
            price_ticks=price,
            quantity_lots=lots,
            leaves_lots=taker.leaves - lots,
            amount_fen=amount,
            fee_fen=trade.fee,
            maker_fee_fen=trade.maker_fee,
            reserve_fen=-released,
            number=self.trades_of_command,
            phase=phase,
        )

    def count(self, trade: Trade, sign: int) -> None:
        """Adds a trade to the day's volume and the turnovers, or subtracts it (7.4)."""
        instrument = self.listed[trade.instrument]
        instrument.day_lots += sign * trade.lots
        instrument.day_amount += sign * trade.amount
        year = self.trading_date // 10_000
        self.turnover[year] = self.turnover.get(year, 0) + sign * trade.amount
        for account in (trade.account, trade.maker_account):
            counted = self.ledger[account].day_amount + sign * trade.amount
            self.ledger[account].day_amount = min(max(counted, 0), MAX_COUNTED_FEN)

    # Busts (7.2)

    def bust_trade(self, c: Command) -> None:
        trade = self.trades.get(c.order_id)
        if trade is None or trade.busted:
            self.reject(c, Reason.UNKNOWN_TRADE, c.order_id)
            return
        taker_buys = trade.side == Side.BUY
        buyer, seller = trade.account, trade.maker_account
        buyer_fee, seller_fee = trade.fee, trade.maker_fee
        if not taker_buys:
            buyer, seller, buyer_fee, seller_fee = seller, buyer, seller_fee, buyer_fee
        gets = dict.fromkeys((buyer, seller, VENUE), 0)
        gets[buyer] += trade.amount + buyer_fee
        gets[seller] -= trade.amount - seller_fee
        gets[VENUE] -= buyer_fee + seller_fee
        if any(self.ledger[a].cash - self.ledger[a].reserved + fen < 0 for a, fen in gets.items()):
            self.reject(c, Reason.INSUFFICIENT_FUNDS, c.order_id)
            return
        lots, reserved = self.holding(buyer, trade.instrument)
        if lots - reserved < trade.lots:
            self.reject(c, Reason.INSUFFICIENT_INVENTORY, c.order_id)
            return
        for account, fen in gets.items():
            self.ledger[account].cash += fen
        self.held[buyer, trade.instrument].lots -= trade.lots
        self.held[seller, trade.instrument].lots += trade.lots
        trade.busted = True
        self.count(trade, -1)
        self.emit(
            EventKind.TRADE_BUSTED,
            order_id=trade.trade_id,
            account=trade.account,
            maker_account=trade.maker_account,
            instrument=trade.instrument,
            side=trade.side,
            price_ticks=trade.price,
            quantity_lots=trade.lots,
            amount_fen=trade.amount,
            fee_fen=trade.fee,
            maker_fee_fen=trade.maker_fee,
        )

    # The sums (7.3)

    def broken_law(self) -> Fault | None:
        if sum(row.cash for row in self.ledger.values()) != self.deposited:
            return Fault.CASH_NOT_CONSERVED
        held = [0] * len(self.listed)
        for (_, instrument), row in self.held.items():
            held[instrument] += row.lots
            if not 0 <= row.reserved <= row.lots:
                return Fault.OVERDRAWN
        if held != [instrument.received for instrument in self.listed]:
            return Fault.INVENTORY_NOT_CONSERVED
        if not all(0 <= row.reserved <= row.cash for row in self.ledger.values()):
            return Fault.OVERDRAWN
        return None

    def check_sums(self) -> None:
        fault = self.broken_law()
        if fault is not None:
            raise EngineFault(fault, self.last_seq)
