"""The inbox of a gateway that only reads: it takes nothing in."""

from __future__ import annotations

from services.messaging import InboxFull, Submission


class ReadOnly(InboxFull):
    """This gateway has no link to a sequencer: send orders to an order gateway."""


class ReadOnlyInbox:
    """Refuses every submission."""

    depth = 0
    largest_share = 0

    async def put(self, _submission: Submission) -> None:
        """Raises ReadOnly."""
        raise ReadOnly("this gateway only reads")

    def withdraw(self, _request_id: int) -> bool:
        """True: nothing was taken in."""
        return True
