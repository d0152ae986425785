"""The promises that are checked at the end of a run, when everything has healed and every client knows its outcomes."""

from __future__ import annotations

from collections import Counter
from typing import Any

from matching_engine import Engine
from matching_engine.records import Command, CommandKind, Event, EventKind
from services.journal.batch import JournalBatch
from services.journal.replay import re_execute
from services.venue_state.state import EVERY_ACCOUNT, VenueState
from tests.simulation.gateway_process import GatewayProcess
from tests.simulation.requests import Attempt, Deposit, Place, Told
from tests.simulation.sequencer_process import SequencerProcess
from tests.simulation.traders import Client, Trader
from tests.simulation.venue import Venue

Sender = tuple[int, int, int]
_ORDER_STATE = (
    "filled_lots",
    "leaves_lots",
    "filled_fen",
    "fees_fen",
    "reserved_fen",
    "state",
    "price_ticks",
    "updated_seq",
)


class Broken(Exception):
    """A promise does not hold at the end."""


class Record:
    """The journal, read once more: the engine, the state, what every command and every order became."""

    def __init__(self, chain: list[JournalBatch]) -> None:
        self.engine = Engine()
        self.state = VenueState()
        self.by_sender: dict[Sender, list[tuple[Command, Event]]] = {}
        self.commands: dict[int, tuple[Command, Event]] = {}
        """By seq: the command and its first event."""
        self.states: set[Told] = set()
        self.booked: Counter[int] = Counter()
        """Deposits and withdrawals that were carried out, by amount."""
        self.named: Counter[tuple[int, bytes]] = Counter()
        """Orders that were entered or rejected, by account and client_order_id."""
        self.trades: list[int] = []
        self.cash_fen = 0
        self.lots: Counter[int] = Counter()
        self.state.order_listeners[EVERY_ACCOUNT] = lambda order, _event: self.states.add(Told.of(order))
        epoch = time_ns = 0
        for batch in chain:
            if batch.epoch < epoch:
                raise Broken(f"the epoch goes back from {epoch} to {batch.epoch} at seq {batch.first_seq}")
            epoch = batch.epoch
            re_execute(self.engine, batch)
            self.state.apply(batch)
            self.trades += [event.trade_id for event in batch.event_list if event.kind == EventKind.TRADE]
            first = {event.seq: event for event in reversed(batch.event_list)}
            for command in batch.command_list:
                if command.time_ns < time_ns:
                    raise Broken(f"the time goes back at seq {command.seq}")
                time_ns = command.time_ns
                self._add(command, first[command.seq])

    def _add(self, command: Command, event: Event) -> None:
        self.commands[command.seq] = command, event
        if command.incarnation:
            sender = command.request_id, command.incarnation, command.gateway_id
            self.by_sender.setdefault(sender, []).append((command, event))
        if event.kind == EventKind.BALANCE_CHANGED:
            self.cash_fen += event.amount_fen
            self.lots[event.instrument] += event.quantity_lots
            self.booked[event.amount_fen] += 1
        if command.kind == CommandKind.NEW_ORDER and command.client_order_id and event.kind == EventKind.ACCEPTED:
            self.named[command.account, command.client_order_id] += 1


def check(venue: Venue, clients: list[Client]) -> None:
    """Raises Broken with the first promise that does not hold, JournalCorrupt where the journal does not re-execute."""
    record = Record(venue.server.chain())
    for client in clients:
        for told in client.told:
            if told not in record.states:
                raise Broken(f"{client.name} was told {told}, which the order never was")
        for request in client.requests:
            for attempt in request.attempts:
                _check_attempt(record, attempt)
            if isinstance(request, Place) and request.body.client_order_id is not None:
                _check_named(record, request)
            if isinstance(request, Deposit):
                _check_deposit(record, request)
        if isinstance(client, Trader):
            _check_view(record, client)
    _check_conserved(record)
    _check_replicas(venue, record)


def _check_attempt(record: Record, attempt: Attempt) -> None:
    found = [entry for sender in dict.fromkeys(attempt.sent) for entry in record.by_sender.get(sender, [])]
    counts = Counter(
        (command.request_id, command.incarnation) for command, _ in found if command.kind != CommandKind.RECORD
    )
    if any(count > 1 for count in counts.values()):
        raise Broken(f"the request {attempt} was executed twice")
    if attempt.refused and found:
        raise Broken(f"the request {attempt} was answered {attempt.reply}, and is in the journal at {found[0][0].seq}")
    reply = attempt.reply
    if reply is None or reply.problem or not isinstance(attempt.request, Place):
        return
    (told,) = reply.orders
    if len(found) != 1:
        raise Broken(f"the request {attempt} was answered with order {told.order_id}, and is not in the journal")
    ((command, event),) = found
    if event.order_id != told.order_id or reply.repeats != (event.kind == EventKind.DUPLICATE):
        raise Broken(f"the request {attempt} is seq {command.seq}, and was answered with order {told.order_id}")
    entered, _ = record.commands[told.order_id]
    body = attempt.request.body
    asked = attempt.request.account, (body.client_order_id or "").encode(), body.quantity
    if (entered.account, entered.client_order_id, entered.quantity_lots) != asked:
        raise Broken(f"the request {attempt} was answered with another one's order {told.order_id}")


def _check_named(record: Record, request: Place) -> None:
    name = (request.body.client_order_id or "").encode()
    count = record.named[request.account, name]
    if count > 1:
        raise Broken(f"the order {request.name} was entered {count} times")
    answer = request.answer
    if answer is not None and answer.orders and answer.orders[0].state != "rejected" and count != 1:
        raise Broken(f"the order {request.name} was acknowledged, and is not in the journal")


def _check_deposit(record: Record, request: Deposit) -> None:
    count = record.booked[request.amount_fen]
    is_acknowledged = request.answer is not None and not request.answer.problem
    if count > 1 or (is_acknowledged and count != 1):
        raise Broken(f"the deposit {request.name} was booked {count} times, its client was told {request.answer}")
    if request.answer is not None and request.answer.problem and count:
        raise Broken(f"the deposit {request.name} was booked, its client was told {request.answer}")


def _check_view(record: Record, trader: Trader) -> None:
    orders = record.state.orders
    expected = {
        one.order_id: Told.of(one)
        for one in [*orders.open.values(), *orders.ended.values()]
        if one.account == trader.account
    }
    if trader.view != expected:
        different = [
            (trader.view.get(order_id), expected.get(order_id))
            for order_id in {*trader.view, *expected}
            if trader.view.get(order_id) != expected.get(order_id)
        ]
        raise Broken(f"{trader.name} sees {different[0][0]}, the venue has {different[0][1]}")


def _check_conserved(record: Record) -> None:
    accounts = record.state.accounts.values()
    if sum(account.cash_fen for account in accounts) != record.cash_fen:
        raise Broken("the cash of all accounts is not what was brought in")
    lots: Counter[int] = Counter()
    for account in accounts:
        for instrument, holding in account.holdings.items():
            lots[instrument] += holding.lots
    if {key: value for key, value in lots.items() if value} != {
        key: value for key, value in record.lots.items() if value
    }:
        raise Broken("the lots of all accounts are not what was brought in")


def _check_replicas(venue: Venue, record: Record) -> None:
    state_hash = record.engine.state_hash()
    expected = image(record.state)
    for name, program in venue.programs.items():
        if isinstance(program, SequencerProcess) and program.engine is not None:
            if (program.engine.last_seq, program.engine.state_hash()) != (record.engine.last_seq, state_hash):
                raise Broken(f"the engine of {name} at seq {program.engine.last_seq} is not that of the journal")
        elif isinstance(program, GatewayProcess) and image(program.state) != expected:
            raise Broken(f"the memory of {name} at seq {program.state.last_seq} is not what the journal says")
    model = venue.model
    if model.position.seq != record.engine.last_seq:
        raise Broken(f"the read database is at seq {model.position.seq}, the journal at {record.engine.last_seq}")
    for number, account in record.state.accounts.items():
        if number and model.cash.get(number, [0, 0]) != [account.cash_fen, account.reserved_fen]:
            raise Broken(f"the read database has other cash of account {number}")
    if [trade[0] for trade in model.trades] != record.trades:
        raise Broken("the read database has other trades")
    for order in [*record.state.orders.open.values(), *record.state.orders.ended.values()]:
        columns = model.order(order.order_id)
        if columns is None or any(columns[name] != getattr(order, name) for name in _ORDER_STATE):
            raise Broken(f"the read database has another order {order.order_id}")


def image(state: VenueState) -> Any:
    """What a gateway knows, to compare."""
    orders = [*sorted(state.orders.open.items()), *sorted(state.orders.ended.items())]
    accounts = [
        (
            number,
            account.cash_fen,
            account.reserved_fen,
            account.open_orders,
            sorted(
                (key, one.lots, one.reserved_lots)
                for key, one in account.holdings.items()
                if one.lots or one.reserved_lots
            ),
        )
        for number, account in sorted(state.accounts.items())
    ]
    return (
        state.last_seq,
        state.trading_date,
        [[getattr(order, name) for name in _ORDER_STATE] for _, order in orders],
        accounts,
    )
