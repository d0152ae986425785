"""Where the submissions of a gateway go, where its batches come from, and how old its memory may be."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from services.gateway.freshness import Freshness
from services.gateway.http.health import Sentences
from services.gateway.http.metrics import Facts
from services.journal.postgres.journal import PostgresJournal
from services.messaging import Feed, Inbox
from services.messaging.link.client import Link
from services.messaging.link.confirmed import ConfirmedJournal
from services.messaging.read_only import ReadOnlyInbox
from services.messaging.tail import Readable
from services.scaled.stores import ReaderFeed

LINK_PATIENCE_S = 5.0
"""How long a gateway that hears nothing, of a sequencer or of the journal, still calls itself ready: a take-over takes less."""

BEHIND_S = 1.0
"""Batches that are in the journal for so long, and not in the gateway's memory, are told of in answers to reads."""

ORDER_PATIENCE_S = 5.0
"""How long the oldest command may wait for its batch in a gateway that calls itself ready."""


@dataclass(frozen=True)
class BatchSource:
    """Where submissions go and where batches come from."""

    inbox: Inbox
    feed: Feed
    journal: Readable
    details: Callable[[], Facts]
    not_ready: Sentences
    warnings: Sentences
    freshness: Freshness


def linked(link: Link, journal: PostgresJournal) -> BatchSource:
    """An order gateway's."""

    def details() -> Facts:
        return {
            "epoch": link.epoch,
            "link_age_s": link.age_s,
            "oldest_command_age_s": round(link.oldest_age_s, 3),
            "replicated": journal.is_replicated,
        }

    def has_no_link() -> bool:
        return not link.connected and (link.age_s is None or link.silent_s >= LINK_PATIENCE_S)

    def is_cut_off() -> bool:
        """Not where no sequencer leads: then nobody goes on, and the market of every gateway is the venue's. Nor where one has
        just begun to: no gateway has a link to it yet."""
        return has_no_link() and max(journal.look_age_s, link.beats.led_s) >= LINK_PATIENCE_S

    def behind_s(applied_seq: int) -> float:
        return _lag_s(journal, applied_seq) if link.connected else link.silent_s

    def not_ready() -> list[str]:
        if has_no_link():
            return [f"There is no link to a sequencer: {link.trouble or 'none leads'}."]
        if link.oldest_age_s >= ORDER_PATIENCE_S:
            cause = journal.waiting_for or "the leading sequencer's /readyz names the cause"
            return [f"Nothing is committed: the oldest command has waited for {link.oldest_age_s:.0f} s; {cause}."]
        return []

    def warnings() -> list[str]:
        return [f"{journal.waiting_for}."] if journal.waiting_for else []

    freshness = Freshness(is_cut_off, behind_s)
    return BatchSource(link, link, ConfirmedJournal(journal, link), details, not_ready, warnings, freshness)


def reading(feed: ReaderFeed, journal: PostgresJournal) -> BatchSource:
    """A read-only gateway's."""

    def warnings() -> list[str]:
        trouble = feed.trouble()
        return [] if trouble is None else [trouble]

    def is_cut_off() -> bool:
        return journal.look_age_s >= LINK_PATIENCE_S

    def not_ready() -> list[str]:
        return [f"The journal was last read {journal.look_age_s:.0f} s ago."] if is_cut_off() else []

    def behind_s(applied_seq: int) -> float:
        return journal.look_age_s if is_cut_off() else _lag_s(journal, applied_seq)

    return BatchSource(
        ReadOnlyInbox(),
        feed.feed,
        journal,
        lambda: {"redis": not warnings() if feed.uses_redis else None},
        not_ready,
        warnings,
        Freshness(is_cut_off, behind_s),
    )


def _lag_s(journal: PostgresJournal, applied_seq: int) -> float:
    """For how long the journal has had more than the gateway's memory; 0: it has not, or for less than BEHIND_S."""
    lag_s = journal.lag(applied_seq).age_s
    return lag_s if lag_s >= BEHIND_S else 0.0
