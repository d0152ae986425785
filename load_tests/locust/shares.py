"""What master and workers send each other: shares of the flow, and reports, as msgpack carries them.

worker → master    SHARE_WANTED  {user}                a user has begun, and wants an account
master → worker    SHARE         {user, share}         share: an account's part of the flow, None: all are taken
worker → master    CONNECTED     {}                    the account is ready to send
master → workers   GO            {}                    all accounts are
master → workers   END           {}                    send nothing further
worker → master    REPORT        {run, index, …}       what the account sent, and the replies
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from load_tests.flows.flow_message import FlowMessage
from load_tests.replay.account_stream import Replies
from load_tests.replay.latency import Latencies
from load_tests.replay.pace import Pace
from load_tests.replay.sending import AccountReport

Json = dict[str, Any]

SHARE_WANTED, SHARE, CONNECTED, GO, END, REPORT = (
    "rex_share_wanted",
    "rex_share",
    "rex_connected",
    "rex_go",
    "rex_end",
    "rex_report",
)


@dataclass(frozen=True)
class Share:
    """The part of a flow that one account sends. `run` is the number of the replay, `index` the account's in it, from 0."""

    run: int
    index: int
    url: str
    key: str
    pace: Pace
    messages: list[tuple[int, FlowMessage]]
    """Each with its number in the whole flow, from 0."""

    def to_wire(self) -> Json:
        """The share as a message carries it."""
        return {**vars(self), "pace": asdict(self.pace), "messages": [[at, *row] for at, row in self.messages]}

    @classmethod
    def from_wire(cls, wire: Mapping[str, Any]) -> Share:
        """The share that a message carries."""
        messages = [(at, FlowMessage(*row)) for at, *row in wire["messages"]]
        return cls(**{**wire, "pace": Pace(**wire["pace"]), "messages": messages})


@dataclass(frozen=True)
class ShareReport:
    """What became of a share. `latencies` are encoded; `failure` says why the sending ended early, if it did."""

    run: int
    index: int
    messages: int
    replies: Replies
    latencies: str
    failure: str | None

    @classmethod
    def of_failure(cls, share: Share, failure: str) -> ShareReport:
        """The report on a share of which is not known what was sent."""
        return cls(share.run, share.index, 0, Replies(), Latencies().encoded(), failure)

    @property
    def account_report(self) -> AccountReport:
        """The part that the verdict needs."""
        return AccountReport(self.messages, self.replies)

    def to_wire(self) -> Json:
        """The report as a message carries it."""
        return {**vars(self), "replies": asdict(self.replies) | {"retried": sorted(self.replies.retried)}}

    @classmethod
    def from_wire(cls, wire: Mapping[str, Any]) -> ShareReport:
        """The report that a message carries."""
        replies = Replies(**wire["replies"])
        replies.retried = set(replies.retried)
        replies.amended = {order: (price, quantity) for order, (price, quantity) in replies.amended.items()}
        return cls(**{**wire, "replies": replies})
