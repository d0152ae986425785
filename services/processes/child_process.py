"""A module of ours run by a process of its own, so that its work takes no time from the event loop."""

from __future__ import annotations

import asyncio
import importlib
import json
import os
import shutil
import sys
from collections.abc import Callable, Mapping
from contextlib import suppress
from threading import Thread
from typing import Any, NamedTuple, TypeVar

from services.processes.own_process import collect_garbage, continue_with_starter_s_end, import_without_collection
from services.processes.started_process import StartedProcess

LAST_BYTES = 600
"""So much of a failed process's standard error is kept."""

REMOVALS = 10
"""How often the removal of a folder is tried in which the process still makes files."""


Answer = TypeVar("Answer")


class NoAnswer(Exception):
    """The process failed, or its output does not end with what was asked for. Its last words."""


class Ended(NamedTuple):
    """How the process ended."""

    status: int
    output: bytes
    errors: bytes

    @property
    def failure(self) -> str | None:
        """The last line of its standard error, or its status; None where it ended with status 0."""
        if not self.status:
            return None
        last = self.errors.decode(errors="replace").strip()[-LAST_BYTES:].rpartition("\n")[2]
        return last or f"its process ended with status {self.status}"

    def answer(self, what: str, made: Callable[[Any], Answer]) -> Answer:
        """What is `made` of the JSON value in its output's last line: `what`, a noun. Raises NoAnswer."""
        if self.failure is not None:
            raise NoAnswer(self.failure)
        try:
            return made(json.loads(self.output.rstrip().rpartition(b"\n")[2]))
        except (KeyError, TypeError, ValueError) as error:
            said = self.output[-LAST_BYTES:].decode(errors="replace").strip()
            raise NoAnswer(f"its process said {said!r}, which is no {what}") from error


def _drop(line: bytes) -> None:
    """Does nothing with a line of its output."""


async def run_module(
    module: str,
    *arguments: str,
    given: bytes = b"",
    environment: Mapping[str, str] | None = None,
    on_line: Callable[[bytes], None] = _drop,
    niceness: int = 0,
    temporary: str = "",
) -> Ended:
    """Calls the `main` of a module, which returns the exit status, in a process of its own, with the arguments in `sys.argv`,
    `given` on its standard input and `environment` beside our own variables, at a priority lower than ours by `niceness`.

    Calls `on_line` with each whole line of its standard output, without the line's end, as soon as it is written. What it logs
    goes to its standard error. Garbage is collected from the call on, not while the module is imported.

    What is secret goes into one of these two: every user sees a command line. Canceled, it kills the process and waits for its
    end. The process ends with ours, too, if ours is killed, even if somebody has stopped it; it then removes `temporary`, its
    folder for temporary files. Raises OSError if it cannot be started.
    """
    variables = {**os.environ, **(environment or {}), **({"TMPDIR": temporary} if temporary else {})}
    reading, writing = os.pipe()  # nobody writes: it ends when our process does
    try:
        process = await StartedProcess.start(
            # -P: the folder that the venue was started in is no place for modules.
            (
                sys.executable,
                "-P",
                "-m",
                "services.processes.child_process",
                str(reading),
                temporary,
                module,
                *arguments,
            ),
            environment=variables,
            keeps=[reading],
            errors_apart=True,
            niceness=niceness,
        )
        return await _ended(process, given, on_line)
    finally:
        os.close(reading)
        os.close(writing)


async def _ended(process: StartedProcess, given: bytes, on_line: Callable[[bytes], None]) -> Ended:
    try:
        async with asyncio.TaskGroup() as streams:
            output = streams.create_task(_lines(process.output, on_line))
            errors = streams.create_task(process.errors.read())
            streams.create_task(_give(process.given, given))
        return Ended(await process.wait(), output.result(), errors.result())
    except BaseException:
        process.kill()
        await process.wait()
        raise


async def _lines(stream: asyncio.StreamReader, on_line: Callable[[bytes], None]) -> bytes:
    """All that the stream says; calls on_line with each whole line of it."""
    output = bytearray()
    while piece := await stream.read(65_536):
        begin = output.rfind(b"\n") + 1
        output += piece
        for line in output[begin:].split(b"\n")[:-1]:
            on_line(bytes(line))
    return bytes(output)


async def _give(stream: asyncio.StreamWriter, given: bytes) -> None:
    """Writes to a process that may have ended before it reads all."""
    with suppress(BrokenPipeError, ConnectionResetError):
        stream.write(given)
        await stream.drain()
    stream.close()


def _end_with(starter: int, temporary: str) -> None:
    """Waits until the process that started this one has ended, which closes the pipe, and ends this one. Nobody else would
    remove its temporary files then."""
    os.read(starter, 1)
    for _ in range(REMOVALS):
        if not os.path.isdir(temporary):
            break
        shutil.rmtree(temporary, ignore_errors=True)
    os._exit(1)


if __name__ == "__main__":
    from services.processes.log import log_to_standard_error

    log_to_standard_error()
    continue_with_starter_s_end()
    import_without_collection()
    Thread(target=_end_with, args=(int(sys.argv[1]), sys.argv[2]), daemon=True).start()
    sys.argv = sys.argv[3:]
    run = importlib.import_module(sys.argv[0]).main
    collect_garbage()
    sys.exit(run())
