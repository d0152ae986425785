"""The venue as the gateway knows it: keys, instruments, accounts, open orders; exact at `last_seq`.

Loaded from the read database at its position, then kept by applying every later row before any reply to it leaves, so a
client reads its own writes. Nothing here decides anything: each balance is a sum over events (matching_engine/records.py).
"""

from __future__ import annotations

from collections.abc import Callable

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from matching_engine.records import (
    ALL_INSTRUMENTS,
    VENUE,
    Command,
    CommandKind,
    Event,
    EventKind,
    Phase,
    Reason,
    Side,
)
from services.attachments import AccountText, InstrumentText, KeyIssued, KeyRevoked, read_decision
from services.gateway.instruments import Instrument
from services.gateway.keys import ApiKey, key_hash
from services.gateway.venue_accounts import VenueAccount
from services.gateway.venue_orders import VenueOrder, VenueOrders
from services.journal.row import Row
from services.read_database import tables

OrderListener = Callable[[VenueOrder, Event], None]
"""Told of every change of an account's orders, in order: the order as it now stands, and the event that changed it."""

END_STATES: dict[int, str] = {
    EventKind.CANCELED: "canceled",
    EventKind.PREVENTED: "canceled",
    EventKind.EXPIRED: "expired",
}


class VenueState:
    """Everything the gateway answers from without asking the read database."""

    def __init__(self) -> None:
        self.incarnation = ""  # the journal's id, in hex
        self.last_seq = 0
        self.trading_date = 0
        self.keys: dict[bytes, ApiKey] = {}  # by SHA-256 of the secret
        self.key_hashes: dict[int, bytes] = {}  # by key_id
        self.instruments: list[Instrument] = []  # by number
        self.by_symbol: dict[str, Instrument] = {}
        self.accounts: dict[int, VenueAccount] = {VENUE: VenueAccount(VENUE, "venue")}
        self.orders = VenueOrders()
        self.order_listeners: dict[int, OrderListener] = {}  # by account
        self._appliers: dict[int, Callable[[Event, Command, Row], None]] = {
            EventKind.ACCEPTED: self._accepted,
            EventKind.REJECTED: self._rejected,
            EventKind.TRADE: self._trade,
            EventKind.CANCELED: self._ended,
            EventKind.PREVENTED: self._ended,
            EventKind.EXPIRED: self._ended,
            EventKind.ACCOUNT_OPENED: self._account_opened,
            EventKind.BALANCE_CHANGED: self._balance_changed,
            EventKind.INSTRUMENT_LISTED: self._instrument_listed,
            EventKind.SETTLED: self._settled,
            EventKind.PHASE_CHANGED: self._phase_changed,
            EventKind.DAY_ROLLED: self._day_rolled,
            EventKind.RECORDED: self._recorded,
        }

    @classmethod
    async def load(cls, read_database: AsyncEngine) -> VenueState:
        """The state at the read database's position; an empty venue where nothing was projected yet."""
        async with read_database.connect() as connection:
            # Every projection moves the position, so what was read between two equal positions is one moment.
            while True:
                before = (await connection.execute(select(tables.position))).mappings().first()
                state = await cls._read(connection)
                after = (await connection.execute(select(tables.position))).mappings().first()
                if before == after:
                    break
        if after is not None:
            state.incarnation = after["journal_id"].hex()
            state.last_seq, state.trading_date = after["seq"], after["trading_date"]
        return state

    @classmethod
    async def _read(cls, connection: AsyncConnection) -> VenueState:
        state = cls()
        keys = select(tables.api_keys).where(tables.api_keys.c.revoked_seq.is_(None))
        for row in (await connection.execute(keys)).mappings():
            key = ApiKey(row["key_id"], row["account"], row["name"], frozenset(row["scopes"].split()))
            state.add_key(key, row["key_hash"])
        listed = select(tables.instruments).order_by(tables.instruments.c.instrument)
        for row in (await connection.execute(listed)).mappings():
            state.add_instrument(Instrument.from_columns(row))
        for row in (await connection.execute(select(tables.accounts))).mappings():
            number = row["account"]
            state.accounts[number] = VenueAccount(
                number, row["name"], row["owner"], row["cash_fen"], row["reserved_fen"]
            )
        for row in (await connection.execute(select(tables.holdings))).mappings():
            holding = state.accounts[row["account"]].holding(row["instrument"])
            holding.lots, holding.reserved_lots = row["lots"], row["reserved_lots"]
        resting = select(tables.orders).where(tables.orders.c.leaves_lots > 0)
        for row in (await connection.execute(resting)).mappings():
            state.orders.open[row["order_id"]] = VenueOrder.from_columns(row)
        return state

    def find_key(self, secret: str) -> ApiKey | None:
        """The key with this secret, unless it is unknown or revoked."""
        return self.keys.get(key_hash(secret))

    def add_key(self, key: ApiKey, digest: bytes) -> None:
        """A key that is valid from now on."""
        self.keys[digest] = key
        self.key_hashes[key.key_id] = digest

    def add_instrument(self, instrument: Instrument) -> None:
        """The next instrument."""
        self.instruments.append(instrument)
        self.by_symbol[instrument.symbol] = instrument

    def apply(self, row: Row) -> None:
        """Every change of a row, once: events up to `last_seq` are skipped, so a row may overlap what is known."""
        commands, first_seq, known = row.command_list, row.first_seq, self.last_seq
        appliers = self._appliers
        for event in row.event_list:
            if event.seq > known:
                applier = appliers.get(event.kind)
                if applier is not None:
                    applier(event, commands[event.seq - first_seq], row)
        self.last_seq = max(known, row.last_seq)
        if not self.incarnation:
            self.incarnation = row.journal_id.hex()

    def _accepted(self, event: Event, command: Command, row: Row) -> None:
        order = VenueOrder.entered(command, event, self.trading_date)
        self.orders.open[event.order_id] = order
        account = self.accounts[event.account]
        if event.side == Side.BUY:
            account.reserved_fen += event.reserve_fen
        else:
            account.holding(event.instrument).reserved_lots += event.quantity_lots
        self._tell(order, event)

    def _rejected(self, event: Event, command: Command, row: Row) -> None:
        # An order whose client_order_id belongs to another one is no order: it is answered 422 and kept nowhere.
        if command.kind != CommandKind.NEW_ORDER or event.reason == Reason.CLIENT_ORDER_ID_REUSED:
            return
        order = VenueOrder.entered(command, event, self.trading_date)
        order.leaves_lots = order.reserved_fen = 0
        order.state = "rejected"
        self.orders.remember(order)
        self._tell(order, event)

    def _trade(self, event: Event, command: Command, row: Row) -> None:
        open_orders = self.orders.open
        taker, maker = open_orders[event.order_id], open_orders[event.maker_order_id]
        taker.fill(event, event.fee_fen, command.time_ns)
        maker.fill(event, event.maker_fee_fen, command.time_ns)
        if event.side == Side.BUY:
            buy, sell, buy_fee, sell_fee = taker, maker, event.fee_fen, event.maker_fee_fen
        else:
            buy, sell, buy_fee, sell_fee = maker, taker, event.maker_fee_fen, event.fee_fen
        quantity_lots, amount_fen = event.quantity_lots, event.amount_fen
        buyer, seller = self.accounts[buy.account], self.accounts[sell.account]
        buy.reserved_fen += event.reserve_fen
        buyer.cash_fen -= amount_fen + buy_fee
        buyer.reserved_fen += event.reserve_fen
        buyer.holding(event.instrument).lots += quantity_lots
        sold = seller.holding(event.instrument)
        sold.lots -= quantity_lots
        sold.reserved_lots -= quantity_lots
        seller.cash_fen += amount_fen - sell_fee
        self.accounts[VENUE].cash_fen += buy_fee + sell_fee
        for order in (taker, maker):
            if not order.leaves_lots:
                self.orders.remember(order)
            self._tell(order, event)

    def _ended(self, event: Event, command: Command, row: Row) -> None:
        order = self.orders.open[event.order_id]
        account = self.accounts[order.account]
        if order.side == Side.BUY:
            account.reserved_fen += event.reserve_fen
            order.reserved_fen += event.reserve_fen
        else:
            account.holding(order.instrument).reserved_lots -= event.quantity_lots
        order.end(END_STATES[event.kind], event, command.time_ns)
        self.orders.remember(order)
        self._tell(order, event)

    def _tell(self, order: VenueOrder, event: Event) -> None:
        listener = self.order_listeners.get(order.account) if self.order_listeners else None
        if listener is not None:
            listener(order, event)

    def _account_opened(self, event: Event, command: Command, row: Row) -> None:
        text = AccountText.model_validate_json(row.attachments[command.attachment - 1])
        self.accounts[event.account] = VenueAccount(event.account, text.name, command.owner)

    def _balance_changed(self, event: Event, command: Command, row: Row) -> None:
        account = self.accounts[event.account]
        if event.amount_fen:
            account.cash_fen += event.amount_fen
        else:
            account.holding(event.instrument).lots += event.quantity_lots

    def _instrument_listed(self, event: Event, command: Command, row: Row) -> None:
        text = InstrumentText.model_validate_json(row.attachments[command.attachment - 1])
        self.add_instrument(
            Instrument(
                event.instrument,
                tick_value_fen=command.amount_fen,
                band_ppm=command.rate_ppm,
                max_quantity_lots=command.quantity_lots,
                reference_ticks=event.price_ticks,
                phase=Phase.CLOSED,
                facts=text.model_dump(),
            )
        )

    def _settled(self, event: Event, command: Command, row: Row) -> None:
        self.instruments[event.instrument].set_reference(event.price_ticks)

    def _phase_changed(self, event: Event, command: Command, row: Row) -> None:
        every = event.instrument == ALL_INSTRUMENTS
        for instrument in self.instruments if every else [self.instruments[event.instrument]]:
            instrument.phase = event.phase

    def _day_rolled(self, event: Event, command: Command, row: Row) -> None:
        self.trading_date = event.date

    def _recorded(self, event: Event, command: Command, row: Row) -> None:
        match read_decision(row.attachments[command.attachment - 1]):
            case KeyIssued() as issued:
                key = ApiKey(event.seq, issued.account, issued.name, frozenset(issued.scopes))
                self.add_key(key, bytes.fromhex(issued.key_hash))
            case KeyRevoked(key_id=key_id):
                self.keys.pop(self.key_hashes.pop(key_id, b""), None)
