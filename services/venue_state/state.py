"""The state of the venue after command `last_seq`, in the gateway's memory: keys, instruments, accounts, open orders.

loading.py loads the state from the read database, at the position of that database. `apply` then applies every later batch,
before the replies to that batch leave, so that a client reads its own writes. The state decides nothing: each balance is a sum
over events (matching_engine/records.py).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from matching_engine.records import (
    ALL_INSTRUMENTS,
    VENUE,
    CommandKind,
    Event,
    EventKind,
    Phase,
    Reason,
    Side,
)
from services.commands.administrative import changed_terms
from services.commands.attachments import (
    AccountText,
    AlertAcknowledged,
    AlertCleared,
    AlertRaised,
    ChangeText,
    DayClosed,
    KeyIssued,
    KeyLimitsSet,
    KeyRevoked,
    ListingText,
    ProofAgreed,
    RequestKeyed,
    UserAdded,
    UserPasswordChanged,
    UserRemoved,
    UserRoleChanged,
    read_decision,
)
from services.journal.batch import Applied, JournalBatch
from services.read_model.tables import END_STATES
from services.values.trade_sides import sides
from services.venue_state.accounts import VenueAccount
from services.venue_state.alerts import VenueAlerts
from services.venue_state.instruments import VenueInstrument
from services.venue_state.keyed_requests import KeyedRequests
from services.venue_state.keys import ApiKey, key_hash
from services.venue_state.orders import VenueOrder, VenueOrders
from services.venue_state.reasons import reason_text
from services.venue_state.users import Users

_BUY = int(Side.BUY)  # Reading a member of an enum costs three times the comparison.
_ADMINISTRATIVE = int(CommandKind.OPEN_ACCOUNT)
"""The first of the kinds of commands that are no member's."""

OrderListener = Callable[[VenueOrder, Event], None]
"""Called for every change of an account's orders, in order: with the changed order, and the event that changed it."""

EVERY_ACCOUNT = 0
"""Whoever listens to this account hears of the orders and busts of all."""

BustListener = Callable[[int, Event], None]
"""Called for every busted trade of an account: with the account, and the TRADE_BUSTED event."""

BalanceListener = Callable[[int, Event], None]
"""Called with the account and the event that changed its cash or holdings and no order of its own: money or goods brought in or
taken out, a busted trade, and of VENUE the fees."""


KeyListener = Callable[[int], None]
"""Called with the key_id when a key's limits were set, and when it was revoked."""


class FeeRates(NamedTuple):
    """The fee rates of an account class, in millionths of a trade's amount."""

    maker_rate_ppm: int = 0
    taker_rate_ppm: int = 0


class VenueState:
    """The data of every reply that the gateway makes without the read database."""

    def __init__(self) -> None:
        self.incarnation = ""  # the journal's id, in hex
        self.last_seq = 0
        self.trading_date = 0
        self.kill_switch = False  # the venue's
        self.fees: dict[int, FeeRates] = {}  # by account class; a class without an entry pays no fees
        self.keys: dict[bytes, ApiKey] = {}  # by SHA-256 of the secret
        self.key_hashes: dict[int, bytes] = {}  # by key_id
        self.users = Users()
        self.key_listeners: list[KeyListener] = []
        self.instruments: list[VenueInstrument] = []  # by number
        self.by_symbol: dict[str, VenueInstrument] = {}
        self.accounts: dict[int, VenueAccount] = {VENUE: VenueAccount(VENUE, "venue")}
        self.alerts = VenueAlerts()
        self.keyed_requests = KeyedRequests()
        self.orders = VenueOrders()
        self.order_listeners: dict[int, OrderListener] = {}  # by account
        self.bust_listeners: dict[int, BustListener] = {}  # by account
        self.balance_listeners: dict[int, BalanceListener] = {}  # by account
        self._appliers: dict[int, Callable[[Applied], None]] = {
            EventKind.ACCEPTED: self._accepted,
            EventKind.REJECTED: self._rejected,
            EventKind.TRADE: self._trade,
            EventKind.TRADE_BUSTED: self._trade_busted,
            EventKind.REPLACED: self._replaced,
            EventKind.TRIGGERED: self._triggered,
            EventKind.CANCELED: self._ended,
            EventKind.SELF_TRADE_PREVENTED: self._prevented,
            EventKind.EXPIRED: self._ended,
            EventKind.ACCOUNT_OPENED: self._account_opened,
            EventKind.BALANCE_CHANGED: self._balance_changed,
            EventKind.LIMITS_SET: self._limits_set,
            EventKind.KILL_SWITCH_SET: self._kill_switch_set,
            EventKind.FEES_SET: self._fees_set,
            EventKind.INSTRUMENT_LISTED: self._instrument_listed,
            EventKind.INSTRUMENT_CHANGED: self._instrument_changed,
            EventKind.COLLAR_SET: self._collar_set,
            EventKind.VOLATILITY_BAND_SET: self._volatility_band_set,
            EventKind.SETTLED: self._instrument_settled,
            EventKind.PHASE_CHANGED: self._phase_changed,
            EventKind.DAY_ROLLED: self._day_rolled,
            EventKind.RECORDED: self._recorded,
        }

    def find_key(self, secret: str) -> ApiKey | None:
        """The key with this secret; None if the secret is unknown or the key is revoked."""
        return self.keys.get(key_hash(secret))

    def key(self, key_id: int) -> ApiKey | None:
        """The valid key with this id, as it is now; None if there is none."""
        return self.keys.get(self.key_hashes.get(key_id, b""))

    def add_key(self, key: ApiKey, digest: bytes) -> None:
        """Adds a valid key; `digest` is the SHA-256 of its secret."""
        self.keys[digest] = key
        self.key_hashes[key.key_id] = digest

    def name_of(self, key_id: int, key_name: str | None) -> str | None:
        """The name of the user with this id, also of one who was removed, else that of the key; None: nobody has the id."""
        return self.users.names.get(key_id, key_name)

    def is_valid(self, key_id: int) -> bool:
        """Whether this is the id of a key that is not revoked, or of a user."""
        return key_id in self.key_hashes or key_id in self.users.by_id

    def add_instrument(self, instrument: VenueInstrument) -> None:
        """Adds the next instrument; its number is its index."""
        self.instruments.append(instrument)
        self.by_symbol[instrument.symbol] = instrument

    def apply(self, batch: JournalBatch) -> None:
        """Applies the events of a batch that are later than `last_seq`, and skips the others, which the state includes."""
        applier_of = self._appliers.get
        for applied in batch.applied(self.last_seq):
            applier = applier_of(applied.event.kind)
            if applier is not None:
                applier(applied)
        self.last_seq = max(self.last_seq, batch.last_seq)
        if not self.incarnation:
            self.incarnation = batch.journal_id.hex()

    def _accepted(self, applied: Applied) -> None:
        event, command, _ = applied
        order = VenueOrder.entered(command, event, self.trading_date)
        self.orders.add(order)
        account = self.accounts[event.account]
        account.open_orders += 1
        if event.side == _BUY:
            account.reserved_fen += event.reserve_fen
        else:
            account.holding(event.instrument).reserved_lots += event.quantity_lots
        self._notify(order, event)

    def _replaced(self, applied: Applied) -> None:
        event, command, _ = applied
        order = self.orders.open[event.order_id]
        order.replace(event, command)
        self._move_reserve(order, event.reserve_fen, event.quantity_lots)
        self._notify(order, event)

    def _triggered(self, applied: Applied) -> None:
        event, command, _ = applied
        order = self.orders.open[event.order_id]
        order.trigger(event, command.time_ns)
        self._notify(order, event)

    def _rejected(self, applied: Applied) -> None:
        event, command, _ = applied
        # An order that reuses a client_order_id is stored nowhere: the gateway answers 422.
        if command.kind >= _ADMINISTRATIVE:
            self.keyed_requests.note_refused(event.seq)
        if command.kind != CommandKind.NEW_ORDER or event.reason == Reason.CLIENT_ORDER_ID_REUSED:
            return
        order = VenueOrder.entered(command, event, self.trading_date)
        order.leaves_lots = order.reserved_fen = 0
        order.state = "rejected"
        number, account = event.instrument, self.accounts.get(event.account)
        instrument = self.instruments[number] if number < len(self.instruments) else None
        order.reason_text = reason_text(event.reason, order.side, account, instrument)
        self.orders.remember(order)
        self._notify(order, event)

    def _trade(self, applied: Applied) -> None:
        event, command, _ = applied
        open_orders, trade = self.orders.open, sides(event)
        taker, maker = open_orders[event.order_id], open_orders[event.maker_order_id]
        taker.fill(event, event.fee_fen, command.time_ns)
        maker.fill(event, event.maker_fee_fen, command.time_ns)
        quantity_lots, amount_fen = event.quantity_lots, event.amount_fen
        buyer, seller = self.accounts[trade.buyer], self.accounts[trade.seller]
        bought = taker if event.side == _BUY else maker
        bought.reserved_fen += event.reserve_fen
        buyer.cash_fen -= amount_fen + trade.buyer_fee_fen
        buyer.reserved_fen += event.reserve_fen
        buyer.holding(event.instrument).lots += quantity_lots
        sold = seller.holding(event.instrument)
        sold.lots -= quantity_lots
        sold.reserved_lots -= quantity_lots
        seller.cash_fen += amount_fen - trade.seller_fee_fen
        self.accounts[VENUE].cash_fen += trade.buyer_fee_fen + trade.seller_fee_fen
        buyer.day_fen += amount_fen
        seller.day_fen += amount_fen
        for order in (taker, maker):
            if not order.leaves_lots:
                self._close(order)
            self._notify(order, event)
        self._notify_balance(VENUE, event)

    def _trade_busted(self, applied: Applied) -> None:
        event = applied.event
        trade = sides(event)
        buyer, seller = self.accounts[trade.buyer], self.accounts[trade.seller]
        buyer.cash_fen += event.amount_fen + trade.buyer_fee_fen
        seller.cash_fen -= event.amount_fen - trade.seller_fee_fen
        self.accounts[VENUE].cash_fen -= trade.buyer_fee_fen + trade.seller_fee_fen
        buyer.holding(event.instrument).lots -= event.quantity_lots
        seller.holding(event.instrument).lots += event.quantity_lots
        for account in (buyer, seller):
            account.day_fen = max(account.day_fen - event.amount_fen, 0)
            for listening in (account.account, EVERY_ACCOUNT):
                listener = self.bust_listeners.get(listening)
                if listener is not None:
                    listener(account.account, event)
            self._notify_balance(account.account, event)
        self._notify_balance(VENUE, event)

    def _ended(self, applied: Applied) -> None:
        event, command, _ = applied
        order = self.orders.open[event.order_id]
        self._move_reserve(order, event.reserve_fen, -event.quantity_lots)
        order.end(END_STATES[event.kind], event, command.time_ns)
        self._close(order)
        self._notify(order, event)

    def _prevented(self, applied: Applied) -> None:
        event, command, _ = applied
        if not event.leaves_lots:
            self._ended(applied)
            return
        order = self.orders.open[event.order_id]
        self._move_reserve(order, event.reserve_fen, -event.quantity_lots)
        order.decrement(event, command.time_ns)
        self._notify(order, event)

    def _move_reserve(self, order: VenueOrder, reserve_fen: int, lots: int) -> None:
        account = self.accounts[order.account]
        if order.side == _BUY:
            account.reserved_fen += reserve_fen
            order.reserved_fen += reserve_fen
        else:
            account.holding(order.instrument).reserved_lots += lots

    def _close(self, order: VenueOrder) -> None:
        self.accounts[order.account].open_orders -= 1
        self.orders.remember(order)

    def _notify(self, order: VenueOrder, event: Event) -> None:
        if self.order_listeners:
            for listening in (order.account, EVERY_ACCOUNT):
                listener = self.order_listeners.get(listening)
                if listener is not None:
                    listener(order, event)

    def _notify_balance(self, account: int, event: Event) -> None:
        listener = self.balance_listeners.get(account) if self.balance_listeners else None
        if listener is not None:
            listener(account, event)

    def _account_opened(self, applied: Applied) -> None:
        event, command, attachment = applied
        text = AccountText.model_validate_json(attachment)
        self.keyed_requests.note_opened(event.seq, event.account)
        self.accounts[event.account] = VenueAccount(event.account, text.name, command.owner, command.account_class)

    def _balance_changed(self, applied: Applied) -> None:
        event = applied.event
        account = self.accounts[event.account]
        if event.amount_fen:
            account.cash_fen += event.amount_fen
        else:
            account.holding(event.instrument).lots += event.quantity_lots
        self._notify_balance(event.account, event)

    def _limits_set(self, applied: Applied) -> None:
        event, command, _ = applied
        account = self.accounts[event.account]
        if command.kind == CommandKind.SET_TURNOVER_LIMIT:
            account.max_day_fen = command.amount_fen
        else:
            account.max_order_lots, account.max_order_fen = command.quantity_lots, command.amount_fen
            account.max_open_orders = command.number

    def _kill_switch_set(self, applied: Applied) -> None:
        event = applied.event
        if event.account:
            self.accounts[event.account].kill_switch = bool(event.number)
        else:
            self.kill_switch = bool(event.number)

    def _fees_set(self, applied: Applied) -> None:
        command = applied.command
        self.fees[command.account_class] = FeeRates(command.rate_ppm, command.taker_rate_ppm)

    def _collar_set(self, applied: Applied) -> None:
        event, command, _ = applied
        self.instruments[event.instrument].collar_ppm = command.rate_ppm

    def _volatility_band_set(self, applied: Applied) -> None:
        event, command, _ = applied
        instrument = self.instruments[event.instrument]
        instrument.volatility_ppm, instrument.auction_s = command.rate_ppm, command.time_s

    def _instrument_listed(self, applied: Applied) -> None:
        event, command, attachment = applied
        text = ListingText.model_validate_json(attachment)
        self.add_instrument(
            VenueInstrument(
                event.instrument,
                tick_value_fen=command.amount_fen,
                band_ppm=command.rate_ppm,
                max_quantity_lots=command.quantity_lots,
                reference_ticks=event.price_ticks,
                phase=Phase.CLOSED,
                facts=text.facts,
            )
        )

    def _instrument_changed(self, applied: Applied) -> None:
        event, command, attachment = applied
        texts = ChangeText.model_validate_json(attachment).facts
        self.instruments[event.instrument].change(changed_terms(command), texts)

    def _instrument_settled(self, applied: Applied) -> None:
        event = applied.event
        self.instruments[event.instrument].set_reference(event.price_ticks, event.number)

    def _phase_changed(self, applied: Applied) -> None:
        event = applied.event
        every = event.instrument == ALL_INSTRUMENTS
        for instrument in self.instruments if every else [self.instruments[event.instrument]]:
            instrument.phase = event.phase

    def _day_rolled(self, applied: Applied) -> None:
        event = applied.event
        self.trading_date = event.date
        for account in self.accounts.values():
            account.day_fen = 0

    def _recorded(self, applied: Applied) -> None:
        event, command, attachment = applied
        match read_decision(attachment):
            case KeyIssued() as issued:
                key = ApiKey.issued(event.seq, issued, issued_ns=command.time_ns, issued_by=command.actor)
                self.add_key(key, bytes.fromhex(issued.key_hash))
            case KeyLimitsSet(key_id=key_id, limits=limits):
                if (limited := self.key(key_id)) is not None:
                    self.keys[self.key_hashes[key_id]] = limited._replace(limits=limits)
                    self._key_changed(key_id)
            case KeyRevoked(key_id=key_id):
                self.keys.pop(self.key_hashes.pop(key_id, b""), None)
                self._key_changed(key_id)
            case AlertRaised() | AlertCleared() | AlertAcknowledged() | DayClosed() | ProofAgreed() as change:
                self.alerts.apply(applied, change)
            case UserAdded() | UserPasswordChanged() | UserRoleChanged() | UserRemoved() as user_change:
                self.users.apply(event.seq, user_change)
            case RequestKeyed() as keyed:
                self.keyed_requests.apply(event.seq, keyed)

    def _key_changed(self, key_id: int) -> None:
        for listener in self.key_listeners:
            listener(key_id)
