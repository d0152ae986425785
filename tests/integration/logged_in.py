"""Users of a running venue, and browsers that have logged in, as far as HTTP goes."""

from __future__ import annotations

import httpx

from services.commands.administrative import record
from services.commands.attachments import Role, UserAdded
from services.venue_state.keys import ApiKey
from tests.integration.venue import BASE_URL, CHEAP_HASHES, RunningVenue
from tests.patience import AsyncHttpClient

PASSWORD = "a password of the test's own"
OTHER = "quite another password"
NOBODY = ApiKey(0, 0, "test", frozenset())


async def add_user(venue: RunningVenue, name: str, role: Role, account: int = 0) -> int:
    """Journals a user with PASSWORD. Returns the user's id."""
    user = UserAdded(name=name, role=role, account=account, password_hash=CHEAP_HASHES.hash(PASSWORD))
    return (await venue.order_entry.execute(NOBODY, lambda sender: record(sender, user))).seq


def browser(venue: RunningVenue) -> AsyncHttpClient:
    """A client that keeps cookies and sends the headers of a page of the venue."""
    client = venue.client(None)
    client.headers["origin"] = BASE_URL
    return client


async def logged_in(venue: RunningVenue, name: str) -> AsyncHttpClient:
    """The browser of a user with PASSWORD."""
    client = browser(venue)
    reply = await client.post("/v1/session", json={"name": name, "password": PASSWORD})
    assert reply.status_code == 201, reply.text
    return client


async def attempt(venue: RunningVenue, name: str, password: str) -> httpx.Response:
    """The answer to an attempt to log in, from a new browser."""
    return await browser(venue).post("/v1/session", json={"name": name, "password": password})


def code(reply: httpx.Response) -> tuple[int, str]:
    """Status and code of a problem."""
    return reply.status_code, reply.json()["code"]
