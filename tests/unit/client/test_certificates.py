"""Clients share what they trust. A venue opens four clients a second for its pages while somebody looks at them: with
certificates of their own they left 3 MB a second to the garbage collector."""

from __future__ import annotations

import gc
import ssl

import pytest
from rex_client import RexClient

pytestmark = pytest.mark.anyio


def contexts() -> int:
    return sum(
        type(found) is ssl.SSLContext for found in gc.get_objects()
    )  # isinstance asks what a weak proxy stands for


async def test_each_client_loads_no_certificates_of_its_own() -> None:
    async with RexClient("http://127.0.0.1:1"):
        before = contexts()
        clients = [RexClient("https://venue.example") for _ in range(5)]
        assert contexts() == before
        for client in clients:
            await client.close()
