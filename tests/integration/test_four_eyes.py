"""Acts that a second person confirms: a proposal changes nothing, nobody confirms their own, and one ending takes effect."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from matching_engine import Engine
from services.commands.acts import MAY_WAIT
from services.commands.administrative import record, resume
from services.commands.attachments import UserLinkMade
from services.files.data_folder import READ_DATABASE_FILE
from services.gateway.order_entry.four_eyes import CONFIRMED, Confirmed
from services.gateway.problems import ProblemError
from services.people.roles import caller
from services.read_model.page_size import MOST_CHARACTERS
from services.read_model.proposals import EXPIRES_NS
from tests.integration.logged_in import NOBODY, OTHER, PASSWORD, add_user, browser, code, logged_in
from tests.integration.venue import CASH_FEN, RunningVenue, running_venue
from tests.patience import AsyncHttpClient

pytestmark = pytest.mark.anyio

PROPOSALS = "/v1/admin/proposals"
REPORT = "/v1/reports/turnover/2023"
CASH = "/v1/admin/accounts/2/cash"
SIGNED = {"reason": "agreed", "name": "Li Na"}
TARGET = {"year": 2024, "month": 3, "amount": "1.00", "name": "March", "why": "the board"}
SCANDIUM = {
    "symbol": "SC-OX", "name_en": "Scandium oxide", "name_zh": "氧化钪", "category": "deep_processed",
    "family": "separated_oxide", "unit": "kg", "lot_size": 10, "tick_size": "1.00", "reference_price": "6000.00",
    "band_rate": "0.06", "max_quantity": 1000,
}  # fmt: skip
WHY = {"reason": "not agreed"}
Json = dict[str, Any]


@pytest.fixture
async def venue(tmp_path: Path) -> AsyncIterator[RunningVenue]:
    """A venue where every act that may need two persons does, with three administrators and an operator."""
    async with running_venue(tmp_path, acts_of_two=MAY_WAIT) as running:
        await add_people(running)
        yield running


async def add_people(venue: RunningVenue) -> None:
    for name in ("ann", "ben", "dee"):
        await add_user(venue, name, "admin")
    await add_user(venue, "cho", "operator")


async def propose(client: AsyncHttpClient, method: str, path: str, body: Any = None, why: str | None = None) -> int:
    headers = {} if why is None else {"rex-why": quote(why)}
    reply = await client.request(method, path, json=body, headers=headers)
    assert reply.status_code == 202, reply.text
    proposal: int = reply.json()["proposal"]
    return proposal


async def listed(client: AsyncHttpClient, state: str = "all") -> list[Json]:
    reply = (await client.get(PROPOSALS, params={"state": state})).raise_for_status()
    found: list[Json] = reply.json()["proposals"]
    return found


def end(client: AsyncHttpClient, proposal: int, how: str = "confirm") -> Any:
    return client.post(f"{PROPOSALS}/{proposal}/{how}", json=None if how == "confirm" else WHY)


def book(venue: RunningVenue) -> list[Any]:
    """All that the engine knows, but the number of its last command."""
    engine = venue.engine
    assert isinstance(engine, Engine)
    state = engine.state()
    state.venue["last_seq"] = 0
    return [part.tobytes() if hasattr(part, "tobytes") else part for part in state]


async def trade(venue: RunningVenue) -> str:
    for name, side in (("alice", "sell"), ("bob", "buy")):
        order = {"symbol": "PRND-OX", "side": side, "price": "473000", "quantity": 1}
        (await venue.client(name).post("/v1/orders", json=order)).raise_for_status()
    fills = (await venue.client("alice").get("/v1/fills")).json()["fills"]
    return str(fills[0]["trade_id"])


ACTS: dict[str, tuple[str, str, Any]] = {
    "deposit": ("POST", CASH, {"amount": "5.00"}),
    "withdraw": ("POST", CASH, {"amount": "-5.00"}),
    "receive": ("POST", "/v1/admin/accounts/2/inventory", {"symbol": "ND-OX", "quantity": 3}),
    "release": ("POST", "/v1/admin/accounts/2/inventory", {"symbol": "PRND-OX", "quantity": -3}),
    "set_order_limits": ("PUT", "/v1/admin/accounts/2/limits", {"max_open_orders": 5}),
    "kill_switch_off": ("POST", "/v1/admin/accounts/2/kill_switch/off", None),
    "resume": ("POST", "/v1/admin/resume", None),
    "set_phase": ("PUT", "/v1/admin/instruments/ND-OX/phase", {"phase": "call_auction"}),
    "set_collar": ("PUT", "/v1/admin/instruments/ND-OX/collar", {"rate": "0.05"}),
    "list_instrument": ("POST", "/v1/admin/instruments", SCANDIUM | SIGNED),
    "change_instrument": ("PATCH", "/v1/admin/instruments/ND-OX", {"band_rate": "0.04"} | SIGNED),
    "delist_instrument": ("POST", "/v1/admin/instruments/DY-OX/delist", SIGNED),
    "set_volatility_band": (
        "PUT", "/v1/admin/instruments/ND-OX/volatility_band", {"rate": "0.03", "auction_seconds": 60},
    ),
    "set_fees": ("PUT", "/v1/admin/fees/7", {"maker_rate": "0.0003", "taker_rate": "0.0005"}),
    "open_account": ("POST", "/v1/admin/accounts", {"name": "稀土一号"}),
    "target_set": ("POST", "/v1/admin/targets", TARGET),
    "control_declared": ("POST", "/v1/admin/control_groups", {"accounts": [2, 3], **SIGNED}),
    "context_stated": (
        "POST", "/v1/admin/context",
        {"year": 2024, "figure": "output", "value": "1", "unit": "t", "source": "a book", "name": "Li Na"},
    ),
}  # fmt: skip
"""Those that need nothing before them."""
OWN_REASONS = {"target_set": TARGET["why"]} | dict.fromkeys(
    ("control_declared", "list_instrument", "change_instrument", "delist_instrument"), SIGNED["reason"]
)
"""What their bodies say counts more than the header."""


async def test_an_act_changes_nothing_until_a_second_person_confirms_it(venue: RunningVenue) -> None:
    ann, ben = await logged_in(venue, "ann"), await logged_in(venue, "ben")
    for act, (method, path, body) in ACTS.items():
        before, seq = book(venue), venue.sequencer.last_seq
        said = None if act == "set_fees" else f"因为 {act}"
        proposal = await propose(ann, method, path, body, said)
        assert (proposal, venue.sequencer.last_seq) == (seq + 1, seq + 1), f"{act}: the proposal is the one command"
        assert book(venue) == before, act
        (waiting,) = await listed(ben, "waiting")
        asked = {name: waiting[name] for name in ("proposal", "state", "act", "method", "path", "body", "is_own")}
        assert asked == {
            "proposal": proposal, "state": "waiting", "act": act, "method": method, "path": path, "body": body,
            "is_own": False,
        }  # fmt: skip
        assert (waiting["proposed_by"]["name"], waiting["ended_by"]) == ("ann", None)
        reply = await end(ben, proposal)
        assert reply.status_code == 200, f"{act}: {reply.text}"
        done = reply.json()
        assert (done["state"], done["seq"], done["answer"]["seq"]) == ("confirmed", proposal + 1, proposal + 1)
        ended = (await listed(ann))[0]
        assert (ended["state"], ended["ended_seq"], ended["ended_by"]["name"]) == ("confirmed", proposal + 1, "ben")
        line = (await ben.get("/v1/admin/log", params={"kind": act})).json()["actions"][0]
        assert (line["seq"], line["proposal"], line["proposed_by"]) == (proposal + 1, proposal, "ann"), act
        assert (line["key_id"], line["why"]) == (ended["ended_by"]["key_id"], OWN_REASONS.get(act, said)), act
        assert await listed(ben, "waiting") == []


async def test_a_bust_and_a_decision_are_proposed_with_their_reasons(venue: RunningVenue) -> None:
    cho, ben = await logged_in(venue, "cho"), await logged_in(venue, "ben")
    first, second = await trade(venue), await trade(venue)
    before = book(venue)
    bust = await propose(cho, "POST", f"/v1/admin/trades/{first}/bust", {"reason": "fat finger"})
    exclusion = {"decision": "exclude", "trade_ids": [second], "reason": "a ring", "name": "Li Na"}
    decision = await propose(cho, "POST", "/v1/admin/decisions", exclusion)
    assert book(venue) == before
    assert [one["why"] for one in await listed(ben)] == ["a ring", "fat finger"]
    assert (await end(ben, bust)).json()["answer"]["trade_id"] == first
    decided = (await end(ben, decision)).json()
    assert decided["answer"]["trades"] == 1
    report = (await venue.client("operator").get(REPORT, params={"at_least_seq": decided["seq"]})).json()
    assert (report["busted_trades"], report["excluded_trades"]) == (1, 1)


async def test_what_protects_never_waits(venue: RunningVenue) -> None:
    cho = await logged_in(venue, "cho")
    for path in ("/halt", "/instruments/ND-OX/halt", "/kill_switch/on", "/accounts/2/kill_switch/on"):
        assert (await cho.post(f"/v1/admin{path}")).status_code == 200, path
    ban = {"accounts": [3], "measure": "opening_ban", "trading_date": "2023-12-01", **SIGNED}
    assert (await cho.post("/v1/admin/measures", json=ban)).status_code == 201
    assert venue.state.kill_switch
    assert all(venue.state.accounts[account].kill_switch for account in (2, 3))
    assert (await cho.delete("/v1/orders?symbol=*")).status_code == 200
    assert await listed(cho) == []


async def test_lifting_a_ban_waits_and_then_frees_the_switches(venue: RunningVenue) -> None:
    cho, ben = await logged_in(venue, "cho"), await logged_in(venue, "ben")
    ban = {"accounts": [3], "measure": "opening_ban", "trading_date": "2023-12-01", **SIGNED}
    seq = (await cho.post("/v1/admin/measures", json=ban)).json()["seq"]
    lift = await propose(cho, "POST", f"/v1/admin/measures/{seq}/lift", SIGNED)
    assert venue.state.accounts[3].kill_switch
    assert (await end(ben, lift)).status_code == 200
    assert not venue.state.accounts[3].kill_switch


async def test_a_request_that_is_wrong_is_refused_at_once(venue: RunningVenue) -> None:
    ann, cho = await logged_in(venue, "ann"), await logged_in(venue, "cho")
    seq = venue.sequencer.last_seq
    assert code(await ann.post(CASH, json={"amount": "0.001"})) == (422, "invalid_amount")
    assert code(await ann.post(CASH, json={"amount": "1", "x": 1})) == (422, "validation_failed")
    assert code(await ann.post("/v1/admin/accounts/99/cash", json={"amount": "1"})) == (404, "unknown_account")
    assert code(await cho.post(CASH, json={"amount": "1.00"})) == (403, "scope_missing")
    decision = {"decision": "exclude", "trade_ids": ["7"], "reason": "a ring", "name": "Li Na"}
    assert code(await cho.post("/v1/admin/decisions", json=decision)) == (422, "unknown_trade")
    assert venue.sequencer.last_seq == seq


async def test_a_body_that_no_route_reads_is_not_kept(venue: RunningVenue) -> None:
    """One that is nested deeply could be written into the journal, and never be read again: the venue ended for good."""
    ann, seq = await logged_in(venue, "ann"), venue.sequencer.last_seq
    headers = {"content-type": "application/json"}
    for path in ("/resume", "/instruments/ND-OX/resume", "/kill_switch/off", "/accounts/2/kill_switch/off"):
        for body in (
            '{"a":' + "[" * 200 + "]" * 200 + "}",
            "5",
            '"x"',
            '{"reason": 5}',
            json.dumps({"reason": "x" * 9}),
        ):
            reply = await ann.post(f"/v1/admin{path}", content=body, headers=headers)
            assert (code(reply), reply.json()["errors"][0]["field"]) == ((422, "validation_failed"), "body")
    assert venue.sequencer.last_seq == seq


async def test_a_proposal_has_the_path_that_the_route_has_read(venue: RunningVenue) -> None:
    ann = await logged_in(venue, "ann")
    for account in ("2", "+2", "0002", "2.0"):
        await propose(ann, "POST", f"/v1/admin/accounts/{account}/cash", {"amount": "1.00"})
    bust = await trade(venue)
    await propose(ann, "POST", f"/v1/admin/trades/00{bust}/bust", {"reason": "fat finger"})
    paths = [one["path"] for one in await listed(ann)]
    assert paths == [f"/v1/admin/trades/{bust}/bust", *[CASH] * 4]


async def test_no_header_makes_an_act_another_path(venue: RunningVenue) -> None:
    """Older versions of Starlette read the path of request.url out of what stands behind the header Host."""
    ann = await logged_in(venue, "ann")
    for port in ("8000", "8000/x", "?x=", "#", "8000/x?y=#"):
        host = f"127.0.0.1:{port}"
        reply = await ann.post(CASH, json={"amount": "5.00"}, headers={"host": host, "origin": f"http://{host}"})
        assert reply.status_code == 202, host


async def test_nobody_confirms_their_own_and_nobody_else_withdraws_it(venue: RunningVenue) -> None:
    ann, ben, cho = [await logged_in(venue, name) for name in ("ann", "ben", "cho")]
    proposal = await propose(ann, "POST", CASH, {"amount": "5.00"})
    again = await logged_in(venue, "ann")  # another session is the same person
    for client in (ann, again):
        for how in ("confirm", "reject"):
            assert code(await end(client, proposal, how)) == (403, "wrong_person")
    assert code(await end(ben, proposal, "withdraw")) == (403, "wrong_person")
    for how in ("confirm", "reject", "withdraw"):
        assert code(await end(cho, proposal, how)) == (403, "scope_missing"), "cash is for administrators"
        assert code(await end(ben, 999, how)) == (404, "not_found")
    assert venue.state.accounts[2].cash_fen == CASH_FEN
    assert (await end(ann, proposal, "withdraw")).json()["state"] == "withdrawn"
    assert (await end(again, proposal, "withdraw")).json()["state"] == "withdrawn", "a repeat is the same answer"
    assert code(await end(ben, proposal)) == (409, "proposal_ended")
    rejected = await propose(ann, "POST", CASH, {"amount": "6.00"})
    assert (await end(ben, rejected, "reject")).json()["state"] == "rejected"
    refused = await end(await logged_in(venue, "dee"), rejected)
    assert code(refused) == (409, "proposal_ended")
    assert "was rejected by ben" in refused.json()["detail"]
    assert {one["state"]: one["reason"] for one in await listed(ben)} == {
        "withdrawn": "not agreed", "rejected": "not agreed",
    }  # fmt: skip
    assert venue.state.accounts[2].cash_fen == CASH_FEN


async def test_a_key_proposes_and_withdraws_but_only_a_person_confirms(venue: RunningVenue) -> None:
    """Nobody knows who holds a key: one person could confirm with a key what they have proposed when logged in."""
    ann, key = await logged_in(venue, "ann"), venue.client("operator")
    proposal = await propose(ann, "POST", CASH, {"amount": "5.00"})
    for how in ("confirm", "reject"):
        reply = await end(key, proposal, how)
        assert code(reply) == (403, "wrong_person")
        assert "A key confirms and rejects nothing" in reply.json()["detail"]
    of_key = [await propose(key, "POST", CASH, {"amount": "5.00"}) for _ in range(2)]
    assert code(await end(key, of_key[0])) == (403, "wrong_person")
    assert (await end(key, of_key[0], "withdraw")).json()["state"] == "withdrawn"
    assert (await end(ann, of_key[1])).json()["state"] == "confirmed"


async def issued_key(
    venue: RunningVenue, client: AsyncHttpClient, name: str, *more: str
) -> tuple[str, AsyncHttpClient]:
    """The id of a new key for operators, and a client with it."""
    made = (await client.post("/v1/admin/keys", json={"name": name, "scopes": ["read", "operate", *more]})).json()
    holder = venue.client(None)
    holder.headers["authorization"] = f"Bearer {made['key']}"
    return made["key_id"], holder


async def test_who_has_issued_a_key_does_not_confirm_for_it(venue: RunningVenue) -> None:
    ann, ben = await logged_in(venue, "ann"), await logged_in(venue, "ben")
    _, robot = await issued_key(venue, ann, "robot")
    proposal = await propose(robot, "POST", "/v1/admin/resume")
    reply = await end(ann, proposal)
    assert (code(reply), "you have issued the key" in reply.json()["detail"]) == ((403, "wrong_person"), True)
    assert (await end(ben, proposal)).status_code == 200
    maker_id, maker = await issued_key(venue, ann, "maker", "admin")
    _, made = await issued_key(venue, maker, "made")
    proposal = await propose(made, "POST", "/v1/admin/resume")
    assert code(await end(ann, proposal)) == (403, "wrong_person"), "a key that was issued with a key of hers"
    (await ann.delete(f"/v1/admin/keys/{maker_id}")).raise_for_status()
    assert code(await end(ann, proposal)) == (403, "wrong_person"), "also when that one is revoked"
    assert (await end(ben, proposal)).status_code == 200
    proposal = await propose(made, "POST", "/v1/admin/resume")
    assert (await end(ann, proposal, "reject")).status_code == 200, "what carries nothing out is free"


async def test_who_may_have_made_a_proposal_does_not_confirm_it(venue: RunningVenue) -> None:
    """An administrator adds a user, or makes a link to another's account, proposes as that one, and confirms: one person."""
    ann, dee = await logged_in(venue, "ann"), await logged_in(venue, "dee")
    ids = {user["name"]: user["user_id"] for user in (await ann.get("/v1/admin/users")).json()["users"]}
    _, robot = await issued_key(venue, ann, "robot", "admin")

    async def added(by: AsyncHttpClient, name: str) -> AsyncHttpClient:
        new = {"name": name, "role": "admin", "account": 0, "password": PASSWORD}
        (await by.post("/v1/admin/users", json=new)).raise_for_status()
        return await logged_in(venue, name)

    zed = await added(ann, "zed")
    of_robot, of_zed = await added(robot, "eve"), await added(zed, "fay")
    _, key_of_zed = await issued_key(venue, zed, "key of zed")
    token = (await ann.post(f"/v1/admin/users/{ids['ben']}/link")).json()["path"].split("#")[1]
    ben = browser(venue)
    assert (await ben.post("/v1/session/link", json={"token": token, "password": OTHER})).status_code == 201
    for client in (zed, of_robot, of_zed, key_of_zed, ben):
        proposal = await propose(client, "POST", "/v1/admin/resume")
        reply = await end(ann, proposal)
        assert (code(reply), "You may have made" in reply.json()["detail"]) == ((403, "wrong_person"), True)
        assert (await end(dee, proposal)).status_code == 200, "a third person may"
    venue.clock.now_ns += 24 * 3600 * 10**9
    for client in (await logged_in(venue, "zed"), ben):
        assert (await end(ann, await propose(client, "POST", "/v1/admin/resume"))).status_code == 200
    proposal = await propose(key_of_zed, "POST", "/v1/admin/resume")
    assert code(await end(ann, proposal)) == (403, "wrong_person"), "a key stays known to who issued it"


async def test_who_proposed_must_still_be_allowed_to(venue: RunningVenue) -> None:
    ann, ben, cho = [await logged_in(venue, name) for name in ("ann", "ben", "cho")]
    ids = {user["name"]: user["user_id"] for user in (await ann.get("/v1/admin/users")).json()["users"]}
    key_id, robot = await issued_key(venue, ann, "robot")
    of_robot, of_cho, of_ann = [
        await propose(robot, "POST", "/v1/admin/resume"), await propose(cho, "POST", "/v1/admin/resume"),
        await propose(ann, "POST", CASH, {"amount": "5.00"}),
    ]  # fmt: skip
    (await ben.delete(f"/v1/admin/keys/{key_id}")).raise_for_status()
    (await ben.delete(f"/v1/admin/users/{ids['cho']}")).raise_for_status()
    (await ben.put(f"/v1/admin/users/{ids['ann']}/role", json={"role": "operator", "account": 0})).raise_for_status()
    for proposal in (of_robot, of_cho, of_ann):
        reply = await end(ben, proposal)
        assert (code(reply), "was removed, or may not" in reply.json()["detail"]) == ((409, "proposal_ended"), True)
        assert (await end(ben, proposal, "reject")).status_code == 200
    assert [one["proposed_by"]["name"] for one in await listed(ben)] == ["ann", "cho", "robot"]
    log = (await ben.get("/v1/admin/log", params={"kind": "act_proposed"})).json()["actions"]
    assert [line["person"] for line in log] == ["ann", "cho", None], "a removed user is still named"
    await add_user(venue, "CHO", "operator")
    (line,) = (await ben.get("/v1/admin/log", params={"who": "cho"})).json()["actions"]
    assert (line["seq"], line["key_id"]) == (of_cho, ids["cho"]), "and found, also where the name is another's now"


async def test_a_stop_that_is_newer_than_the_proposal_holds(venue: RunningVenue) -> None:
    cho, ben = await logged_in(venue, "cho"), await logged_in(venue, "ben")
    ban = {"accounts": [3], "measure": "opening_ban", "trading_date": "2023-12-01", **SIGNED}
    seq = (await cho.post("/v1/admin/measures", json=ban)).json()["seq"]
    one, another = "/instruments/ND-OX", "/instruments/PRND-OX"
    for ends, body, stops, leaves in (
        ("/accounts/2/kill_switch/off", None, "/accounts/2/kill_switch/on", "/accounts/4/kill_switch/on"),
        ("/kill_switch/off", None, "/kill_switch/on", "/accounts/2/kill_switch/on"),
        (f"{one}/resume", None, f"{one}/halt", f"{another}/halt"),
        (f"{one}/resume", None, "/halt", f"{another}/halt"),
        ("/resume", None, f"{one}/halt", "/kill_switch/on"),
        (f"/measures/{seq}/lift", SIGNED, "/accounts/3/kill_switch/on", "/accounts/2/kill_switch/on"),
    ):
        stale = await propose(cho, "POST", f"/v1/admin{ends}", body)
        newer = (await ben.post(f"/v1/admin{stops}")).json()["seq"]
        reply = await end(ben, stale)
        assert code(reply) == (409, "proposal_ended"), ends
        assert f"is older than command {newer}" in reply.json()["detail"]
        fresh = await propose(cho, "POST", f"/v1/admin{ends}", body)
        await ben.post(f"/v1/admin{leaves}")
        assert (await end(ben, fresh)).status_code == 200, ends


async def test_who_may_know_anothers_password_does_not_confirm_as_them(venue: RunningVenue) -> None:
    """An administrator makes a link to another's account, and confirms as that one; also 23 hours later."""
    ann, ben = await logged_in(venue, "ann"), await logged_in(venue, "ben")
    ids = {user["name"]: user["user_id"] for user in (await ann.get("/v1/admin/users")).json()["users"]}
    day_ns = 24 * 3600 * 10**9

    async def confirms(client: AsyncHttpClient) -> bool:
        proposal = await propose(await logged_in(venue, "dee"), "POST", CASH, {"amount": "5.00"})
        reply = await end(client, proposal)
        if reply.status_code == 403:
            assert "Another person has set your password" in reply.json()["detail"]
        return bool(reply.status_code == 200)

    token = (await ann.post(f"/v1/admin/users/{ids['ben']}/link")).json()["path"].split("#")[1]
    line = (await ben.get("/v1/admin/log")).json()["actions"][0]
    assert (line["kind"], line["person"], line["fields"]) == ("user_link_made", "ann", {"user_id": ids["ben"]})
    assert token not in str(line)
    assert await confirms(ben), "nobody has used the link"
    venue.clock.now_ns += day_ns - 3600 * 10**9
    as_ben = browser(venue)
    used = await as_ben.post("/v1/session/link", json={"token": token, "password": OTHER})
    assert used.status_code == 201
    assert not await confirms(as_ben)
    own = {"password": OTHER, "new_password": PASSWORD}
    assert (await as_ben.put("/v1/session/password", json=own)).status_code == 200
    assert not await confirms(as_ben), "that changes nothing: whoever used the link may have done it"
    venue.clock.now_ns += day_ns
    assert await confirms(as_ben)

    new = {"name": "eve", "role": "admin", "account": 0, "password": PASSWORD}
    (await ann.post("/v1/admin/users", json=new)).raise_for_status()
    assert not await confirms(await logged_in(venue, "eve"))
    (await ann.put(f"/v1/admin/users/{ids['ben']}/password", json={"password": PASSWORD})).raise_for_status()
    assert not await confirms(await logged_in(venue, "ben"))
    venue.clock.now_ns += day_ns
    assert await confirms(await logged_in(venue, "eve"))
    assert await confirms(await logged_in(venue, "ben"))


async def test_a_link_that_another_has_made_counts_also_after_one_of_the_users_own(venue: RunningVenue) -> None:
    """Each gateway has its links: one that was made at another gateway ends none of this one."""
    ann, ben, dee = [await logged_in(venue, name) for name in ("ann", "ben", "dee")]
    user = venue.people.users.named("ben")
    assert user is not None
    token = (await ann.post(f"/v1/admin/users/{user.user_id}/link")).json()["path"].split("#")[1]
    own = UserLinkMade(user_id=user.user_id)
    await venue.order_entry.execute(caller(user), lambda sender: record(sender, own))
    proposal = await propose(dee, "POST", CASH, {"amount": "5.00"})
    assert (await ben.post("/v1/session/link", json={"token": token, "password": OTHER})).status_code == 201
    assert code(await end(ben, proposal)) == (403, "wrong_person")


async def test_the_log_names_who_confirmed_not_whom_the_proposer_typed(venue: RunningVenue) -> None:
    cho, ben = await logged_in(venue, "cho"), await logged_in(venue, "ben")
    group = await propose(cho, "POST", "/v1/admin/control_groups", {"accounts": [2, 3], **SIGNED})
    assert (await end(ben, group)).status_code == 200
    line = (await ben.get("/v1/admin/log", params={"kind": "control_declared"})).json()["actions"][0]
    assert (line["person"], line["proposed_by"], line["fields"]["name"]) == ("ben", "cho", "Li Na")


async def test_of_decisions_at_the_same_moment_one_takes_effect(venue: RunningVenue) -> None:
    ann, ben, dee = [await logged_in(venue, name) for name in ("ann", "ben", "dee")]
    for number in range(1, 9):
        proposal = await propose(ann, "POST", CASH, {"amount": "1.00"})
        before = venue.state.accounts[2].cash_fen
        asked = [
            end(ben, proposal), end(dee, proposal), end(ben, proposal), end(dee, proposal, "reject"),
            end(ann, proposal, "withdraw"),
        ]  # fmt: skip
        replies = await asyncio.gather(*(asked[number % 5 :] + asked[: number % 5]))
        (ended, *_) = await listed(ben)
        done = {(reply.json()["state"], reply.json()["seq"]) for reply in replies if reply.status_code == 200}
        assert done == {(ended["state"], ended["ended_seq"])}
        assert {code(reply) for reply in replies if reply.status_code != 200} == {(409, "proposal_ended")}
        booked = 100 if ended["state"] == "confirmed" else 0
        assert venue.state.accounts[2].cash_fen == before + booked


async def test_a_confirmation_that_is_sent_again_is_one(venue: RunningVenue) -> None:
    ann, ben = await logged_in(venue, "ann"), await logged_in(venue, "ben")
    proposal = await propose(ann, "POST", CASH, {"amount": "1.00"})
    first, again = await end(ben, proposal), await end(ben, proposal)
    assert (first.json()["seq"], first.json()["answer"]) == (again.json()["seq"], {"seq": first.json()["seq"]})
    assert again.json()["answer"] is None
    assert venue.state.accounts[2].cash_fen == CASH_FEN + 100


async def test_an_act_that_the_venue_refuses_by_then_says_why_and_still_waits(venue: RunningVenue) -> None:
    ann, ben = await logged_in(venue, "ann"), await logged_in(venue, "ben")
    everything = f"-{CASH_FEN // 100}.00"
    first, second = [await propose(ann, "POST", CASH, {"amount": everything}) for _ in range(2)]
    assert (await end(ben, first)).status_code == 200
    for _ in range(2):
        assert code(await end(ben, second)) == (409, "insufficient_funds")
    (waiting,) = await listed(ben, "waiting")
    assert waiting["proposal"] == second
    back = await propose(ann, "POST", CASH, {"amount": everything[1:]})
    assert (await end(ben, back)).status_code == 200
    assert (await end(ben, second)).status_code == 200
    assert venue.state.accounts[2].cash_fen == 0
    target = await propose(ann, "POST", "/v1/admin/targets", TARGET)
    other = await propose(ann, "POST", "/v1/admin/targets", TARGET)
    assert (await end(ben, target)).status_code == 200
    assert code(await end(ben, other)) == (409, "target_in_force"), "the read database is asked again"


async def test_a_proposal_sent_again_with_its_key_is_one(tmp_path: Path) -> None:
    headers = {"idempotency-key": "k-1"}
    async with running_venue(tmp_path, acts_of_two=["deposit"]) as venue:
        operator = venue.client("operator")
        replies = [await operator.post(CASH, json={"amount": "1.00"}, headers=headers) for _ in range(2)]
        assert {reply.status_code for reply in replies} == {202}
        assert replies[0].json() == replies[1].json()
        assert len(await listed(operator)) == 1
        withdrawn = await operator.post(CASH, json={"amount": "-1.00"})
        assert withdrawn.status_code == 200, "a withdrawal is not in the list of this venue"
    async with running_venue(tmp_path) as venue:  # The setting is gone: a repeat must not pass for the deposit.
        reply = await venue.client("operator").post(CASH, json={"amount": "1.00"}, headers=headers)
        assert code(reply) == (422, "idempotency_key_reused")
        assert venue.state.accounts[2].cash_fen == CASH_FEN - 100


async def test_proposals_stand_after_a_restart_and_a_rebuild(tmp_path: Path) -> None:
    async with running_venue(tmp_path, acts_of_two=MAY_WAIT) as venue:
        await add_people(venue)
        ann, ben = await logged_in(venue, "ann"), await logged_in(venue, "ben")
        waits, done, gone = [await propose(ann, "POST", CASH, {"amount": f"{n}.00"}) for n in (1, 2, 3)]
        seq = (await end(ben, done)).json()["seq"]
        await end(ben, gone, "reject")
        before = await listed(ben)
    for rebuilt in (False, True):
        if rebuilt:
            (tmp_path / READ_DATABASE_FILE).unlink()
        async with running_venue(tmp_path) as venue:  # It asks for no second person any more; what waits still does.
            ben = await logged_in(venue, "ben")
            assert await listed(ben) == before
            again = await end(ben, done)
            assert (again.status_code, again.json()["seq"]) == (200, seq), "a confirmation is remembered"
            assert venue.state.accounts[2].cash_fen == CASH_FEN + 200
    async with running_venue(tmp_path) as venue:
        assert (await end(await logged_in(venue, "ben"), waits)).status_code == 200
        assert venue.state.accounts[2].cash_fen == CASH_FEN + 300


async def test_after_a_day_a_proposal_has_expired(venue: RunningVenue) -> None:
    ann, ben = await logged_in(venue, "ann"), await logged_in(venue, "ben")
    proposal = await propose(ann, "POST", "/v1/admin/resume")
    venue.clock.now_ns += EXPIRES_NS  # Nothing is journaled meanwhile: the gateway's clock says so.
    assert await listed(ben, "waiting") == []
    (expired,) = await listed(ben, "expired")
    assert (expired["proposal"], expired["state"], expired["ended_by"]) == (proposal, "expired", None)
    for client, how in ((ben, "confirm"), (ben, "reject"), (ann, "withdraw")):
        assert code(await end(client, proposal, how)) == (409, "proposal_ended")


async def test_a_header_says_why_where_the_body_cannot(venue: RunningVenue) -> None:
    ann, ben = await logged_in(venue, "ann"), await logged_in(venue, "ben")
    said = "汇款 7, as agreed"
    for method, path, body in (
        ("POST", CASH, {"amount": "1.00"}),
        ("POST", "/v1/admin/control_groups", {"accounts": [2, 3], **SIGNED}),
    ):
        reply = await ann.request(method, path, json=body, headers={"rex-why": quote(said)})
        assert reply.status_code == 202
    assert [one["why"] for one in await listed(ben)] == ["agreed", said], "a reason of the body counts more"
    log = (await ben.get("/v1/admin/log", params={"kind": "act_proposed"})).json()["actions"]
    assert [line["why"] for line in log] == ["agreed", said]
    for wrong in (b"%ff", b"a%0Ab", b"x" * 501, "é".encode("latin-1")):
        reply = await ann.post(CASH, json={"amount": "1.00"}, headers={b"rex-why": wrong})
        assert (code(reply), reply.json()["errors"][0]["field"]) == ((422, "validation_failed"), "Rex-Why")


async def test_pages_of_proposals(venue: RunningVenue) -> None:
    ann, cho = await logged_in(venue, "ann"), await logged_in(venue, "cho")
    made = [await propose(cho, "POST", "/v1/admin/resume") for _ in range(5)]
    await end(ann, made[0], "reject")
    found: list[int] = []
    query: Json = {"limit": 2}
    while True:
        page = (await ann.get(PROPOSALS, params=query)).json()
        found += [one["proposal"] for one in page["proposals"]]
        if page["next_cursor"] is None:
            break
        query["cursor"] = page["next_cursor"]
    assert found == made[:0:-1]
    assert page["acts"] == sorted(MAY_WAIT)
    assert code(await ann.get(PROPOSALS, params={"cursor": "x"})) == (422, "invalid_cursor")
    assert code(await ann.get(PROPOSALS, params={"state": "open"})) == (422, "validation_failed")
    assert code(await venue.client("alice").get(PROPOSALS)) == (403, "scope_missing")


async def test_every_gateway_says_which_acts_need_two_here(venue: RunningVenue) -> None:
    for path in ("/healthz", "/readyz"):
        assert (await venue.client(None).get(path)).json()["acts_of_two"] == sorted(MAY_WAIT)


async def test_a_page_has_a_bounded_amount_of_bodies(venue: RunningVenue) -> None:
    ann, fit = await logged_in(venue, "ann"), MOST_CHARACTERS // 60_000
    body, headers = '{"amount": "1.00"' + " " * 59_982 + "}", {"content-type": "application/json"}
    made = []
    for _ in range(fit + 2):
        reply = await ann.post(CASH, content=body, headers=headers)
        assert reply.status_code == 202, reply.text
        made.append(reply.json()["proposal"])
    first = (await ann.get(PROPOSALS, params={"limit": 500})).json()
    assert [one["proposal"] for one in first["proposals"]] == made[:1:-1]
    rest = (await ann.get(PROPOSALS, params={"limit": 500, "cursor": first["next_cursor"]})).json()
    assert ([one["proposal"] for one in rest["proposals"]], rest["next_cursor"]) == (made[1::-1], None)
    query: Json = {"kind": "act_proposed", "limit": 500}
    lines = (await ann.get("/v1/admin/log", params=query)).json()
    assert [line["seq"] for line in lines["actions"]] == made[:1:-1]
    rest = (await ann.get("/v1/admin/log", params={**query, "cursor": lines["next_cursor"]})).json()
    assert ([line["seq"] for line in rest["actions"]], rest["next_cursor"]) == (made[1::-1], None)
    nothing = (await ann.get("/v1/admin/log", params={"kind": "halt"})).json()
    assert nothing == {"actions": [], "next_cursor": None}


async def test_what_is_sent_again_must_still_be_what_was_proposed(venue: RunningVenue) -> None:
    seq = venue.sequencer.last_seq
    CONFIRMED.set(Confirmed(7, "deposit"))
    with pytest.raises(ProblemError, match="would be another act now") as refused:
        await venue.order_entry.execute(NOBODY, resume)
    assert (refused.value.code, venue.sequencer.last_seq) == ("proposal_ended", seq)
