"""The bounds of an inbox: how many commands wait in all and of one account, and what is reserved for cancels and operators."""

from __future__ import annotations

from matching_engine.records import COMMAND
from services.messaging import InboxFull, ShareFull

_COMMAND_BYTES = COMMAND.itemsize
_SHARE = 8
"""One account may use 1/8 of the inbox. Its cancels may use a further 1/64 of the inbox."""
_RESERVE = 16
"""The last 1/16 of the inbox is reserved for cancels and operators; the last 1/64 of the inbox is for operators only."""


class Admission:
    """Counts the waiting commands by account. `max_commands`: the most that may wait."""

    __slots__ = ("_max_commands", "_max_of_account", "_max_of_members", "by_account", "commands")

    def __init__(self, max_commands: int) -> None:
        reserve, share = max_commands // _RESERVE, max(max_commands // _SHARE, 1)
        self._max_commands = max_commands
        # Indexed by only_cancels: the bound for other submissions, and the bound for submissions of cancels only.
        self._max_of_members = max_commands - reserve, max_commands - reserve // 4
        self._max_of_account = share, share + share // 8
        self.commands = 0
        """The number of waiting commands."""
        self.by_account: dict[int, int] = {}
        """The number of waiting commands of each account."""

    @property
    def largest_share(self) -> int:
        """The largest number of waiting commands that one account has; the operators (0) count as an account."""
        return max(self.by_account.values(), default=0)

    def add(self, commands: bytes, attachments: tuple[bytes, ...], account: int, only_cancels: bool) -> int:
        """Counts the commands of a Submission with these fields and returns their number.

        Counts nothing and raises InboxFull or ShareFull beyond a bound; ValueError if its bytes are not a whole number of
        commands, or none, or if it has more attachments than commands.
        """
        count, rest = divmod(len(commands), _COMMAND_BYTES)
        if rest or not count:
            raise ValueError(f"a submission of {len(commands)} bytes: not a whole number of commands, or none")
        if attachments and len(attachments) > count:
            raise ValueError(f"{len(attachments)} attachments for {count} commands: a command has at most one")
        own = self.by_account.get(account, 0) + count
        total = self.commands + count
        if account:
            if own > self._max_of_account[only_cancels]:
                share = self._max_of_account[only_cancels]
                raise ShareFull(f"{own - count} commands of account {account} are waiting; the limit is {share}")
            most = self._max_of_members[only_cancels]
        else:
            most = self._max_commands
        if total > most:
            raise InboxFull(f"{self.commands} commands are waiting; the limit is {most}")
        self.by_account[account] = own
        self.commands = total
        return count

    def remove(self, account: int, count: int) -> None:
        """Commands of this account that were added no longer wait."""
        self.by_account[account] -= count
        self.commands -= count
