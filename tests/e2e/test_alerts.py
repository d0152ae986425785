"""A whole venue raises an alert by itself, sends it, shows it in its health, and knows it after a restart."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from services.venue.bootstrap import Venue, open_venue
from services.venue.settings import Settings
from tests.integration.alert_receiver import SECRET, receiving
from tests.patience import AsyncHttpClient

pytestmark = pytest.mark.anyio


async def answer_of(venue: Venue, path: str) -> dict[str, Any]:
    headers = {"authorization": f"Bearer {venue.keys['operator'].key}"}
    async with AsyncHttpClient(base_url=venue.url, headers=headers) as client:
        found: dict[str, Any] = (await client.get(path)).json()
        return found


async def test_a_silent_venue_says_so(tmp_path: Path) -> None:
    """Its clock is the machine's: other alerts may come with it, next year's calendar for one."""
    async with receiving() as receiver:
        settings = Settings(
            data_dir=tmp_path,
            port=0,
            schedule="always",
            alerts_every_s=0.05,
            alert_quiet_s=1,
            alert_webhook_url=SecretStr(receiver.url),
            alert_webhook_secret=SecretStr(SECRET),
        )
        async with open_venue(settings) as venue:
            kinds: list[str] = []
            while "journal_quiet" not in kinds:
                kinds = [message.told["data"]["kind"] for message in await receiver.until(len(kinds) + 1)]
            warnings = (await answer_of(venue, "/healthz"))["warnings"]
            assert [warning for warning in warnings if warning.endswith("(journal_quiet) is open: GET /v1/alerts.")]
            assert not [warning for warning in warnings if "looked at" in warning or "webhook" in warning]
            before = (await answer_of(venue, "/v1/alerts"))["alerts"]
        async with open_venue(settings.model_copy(update={"alerts_every_s": 0.0})) as venue:
            assert (await answer_of(venue, "/v1/alerts"))["alerts"] == before
            assert {alert["kind"] for alert in before} >= {"journal_quiet"}
