"""The pages say the code's own numbers: the bounds that are no settings, and on which members and operators count."""

from __future__ import annotations

from pathlib import Path

import pytest

from services.gateway.http.access_middleware import BATCH_BODY_LIMIT, BODY_LIMIT
from services.gateway.order_entry.in_flight import UNDER_WAY, UNDER_WAY_WITH_CANCELS
from services.gateway.server.http_connection import BODY_SECONDS, HEAD_SECONDS
from services.gateway.server.http_refusals import HEAD_BYTES, HEADERS, URL_BYTES
from services.gateway.server.websocket_limits import CONTROL_FRAMES, FRAGMENTS
from services.gateway.websocket.connection import MESSAGES_A_TURN
from services.journal.batch_writer import CHECK_NS
from services.messaging.in_process import ROUND_COMMANDS, InProcessInbox
from services.people.attempts import FREE_OF_ADDRESS, FREE_OF_NAME, LONGEST_S
from services.people.passwords import AT_ONCE, WAITING
from services.people.sessions import ABSOLUTE_S, IDLE_S
from services.processes.watchdog import SECONDS
from services.sequencer.clock import MAX_JUMP_NS
from services.sequencer.sequencer import MAX_BATCH_COMMANDS
from services.venue_state.keyed_requests import REMEMBERED

ROOT = Path(__file__).parents[2]
KIB = 1024
INBOX = InProcessInbox()._bounds
ALL, (OF_MEMBERS, WITH_CANCELS) = INBOX._max_commands, INBOX._max_of_members
OF_ACCOUNT, OF_ACCOUNT_WITH_CANCELS = INBOX._max_of_account


@pytest.mark.parametrize(
    ("page", "sentence"),
    [
        ("docs/api.md", f"A URL has at most {URL_BYTES // KIB} KiB"),
        ("docs/api.md", f"the head of a request {HEAD_BYTES // KIB} KiB and {HEADERS} headers"),
        ("docs/api.md", f"must arrive within {HEAD_SECONDS} seconds, a body within {BODY_SECONDS}"),
        ("docs/api.md", f"at most {BODY_LIMIT // KIB} KiB (a batch, a decision: {BATCH_BODY_LIMIT // KIB} KiB)"),
        ("docs/api.md", f"{UNDER_WAY} requests without a reply, and {UNDER_WAY_WITH_CANCELS - UNDER_WAY} more cancels"),
        ("docs/api.md", f"({OF_ACCOUNT:,} commands); with cancels {OF_ACCOUNT_WITH_CANCELS - OF_ACCOUNT:,} more"),
        ("docs/api.md", f"({OF_MEMBERS:,} commands); cancels have a reserve of {WITH_CANCELS - OF_MEMBERS:,} more"),
        ("docs/api.md", f"the last {ALL - WITH_CANCELS:,} are the operators'"),
        ("docs/api.md", f"take turns of {ROUND_COMMANDS} commands"),
        ("docs/api.md", f"remembers the last {REMEMBERED:,} requests with a key"),
        ("ARCHITECTURE.md", f"| {ALL:,} commands; up to {OF_MEMBERS:,} for members' orders, up to {WITH_CANCELS:,}"),
        ("ARCHITECTURE.md", f"one turn ({ROUND_COMMANDS} commands of each account"),
        ("ARCHITECTURE.md", f"at most {MAX_BATCH_COMMANDS:,} commands"),
        ("docs/security.md", f"in at most {FRAGMENTS:,} frames"),
        ("docs/security.md", f"| {CONTROL_FRAMES:,} a second |"),
        ("docs/security.md", f"After {FREE_OF_NAME} under one name, or {FREE_OF_ADDRESS} from one address"),
        ("docs/security.md", f"then 2, 4, … up to {LONGEST_S:g};"),
        ("docs/security.md", f"At most {AT_ONCE} hashes are computed at once"),
        ("docs/security.md", f"and {WAITING} may wait"),
        ("docs/security.md", f"after {IDLE_S / 60:g} minutes without a request or open WebSocket"),
        ("docs/security.md", f"and {ABSOLUTE_S / 3600:g} hours after the log-in in any case"),
        ("docs/durability.md", f"at most every {CHECK_NS // 10**6} ms"),
        ("docs/websocket.md", f"New orders that arrive together, up to {MESSAGES_A_TURN}, share one"),
        ("docs/operators.md", f"jumps by more than {MAX_JUMP_NS // (60 * 10**9)} minutes"),
        ("docs/operators.md", f"A watchdog ends a hanging process after {SECONDS:g} seconds"),
    ],
)  # fmt: skip
def test_a_page_says_the_codes_own_numbers(page: str, sentence: str) -> None:
    assert sentence in " ".join((ROOT / page).read_text("utf-8").split())
