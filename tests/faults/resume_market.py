"""Those who follow the market by subscription: its trades, and the book with all its levels."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from rex_client import DepthBook, RexClient, Subscription

from tests.faults.resume_followers import Follower, Heard
from tests.faults.resume_venue import ToldMarket
from tests.faults.traders import SYMBOL

SNAPSHOT_TRADES = 50

Json = dict[str, Any]


class TradesFollower(Follower):
    """Follows the public trades."""

    def __init__(self, client: RexClient, who: str) -> None:
        super().__init__(client, who, "trades", [SYMBOL])
        self._before: list[Json] = []
        self._trades: list[Json] = []
        self._busted: list[str] = []

    def take(self, push: Json) -> None:
        """See Follower."""
        if push["type"] == "snapshot":
            self._before = push["data"]["trades"]
        else:
            self._trades += push["data"]["trades"]
        self._busted += push["data"]["busted"]

    def has_heard(self, told: ToldMarket) -> bool:
        """See Heard."""
        seqs = [trade["seq"] for trade in told.trades] + list(told.bust_seqs.values())
        return bool(self.seq >= max(seqs, default=0))

    def off(self, told: ToldMarket) -> list[str]:
        """See Heard."""
        broken, first_seq = list[str](), self.first_seq
        then = [trade | {"busted": self._was_busted(trade, told)} for trade in told.trades if trade["seq"] <= first_seq]
        if self._before != then[-SNAPSHOT_TRADES:]:
            broken.append(f"{self.name} began with other trades than the venue's last {SNAPSHOT_TRADES}")
        later = [trade | {"busted": False} for trade in told.trades if trade["seq"] > first_seq]
        if self._trades != later:
            ids, wanted = [[trade["trade_id"] for trade in trades] for trades in (self._trades, later)]
            lost, twice = len(set(wanted) - set(ids)), len(ids) - len(set(ids))
            broken.append(
                f"{self.name}: {lost} of {len(wanted)} trades are missed, {twice} came twice, or the order differs"
            )
        if sorted(self._busted) != sorted(name for name, seq in told.bust_seqs.items() if seq > first_seq):
            broken.append(f"{self.name} tell other busts than the venue has")
        return broken

    def _was_busted(self, trade: Json, told: ToldMarket) -> bool:
        bust_seq = told.bust_seqs.get(trade["trade_id"])
        return bust_seq is not None and bust_seq <= self.first_seq


class BookClient(RexClient):
    """A client that counts how often `follow_book` begins: more than once where the book was out of step."""

    begun = 0

    def subscribe(self, channels: Sequence[str], symbols: Sequence[str] | None = None, **options: Any) -> Subscription:
        """See RexClient."""
        self.begun += channels == ["depth"]
        return super().subscribe(channels, symbols, **options)


class BookFollower(Heard):
    """Follows the book with all its levels by `follow_book`."""

    def __init__(self, client: BookClient, who: str) -> None:
        super().__init__(f"the {who}'s book")
        self._client = client
        self._book = DepthBook()

    async def _follow(self) -> None:
        async for book in self._client.follow_book(SYMBOL):
            self._book = book
            self.began.set()

    def has_heard(self, told: ToldMarket) -> bool:
        """See Heard."""
        return self._book.seq is not None and self._book.seq >= told.depth_push["seq"]

    def off(self, told: ToldMarket) -> list[str]:
        """See Heard."""
        broken = list[str]()
        if self._client.begun > 1:
            broken.append(f"{self.name} was out of step {self._client.begun - 1} times")
        book = [[level._asdict() for level in side] for side in (self._book.bids, self._book.asks)]
        there, begun = [[depth["bids"], depth["asks"]] for depth in (told.depth, told.depth_push["data"])]
        if begun != there:
            broken.append("who begins to follow the book now does not get the venue's")
        if book != there:
            ours, theirs = [[level["price"] for side in sides for level in side] for sides in (book, there)]
            missing, gone = len(set(theirs) - set(ours)), len(set(ours) - set(theirs))
            broken.append(
                f"{self.name} is not the venue's: {missing} of {len(theirs)} levels are missing, {gone} are there no"
                " more, or their quantities differ"
            )
        return broken
