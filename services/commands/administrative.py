"""The venue's administrative commands as submissions to the inbox. Used by the gateway, the first start and `rex`.

Each function takes a `sender`: a Command with the fields of who sends it (request id, actor, …), and fills in the others.
"""

from __future__ import annotations

from collections.abc import Sequence

from matching_engine.records import ALL_INSTRUMENTS, Command, CommandKind, Flag, pack_commands
from services.commands.attachments import (
    AccountText,
    ActProposed,
    AlertAcknowledged,
    AlertCleared,
    AlertRaised,
    BustText,
    ChangeText,
    DayClosed,
    DelistText,
    HaltText,
    InstrumentText,
    Kept,
    KeyIssued,
    KeyLimitsSet,
    KeyRevoked,
    ListingText,
    ProofAgreed,
    ProposalEnded,
    TargetSet,
    TradesDecided,
)
from services.messaging import Submission

_TERMS = {
    "band_ppm": (int(Flag.CHANGE_BAND), "rate_ppm"),
    "collar_ppm": (int(Flag.CHANGE_COLLAR), "taker_rate_ppm"),
    "max_quantity_lots": (int(Flag.CHANGE_QUANTITY), "quantity_lots"),
}
"""The terms of an instrument that may change: the flag that says so, and the command's field."""

Decided = (
    KeyIssued
    | KeyLimitsSet
    | KeyRevoked
    | TargetSet
    | TradesDecided
    | AlertAcknowledged
    | ActProposed
    | ProposalEnded
    | Kept
)
"""What `record` records."""


def submission(command: Command, attachment: bytes | None = None) -> Submission:
    """A submission of one command, with its attachment if it has one."""
    if attachment is None:
        return Submission(pack_commands([command]))
    return Submission(pack_commands([command._replace(attachment=1)]), (attachment,))


def open_account(sender: Command, text: AccountText, owner: int = 0, account_class: int = 0) -> Submission:
    """Opens an account; its number is in the ACCOUNT_OPENED event."""
    command = sender._replace(kind=CommandKind.OPEN_ACCOUNT, owner=owner, account_class=account_class)
    return submission(command, text.to_bytes())


def change_cash(sender: Command, account: int, amount_fen: int) -> Submission:
    """Deposits amount_fen; withdraws it if it is negative."""
    kind = CommandKind.DEPOSIT if amount_fen >= 0 else CommandKind.WITHDRAW
    return submission(sender._replace(kind=kind, account=account, amount_fen=abs(amount_fen)))


def change_inventory(sender: Command, account: int, instrument: int, quantity_lots: int) -> Submission:
    """Books quantity_lots of warehouse receipts into an account; releases goods from it if quantity_lots is negative."""
    kind = CommandKind.RECEIVE if quantity_lots >= 0 else CommandKind.RELEASE
    command = sender._replace(kind=kind, account=account, instrument=instrument, quantity_lots=abs(quantity_lots))
    return submission(command)


def set_limits(
    sender: Command,
    account: int,
    *,
    max_order_lots: int = 0,
    max_order_fen: int = 0,
    max_open_orders: int = 0,
    max_day_fen: int = 0,
) -> Submission:
    """Sets all limits of an account, in two commands with consecutive sequence numbers; 0: no limit."""
    orders = sender._replace(
        kind=CommandKind.SET_ORDER_LIMITS,
        account=account,
        quantity_lots=max_order_lots,
        amount_fen=max_order_fen,
        number=max_open_orders,
    )
    turnover = sender._replace(kind=CommandKind.SET_TURNOVER_LIMIT, account=account, amount_fen=max_day_fen)
    return Submission(pack_commands([orders, turnover]))


def kill_switch(sender: Command, account: int = 0, *, on: bool) -> Submission:
    """Switches the kill switch of an account, or of the whole venue (0). While it is on, new orders and amends are refused."""
    kind = CommandKind.KILL_SWITCH_ON if on else CommandKind.KILL_SWITCH_OFF
    return submission(sender._replace(kind=kind, account=account))


def bust_trade(sender: Command, trade_id: int, text: BustText) -> Submission:
    """Busts a trade of the present trading day: its settlement is reversed."""
    return submission(sender._replace(kind=CommandKind.BUST_TRADE, order_id=trade_id), text.to_bytes())


def list_instrument(
    sender: Command,
    instrument: int,
    *,
    tick_value_fen: int,
    reference_ticks: int,
    band_ppm: int,
    max_quantity_lots: int,
    text: InstrumentText | ListingText,
) -> Submission:
    """Lists an instrument; its number must be the next one."""
    command = sender._replace(
        kind=CommandKind.LIST_INSTRUMENT,
        instrument=instrument,
        amount_fen=tick_value_fen,
        price_ticks=reference_ticks,
        rate_ppm=band_ppm,
        quantity_lots=max_quantity_lots,
    )
    return submission(command, text.to_bytes())


def change_instrument(
    sender: Command,
    instrument: int,
    *,
    band_ppm: int | None = None,
    collar_ppm: int | None = None,
    max_quantity_lots: int | None = None,
    text: ChangeText,
) -> Submission:
    """Sets the terms and texts that are named; the others stay. Collar 0: none."""
    given = {"band_ppm": band_ppm, "collar_ppm": collar_ppm, "max_quantity_lots": max_quantity_lots}
    command = sender._replace(
        kind=CommandKind.CHANGE_INSTRUMENT,
        instrument=instrument,
        flags=sum(_TERMS[name][0] for name, value in given.items() if value is not None),
        rate_ppm=band_ppm or 0,
        taker_rate_ppm=collar_ppm or 0,
        quantity_lots=max_quantity_lots or 0,
    )
    return submission(command, text.to_bytes())


def changed_terms(command: Command) -> dict[str, int]:
    """The terms that a CHANGE_INSTRUMENT sets, as `change_instrument` names them."""
    return {name: getattr(command, field) for name, (flag, field) in _TERMS.items() if command.flags & flag}


def delist_instrument(sender: Command, instrument: int, text: DelistText) -> Submission:
    """Delists an instrument for good: its open orders end."""
    return submission(sender._replace(kind=CommandKind.DELIST_INSTRUMENT, instrument=instrument), text.to_bytes())


def set_fees(sender: Command, *, maker_rate_ppm: int, taker_rate_ppm: int, account_class: int = 0) -> Submission:
    """Sets the fees of an account class for each side of a trade, in millionths of the trade's notional."""
    command = sender._replace(
        kind=CommandKind.SET_FEES, rate_ppm=maker_rate_ppm, taker_rate_ppm=taker_rate_ppm, account_class=account_class
    )
    return submission(command)


def set_collar(sender: Command, instrument: int, rate_ppm: int) -> Submission:
    """Sets how far beyond the last price an order's price may be, in millionths; 0: no collar."""
    return submission(sender._replace(kind=CommandKind.SET_COLLAR, instrument=instrument, rate_ppm=rate_ppm))


def set_volatility_band(sender: Command, instrument: int, rate_ppm: int, auction_s: int) -> Submission:
    """Sets how far from the last price, in millionths, a trade may be; one beyond it begins an auction of auction_s seconds.
    Both 0: no band."""
    command = sender._replace(
        kind=CommandKind.SET_VOLATILITY_BAND, instrument=instrument, rate_ppm=rate_ppm, time_s=auction_s
    )
    return submission(command)


def halt(sender: Command, instrument: int = ALL_INSTRUMENTS, text: HaltText | None = None) -> Submission:
    """Halts an instrument, or all: until `resume`, only cancels are accepted."""
    command = sender._replace(kind=CommandKind.HALT, instrument=instrument)
    return submission(command, None if text is None else text.to_bytes())


def resume(sender: Command, instrument: int = ALL_INSTRUMENTS) -> Submission:
    """Resumes trading: returns an instrument, or all, to the phase of the venue's schedule."""
    return submission(sender._replace(kind=CommandKind.RESUME, instrument=instrument))


def set_phase(sender: Command, phase: int, instrument: int = ALL_INSTRUMENTS) -> Submission:
    """Sets the schedule's phase of an instrument, or of all."""
    return submission(sender._replace(kind=CommandKind.SET_PHASE, instrument=instrument, phase=phase))


def record(sender: Command, decision: Decided) -> Submission:
    """Records a decision in the journal; the engine only numbers it, the readers apply it."""
    return submission(sender._replace(kind=CommandKind.RECORD), decision.to_bytes())


def recorded(sender: Command, changes: Sequence[AlertRaised | AlertCleared | DayClosed | ProofAgreed]) -> Submission:
    """Records what the venue itself finds: one command for each, in order, in one journal batch."""
    commands = [
        sender._replace(kind=CommandKind.RECORD, attachment=number) for number, _ in enumerate(changes, start=1)
    ]
    return Submission(pack_commands(commands), tuple(change.to_bytes() for change in changes))


def record_and_switch(sender: Command, decision: Kept, accounts: Sequence[int], *, on: bool) -> Submission:
    """Records a decision, and switches the kill switch of these accounts, all in one batch."""
    command = sender._replace(kind=CommandKind.RECORD, attachment=1)
    kind = CommandKind.KILL_SWITCH_ON if on else CommandKind.KILL_SWITCH_OFF
    switches = [sender._replace(kind=kind, account=account) for account in accounts]
    return Submission(pack_commands([command, *switches]), (decision.to_bytes(),))
