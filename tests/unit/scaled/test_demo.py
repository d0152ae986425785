"""What ends a scaled demo is told as it is."""

from __future__ import annotations

import asyncio

import pytest

from services.scaled.demo import ChildEnded, together

pytestmark = pytest.mark.anyio


async def test_the_first_error_ends_what_else_is_done_and_is_no_group() -> None:
    ended = asyncio.Event()

    async def trade() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            ended.set()

    async def watch() -> None:
        raise ChildEnded("rex projector has ended")

    with pytest.raises(ChildEnded, match="rex projector has ended"):
        await together(trade(), watch())
    assert ended.is_set()
