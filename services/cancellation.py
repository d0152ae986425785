"""A cancellation that an error has covered."""

from __future__ import annotations

import asyncio


def raise_if_canceled() -> None:
    """Raises CancelledError if the present task has been canceled. For whoever catches an error and goes on: where a child of a
    TaskGroup fails while it is being canceled, Python 3.11 and 3.12 raise the child's error and drop the cancellation
    (python/cpython#116720), and so does every `finally` that raises."""
    task = asyncio.current_task()
    if task is not None and task.cancelling():
        raise asyncio.CancelledError
