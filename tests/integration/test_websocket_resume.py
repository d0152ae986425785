"""Private streams that are resumed: what was missed comes exactly, once and in order, and then the live pushes."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import pytest
from websockets.asyncio.client import ClientConnection
from websockets.exceptions import ConnectionClosed

from matching_engine.records import ALL_INSTRUMENTS, Command, Phase
from services.commands.administrative import set_phase
from services.gateway.resume import missed
from services.gateway.websocket import private_stream, resumes
from services.gateway.websocket.client_queue import CLOSE_TOO_SLOW
from services.gateway.websocket.market_streams import MARKET_CHANNELS
from services.read_model.errors import ReadDatabaseAway
from tests.integration.served_venue import Served, served_venue
from tests.integration.test_past_reports import list_another
from tests.integration.test_websocket_channels import SYMBOL, limit, random_orders
from tests.integration.test_websocket_orders import ask, open_socket
from tests.patience import PATIENCE_S

pytestmark = pytest.mark.anyio

Json = dict[str, Any]


@pytest.fixture
async def served(tmp_path: Path) -> AsyncIterator[Served]:
    async with served_venue(tmp_path) as running:
        yield running


async def subscribe(socket: ClientConnection, channel: str, resume: Json | None = None) -> Json:
    params: Json = {"channels": [channel]} | ({} if resume is None else {"resume": resume})
    if channel in MARKET_CHANNELS:
        params["symbols"] = [SYMBOL]
    return await ask(socket, {"method": "subscribe", "params": params})


async def pushes_until(socket: ClientConnection, seq: int) -> list[Json]:
    """The pushes up to the one that carries this seq."""
    taken: list[Json] = []
    async with asyncio.timeout(PATIENCE_S):
        while not taken or taken[-1]["seq"] < seq:
            taken.append(json.loads(await socket.recv()))
    return taken


def entries(pushes: list[Json], name: str) -> list[Json]:
    return [entry for push in pushes for entry in push["data"][name]]


def point(push: Json) -> Json:
    return {"incarnation": push["incarnation"], "seq": push["seq"]}


async def a_bust(served: Served) -> int:
    """Busts the oldest trade of alice; returns the seq."""
    alice, operator = await served.client("alice"), await served.client("operator")
    fill = [fill for fill in (await alice.fills(limit=100))["fills"] if not fill["busted"]][-1]
    return int((await operator.bust_trade(fill["trade_id"], "agreed by both sides"))["seq"])


async def test_what_was_missed_is_what_was_pushed_meanwhile(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of each channel one socket stays; another one comes back later. Pages and windows are small, so that there are many."""
    monkeypatch.setattr(missed, "PAGE_ENTRIES", 7)
    monkeypatch.setattr(missed, "WINDOW_COMMANDS", 10)
    channels = ("orders", "fills", "drop_copy", "trades")
    await random_orders(served, 20, seed=1)
    async with AsyncExitStack() as opened:

        async def sockets() -> dict[str, ClientConnection]:
            holders = ["operator" if channel == "drop_copy" else "alice" for channel in channels]
            entered = [await opened.enter_async_context(open_socket(served, holder)) for holder in holders]
            return dict(zip(channels, entered, strict=True))

        stays, comes = await sockets(), await sockets()
        first: dict[str, Json] = {}
        for channel in channels:
            await subscribe(stays[channel], channel)
            first[channel] = json.loads(await stays[channel].recv())
        await random_orders(served, 60, seed=2)
        await a_bust(served)
        await random_orders(served, 20, seed=3)
        told: dict[str, list[Json]] = {}
        for channel in channels:
            assert "result" in await subscribe(comes[channel], channel, point(first[channel]))
            told[channel] = [json.loads(await comes[channel].recv())]
        bust_seq = await a_bust(served)
        for channel in channels:
            told[channel] += await pushes_until(comes[channel], bust_seq)
            check_told(channel, first[channel], told[channel], await pushes_until(stays[channel], bust_seq))
        await subscribe(comes["trades"], "depth", point(first["trades"]))
        assert json.loads(await comes["trades"].recv())["type"] == "snapshot", "the book begins anew"


def check_told(channel: str, first: Json, told: list[Json], live: list[Json]) -> None:
    """What was told to the socket that came back is what was pushed live."""
    assert {push["type"] for push in live} == {"update"}
    kinds = [push["type"] for push in told]
    assert kinds == sorted(kinds), "resumed before update"
    assert kinds.count("resumed") > 3
    assert [push["prev_seq"] for push in told] == [first["seq"], *[push["seq"] for push in told[:-1]]]
    fills, busts = ("trades", "busted") if channel == "trades" else ("fills", "busts")
    assert entries(told, fills) == entries(live, fills) != []
    assert entries(told, busts) == entries(live, busts)
    assert len(entries(told, busts)) == (4 if channel == "drop_copy" else 2)
    if channel in ("orders", "drop_copy"):
        states = [{order["order_id"]: order for order in entries(pushes, "orders")} for pushes in (told, live)]
        assert states[0] == states[1] != {}
        assert len(states[0]) == len(entries(told, "orders")), "each as it stands, once"


async def change_phases(served: Served) -> int:
    """Halts, an auction by hand, and a volatility auction with a halt within it; returns the seq of the last change."""
    operator, alice, bob = [await served.client(name) for name in ("operator", "alice", "bob")]
    await operator.halt(SYMBOL)
    await operator.resume(SYMBOL)
    await operator.set_phase("ND-OX", "call_auction")
    await operator.set_phase("ND-OX", "continuous")
    await operator.set_volatility_band(SYMBOL, "0.001", 120)
    for price in ("473000", "475000"):
        await bob.place_order(limit("sell", price, 1))
        await alice.place_order(limit("buy", price, 1))
    await operator.halt(SYMBOL)
    await operator.resume(SYMBOL)
    await operator.halt()
    return int((await operator.resume())["seq"])


async def test_missed_phases_are_those_that_were_pushed_meanwhile(
    served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(resumes, "PAGE_ENTRIES", 1)
    monkeypatch.setattr(missed, "WINDOW_COMMANDS", 10)
    operator = await served.client("operator")
    async with open_socket(served) as stays:
        await subscribe(stays, "status")
        first = json.loads(await stays.recv())
        seq = await change_phases(served)
        await operator.kill_switch(on=True)
        live = await pushes_until(stays, seq + 1)
        async with open_socket(served) as comes:
            assert "result" in await subscribe(comes, "status", point(first))
            told = await pushes_until(comes, live[-1]["seq"])
            last = await operator.halt("ND-OX")
            told += await pushes_until(comes, last["seq"])
        live += await pushes_until(stays, last["seq"])
    kinds = [push["type"] for push in told]
    assert kinds == sorted(kinds), "resumed before update"
    assert kinds.count("resumed") == 9
    assert [push["prev_seq"] for push in told] == [first["seq"], *[push["seq"] for push in told[:-1]]]
    assert entries(told, "instruments") == entries(live, "instruments")
    phases = [one["phase"] for one in entries(told, "instruments") if one["symbol"] == SYMBOL]
    ends = [one["auction_ends_at"] is not None for one in entries(told, "instruments") if one["symbol"] == SYMBOL]
    auction, halted, on = "call_auction", "halted", "continuous"
    assert phases == [halted, on, auction, halted, auction, halted, auction]
    assert ends == [False, False, True, True, True, True, True]
    assert told[0]["data"]["kill_switch"], "as it stands"
    assert (told[-1]["data"], told[-1]["type"]) == (live[-1]["data"], "update")


async def test_an_auction_that_began_before_the_connection_was_lost_keeps_its_end(served: Served) -> None:
    operator, alice, bob = [await served.client(name) for name in ("operator", "alice", "bob")]
    await operator.set_volatility_band(SYMBOL, "0.001", 120)
    async with open_socket(served) as stays:
        await subscribe(stays, "status")
        for price in ("473000", "475000"):
            await bob.place_order(limit("sell", price, 1))
            await alice.place_order(limit("buy", price, 1))
        _, auction = [json.loads(await stays.recv()) for _ in range(2)]
        await operator.halt(SYMBOL)
        last = int((await operator.resume(SYMBOL))["seq"])
        live = await pushes_until(stays, last)
        async with open_socket(served) as comes:
            await subscribe(comes, "status", point(auction))
            told = await pushes_until(comes, last)
    assert entries(told, "instruments") == entries(live, "instruments")
    assert all(one["auction_ends_at"] is not None for one in entries(told, "instruments"))


async def test_an_instrument_that_was_listed_meanwhile_is_told_from_its_listing_on(served: Served) -> None:
    venue, operator = served.venue, await served.client("operator")
    async with open_socket(served) as stays:
        await subscribe(stays, "status")
        first = json.loads(await stays.recv())
        for phase in (Phase.CALL_AUCTION, Phase.CLOSED):
            await venue.inbox.put(set_phase(Command(), phase, ALL_INSTRUMENTS))
            await operator.kill_switch(on=phase == Phase.CLOSED)  # its reply says that the phase was set
        await list_another(venue)
        await operator.kill_switch(on=False)
        await operator.halt()
        last = int((await operator.resume())["seq"])
        live = await pushes_until(stays, last)
        async with open_socket(served) as comes:
            await subscribe(comes, "status", point(first))
            told = await pushes_until(comes, last)
    new = venue.state.instruments[-1].symbol
    assert new == "NEW-OX"
    phases = [
        [one["phase"] for one in entries(pushes, "instruments") if one["symbol"] == new] for pushes in (told, live)
    ]
    assert phases[0] == phases[1] != []


async def test_a_gateway_whose_status_was_pushed_earlier_begins_anew(served: Served) -> None:
    """Who comes from a gateway that was started later has missed nothing, but stands at a later seq."""
    state, alice = served.venue.state, await served.client("alice")
    async with open_socket(served) as stays, open_socket(served) as comes:
        await subscribe(stays, "status")
        await alice.place_order(limit("buy", "473000", 1))
        later = {"incarnation": state.incarnation, "seq": state.last_seq}
        assert "result" in await subscribe(comes, "status", later)
        snapshot, first = json.loads(await comes.recv()), json.loads(await stays.recv())
    assert snapshot == first
    assert (snapshot["type"], snapshot["seq"] < later["seq"]) == ("snapshot", True)


async def test_balances_are_pushed_after_each_command_and_resumed_as_they_stand(served: Served) -> None:
    alice, bob, operator = [await served.client(name) for name in ("alice", "bob", "operator")]
    async with open_socket(served) as stays:
        await subscribe(stays, "balances")
        snapshot = json.loads(await stays.recv())
        account = await alice.account()
        sides = ("cash", "reserved", "available", "holdings")
        assert {side: snapshot["data"][side] for side in sides} == {side: account[side] for side in sides}
        await alice.place_order(limit("buy", "473000", 2))
        await bob.place_order(limit("sell", "473000", 1))
        await operator.change_cash(account["account"], "5.00")
        await alice.place_order(limit("sell", "480000", 3))
        ended = await alice.mass_cancel("*")
        told = await pushes_until(stays, ended["seq"])
        async with open_socket(served) as comes:
            await subscribe(comes, "balances", point(snapshot))
            resumed = json.loads(await comes.recv())
    account = await alice.account()
    reserved = [push["data"]["reserved"] for push in told]
    assert [float(text) > 0 for text in reserved] == [True, True, True, True, False]
    assert [[holding["symbol"] for holding in push["data"]["holdings"]] for push in told] == [
        [], ["PRND-OX"], [], ["PRND-OX"], ["PRND-OX"]
    ]  # fmt: skip
    assert {side: told[-1]["data"][side] for side in sides[:3]} == {side: account[side] for side in sides[:3]}
    assert (resumed["type"], resumed["seq"], resumed["prev_seq"]) == ("resumed", ended["seq"], snapshot["seq"])
    assert {side: resumed["data"][side] for side in sides} == {side: account[side] for side in sides}


async def test_a_point_that_cannot_be_resumed_is_refused_by_name(
    served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(resumes, "AHEAD_SECONDS", 0.0)
    monkeypatch.setattr(resumes, "RESUME_COMMANDS", 10)
    await random_orders(served, 20, seed=1)
    state = served.venue.state
    async with open_socket(served) as socket:
        for incarnation, seq, code, field in (
            ("0" * 32, state.last_seq, "other_incarnation", "resume.incarnation"),
            (state.incarnation, state.last_seq - 11, "resume_too_old", "resume.seq"),
            (state.incarnation, state.last_seq + 1, "resume_ahead", "resume.seq"),
            (state.incarnation, -1, "validation_failed", "resume.seq"),
        ):
            reply = await subscribe(socket, "fills", {"incarnation": incarnation, "seq": seq})
            assert (reply["error"]["code"], reply["error"]["errors"][0]["field"]) == (code, field)
        assert (
            f"the oldest is {state.last_seq - 10},"
            in ((await subscribe(socket, "fills", {"incarnation": state.incarnation, "seq": 0}))["error"]["detail"])
        )
        here = {"incarnation": state.incarnation, "seq": state.last_seq}
        assert "result" in await subscribe(socket, "fills", here)
        resumed = json.loads(await socket.recv())
        assert (resumed["type"], resumed["data"]) == ("resumed", {"fills": [], "busts": []})
        reply = await subscribe(socket, "drop_copy", here)
        assert reply["error"]["code"] == "scope_missing"


async def test_a_gateway_that_is_behind_waits_until_it_was_where_the_client_was(served: Served) -> None:
    alice = await served.client("alice")
    state = served.venue.state
    async with open_socket(served) as socket:
        ahead = {"incarnation": state.incarnation, "seq": state.last_seq + 1}
        asking = asyncio.create_task(subscribe(socket, "orders", ahead))
        order = await alice.place_order(limit("buy", "473000", 1))
        assert "result" in await asking
        resumed = json.loads(await socket.recv())
        assert (resumed["seq"], resumed["data"]["orders"]) == (order["seq"], [])


async def test_pushes_are_held_back_while_older_ones_are_read_and_not_without_a_bound(
    served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The read database does not answer. Other streams of the client go on."""
    monkeypatch.setattr(private_stream, "HELD_PUSHES", 3)
    alice, bob = await served.client("alice"), await served.client("bob")
    state, read = served.venue.state, asyncio.Event()
    reading = missed.MissedReader.pages

    async def pages(*args: Any, **options: Any) -> AsyncIterator[missed.Missed]:
        await read.wait()
        async for page in reading(*args, **options):
            yield page

    monkeypatch.setattr(missed.MissedReader, "pages", pages)
    begin = {"incarnation": state.incarnation, "seq": state.last_seq}
    await bob.place_order(limit("sell", "473000", 9))
    await alice.place_order(limit("buy", "473000", 1))
    async with open_socket(served) as patient, open_socket(served) as overrun:
        assert "result" in await subscribe(patient, "fills", begin)
        assert "result" in await subscribe(overrun, "orders", begin)
        assert "result" in await subscribe(patient, "fills"), "a snapshot comes after what was missed"
        for _ in range(3):
            last = await alice.place_order(limit("buy", "473000", 1))
        await alice.place_order(limit("buy", "470000", 1))
        with pytest.raises(ConnectionClosed) as closed:
            await overrun.recv()
        assert closed.value.rcvd is not None
        assert closed.value.rcvd.code == CLOSE_TOO_SLOW
        read.set()
        told = await pushes_until(patient, last["seq"])
        told.append(json.loads(await patient.recv()))
    assert [push["type"] for push in told] == ["resumed", "update", "update", "update", "snapshot"]
    assert entries(told, "fills") == list(reversed((await alice.fills())["fills"]))
    assert told[-1]["seq"] == last["seq"]


async def test_what_cannot_be_read_closes_the_connection_by_name(
    served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def pages(*_: Any, **__: Any) -> AsyncIterator[missed.Missed]:
        raise ReadDatabaseAway("the disk is gone")
        yield

    monkeypatch.setattr(missed.MissedReader, "pages", pages)
    alice, state = await served.client("alice"), served.venue.state
    begin = {"incarnation": state.incarnation, "seq": state.last_seq}
    await alice.place_order(limit("buy", "473000", 1))
    async with open_socket(served) as socket:
        await socket.send(json.dumps({"method": "subscribe", "params": {"channels": ["orders"], "resume": begin}}))
        await socket.wait_closed()
    assert socket.close_code == resumes.CLOSE_NOT_RESUMED
    assert not state.order_listeners


async def test_who_unsubscribes_while_it_is_told_hears_nothing_more(
    served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    read = asyncio.Event()

    async def pages(*_: Any, **__: Any) -> AsyncIterator[missed.Missed]:
        await read.wait()
        yield missed.Missed(served.venue.state.last_seq, [], [], [])

    monkeypatch.setattr(missed.MissedReader, "pages", pages)
    alice, state = await served.client("alice"), served.venue.state
    begin = {"incarnation": state.incarnation, "seq": state.last_seq}
    await alice.place_order(limit("buy", "473000", 1))
    async with open_socket(served) as socket:
        assert "result" in await subscribe(socket, "orders", begin)
        assert "result" in await ask(socket, {"method": "unsubscribe", "params": {"channels": ["orders"]}})
        read.set()
        await alice.place_order(limit("buy", "473000", 1))
        assert "result" in await ask(socket, {"method": "ping"})
    assert not state.order_listeners, "nobody listens"
