"""The link over real sockets: orders, batches, windows, secrets, hostile bytes."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from pathlib import Path
from struct import pack

import pytest
from websockets.asyncio.client import ClientConnection
from websockets.asyncio.server import ServerConnection, broadcast, serve
from websockets.datastructures import HeadersLike
from websockets.exceptions import ConnectionClosed, InvalidStatus

from matching_engine.records import COMMAND, Command, CommandKind, pack_commands
from services.commands.readable import check_readable
from services.journal import JournalLost
from services.messaging import InboxFull, Submission
from services.messaging.in_process import InProcessFeed, InProcessInbox
from services.messaging.link import client, frames, server
from services.messaging.link.frames import Hello, LinkRefused, pack_hello, pack_submissions
from services.messaging.link.server import LinkServer
from tests.faults.tcp_proxy import TcpProxy
from tests.integration.linked_venue import SECRET, Gateway, LinkedVenue, linked_venue, until
from tests.patience import PATIENCE_S, WebSocketClient

pytestmark = pytest.mark.anyio


@pytest.fixture
async def venue(tmp_path: Path) -> AsyncIterator[LinkedVenue]:
    async with linked_venue(tmp_path) as opened:
        yield opened


async def closing(connection: ClientConnection) -> tuple[int | None, str | None]:
    """The code and reason with which the other end closes it."""
    async with asyncio.timeout(PATIENCE_S):
        with contextlib.suppress(ConnectionClosed):
            while True:
                await connection.recv()
    return connection.close_code, connection.close_reason


async def fill(gateway: Gateway, account: int) -> None:
    """Submits until the window refuses."""
    with contextlib.suppress(InboxFull):
        while True:
            await gateway.link.put(gateway.submission(256, account=account))


# ---------------------------------------------------------------------- orders and batches


async def test_an_order_through_the_link_and_its_batch_back(venue: LinkedVenue) -> None:
    await venue.lead()
    gateway = await venue.gateway()
    await gateway.link.put(gateway.submission(2, attachments=(b"a text", b"")))
    await until(lambda: gateway.executed == [1, 2])
    (batch,) = gateway.batches
    assert batch.attachments == (b"a text", b"")
    assert gateway.link.depth == 0
    assert (gateway.link.epoch, gateway.link.url) == (venue.row.epoch, venue.row.url)
    assert gateway.link.age_s is not None


async def test_each_gateway_gets_all_batches_and_frees_its_own_commands(venue: LinkedVenue) -> None:
    await venue.lead()
    one, other = await venue.gateway(1), await venue.gateway(2)
    for _ in range(20):
        await one.put(3)
        await other.put(2)
    await until(lambda: len(one.executed) == 60 and len(other.executed) == 40)
    await until(lambda: one.batches == other.batches)
    assert (one.executed, other.executed) == ([*range(1, 61)], [*range(1, 41)])
    assert (one.link.depth, other.link.depth) == (0, 0)


async def test_submissions_of_one_turn_of_the_loop_go_out_in_one_message(venue: LinkedVenue) -> None:
    leader = await venue.lead(start=False)
    gateway = await venue.gateway()
    arrived: list[int] = []
    put = leader.inbox.put

    async def counted(submission: Submission) -> None:
        await put(submission)
        arrived.append(leader.inbox.depth)

    leader.inbox.put = counted  # type: ignore[method-assign]
    await gateway.put(50)
    assert leader.inbox.depth == 0
    await until(lambda: leader.inbox.depth > 0)
    assert arrived == [*range(1, 51)]


async def test_what_is_submitted_without_a_link_waits_for_one(venue: LinkedVenue) -> None:
    gateway = await venue.gateway(connected=False)
    await gateway.put(3)
    assert (gateway.link.depth, gateway.link.connected, gateway.link.age_s) == (3, False, None)
    await venue.lead()
    await until(lambda: gateway.executed == [1, 2, 3])


async def test_a_full_window_refuses_until_batches_come(venue: LinkedVenue) -> None:
    leader = await venue.lead(start=False)
    gateway = await venue.gateway(max_commands=64)
    await gateway.put(64)
    with pytest.raises(InboxFull, match="64 commands are waiting; the limit is 64"):
        await gateway.link.put(gateway.submission())
    leader.start()
    await until(lambda: len(gateway.executed) == 64)
    await gateway.put()
    await until(lambda: len(gateway.executed) == 65)
    assert gateway.executed == [*range(1, 65), 66]


async def test_the_sequencers_inbox_admits_what_full_windows_admit(venue: LinkedVenue) -> None:
    leader = await venue.lead(start=False)
    gateways = [await venue.gateway(number) for number in (1, 2, 3, 4)]
    for gateway in gateways:
        for account in (*range(1, 20), 0):
            await fill(gateway, account)
        assert gateway.link.depth == frames.WINDOW_COMMANDS
    await until(lambda: leader.inbox.depth == 4 * frames.WINDOW_COMMANDS)
    assert all(gateway.link.connected for gateway in gateways)


async def test_a_window_takes_only_submissions_of_one_sender_each_once(venue: LinkedVenue) -> None:
    gateway, other = await venue.gateway(1, connected=False), await venue.gateway(2, connected=False)
    one = gateway.submission()
    await gateway.link.put(one)
    for wrong in (one, other.submission()):
        with pytest.raises(ValueError, match="another sender"):
            await gateway.link.put(wrong)
    with pytest.raises(ValueError, match="bytes"):
        await gateway.link.put(gateway.submission(1, attachments=(bytes(frames.MAX_SUBMISSION_BYTES),)))
    assert gateway.link.depth == 1


# ---------------------------------------------------------------------- gateways that do not keep up


async def test_a_gateway_that_takes_no_batches_is_cut_off_and_the_others_go_on(
    venue: LinkedVenue, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(server, "MAX_UNSENT_BYTES", 1_000_000)
    monkeypatch.setattr(server, "CLOSE_S", PATIENCE_S)
    monkeypatch.setattr(server, "PING_TIMEOUT_S", PATIENCE_S)
    leader = await venue.lead()
    slow, _ = await venue.raw_link(leader)
    slow.transport.pause_reading()
    gateway = await venue.gateway()
    text, sent = bytes(400_000), 0
    while leader.links.links == 2:
        assert sent < 200, "80 MB went into the buffers of one connection"
        await gateway.link.put(gateway.submission(1, attachments=(text,)))
        sent += 1
        await until(lambda: len(gateway.executed) == sent)  # noqa: B023  awaited at once
    assert gateway.link.connected
    slow.transport.resume_reading()
    assert await closing(slow) == (1013, "too slow to take batches: read the journal")


async def test_a_gateway_that_was_cut_off_reads_the_journal(
    venue: LinkedVenue, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The sequencer pings only when it has the gateway's commands: no slow moment cuts the link before they arrive."""
    monkeypatch.setattr(server, "PING_S", None)
    monkeypatch.setattr(server, "CLOSE_S", 0.05)
    monkeypatch.setattr(client, "PING_TIMEOUT_S", PATIENCE_S)
    async with TcpProxy(("127.0.0.1", 1)).running() as venue.proxy:
        leader = await venue.lead()
        gateway = await venue.gateway()
        (link,) = leader.links._links
        other, _ = await venue.raw_link(leader)
        await gateway.put(2)
        await until(lambda: len(gateway.executed) == 2)
        await venue.proxy.black_hole("to_client")
        await gateway.put(3)
        await until(lambda: leader.sequencer.last_seq == 5)
        assert gateway.link.depth == 3
        link.connection.ping_interval, link.connection.ping_timeout = 0.05, 0.1
        link.connection.start_keepalive()
        await until(lambda: link not in leader.links._links)
        assert leader.links.links == 1, "the other link stays"
        await other.send(pack_submissions([gateway.submission()]))
        await until(lambda: leader.sequencer.last_seq == 6)
        await venue.proxy.heal()
        await until(lambda: len(gateway.executed) == 6)
        assert gateway.executed == [1, 2, 3, 4, 5, 6]
        await other.close()


async def test_a_batch_too_large_for_the_link_is_read_in_the_journal(
    venue: LinkedVenue, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(server, "MAX_DOWN_BYTES", 100_000)
    leader = await venue.lead()
    raw, _ = await venue.raw_link(leader)
    gateway = await venue.gateway()
    await gateway.link.put(gateway.submission(1, attachments=(bytes(100_000),)))
    await gateway.put(2)
    await until(lambda: len(gateway.executed) == 3)
    assert gateway.executed == [1, 2, 3]
    assert await closing(raw) == (1013, "a batch is too large for the link: read the journal")
    await until(lambda: gateway.link.depth == 0)


# ---------------------------------------------------------------------- who may have a link


async def test_an_address_that_is_none_is_tried_again(venue: LinkedVenue) -> None:
    gateway = await venue.gateway(connected=False)
    venue.row.epoch = 1
    for url, trouble in (("127.0.0.1:9", "isn't a valid URI"), ("ws://127.0.0.1:1", "Connect call failed")):
        venue.row.url = url
        await until(lambda: trouble in gateway.link.trouble)  # noqa: B023  awaited at once
    await venue.lead()
    await until(lambda: gateway.link.connected)


WITHOUT_THE_SECRET: list[HeadersLike] = [
    {},
    {"Authorization": "Bearer "},
    {"Authorization": f"Bearer {SECRET}x"},
    {"Authorization": SECRET},
    {"Authorization": f"Basic {SECRET}"},
    [("Authorization", f"Bearer {SECRET}"), ("Authorization", f"Bearer {SECRET}")],
]


async def test_without_the_secret_there_is_a_401_and_nothing_else(venue: LinkedVenue) -> None:
    leader = await venue.lead()
    for headers in WITHOUT_THE_SECRET:
        with pytest.raises(InvalidStatus) as refused:
            await WebSocketClient(f"ws://127.0.0.1:{leader.port}", additional_headers=headers)
        response = refused.value.response
        assert (response.status_code, response.body) == (401, b"")
        assert {name.lower() for name in response.headers} == {"date", "connection", "content-length", "content-type"}
        assert leader.links.links == 0


@pytest.mark.parametrize(
    ("first", "answer"),
    [
        (b"GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n", b"HTTP/1.1 401 Unauthorized"),
        (bytes(100) + b"\r\n\r\n", b""),
        (b"\x16\x03\x01\x02\x00" * 20, b""),
    ],
)
async def test_bytes_that_are_no_handshake_get_no_link(
    venue: LinkedVenue, monkeypatch: pytest.MonkeyPatch, first: bytes, answer: bytes
) -> None:
    monkeypatch.setattr(server, "OPEN_S", PATIENCE_S if answer else 0.2)
    leader = await venue.lead()
    reader, writer = await asyncio.open_connection("127.0.0.1", leader.port)
    writer.write(first)
    async with asyncio.timeout(PATIENCE_S):
        assert (await reader.read()).partition(b"\r\n")[0] == answer
    writer.close()
    await writer.wait_closed()
    assert leader.links.links == 0


async def test_a_gateway_needs_a_name(venue: LinkedVenue) -> None:
    leader = await venue.lead()
    for name in ("", "0" * 31, "g" * 32, "00" * 17):
        with pytest.raises(InvalidStatus) as refused:
            await venue.raw_link(leader, name)
        assert refused.value.response.status_code == 400


async def test_an_empty_secret_is_no_secret() -> None:
    with pytest.raises(ValueError, match="REX_LINK_SECRET"):
        LinkServer(
            "",
            inbox=InProcessInbox(),
            feed=InProcessFeed(),
            journal_id=bytes(16),
            epoch=1,
            last_seq=lambda: 0,
            check=print,
        )


async def test_a_gateway_with_another_secret_ends_with_a_sentence(venue: LinkedVenue) -> None:
    await venue.lead()
    gateway = await venue.gateway(secret="another secret, which is also long enough", connected=False)
    async with asyncio.timeout(PATIENCE_S):
        with pytest.raises(LinkRefused, match="REX_LINK_SECRET"):
            await gateway.running


async def test_there_are_no_more_links_than_allowed(venue: LinkedVenue) -> None:
    leader = await venue.lead(accept=False)
    await leader.accept(max_links=1)
    first, _ = await venue.raw_link(leader)
    with pytest.raises(InvalidStatus) as refused:
        await venue.raw_link(leader, "01" * 16)
    assert refused.value.response.status_code == 503
    again, _ = await venue.raw_link(leader)
    assert (await closing(first))[0] == 1006
    gateway = await venue.gateway(connected=False)
    await gateway.put()
    await again.close()
    await until(lambda: gateway.executed == [1])


# ---------------------------------------------------------------------- who answers a gateway


async def test_a_sequencer_of_another_journal_or_epoch_gets_nothing(venue: LinkedVenue, tmp_path: Path) -> None:
    async with linked_venue(tmp_path / "other") as other:
        stranger = await other.lead(start=False)
        gateway = await venue.gateway(connected=False)
        await gateway.put()
        venue.show(stranger.port)
        await until(lambda: stranger.links.links > 0)
        await until(lambda: stranger.links.links == 0)
        assert (stranger.inbox.depth, gateway.link.connected) == (0, False)
        await until(lambda: f"of journal {stranger.journal.journal_id.hex()} answers there" in gateway.link.trouble)
        leader = await venue.lead()
        await until(lambda: gateway.executed == [1])
        assert gateway.link.trouble == ""
        venue.row.epoch += 1
        await until(lambda: not gateway.link.connected)
        await gateway.put()
        venue.row.epoch = leader.journal.epoch
        await until(lambda: gateway.executed == [1, 2])


async def test_a_sequencer_with_another_version_of_the_link_ends_the_gateway(venue: LinkedVenue) -> None:
    async def hello(connection: ServerConnection) -> None:
        message = pack_hello(Hello(venue.row.journal_id, 1, 0, 0))
        await connection.send(message[:8] + pack("<H", 2) + message[10:])
        await connection.wait_closed()

    async with serve(hello, "127.0.0.1", 0) as newer:
        gateway = await venue.gateway(connected=False)
        venue.row.epoch = 1
        venue.show(next(iter(newer.sockets)).getsockname()[1])
        async with asyncio.timeout(PATIENCE_S):
            with pytest.raises(LinkRefused, match="version 2 of the link, this gateway version 1"):
                await gateway.running


async def test_a_damaged_batch_breaks_the_link_and_is_read_in_the_journal(
    venue: LinkedVenue, monkeypatch: pytest.MonkeyPatch
) -> None:
    leader = await venue.lead()
    gateway = await venue.gateway()
    sent: list[bytes] = []

    def damaged(connections: list[ServerConnection], message: bytes) -> None:
        if message.startswith(b"REXROW") and not sent:
            sent.append(message)
            message = message[:-40] + b"\xff" + message[-39:]
        broadcast(connections, message)

    monkeypatch.setattr(server, "broadcast", damaged)
    await gateway.put(1)
    await until(lambda: len(sent) == 1 and gateway.executed == [1])
    await until(lambda: not gateway.link.depth)
    await gateway.put(1)
    await until(lambda: gateway.executed == [1, 2])
    assert leader.sequencer.last_seq == 2


async def test_a_journal_that_lost_batches_ends_the_gateway(venue: LinkedVenue) -> None:
    await venue.lead()
    gateway = await venue.gateway()
    await gateway.put(3)
    await until(lambda: len(gateway.executed) == 3)
    venue.row.last = 2, bytes(32)
    async with asyncio.timeout(PATIENCE_S):
        with pytest.raises(JournalLost, match=r"has lost commands from seq 3 on: .*received commands up to seq 3"):
            await gateway.running


async def test_a_journal_with_other_batches_ends_the_gateway(venue: LinkedVenue) -> None:
    await venue.lead()
    gateway = await venue.gateway()
    await gateway.put(3)
    await until(lambda: len(gateway.executed) == 3)
    venue.row.last = 3, bytes(32)
    async with asyncio.timeout(PATIENCE_S):
        with pytest.raises(JournalLost, match="ends at seq 3 is another one than this gateway has received"):
            await gateway.running


# ---------------------------------------------------------------------- hostile bytes


COMMAND_BYTES = COMMAND.itemsize


@pytest.mark.parametrize(
    ("message", "reason"),
    [
        (b"\x00", "a submission is cut off"),
        (pack("<IIHBx", 0, 2**32 - 1, 0, 0), "a submission is cut off"),
        (pack("<IIHBx", 0, 0, 2**16 - 1, 0), "an attachment is cut off"),
        (pack("<IIHBxI", 0, 0, 1, 0, 2**32 - 1), "a submission is cut off"),
        (pack_submissions([Submission(b"")]), "a submission of 0 bytes: not a whole number of commands, or none"),
        (
            pack_submissions([Submission(bytes(COMMAND_BYTES - 1))]),
            f"a submission of {COMMAND_BYTES - 1} bytes: not a whole number of commands, or none",
        ),
        (
            pack_submissions([Submission(bytes(COMMAND_BYTES), (b"", b""))]),
            "2 attachments for 1 commands: a command has at most one",
        ),
        (
            pack_submissions([Submission(bytes(COMMAND_BYTES * (frames.WINDOW_COMMANDS + 1)))]),
            f"more than {frames.WINDOW_COMMANDS} commands wait for their batch",
        ),
        ("text", "a text message"),
    ],
)
async def test_hostile_bytes_close_only_that_link(venue: LinkedVenue, message: bytes | str, reason: str) -> None:
    leader = await venue.lead()
    gateway = await venue.gateway()
    hostile, _ = await venue.raw_link(leader)
    await hostile.send(message)
    assert await closing(hostile) == (1008, reason)
    await until(lambda: leader.links.links == 1)
    await gateway.put()
    await until(lambda: gateway.executed == [1])
    assert gateway.link.connected
    assert leader.sequencer.last_seq == 1


async def test_a_message_beyond_the_bound_closes_only_that_link(venue: LinkedVenue) -> None:
    leader = await venue.lead()
    gateway = await venue.gateway()
    hostile, _ = await venue.raw_link(leader)
    await hostile.send(bytes(frames.MAX_UP_BYTES + 1))
    assert (await closing(hostile))[0] == 1009
    await gateway.put()
    await until(lambda: gateway.executed == [1])


async def test_what_came_before_the_hostile_bytes_is_executed(venue: LinkedVenue) -> None:
    leader = await venue.lead()
    gateway = await venue.gateway(2)
    hostile, _ = await venue.raw_link(leader)
    one = gateway.submission()
    await hostile.send(pack_submissions([one]) + b"\x01")
    assert (await closing(hostile))[0] == 1008
    await until(lambda: leader.sequencer.last_seq == 1)
    _, hello = await venue.raw_link(leader)
    assert (hello.last_seq, hello.taken) == (1, 1)


@pytest.mark.parametrize(
    ("command", "texts", "reason"),
    [
        (Command(kind=CommandKind.RECORD, attachment=2), (b"{}",), "the commands do not name each of 1 texts once"),
        (Command(kind=CommandKind.RECORD), (), "command 1 of 1: RECORD needs a text"),
        (
            Command(kind=CommandKind.RECORD, attachment=1),
            (b'{"type": "of_tomorrow"}',),
            "command 1 of 1: this version of REX has no record of the kind 'of_tomorrow'",
        ),
    ],
)
async def test_what_no_reader_could_read_gets_no_number(
    venue: LinkedVenue, command: Command, texts: tuple[bytes, ...], reason: str
) -> None:
    venue.check = check_readable
    leader = await venue.lead()
    newer, _ = await venue.raw_link(leader)
    await newer.send(pack_submissions([Submission(pack_commands([command]), texts)]))
    assert await closing(newer) == (1008, reason)
    assert (leader.sequencer.last_seq, leader.inbox.depth) == (0, 0)
