"""The SQL of administrative events. They are rare, so each is a statement of its own, executed in order.

The SQL is of the subset that SQLite and PostgreSQL have in common; PostgreSQL's writer numbers the parameters.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from sqlalchemy import Table

from matching_engine.records import ALL_INSTRUMENTS, CommandKind, EventKind, Phase, Reason
from services.commands.administrative import changed_terms
from services.commands.attachments import (
    AccountText,
    ActProposed,
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
    ProposalConfirmed,
    ProposalEnded,
    ReasonGiven,
    RequestRepeated,
    RequestSkipped,
    TargetSet,
    TradesDecided,
    read_decision,
)
from services.journal.batch import Applied
from services.read_model import proposal_changes, tables

Statement = tuple[str, tuple[Any, ...]]
"""SQL and the values of its parameters."""

_NS = 10**9


def insert_account(
    account: int, *, name: str, owner: int = 0, opened_seq: int = 0, account_class: int = 0
) -> Statement:
    """An account without money, goods or limits."""
    return _insert(
        tables.accounts,
        account=account,
        name=name,
        owner=owner,
        cash_fen=0,
        reserved_fen=0,
        opened_seq=opened_seq,
        account_class=account_class,
        kill_switch=0,
        max_order_lots=0,
        max_order_fen=0,
        max_open_orders=0,
        max_day_fen=0,
    )


def _insert(table: Table, key: Sequence[str] = (), /, **values: Any) -> Statement:
    """Inserts a row; where there is one with the same key, which is unique, sets its values."""
    sql = tables.insert_into(table, tuple(values))
    return f"{sql} {tables.replacing(key, tuple(values))}" if key else sql, tuple(values.values())


def _account_opened(applied: Applied) -> Statement:
    event, command = applied.event, applied.command
    text = AccountText.model_validate_json(applied.attachment)
    return insert_account(
        event.account,
        name=text.name,
        owner=command.owner,
        opened_seq=event.seq,
        account_class=command.account_class,
    )


def _limits_set(applied: Applied) -> Statement:
    event, command = applied.event, applied.command
    if command.kind == CommandKind.SET_TURNOVER_LIMIT:
        return "UPDATE accounts SET max_day_fen = ? WHERE account = ?", (command.amount_fen, event.account)
    limits = (command.quantity_lots, command.amount_fen, command.number, event.account)
    return "UPDATE accounts SET max_order_lots = ?, max_order_fen = ?, max_open_orders = ? WHERE account = ?", limits


def _kill_switch_set(applied: Applied) -> Statement:
    """The kill switch of an account; the venue's is in the table `position`."""
    event = applied.event
    return "UPDATE accounts SET kill_switch = ? WHERE account = ?", (event.number, event.account)


def _instrument_listed(applied: Applied) -> Statement:
    event, command = applied.event, applied.command
    text = ListingText.model_validate_json(applied.attachment)
    return _insert(
        tables.instruments,
        instrument=event.instrument,
        symbol=text.symbol,
        name_en=text.name_en,
        name_zh=text.name_zh,
        category=text.category,
        family=text.family,
        unit=text.unit,
        lot_size=text.lot_size,
        tick_size=text.tick_size,
        tick_value_fen=command.amount_fen,
        band_ppm=command.rate_ppm,
        max_quantity_lots=command.quantity_lots,
        first_reference_ticks=event.price_ticks,
        reference_ticks=event.price_ticks,
        reference_price_source=text.reference_price_source,
        spec=text.spec,
        note=text.note,
        phase=int(Phase.CLOSED),
        auction_ends_ns=0,
        collar_ppm=0,
        volatility_ppm=0,
        auction_s=0,
        settlement_source=None,
        listed_seq=event.seq,
    )


def _instrument_changed(applied: Applied) -> Statement | None:
    event, texts = applied.event, ChangeText.model_validate_json(applied.attachment).facts
    values = {**changed_terms(applied.command), **texts}
    if not values:
        return None
    changes = ", ".join(f"{name} = ?" for name in values)
    return f"UPDATE instruments SET {changes} WHERE instrument = ?", (*values.values(), event.instrument)


def keep_texts(applied: Applied) -> Statement | None:
    """Keeps the texts that an instrument has after the statement of this event: reports of the past read them."""
    event = applied.event
    if event.kind == EventKind.INSTRUMENT_CHANGED and not ChangeText.model_validate_json(applied.attachment).facts:
        return None
    texts = [column.name for column in tables.instrument_texts.columns if column.name not in ("instrument", "from_seq")]
    kept = f"SELECT instrument, CAST(? AS bigint), {', '.join(texts)} FROM instruments WHERE instrument = ?"
    into = f"INSERT INTO instrument_texts (instrument, from_seq, {', '.join(texts)})"
    return f"{into} {kept}", (event.seq, event.instrument)


def _fees_set(applied: Applied) -> Statement:
    command = applied.command
    return _insert(
        tables.fees,
        ("account_class",),
        account_class=command.account_class,
        maker_rate_ppm=command.rate_ppm,
        taker_rate_ppm=command.taker_rate_ppm,
    )


def _collar_set(applied: Applied) -> Statement:
    event, command = applied.event, applied.command
    return "UPDATE instruments SET collar_ppm = ? WHERE instrument = ?", (command.rate_ppm, event.instrument)


def _volatility_band_set(applied: Applied) -> Statement:
    event, command = applied.event, applied.command
    band = (command.rate_ppm, command.time_s, event.instrument)
    return "UPDATE instruments SET volatility_ppm = ?, auction_s = ? WHERE instrument = ?", band


def _phase_changed(applied: Applied) -> Statement:
    """Sets the phase in force and the end of a volatility auction, which a halt does not end."""
    event, command = applied.event, applied.command
    if event.reason == Reason.VOLATILITY:
        ends_ns = min(command.time_ns + event.number * _NS, 2**63 - 1)
        began = (event.phase, ends_ns, event.instrument)
        return "UPDATE instruments SET phase = ?, auction_ends_ns = ? WHERE instrument = ?", began
    halted = command.kind in (CommandKind.HALT, CommandKind.RESUME)
    change = "phase = ?" if halted else "phase = ?, auction_ends_ns = 0"
    if event.instrument == ALL_INSTRUMENTS:
        return f"UPDATE instruments SET {change}", (event.phase,)
    return f"UPDATE instruments SET {change} WHERE instrument = ?", (event.phase, event.instrument)


def _reference(applied: Applied) -> Statement:
    event = applied.event
    reference = (event.price_ticks, event.number, event.instrument)
    return "UPDATE instruments SET reference_ticks = ?, settlement_source = ? WHERE instrument = ?", reference


def _recorded(applied: Applied) -> Statement | None:
    event = applied.event
    match read_decision(applied.attachment):
        case KeyIssued() as key:
            return _insert(
                tables.api_keys,
                ("key_hash",),
                key_id=event.seq,
                key_hash=bytes.fromhex(key.key_hash),
                account=key.account,
                name=key.name,
                scopes=" ".join(key.scopes),
                revoked_seq=None,
                issued_ns=applied.command.time_ns,
                issued_by=applied.command.actor,
                expires_ns=key.expires_ns,
                addresses=" ".join(key.addresses),
                limits=key.limits.model_dump_json() if key.limits else "",
            )
        case KeyLimitsSet(key_id=key_id, limits=limits):
            return "UPDATE api_keys SET limits = ? WHERE key_id = ?", (limits.model_dump_json(), key_id)
        case KeyRevoked(key_id=key_id):
            return "UPDATE api_keys SET revoked_seq = ? WHERE key_id = ?", (event.seq, key_id)
        case TargetSet() as target:
            return _target_set(applied, target)
        case AlertRaised() | AlertCleared() | AlertAcknowledged() as alert:
            return _alert_changed(applied, alert)
        case DayClosed() as closed:
            return _day_closed(applied, closed)
        case ProofAgreed(year=year, proven_seq=proven_seq):
            time_ns = applied.command.time_ns
            return _insert(tables.proofs, seq=event.seq, time_ns=time_ns, year=year, proven_seq=proven_seq)
        case ActProposed() as act:
            return proposal_changes.proposed(applied, act)
        case ProposalConfirmed() | ProposalEnded() as ending:
            return proposal_changes.ended(applied, ending)
        case TradesDecided():
            return None  # It changes trades, so it comes after them (write_batch.py).
        case RequestRepeated() | RequestSkipped():
            return None  # It concerns the journal only.
        case ReasonGiven():
            return None  # It is part of the actions before it (actions.py).
        case kept:
            return _insert(
                tables.records,
                seq=event.seq,
                time_ns=applied.command.time_ns,
                actor=applied.command.actor,
                type=kept.type,
                text=applied.attachment.decode(),
            )


def _target_set(applied: Applied, target: TargetSet) -> Statement:
    return _insert(
        tables.targets,
        seq=applied.event.seq,
        time_ns=applied.command.time_ns,
        actor=applied.command.actor,
        scope=target.scope,
        metric=target.metric,
        year=target.year,
        month=target.month,
        amount=target.amount,
        pro_rata=int(target.pro_rata),
        name=target.name,
        why=target.why,
        replaces=target.replaces,
    )


def _alert_changed(applied: Applied, change: AlertRaised | AlertCleared | AlertAcknowledged) -> Statement:
    """The index `alerts_open` refuses a second open alert of a key."""
    seq, time_ns = applied.event.seq, applied.command.time_ns
    match change:
        case AlertRaised():
            values = {"seq": seq, "time_ns": time_ns, **change.model_dump(exclude={"type"})}
            return f"{tables.insert_into(tables.alerts, tuple(values))} ON CONFLICT DO NOTHING", tuple(values.values())
        case AlertCleared():
            cleared = "UPDATE alerts SET cleared_seq = ?, cleared_ns = ? WHERE seq = ? AND cleared_seq IS NULL"
            return cleared, (seq, time_ns, change.alert)
        case AlertAcknowledged():
            names = ("acknowledged_seq", "acknowledged_ns", "actor", "name", "note")
            acknowledged = ", ".join(f"{name} = ?" for name in names)
            by = (seq, time_ns, applied.command.actor, change.name, change.note)
            return f"UPDATE alerts SET {acknowledged} WHERE seq = ? AND acknowledged_seq IS NULL", (*by, change.alert)


def _day_closed(applied: Applied, closed: DayClosed) -> Statement:
    values = {
        "trading_date": closed.date,
        "revision": closed.revision,
        "seq": applied.event.seq,
        "time_ns": applied.command.time_ns,
        "at_seq": closed.at_seq,
        "row_hash": closed.row_hash,
        "sha256": closed.sha256,
    }
    return f"{tables.insert_into(tables.day_closings, tuple(values))} ON CONFLICT DO NOTHING", tuple(values.values())


STATEMENTS: dict[int, Callable[[Applied], Statement | None]] = {
    EventKind.ACCOUNT_OPENED: _account_opened,
    EventKind.LIMITS_SET: _limits_set,
    EventKind.KILL_SWITCH_SET: _kill_switch_set,
    EventKind.INSTRUMENT_LISTED: _instrument_listed,
    EventKind.FEES_SET: _fees_set,
    EventKind.INSTRUMENT_CHANGED: _instrument_changed,
    EventKind.COLLAR_SET: _collar_set,
    EventKind.VOLATILITY_BAND_SET: _volatility_band_set,
    EventKind.PHASE_CHANGED: _phase_changed,
    EventKind.SETTLED: _reference,
    EventKind.RECORDED: _recorded,
}
"""By kind of event; a function returns None where the event changes no table."""
