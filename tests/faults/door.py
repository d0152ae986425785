"""Attacks on a venue's HTTP and WebSocket server, one after the other, each on a new `rex serve`, measured from outside.

    python -m tests.faults door --count 8

The attacks in turn (`--attacks 3` runs the first three):

1. flood          one key with 16 sockets, an endless stream of orders on each; another member's orders meanwhile
2. pages          1,000 GET /ui/ without a key: memory
3. short_headers  20 MiB of short header lines on one socket: memory while it is open, the answer
4. long_header    one header of 40 MiB: CPU time, the answer
5. long_url       a URL of 1 MiB: the answer
6. large_body     a body of 1 MiB: the answer, and whether the connection is closed
7. deaf           20 WebSocket clients that never read, under load: their sockets, and their bytes in the kernel, after DEAF_S
                  seconds
8. idle           200 sockets, half of them silent, half with half a request: how many are open after IDLE_S seconds

The venue's promises are stated beside each attack; the measured numbers are printed in any case.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Awaitable, Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from time import monotonic
from urllib.parse import urlsplit

from rex_client import OutcomeUnknown, RexClient, RexError, Unreachable

from load_tests.child_process import RunningVenue
from load_tests.child_process import venue as served_venue
from tests.faults.deaf_client import DeafClient
from tests.faults.flood import Flood
from tests.faults.process_figures import Figures, figures, unsent_bytes
from tests.faults.raw_request import is_closed, status_of
from tests.faults.rig import Advance, Report, Rig
from tests.faults.traders import open_traders
from tests.patience import PATIENCE_S, AsyncHttpClient

MIB = 2**20
DEAF_CLIENTS, DEAF_ORDERS, DEAF_S = 20, 20_000, 90
PAGES, PAGES_MB = 1_000, 60
SHORT_HEADERS_MIB, LONG_HEADER_MIB, HEADERS_MB, HEADERS_CPU_S = 20, 40, 8, 0.5
IDLE_SOCKETS, IDLE_S = 200, 90
ATTEMPTS = 9
"""The number of orders that the other member places and cancels during the flood."""
MOST_AHEAD = 16_384
"""The most commands of the flood before another member's order: a quarter of the inbox, twice an account's share."""


class Attack:
    """One venue under one attack: its figures before the attack, and the report."""

    def __init__(self, venue: RunningVenue, report: Report) -> None:
        self.venue, self.report = venue, report
        self.port = urlsplit(venue.url).port or 0
        self.before = self.now()

    def now(self) -> Figures:
        return figures(self.venue.pid)

    def count(self, name: str, value: float) -> None:
        self.report.counts[name] = value

    def promise(self, holds: bool, sentence: str) -> None:
        """Reports the sentence unless the promise holds."""
        if not holds:
            self.report.broken.append(sentence)

    async def wait_until_quiet(self) -> None:
        """Waits until the venue's own pages have connected, which happens after it is ready; then takes the figures before the
        attack."""
        alike = 0
        while alike < 10:
            found = self.now()
            alike = alike + 1 if found.sockets == self.before.sockets else 0
            self.before = found
            await asyncio.sleep(0.2)

    async def left(self, seconds: int) -> Figures:
        """The figures of the process once it has as many sockets as before, or after this many seconds."""
        until = monotonic() + seconds
        while True:
            found = self.now()
            if found.sockets <= self.before.sockets or monotonic() > until:
                return found
            await asyncio.sleep(0.2)

    def connect(self) -> socket.socket:
        return socket.create_connection(("127.0.0.1", self.port), timeout=PATIENCE_S)


async def deaf(attack: Attack) -> None:
    buyer, seller = await open_traders(attack.venue)
    await attack.wait_until_quiet()
    clients = [
        await asyncio.to_thread(DeafClient, attack.venue.url, key)
        for _ in range(DEAF_CLIENTS // 2)
        for key in (buyer.key, seller.key)  # One key may not have that many WebSockets.
    ]
    attack.count("deaf_refused", sum(client.is_refused for client in clients))
    # It waits where the key's limit of orders is reached: a fast venue has taken them all within the burst and some seconds.
    async with RexClient(attack.venue.url, buyer.key, patience_s=DEAF_S) as client:
        await client.connect()
        for _ in range(DEAF_ORDERS // 500):
            await asyncio.gather(*(client.place_order(buyer.next_order()) for _ in range(500)))
    attack.count("deaf_unsent_mb_under_load", unsent_bytes(attack.port) // MIB)
    found = await attack.left(DEAF_S)
    held = found.sockets - attack.before.sockets
    attack.count("deaf_sockets_held", held)
    attack.count("deaf_unsent_mb", unsent_bytes(attack.port) // MIB)
    attack.count("deaf_rss_grew_mb", found.rss_mb - attack.before.rss_mb)
    attack.promise(held <= 0, f"{held} clients that never read are still held after {DEAF_S} s")
    for gone in clients:
        gone.close()


async def pages(attack: Attack) -> None:
    async with AsyncHttpClient(base_url=attack.venue.url) as client:
        (await client.get("/ui/")).raise_for_status()
        before, began = attack.now(), monotonic()
        answers = [await client.get("/ui/") for _ in range(PAGES)]
    grew = attack.now().rss_mb - before.rss_mb
    attack.count("pages_served", sum(answer.is_success for answer in answers))
    attack.count("pages_took_s", round(monotonic() - began))
    attack.count("pages_rss_grew_mb", grew)
    attack.promise(grew <= PAGES_MB, f"{PAGES} pages without a key cost {grew} MB, {PAGES_MB} are allowed")


async def short_headers(attack: Attack) -> None:
    lines = b"".join(b"x-%07d: y\r\n" % number for number in range(SHORT_HEADERS_MIB * MIB // 14))
    await _headers(attack, "short_headers", lines)


async def long_header(attack: Attack) -> None:
    await _headers(attack, "long_header", b"x: " + bytes([0x79]) * (LONG_HEADER_MIB * MIB))


async def _headers(attack: Attack, name: str, headers: bytes) -> None:
    """Sends headers without their end; the venue must answer 431 and close the connection."""
    request = f"GET /healthz HTTP/1.1\r\nHost: 127.0.0.1:{attack.port}\r\n".encode() + headers
    with attack.connect() as connection:
        status = await asyncio.to_thread(status_of, connection, request, 10.0)
        found = attack.now()
    attack.count(f"{name}_status", status)
    attack.count(f"{name}_rss_grew_mb", found.rss_mb - attack.before.rss_mb)
    attack.count(f"{name}_cpu_s", round(found.cpu_s - attack.before.cpu_s, 2))
    grew, took_s = found.rss_mb - attack.before.rss_mb, found.cpu_s - attack.before.cpu_s
    attack.promise(status in (431, 0), f"{name}: answered {status}, 431 or a closed connection is due")
    attack.promise(grew <= HEADERS_MB, f"{name}: cost {grew} MB, {HEADERS_MB} are allowed")
    attack.promise(took_s <= HEADERS_CPU_S, f"{name}: cost {took_s:.1f} s of processor")


async def long_url(attack: Attack) -> None:
    request = b"GET /healthz?x=" + b"y" * MIB + f" HTTP/1.1\r\nHost: 127.0.0.1:{attack.port}\r\n\r\n".encode()
    with attack.connect() as connection:
        status = await asyncio.to_thread(status_of, connection, request, 10.0)
    attack.count("long_url_status", status)
    attack.promise(status in (414, 0), f"a URL of 1 MiB is answered {status}, 414 or a closed connection is due")


async def large_body(attack: Attack) -> None:
    buyer, _ = await open_traders(attack.venue)
    head = f"POST /v1/orders HTTP/1.1\r\nHost: 127.0.0.1:{attack.port}\r\nAuthorization: Bearer {buyer.key}\r\n"
    request = f"{head}Content-Type: application/json\r\nContent-Length: {MIB}\r\n\r\n".encode() + b" " * MIB
    with attack.connect() as connection:
        status = await asyncio.to_thread(status_of, connection, request, 10.0)
        closed = await asyncio.to_thread(is_closed, connection, 5.0)
    attack.count("large_body_status", status)
    attack.count("large_body_left_open", int(not closed))
    attack.promise(status in (413, 0) and closed, f"a body of 1 MiB: answered {status}, closed: {closed}")


async def idle(attack: Attack) -> None:
    await attack.wait_until_quiet()
    sockets = [attack.connect() for _ in range(IDLE_SOCKETS)]
    for connection in sockets[: IDLE_SOCKETS // 2]:
        connection.sendall(b"GET /healthz HTTP/1.1\r\nHost: 127.0")
    async with AsyncHttpClient(base_url=attack.venue.url) as client:
        await client.get("/healthz")  # Answered after all of them: each was accepted or refused before.
    attack.count("idle_sockets_accepted", attack.now().sockets - attack.before.sockets)
    held = (await attack.left(IDLE_S)).sockets - attack.before.sockets
    attack.count("idle_sockets_held", held)
    attack.promise(held <= 0, f"{held} of {IDLE_SOCKETS} idle sockets are still open after {IDLE_S} s")
    for connection in sockets:
        connection.close()


async def flood(attack: Attack) -> None:
    buyer, seller = await open_traders(attack.venue)
    refused, unanswered, slowest_s, most_ahead = 0, 0, 0.0, 0
    async with (
        Flood(attack.venue.url, seller.key).running() as flooding,
        RexClient(attack.venue.url, buyer.key) as member,
    ):
        await flooding.at_work()
        for _ in range(ATTEMPTS):
            began = monotonic()
            try:
                seq = (await member.venue())["seq"]
                order = await member.post_order(buyer.next_order())
                most_ahead = max(most_ahead, int(order["order_id"]) - seq - 1)
                if order["leaves_qty"]:
                    await member.delete_order(order_id=order["order_id"])
            except RexError as problem:
                refused += problem.code != "order_not_open"
            except (OutcomeUnknown, Unreachable):
                unanswered += 1
            slowest_s = max(slowest_s, monotonic() - began)
        attack.count("flood_answers", flooding.answers)
        attack.count("flood_sockets_refused", flooding.refused)
    attack.count("flood_others_attempts", ATTEMPTS)
    attack.count("flood_others_refused", refused)
    attack.count("flood_others_unanswered", unanswered)
    attack.count("flood_others_slowest_ms", round(slowest_s * 1_000))
    attack.count("flood_most_ahead", most_ahead)
    attack.promise(most_ahead <= MOST_AHEAD, f"{most_ahead} commands of a flood stood before another member's order")
    sentence = (
        f"of {ATTEMPTS} attempts of another member during the flood {refused} were refused, {unanswered} unanswered"
    )
    attack.promise(refused + unanswered == 0, sentence)


ATTACKS: tuple[Callable[[Attack], Awaitable[None]], ...] = (
    flood, pages, short_headers, long_header, long_url, large_body, deaf, idle,
)  # fmt: skip


def run(attacks: int, seed: int, advance: Advance) -> Report:
    """Runs the first `attacks` of ATTACKS; the seed is not used."""
    report = Report("door")
    for attack in ATTACKS[:attacks]:
        with TemporaryDirectory() as work, served_venue(Path(work) / "rex-data") as venue:
            asyncio.run(_attack(attack, venue, report))
        advance()
    return report


async def _attack(attack: Callable[[Attack], Awaitable[None]], venue: RunningVenue, report: Report) -> None:
    try:
        await attack(Attack(venue, report))
    except (OSError, RexError) as error:
        report.broken.append(f"{attack.__name__}: {error!r}")


RIG = Rig("door", run, "attacks", short=len(ATTACKS), long=len(ATTACKS))
