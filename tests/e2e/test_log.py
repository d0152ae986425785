"""What a venue's log holds when much goes wrong: reasons, request ids, no secret of any caller, and little of it."""

from __future__ import annotations

import asyncio
import json
import re
from collections import Counter
from pathlib import Path
from typing import Any

from services.files.data_folder import READ_DATABASE_FILE
from services.people.sessions import SESSION_PREFIX
from services.processes.log import MAX_TRACEBACK
from services.venue_state.keys import KEY_PREFIX
from tests.faults.mutants import broken_cursors
from tests.faults.venue_process import VenueProcess, serve
from tests.patience import HttpClient, WebSocketClient

STRANGER = f"{KEY_PREFIX}{'N0t-a_Key' * 5}"
SESSION = f"{SESSION_PREFIX}{'N0-s3ss1on' * 5}"
BUGS = 5
PROVOKED = 200
PROVING = ("proof", "certificate")
"""Ends of the addresses whose answer is a proof, which takes its time."""

Told = Counter[tuple[int, str | None]]


def provoke(venue: VenueProcess, client: HttpClient, told: Told) -> None:
    """Sends requests that fail, each with the operator's key, a stranger's or a session: in the head, the address, the body."""

    def ask(method: str, path: str, **what: Any) -> None:
        answer = client.request(method, path, **what)
        is_problem = answer.headers["content-type"] == "application/problem+json"
        told[answer.status_code, answer.json()["code"] if is_problem else None] += 1

    paths = client.get("/openapi.json").json()["paths"]
    values = {"symbol": "PRND-OX", "year": "2026"}
    for path in (path for path, methods in paths.items() if "get" in methods and not path.endswith(PROVING)):
        ask("GET", re.sub(r"{(\w+)}", lambda found: values.get(found[1], "1"), path))
    for _ in range(BUGS):
        ask("GET", "/v1/admin/keys", params={"cursor": venue.operator_key})
    while told.total() < PROVOKED:
        ask("POST", "/v1/orders", content=f'{{"symbol": "{venue.operator_key}')
        ask("POST", "/v1/orders", json={"symbol": venue.operator_key, "side": SESSION})
        ask("POST", f"/v1/{venue.operator_key}", headers={"authorization": f"Bearer {STRANGER}"})
        ask("POST", "/v1/session", json={"name": STRANGER, "password": SESSION}, headers={"cookie": f"rex={SESSION}"})
        ask("GET", "/v1/orders", params={venue.operator_key: STRANGER})


async def show_a_strangers_key(venue: VenueProcess) -> str:
    """The reply over WebSocket."""
    async with WebSocketClient(venue.url.replace("http", "ws") + "/v1/ws") as ws:
        await ws.send(json.dumps({"method": "authenticate", "req_id": 1, "params": {"key": STRANGER}}))
        return str(await ws.recv())


def test_trouble_is_told_without_secrets_in_few_words_and_the_venue_goes_on(tmp_path: Path) -> None:
    told: Told = Counter()
    with serve(tmp_path, mutant=broken_cursors, variables={"REX_REQUEST_LOG": "true"}) as venue:
        (tmp_path / READ_DATABASE_FILE).rename(tmp_path / "moved")
        with HttpClient(base_url=venue.url, headers={"authorization": f"Bearer {venue.operator_key}"}) as client:
            provoke(venue, client, told)
            assert "unknown_key" in asyncio.run(show_a_strangers_key(venue))
            assert client.post("/v1/admin/halt").status_code == 200
        said = venue.said
        assert venue.stop() == 0
    assert {code for status, code in told if status >= 500} == {"internal_error", "storage_unusable"}
    assert told[500, "internal_error"] == said.count("Traceback (most recent call last)") == BUGS
    for secret in (venue.operator_key, STRANGER, SESSION):
        assert secret not in said
    assert len(said) < BUGS * MAX_TRACEBACK + told.total() * 500
