"""The venue's administrative commands as submissions: what `rex`, the gateway and the first start hand to the inbox."""

from __future__ import annotations

from matching_engine.records import ALL_INSTRUMENTS, Command, CommandKind, pack_commands
from services.commands.attachments import AccountText, BustText, InstrumentText, KeyIssued, KeyRevoked, TargetSet
from services.messaging import Submission


def submission(command: Command, attachment: bytes | None = None) -> Submission:
    """One command, with its text where it has one."""
    if attachment is None:
        return Submission(pack_commands([command]))
    return Submission(pack_commands([command._replace(attachment=1)]), (attachment,))


def open_account(sender: Command, text: AccountText, owner: int = 0, account_class: int = 0) -> Submission:
    """A new account; the ACCOUNT_OPENED event says its number."""
    command = sender._replace(kind=CommandKind.OPEN_ACCOUNT, owner=owner, account_class=account_class)
    return submission(command, text.to_bytes())


def change_cash(sender: Command, account: int, amount_fen: int) -> Submission:
    """A deposit, or a withdrawal where amount_fen is negative."""
    kind = CommandKind.DEPOSIT if amount_fen >= 0 else CommandKind.WITHDRAW
    return submission(sender._replace(kind=kind, account=account, amount_fen=abs(amount_fen)))


def change_inventory(sender: Command, account: int, instrument: int, quantity_lots: int) -> Submission:
    """Warehouse receipts booked in, or goods handed out where quantity_lots is negative."""
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
    """All limits of an account, in two commands that nothing comes between; 0: no limit."""
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
    """Refuses new orders and amends of an account, or of the whole venue (0), until it is off again."""
    kind = CommandKind.KILL_SWITCH_ON if on else CommandKind.KILL_SWITCH_OFF
    return submission(sender._replace(kind=kind, account=account))


def bust_trade(sender: Command, trade_id: int, text: BustText) -> Submission:
    """Takes back a trade of the present trading day."""
    return submission(sender._replace(kind=CommandKind.BUST_TRADE, order_id=trade_id), text.to_bytes())


def list_instrument(
    sender: Command,
    instrument: int,
    *,
    tick_value_fen: int,
    reference_ticks: int,
    band_ppm: int,
    max_quantity_lots: int,
    text: InstrumentText,
) -> Submission:
    """A new instrument; its number must be the next one."""
    command = sender._replace(
        kind=CommandKind.LIST_INSTRUMENT,
        instrument=instrument,
        amount_fen=tick_value_fen,
        price_ticks=reference_ticks,
        rate_ppm=band_ppm,
        quantity_lots=max_quantity_lots,
    )
    return submission(command, text.to_bytes())


def set_fees(sender: Command, *, maker_rate_ppm: int, taker_rate_ppm: int, account_class: int = 0) -> Submission:
    """What a trade costs each side of an account class, in millionths of its notional."""
    command = sender._replace(
        kind=CommandKind.SET_FEES, rate_ppm=maker_rate_ppm, taker_rate_ppm=taker_rate_ppm, account_class=account_class
    )
    return submission(command)


def set_collar(sender: Command, instrument: int, rate_ppm: int) -> Submission:
    """How far beyond the last price an order may reach, in millionths; 0: no collar."""
    return submission(sender._replace(kind=CommandKind.SET_COLLAR, instrument=instrument, rate_ppm=rate_ppm))


def set_volatility_band(sender: Command, instrument: int, rate_ppm: int, auction_s: int) -> Submission:
    """How far from the last price a trade may be before it begins an auction of so many seconds; both 0: no band."""
    command = sender._replace(
        kind=CommandKind.SET_VOLATILITY_BAND, instrument=instrument, rate_ppm=rate_ppm, time_s=auction_s
    )
    return submission(command)


def halt(sender: Command, instrument: int = ALL_INSTRUMENTS) -> Submission:
    """Cancels only, until `resume`."""
    return submission(sender._replace(kind=CommandKind.HALT, instrument=instrument))


def resume(sender: Command, instrument: int = ALL_INSTRUMENTS) -> Submission:
    """Back to the phase of the venue's schedule."""
    return submission(sender._replace(kind=CommandKind.RESUME, instrument=instrument))


def set_phase(sender: Command, phase: int, instrument: int = ALL_INSTRUMENTS) -> Submission:
    """The schedule's phase from now on."""
    return submission(sender._replace(kind=CommandKind.SET_PHASE, instrument=instrument, phase=phase))


def day_roll(sender: Command, date: int) -> Submission:
    """The trading day `date` (yyyymmdd) begins."""
    return submission(sender._replace(kind=CommandKind.DAY_ROLL, date=date))


def record(sender: Command, decision: KeyIssued | KeyRevoked | TargetSet) -> Submission:
    """A decision for the readers; the engine only numbers it."""
    return submission(sender._replace(kind=CommandKind.RECORD), decision.to_bytes())
