"""What one command changes in an account, collected from its events: orders, fills, busts, balances."""

from __future__ import annotations

from typing import Any, NamedTuple

from matching_engine.records import Event, EventKind
from services.gateway.replies.execution_report import order_json
from services.gateway.replies.fills import bust_json, cash_json, fill_json, holding_json
from services.gateway.websocket.private_models import BalancesData, BustedFill, HoldingData
from services.venue_state.accounts import VenueAccount, VenueHolding
from services.venue_state.orders import VenueOrder
from services.venue_state.state import VenueState

_NOTHING = VenueHolding()


class Balances(NamedTuple):
    """Cash, and (lots, reserved lots) by instrument."""

    cash_fen: int
    reserved_fen: int
    holdings: dict[int, tuple[int, int]]

    @classmethod
    def of(cls, account: VenueAccount) -> Balances:
        """What the account has now."""
        holdings = {number: (held.lots, held.reserved_lots) for number, held in account.holdings.items()}
        return cls(account.cash_fen, account.reserved_fen, holdings)

    def data(self, account: int, state: VenueState, *, with_empty: bool) -> BalancesData:
        """The data of a push, holdings in the order of the instruments."""
        shown = [(n, *lots) for n, lots in sorted(self.holdings.items()) if with_empty or lots[0]]
        holdings = [HoldingData(**holding_json(state.instruments[n], lots, reserved)) for n, lots, reserved in shown]
        return BalancesData(account, **cash_json(self.cash_fen, self.reserved_fen), holdings=holdings)


class AccountChanges:
    """The changes of one command. Values are taken with each event: by the next command they may be others."""

    def __init__(self, state: VenueState) -> None:
        self._state = state
        self.orders: dict[int, dict[str, Any]] = {}
        self.fills: list[dict[str, Any]] = []
        self.busts: list[BustedFill] = []
        self.balances: Balances | None = None

    def order(self, order: VenueOrder, event: Event) -> None:
        """An order as it stands, and the fill where the event is a trade."""
        self.orders[order.order_id] = order_json(order, self._state.instruments)
        if event.kind == EventKind.TRADE:
            self.fills.append(fill_json(order, event, self._state))

    def bust(self, account: int, event: Event) -> None:
        """A trade of the account was taken back."""
        self.busts.append(BustedFill(**bust_json(account, event, self._state)))

    def balance(self, number: int, event: Event) -> None:
        """What the account has now of cash and of the event's instrument."""
        account = self._state.accounts.get(number)
        if account is None:  # A refused order may name any account.
            return
        holdings = {} if self.balances is None else self.balances.holdings
        held = account.holdings.get(event.instrument, _NOTHING)
        holdings[event.instrument] = held.lots, held.reserved_lots
        self.balances = Balances(account.cash_fen, account.reserved_fen, holdings)
