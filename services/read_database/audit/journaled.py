"""Data of the journal that the engine does not keep: names, keys, targets, decisions, reasons, trading days, goods in and
out, sums of orders and trades.

Collected while a recovery or a proof reads the batches, and compared with the read database (differences.py).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from matching_engine.records import COMMAND, EVENT, VENUE, CommandKind, Event, EventKind, Reason, Side
from services.commands.attachments import (
    AccountText,
    ActProposed,
    AlertAcknowledged,
    AlertCleared,
    AlertRaised,
    BustText,
    ChangeText,
    DayClosed,
    InstrumentText,
    KeyIssued,
    KeyLimits,
    KeyLimitsSet,
    KeyRevoked,
    ListingText,
    ProofAgreed,
    ProposalConfirmed,
    ProposalEnded,
    RequestRepeated,
    RequestSkipped,
    TargetSet,
    TradesDecided,
    read_decision,
)
from services.journal.batch import Applied, JournalBatch
from services.read_database.actions import actions
from services.read_database.audit.dealings import Dealings
from services.read_database.audit.excluded import Excluded
from services.read_database.proposal_changes import ENDING, columns_of, ending_of

Columns = tuple[object, ...]
FIRST_RESERVES = 1_000_003
"""Each reserve counts modulo this, so that no sum is beyond 63 bits."""
TEXTS = ("name_en", "name_zh", "spec", "note")
_NOT_YET = dict.fromkeys(
    ("cleared_seq", "cleared_ns", "acknowledged_seq", "acknowledged_ns", "actor", "name", "note"), None
)

_WITH_TEXT = frozenset(
    {
        EventKind.ACCOUNT_OPENED,
        EventKind.INSTRUMENT_LISTED,
        EventKind.INSTRUMENT_CHANGED,
        EventKind.TRADE_BUSTED,
        EventKind.RECORDED,
    }
)
"""Kinds of event with an attachment that the read database stores."""


class Journaled:
    """Takes every batch from the first on (`add`). Each table below has the true rows of the read database, by primary key."""

    def __init__(self) -> None:
        self.last_batch: JournalBatch | None = None
        self.orders = 0
        """Number of orders entered, refused ones included."""
        self.dealings = Dealings()
        self.accounts: dict[int, Columns] = {VENUE: ("venue", 0)}
        """Name and opened_seq."""
        self.instruments: dict[int, Columns] = {}
        """The fields of `InstrumentText` in their order, then the first reference price in ticks, and listed_seq."""
        self.instrument_texts: dict[tuple[int, int], Columns] = {}
        """By instrument and seq: the TEXTS from then on."""
        self.api_keys: dict[int, Columns] = {}
        """Key hash, account, name, scopes, issued_ns, issued_by, expires_ns, addresses, limits, revoked_seq."""
        self.targets: dict[int, Columns] = {}
        """By seq: time_ns, actor, and the fields of `TargetSet` in their order."""
        self.busts: dict[int, Columns] = {}
        """Seq, time_ns, actor, reason."""
        self.decisions: dict[int, Columns] = {}
        """By seq: time_ns, actor, decision, finding, reason, name."""
        self.alerts: dict[int, dict[str, object]] = {}
        """By seq: the other columns by name."""
        self.day_closings: dict[tuple[int, int], Columns] = {}
        """By date and revision: seq, time_ns, at_seq, row hash, SHA-256."""
        self.proofs: dict[int, Columns] = {}
        """By seq: time_ns, year, proven_seq."""
        self.decided_trades: set[tuple[int, int]] = set()
        """Seq of a decision, id of a trade that it names."""
        self.records: dict[int, Columns] = {}
        """By seq: time_ns, actor, type, text."""
        self.actions: dict[int, Columns] = {}
        """By seq: time_ns, actor, kind, text."""
        self.proposals: dict[int, dict[str, object]] = {}
        """By seq: the other columns by name."""
        self.excluded = Excluded()
        self.days: dict[int, Columns] = {}
        """By trading date: first_seq, began_ns."""
        self.goods: dict[int, Columns] = {}
        """By seq: time_ns, trading_date, account, instrument, lots, actor."""
        self.cash: dict[int, Columns] = {}
        """By seq: time_ns, trading_date, account, amount_fen, actor."""
        self.first_reserves = 0
        """Sum of what each order reserved at its entry, in fen or lots, modulo FIRST_RESERVES each."""
        self._trading_date = 0

    def add(self, batch: JournalBatch) -> None:
        """Takes the next batch."""
        self.last_batch = batch
        events = np.frombuffer(batch.events, EVENT)
        counts = np.bincount(events["kind"], minlength=256)
        self.dealings.add(batch)
        self.actions.update((seq, tuple(others)) for seq, *others in actions(batch))
        self.orders += int(counts[EventKind.ACCEPTED])
        entered = events[events["kind"] == EventKind.ACCEPTED]
        reserved = np.where(entered["side"] == Side.BUY, entered["reserve_fen"], entered["quantity_lots"])
        self.first_reserves += int((reserved % FIRST_RESERVES).sum())
        if counts[EventKind.REJECTED]:
            refused = events[
                (events["kind"] == EventKind.REJECTED) & (events["reason"] != Reason.CLIENT_ORDER_ID_REUSED)
            ]
            kinds = np.frombuffer(batch.commands, COMMAND)["kind"][refused["seq"] - np.uint64(batch.first_seq)]
            self.orders += int(np.count_nonzero(kinds == CommandKind.NEW_ORDER))
        if counts[EventKind.DAY_ROLLED] or counts[EventKind.BALANCE_CHANGED]:
            self._book(batch, events[np.isin(events["kind"], (EventKind.DAY_ROLLED, EventKind.BALANCE_CHANGED))])
        if batch.attachments:
            for applied in batch.applied():
                if applied.attachment and applied.event.kind in _WITH_TEXT:
                    self._read(applied)

    def _book(self, batch: JournalBatch, events: Any) -> None:
        """Days that began, cash and goods that came in or went out: events of these two kinds."""
        commands = np.frombuffer(batch.commands, COMMAND)[events["seq"] - np.uint64(batch.first_seq)]
        for (kind, seq, date, amount_fen, *goods), (cause, time_ns, actor) in zip(
            events[["kind", "seq", "date", "amount_fen", "account", "instrument", "quantity_lots"]].tolist(),
            commands[["kind", "time_ns", "actor"]].tolist(),
            strict=True,
        ):
            if kind == EventKind.DAY_ROLLED:
                self._trading_date = date
                self.days[date] = (seq, time_ns)
            elif cause in (CommandKind.RECEIVE, CommandKind.RELEASE):
                self.goods[seq] = (time_ns, self._trading_date, *goods, actor)
            else:
                self.cash[seq] = (time_ns, self._trading_date, goods[0], amount_fen, actor)

    def _read(self, applied: Applied) -> None:
        event, command, text = applied
        match event.kind:
            case EventKind.ACCOUNT_OPENED:
                self.accounts[event.account] = (AccountText.model_validate_json(text).name, event.seq)
            case EventKind.INSTRUMENT_LISTED:
                words = ListingText.model_validate_json(text).facts.values()
                self.instruments[event.instrument] = (*words, event.price_ticks, event.seq)
                self._keep_texts(event)
            case EventKind.INSTRUMENT_CHANGED:
                texts = ChangeText.model_validate_json(text).facts
                *before, first_ticks, listed_seq = self.instruments[event.instrument]
                named = dict(zip(InstrumentText.model_fields, before, strict=True)) | texts
                self.instruments[event.instrument] = (*named.values(), first_ticks, listed_seq)
                if texts:
                    self._keep_texts(event)
            case EventKind.TRADE_BUSTED:
                reason = BustText.model_validate_json(text).reason
                self.busts[event.order_id] = (event.seq, command.time_ns, command.actor, reason)
                self.excluded.bust(event.order_id)
            case EventKind.RECORDED:
                self._recorded(applied)

    def _keep_texts(self, event: Event) -> None:
        named = dict(zip(InstrumentText.model_fields, self.instruments[event.instrument], strict=False))
        self.instrument_texts[event.instrument, event.seq] = tuple(named[name] for name in TEXTS)

    def _recorded(self, applied: Applied) -> None:
        seq, by = applied.event.seq, (applied.command.time_ns, applied.command.actor)
        match read_decision(applied.attachment):
            case KeyIssued() as key:
                digest = bytes.fromhex(key.key_hash)
                self.api_keys = {key_id: issued for key_id, issued in self.api_keys.items() if issued[0] != digest}
                self.api_keys[seq] = (
                    digest, key.account, key.name, " ".join(key.scopes), *by, key.expires_ns, " ".join(key.addresses),
                    _limits(key.limits), None,
                )  # fmt: skip
            case KeyLimitsSet(key_id=key_id, limits=limits):
                if key_id in self.api_keys:
                    *others, _, revoked_seq = self.api_keys[key_id]
                    self.api_keys[key_id] = (*others, _limits(limits), revoked_seq)
            case KeyRevoked(key_id=key_id):
                if key_id in self.api_keys:
                    self.api_keys[key_id] = (*self.api_keys[key_id][:-1], seq)
            case TargetSet() as target:
                told = {**target.model_dump(exclude={"type"}), "pro_rata": int(target.pro_rata)}
                self.targets[seq] = (*by, *told.values())
            case TradesDecided() as decided:
                self.decisions[seq] = (*by, decided.decision, decided.finding, decided.reason, decided.name)
                self.decided_trades |= {(seq, trade_id) for trade_id in decided.trade_ids}
                self.excluded.decide(seq, decided)
            case DayClosed() as closed:
                told_of_day = (seq, by[0], closed.at_seq, closed.row_hash, closed.sha256)
                self.day_closings.setdefault((closed.date, closed.revision), told_of_day)
            case ProofAgreed(year=year, proven_seq=proven_seq):
                self.proofs[seq] = (by[0], year, proven_seq)
            case AlertRaised() | AlertCleared() | AlertAcknowledged() as change:
                self._alert_changed(seq, *by, change)
            case ActProposed() as act:
                self.proposals[seq] = {**columns_of(applied, act), **dict.fromkeys(ENDING)}
            case ProposalConfirmed(proposal=proposal, commands=commands) as ending:
                if all(command in self.actions for command in range(seq - commands, seq)):
                    self._end_proposal(proposal, ending_of(applied, ending))
            case ProposalEnded(proposal=proposal) as ending:
                self._end_proposal(proposal, ending_of(applied, ending))
            case RequestRepeated() | RequestSkipped():
                pass
            case kept:
                self.records[seq] = (*by, kept.type, applied.attachment.decode())

    def _end_proposal(self, seq: int, ending: Mapping[str, object]) -> None:
        proposal = self.proposals.get(seq)
        if proposal is not None and proposal["outcome"] is None:
            proposal.update(ending)

    def _alert_changed(
        self, seq: int, time_ns: int, actor: int, change: AlertRaised | AlertCleared | AlertAcknowledged
    ) -> None:
        if isinstance(change, AlertRaised):
            if not any(alert["key"] == change.key and alert["cleared_seq"] is None for alert in self.alerts.values()):
                self.alerts[seq] = {"time_ns": time_ns, **change.model_dump(exclude={"type"}), **_NOT_YET}
            return
        alert = self.alerts.get(change.alert)
        if alert is None:
            return
        if isinstance(change, AlertCleared):
            if alert["cleared_seq"] is None:
                alert.update(cleared_seq=seq, cleared_ns=time_ns)
        elif alert["acknowledged_seq"] is None:
            by = {"actor": actor, "name": change.name, "note": change.note}
            alert.update(acknowledged_seq=seq, acknowledged_ns=time_ns, **by)


def _limits(limits: KeyLimits | None) -> str:
    return limits.model_dump_json() if limits else ""
