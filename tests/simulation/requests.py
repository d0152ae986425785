"""What a client asks for, each try of it at a gateway, and the replies."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from services.commands import administrative as admin
from services.gateway.order_entry.idempotency import REQUEST_KEY, RequestKey
from services.gateway.order_entry.order_body import AmendParams, CancelParams, OrderBody
from services.gateway.problems import not_taken_in
from services.messaging.link.frames import sender_of
from services.venue_state.keys import ApiKey
from services.venue_state.orders import VenueOrder

if TYPE_CHECKING:
    from tests.simulation.gateway_process import GatewayProcess

NOT_TAKEN_IN = not_taken_in().detail
_REFUSALS = frozenset({"inbox_full", "too_many_requests", "not_connected"})


class Told(NamedTuple):
    """What a client was told of an order: each must be a state that the order had."""

    order_id: int
    account: int
    client_order_id: str
    seq: int
    state: str
    filled_lots: int
    leaves_lots: int

    @classmethod
    def of(cls, order: VenueOrder) -> Told:
        """The order as it stands."""
        return cls(
            order.order_id, order.account, order.client_order_id, order.updated_seq, order.state, order.filled_lots,
            order.leaves_lots,
        )  # fmt: skip


class Reply(NamedTuple):
    """The answer to one try."""

    problem: str = ""
    detail: str = ""
    orders: tuple[Told, ...] = ()
    repeats: bool = False
    """The order was there before."""
    seq: int = 0
    """Of what was carried out for an operator."""

    def __str__(self) -> str:
        if self.problem:
            return self.problem
        return " ".join(f"{one.order_id}@{one.seq} {one.state}" for one in self.orders) or f"seq {self.seq}"


@dataclass(eq=False)
class Attempt:
    """One try of a request at one gateway."""

    request: Request
    number: int
    sent: list[tuple[int, int, int]] = field(default_factory=list)
    """request_id, incarnation and gateway_id of every command that order entry handed over for it."""
    refused: bool = False
    """The client was told, or will be, that nothing of it was taken in."""
    reply: Reply | None = None

    def note(self, commands: bytes, size: int) -> None:
        """Order entry hands these commands over."""
        self.sent += [sender_of(commands[start : start + size]) for start in range(0, len(commands), size)]

    def settle(self, reply: Reply) -> None:
        """The gateway answers."""
        self.reply = reply
        self.refused = reply.problem in _REFUSALS or reply.detail == NOT_TAKEN_IN

    def __str__(self) -> str:
        return f"{self.request.name}.{self.number}"


@dataclass(eq=False)
class Request:
    """What a client wants once. Its client tries it until it has an answer."""

    name: str
    account: int
    key_id: int
    attempts: list[Attempt] = field(default_factory=list)
    answer: Reply | None = None
    """The first definite answer that the client has got."""

    def key(self, gateway: GatewayProcess) -> ApiKey:
        """The client's key, as the gateway knows it."""
        key = gateway.state.key(self.key_id)
        assert key is not None
        return key

    async def carry_out(self, gateway: GatewayProcess, attempt: Attempt) -> Reply:
        """Asks order entry."""
        raise NotImplementedError


@dataclass(eq=False)
class Place(Request):
    """A new order. Without a client_order_id it is tried only once."""

    body: OrderBody = field(kw_only=True)

    async def carry_out(self, gateway: GatewayProcess, attempt: Attempt) -> Reply:
        """Places it."""
        order, repeats = await gateway.entry.place(self.key(gateway), self.body)
        return Reply(orders=(Told.of(order),), repeats=repeats)


@dataclass(eq=False)
class Cancel(Request):
    """Cancels an order by its client_order_id."""

    client_order_id: str = field(kw_only=True)

    async def carry_out(self, gateway: GatewayProcess, attempt: Attempt) -> Reply:
        """Cancels it."""
        order = await gateway.entry.cancel(self.key(gateway), client_order_id=self.client_order_id)
        return Reply(orders=(Told.of(order),))


@dataclass(eq=False)
class Amend(Request):
    """Amends an order by its client_order_id."""

    client_order_id: str = field(kw_only=True)
    body: AmendParams = field(kw_only=True)

    async def carry_out(self, gateway: GatewayProcess, attempt: Attempt) -> Reply:
        """Amends it."""
        key = self.key(gateway)
        order = await gateway.entry.amend(key, self.body, client_order_id=self.client_order_id)
        return Reply(orders=(Told.of(order),))


@dataclass(eq=False)
class Batch(Request):
    """Several requests in one batch."""

    entries: list[OrderBody | CancelParams] = field(kw_only=True)

    async def carry_out(self, gateway: GatewayProcess, attempt: Attempt) -> Reply:
        """Hands them over together."""
        outcomes = await gateway.entry.batch(self.key(gateway), [*self.entries])
        problems = [outcome.problem for outcome in outcomes if outcome.problem is not None]
        unknown = next((one for one in problems if one.code == "outcome_unknown"), None)
        if unknown is not None:
            return Reply(problem=unknown.code, detail=unknown.detail)
        return Reply(orders=tuple(Told.of(outcome.order) for outcome in outcomes if outcome.order is not None))


@dataclass(eq=False)
class Look(Request):
    """Reads an order by its client_order_id."""

    client_order_id: str = field(kw_only=True)

    async def carry_out(self, gateway: GatewayProcess, attempt: Attempt) -> Reply:
        """Reads it from memory."""
        order = gateway.state.orders.known_as(self.account, self.client_order_id)
        return Reply(orders=() if order is None else (Told.of(order),))


@dataclass(eq=False)
class Deposit(Request):
    """An operator's deposit (a withdrawal if it is negative) with an idempotency key. Its amount is nobody else's."""

    to_account: int = field(kw_only=True)
    amount_fen: int = field(kw_only=True)

    async def carry_out(self, gateway: GatewayProcess, attempt: Attempt) -> Reply:
        """Books it, once."""
        key = self.key(gateway)
        REQUEST_KEY.set(RequestKey(f"key-{self.name}", f"{self.amount_fen % 2**64:064x}", key.key_id))
        event = await gateway.entry.execute(
            key, lambda sender: admin.change_cash(sender, self.to_account, self.amount_fen)
        )
        return Reply(seq=event.seq)
