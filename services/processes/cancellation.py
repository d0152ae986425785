"""A cancellation that an error would cover."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

T = TypeVar("T")


async def not_covered(work: Coroutine[Any, Any, T]) -> T:
    """What the work gives or raises; CancelledError where the present task is canceled meanwhile, whatever the work raises.

    For whoever catches the work's errors and goes on: where a child of a TaskGroup fails while it is being canceled, Python
    3.11 and 3.12 raise the child's error and drop the cancellation (python/cpython#116720). The work has a task of its own,
    since a TaskGroup there also leaves its task marked as canceled when it was not.
    """
    task, present = asyncio.create_task(work), asyncio.current_task()
    try:
        return await task
    except Exception:
        if present is not None and present.cancelling():
            raise asyncio.CancelledError from None
        raise
