"""The venue that generated input goes to: started here, embedded or scaled, or one that runs already.

Before: two members with cash, goods and keys without rate limits. After: the market is open again, a new member's order rests,
no process has logged an error, and the journal verifies with every command re-executed.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import httpx

from load_tests.servers.postgres import PostgresServer
from load_tests.servers.server_process import ServerMissing
from tests.faults.rig import CannotRun, scratch
from tests.faults.scaled_venue import ScaledVenue, scaled_venue
from tests.faults.venue_process import Finished, Mutant, VenueProcess, rex, serve
from tests.patience import HttpClient, http_post

SYMBOL = "PRND-OX"
UNLIMITED = {name: {"per_s": 0, "burst": 1} for name in ("orders", "cancels", "reads")}
RESTING = 20
ERRORS = ("Traceback", "[error", "[critical")
"""What a process may not log, whatever a client sends."""

Json = dict[str, Any]


class Stage:
    """A venue, its keys, and what must be true of it at the end."""

    def __init__(self, urls: list[str], operator_key: str) -> None:
        self.urls = urls
        """The addresses of its gateways."""
        self._spare = HttpClient(base_url=urls[0], headers={"authorization": f"Bearer {operator_key}"})
        self.members = [self.open_member(name) for name in ("first", "second")]
        self.operator = self._issue("operator", ["read", "operate", "admin"], 0)
        held = [operator_key, self.operator, *self.members]
        self.order_ids, self.trade_ids = self._trade()
        self.own_keys = {key["key_id"] for key in self._get("/v1/admin/keys?limit=500")["keys"]}
        """The ids of the keys that the run needs: it must not revoke them."""
        assert len(self.own_keys) >= len(held)

    def close(self) -> None:
        self._spare.close()

    def open_member(self, name: str) -> str:
        """An account with cash and goods; returns its key."""
        account = int(self._post("/v1/admin/accounts", {"name": name})["account"])
        self._post(f"/v1/admin/accounts/{account}/cash", {"amount": "900000000.00"})
        self._post(f"/v1/admin/accounts/{account}/inventory", {"symbol": SYMBOL, "quantity": 1_000_000})
        return self._issue(name, ["read", "trade"], account)

    def _issue(self, name: str, scopes: list[str], account: int) -> str:
        body = {"name": name, "scopes": scopes, "account": account, "limits": UNLIMITED}
        return str(self._post("/v1/admin/keys", body)["key"])

    def _trade(self) -> tuple[list[str], list[str]]:
        """Orders of the first member that rest, and trades of both: their ids, for requests to name."""
        listed = next(listed for listed in self._get("/v1/instruments") if listed["symbol"] == SYMBOL)
        buyer, seller = ({"authorization": f"Bearer {key}"} for key in self.members)
        order = {"symbol": SYMBOL, "price": listed["reference_price"], "quantity": 1}
        for _ in range(RESTING):
            for headers, side in ((buyer, "buy"), (seller, "sell")):
                self._spare.post("/v1/orders", json={**order, "side": side}, headers=headers).raise_for_status()
        low = {**order, "side": "buy", "price": listed["lower_limit"], "time_in_force": "gtc"}
        resting = [self._spare.post("/v1/orders", json=low, headers=buyer).json() for _ in range(RESTING)]
        fills = self._spare.get("/v1/fills", headers=buyer).json()["fills"]
        return [order["order_id"] for order in resting], [fill["trade_id"] for fill in fills]

    def open_market(self) -> None:
        """Takes back what generated requests of an operator may have done to the whole market."""
        for path in ("kill_switch/off", "resume", f"instruments/{SYMBOL}/resume"):
            self._spare.post(f"/v1/admin/{path}")
        self._spare.put(f"/v1/admin/instruments/{SYMBOL}/phase", json={"phase": "continuous"})

    def broken(self) -> Iterator[str]:
        """Whether the venue takes an order of a member that no generated request can have named."""
        try:
            yield from self._refused_orders()
        except httpx.TransportError as error:
            yield f"at the end the venue does not answer: {error!r}"

    def _refused_orders(self) -> Iterator[str]:
        self.open_market()
        price = next(listed["reference_price"] for listed in self._get("/v1/instruments") if listed["symbol"] == SYMBOL)
        order = {"symbol": SYMBOL, "side": "buy", "price": price, "quantity": 1, "post_only": False}
        headers = {"authorization": f"Bearer {self.open_member('last')}"}
        for url in self.urls:
            answer = http_post(f"{url}/v1/orders", json=order, headers=headers)
            if answer.status_code != 201 or answer.json()["state"] == "rejected":
                yield f"at the end an order is answered {answer.status_code}: {answer.text[:300]}"

    def _post(self, path: str, body: Json) -> Json:
        found: Json = self._spare.post(path, json=body).raise_for_status().json()
        return found

    def _get(self, path: str) -> Any:
        return self._spare.get(path).raise_for_status().json()


class OwnStage(Stage):
    """A venue of this run: its log and its journal can be read, too."""

    def __init__(self, venue: VenueProcess | ScaledVenue, journal: tuple[str, str]) -> None:
        super().__init__(venue.gateways() if isinstance(venue, ScaledVenue) else [venue.url], venue.operator_key)
        self._venue, self._journal = venue, journal

    def broken(self) -> Iterator[str]:
        yield from super().broken()
        for name, said in self._said().items():
            lines = [line for line in said.splitlines() if any(error in line for error in ERRORS)]
            if lines:
                yield f"{name} logs {len(lines)} errors: {lines[0][:200]} … {said[-1_500:]}"
        if isinstance(self._venue, VenueProcess):
            self._venue.stop()
        proof: Finished = rex("journal", "verify", *self._journal, "--prove", "--json")
        if proof.exit_status != 0 or not json.loads(proof.out)["good"]:
            yield f"the journal does not verify: {proof.out}{proof.err}"

    def _said(self) -> dict[str, str]:
        if isinstance(self._venue, VenueProcess):
            return {"the venue": self._venue.said}
        return {name: process.errors.read_text(errors="replace") for name, process in self._venue.processes.items()}


def _apart(mutant: Mutant | None) -> None:
    """Ctrl-C reaches the processes of a terminal all at once: the venue must stay until the run has ended."""
    os.setpgrp()
    if mutant is not None:
        mutant()


APART = {kind: partial(_apart, None) for kind in ("sequencer", "gateway", "projector")}


@contextmanager
def embedded(mutant: Mutant | None = None) -> Iterator[Stage]:
    """A new `rex serve`."""
    with TemporaryDirectory(dir=scratch()) as work:
        folder = Path(work) / "rex-data"
        with serve(folder, mutant=partial(_apart, mutant)) as venue:
            stage = OwnStage(venue, ("--data-dir", str(folder)))
            yield stage
            stage.close()


@contextmanager
def scaled() -> Iterator[Stage]:
    """A new venue in the scaled mode: two sequencers, two gateways, a projector, a PostgreSQL. Raises CannotRun."""
    try:
        with PostgresServer() as server, scaled_venue(server.create_database("rex_fuzz"), mutants=APART) as venue:
            stage = OwnStage(venue, ("--database-url", venue.database_url))
            yield stage
            stage.close()
    except ServerMissing as missing:
        raise CannotRun(str(missing)) from missing


@contextmanager
def running(url: str, operator_key: str) -> Iterator[Stage]:
    """A venue that runs already. Its members, orders and settings will be those of a test afterwards."""
    stage = Stage([url], operator_key)
    yield stage
    stage.close()
