"""When a key was last used outlasts a restart, by a file on which nothing else depends."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs

from services.commands import administrative as admin
from services.commands.attachments import KeyIssued, KeyRevoked, UserAdded
from services.gateway.limits.rate_class import READS
from services.gateway.limits.rate_limits import RateLimits
from services.venue.bootstrap import open_venue
from services.venue.key_uses import KEY_USES_FILE, KeyUses
from services.venue.settings import Settings
from services.venue_state.keys import ApiKey, key_hash
from services.venue_state.state import VenueState
from tests.integration.venue import START_NS
from tests.patience import AsyncHttpClient
from tests.unit.read_model.history import SENDER, History

pytestmark = pytest.mark.anyio

JOURNAL_ID = bytes(16)


class Process:
    """The limits of a process, whose clock stands at 1,000, and the file; the wall clock stands at `now_ns`."""

    def __init__(self, folder: Path, now_ns: int, journal_id: bytes = JOURNAL_ID) -> None:
        self.history, self.state = History(), VenueState()
        for name in ("a", "b"):
            text = KeyIssued(key_hash=key_hash(name).hex(), account=0, name=name, scopes=("read",))
            self.apply(text)
        self.limits = RateLimits(self.state, now=lambda: 1_000)
        self.uses = KeyUses(folder / KEY_USES_FILE, journal_id, self.limits, lambda: now_ns)
        self.uses.read()

    def apply(self, text: KeyIssued | KeyRevoked | UserAdded) -> None:
        self.state.apply(self.history.batch([admin.record(SENDER, text)]))

    def key(self, name: str) -> ApiKey:
        found = self.state.find_key(name)
        assert found is not None
        return found

    def used_ns(self, name: str) -> int | None:
        return self.limits.last_used_ns(self.key(name).key_id, self.uses._clock())

    async def end(self) -> None:
        """Runs the writing, and cancels it as the end of the venue does."""
        running = asyncio.create_task(self.uses.run())
        await asyncio.sleep(0)
        running.cancel()
        await asyncio.wait([running])


def modes(folder: Path) -> list[int]:
    return [path.stat().st_mode & 0o777 for path in folder.iterdir()]


async def test_the_last_use_of_each_key_is_that_of_the_latest_process_which_used_it(tmp_path: Path) -> None:
    first = Process(tmp_path, 10_000)
    await first.end()
    assert modes(tmp_path) == [], "no key was used"
    for name in ("a", "b"):
        first.limits.take(first.key(name), READS)
    await first.end()
    assert modes(tmp_path) == [0o600]

    second = Process(tmp_path, 20_000)
    second.limits.take(second.key("b"), READS)
    assert (second.used_ns("a"), second.used_ns("b")) == (10_000, 20_000)
    await second.end()
    third = Process(tmp_path, 30_000)
    assert (third.used_ns("a"), third.used_ns("b")) == (10_000, 20_000)

    third.limits.take(third.key("b"), READS)
    third.apply(KeyRevoked(key_id=third.key("a").key_id))
    await third.end()
    written = json.loads((tmp_path / KEY_USES_FILE).read_bytes())["used_ns"]
    assert written == {str(third.key("b").key_id): 30_000}, "a revoked key leaves nothing behind"


async def test_a_file_that_says_nothing_of_this_journal_is_passed_over(tmp_path: Path) -> None:
    first = Process(tmp_path, 10_000)
    first.limits.take(first.key("a"), READS)
    await first.end()
    assert Process(tmp_path, 20_000, journal_id=bytes([1] * 16)).used_ns("a") is None
    beyond = json.dumps({"journal_id": JOURNAL_ID.hex(), "used_ns": {"1": 10**30}}).encode()
    for damage in (b"", b"{", b'{"journal_id": "00"}', beyond):
        (tmp_path / KEY_USES_FILE).write_bytes(damage)
        with capture_logs() as lines:
            assert Process(tmp_path, 20_000).used_ns("a") is None
        assert [line["event"] for line in lines] == ["the uses of keys cannot be read"]


async def test_what_persons_use_is_no_use_of_a_key(tmp_path: Path) -> None:
    process = Process(tmp_path, 10_000)
    process.apply(UserAdded(name="li.na", role="operator", password_hash="$argon2id$1"))
    process.limits.take(process.key("a")._replace(key_id=process.state.last_seq), READS)
    await process.end()
    assert modes(tmp_path) == []


async def test_a_venue_goes_on_where_the_file_cannot_be_written(tmp_path: Path) -> None:
    process = Process(tmp_path, 10_000)
    process.limits.take(process.key("a"), READS)
    (tmp_path / KEY_USES_FILE).mkdir()
    with capture_logs() as lines:
        await process.uses.write()
        process.limits.take(process.key("b"), READS)
        await process.end()
    assert [line["event"] for line in lines] == ["the uses of keys cannot be written"], "once, and not at the end"
    (tmp_path / KEY_USES_FILE).rmdir()
    await process.uses.write()
    assert Process(tmp_path, 20_000).used_ns("a") == 10_000, "what could not be written is written later"


async def test_an_administrator_sees_after_a_restart_when_a_key_was_last_used(tmp_path: Path) -> None:
    async def listed(now_ns: int) -> dict[str, Any]:
        async with open_venue(
            Settings(data_dir=tmp_path, port=0), clock=lambda: now_ns, steady=lambda: now_ns
        ) as venue:
            headers = {"authorization": f"Bearer {venue.keys['operator'].key}"}
            async with AsyncHttpClient(base_url=venue.url, headers=headers) as client:
                if now_ns == START_NS:
                    body = {"name": "desk", "scopes": ["read"]}
                    desk = (await client.post("/v1/admin/keys", json=body)).raise_for_status().json()["key"]
                    await client.get("/v1/time", headers={"authorization": f"Bearer {desk}"})
                keys = (await client.get("/v1/admin/keys")).json()["keys"]
        (found,) = [key for key in keys if key["name"] == "desk"]
        assert isinstance(found, dict)
        return found

    before = await listed(START_NS)
    after = await listed(START_NS + 3_600 * 10**9)
    assert before | {"last_used_at": ""} == after | {"last_used_at": ""}
    for found in before, after:  # the wall clock of the test stands still, the clock of the limits does not
        assert found["last_used_at"].startswith("2023-12-01T01:")
