"""A module in a process of its own: what it gets, what it says, and its end. The modules are real, and small."""

from __future__ import annotations

import asyncio
import os
import re
import signal
import sys
from pathlib import Path
from textwrap import indent
from typing import IO

import pytest
import uvloop

from services.processes import started_process
from services.processes.child_process import LAST_BYTES, Ended, NoAnswer, run_module
from services.processes.own_process import LOWEST_PRIORITY
from services.processes.started_process import StartedProcess
from tests.patience import PATIENCE_S

pytestmark = pytest.mark.anyio


def module(folder: Path, name: str, main: str) -> None:
    """A module whose `main` has these statements."""
    (folder / f"{name}.py").write_text(f"def main():\n{indent(main, '    ')}")


async def test_it_gets_its_input_and_its_output_is_kept() -> None:
    ended = await run_module("json.tool", "--compact", given=b'{"a": [1, 2]}')
    assert (ended.status, ended.output, ended.failure) == (0, b'{"a":[1,2]}\n', None)


async def test_garbage_is_collected_in_its_main_and_not_while_it_is_imported(tmp_path: Path) -> None:
    (tmp_path / "imported.py").write_text(
        "import gc\nbegun = gc.isenabled()\ndef main():\n    print(begun, gc.isenabled())"
    )
    ended = await run_module("imported", environment={"PYTHONPATH": str(tmp_path)})
    assert ended.output == b"False True\n"


async def test_of_one_that_fails_the_last_line_says_why() -> None:
    ended = await run_module("json.tool", given=b"[")
    assert ended.status == 1
    assert ended.failure == ended.errors.decode().strip().splitlines()[-1]
    with pytest.raises(NoAnswer, match=re.escape(ended.failure)):
        ended.answer("document", dict)


async def test_a_failure_without_words_is_its_status_and_one_with_many_is_cut(tmp_path: Path) -> None:
    module(tmp_path, "silent", "raise SystemExit(3)")
    module(tmp_path, "loud", "raise SystemExit('x' * 5_000)")
    path = {"PYTHONPATH": str(tmp_path)}
    assert (await run_module("silent", environment=path)).failure == "its process ended with status 3"
    assert (await run_module("loud", environment=path)).failure == "x" * LAST_BYTES


async def test_an_answer_is_made_of_its_last_line_or_there_is_none() -> None:
    assert Ended(0, b'7\n8\n{"agree": true}\n', b"").answer("figure", lambda said: said["agree"]) is True
    for said in ("", "null", "{}", "Segmentation fault"):
        with pytest.raises(NoAnswer, match=f"its process said '{said}', which is no figure"):
            Ended(0, said.encode(), b"").answer("figure", lambda said: said["agree"])


async def test_what_it_logs_is_none_of_its_output(tmp_path: Path) -> None:
    module(tmp_path, "logs", "import structlog\nstructlog.get_logger().warning('a warning')\nprint('{}')")
    ended = await run_module("logs", environment={"PYTHONPATH": str(tmp_path)})
    assert (ended.status, ended.output) == (0, b"{}\n")
    assert b"a warning" in ended.errors


async def test_an_error_of_the_reader_ends_it(tmp_path: Path) -> None:
    module(tmp_path, "endless", "import os, threading\nprint(os.getpid(), flush=True)\nthreading.Event().wait()")
    numbers = []

    def on_line(line: bytes) -> None:
        numbers.append(int(line))
        raise ValueError("not this one")

    with pytest.raises(ExceptionGroup) as raised:
        await run_module("endless", environment={"PYTHONPATH": str(tmp_path)}, on_line=on_line)
    assert raised.group_contains(ValueError, match="not this one")
    with pytest.raises(ProcessLookupError):
        os.kill(numbers[0], 0)


async def test_a_start_that_is_canceled_leaves_no_process(monkeypatch: pytest.MonkeyPatch) -> None:
    opened, numbers = asyncio.Event(), []

    async def never(**_: object) -> None:
        opened.set()
        await asyncio.Event().wait()

    def noted(pid: int, _: int) -> None:
        numbers.append(pid)

    monkeypatch.setattr(started_process, "put_back", noted)
    monkeypatch.setattr(asyncio, "open_connection", never)
    starting = asyncio.create_task(run_module("json.tool"))
    await opened.wait()
    starting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await starting
    with pytest.raises(ProcessLookupError):
        os.kill(numbers[0], 0)


async def test_its_end_is_known_and_leaves_no_zombie() -> None:
    started = await StartedProcess.start((sys.executable, "-c", "pass"))
    assert await started.wait() == 0
    assert started.has_ended
    with pytest.raises(ProcessLookupError):
        os.kill(started.pid, 0)


async def test_its_priority_is_lower(tmp_path: Path) -> None:
    module(tmp_path, "nice", "import os\nprint(os.nice(0))")
    path = {"PYTHONPATH": str(tmp_path)}
    like_ours = await run_module("nice", environment=path)
    lower = await run_module("nice", environment=path, niceness=7)
    assert int(lower.output) == min(int(like_ours.output) + 7, LOWEST_PRIORITY)


async def test_canceled_it_has_ended(tmp_path: Path) -> None:
    module(tmp_path, "endless", "import os, threading\nprint(os.getpid(), flush=True)\nthreading.Event().wait()")
    said: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()
    running = asyncio.create_task(
        run_module("endless", environment={"PYTHONPATH": str(tmp_path)}, on_line=said.set_result)
    )
    async with asyncio.timeout(PATIENCE_S):
        number = int(await said)
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    with pytest.raises(ProcessLookupError):
        os.kill(number, 0)


async def until_killed(*arguments: object, path: Path) -> None:
    """Runs the module `killed` of this folder, which kills itself."""
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(path), os.getcwd()])}
    starter = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "killed", *map(str, arguments), env=environment
    )
    async with asyncio.timeout(PATIENCE_S):
        assert await starter.wait() == -signal.SIGKILL


def fifo_of(path: Path) -> IO[bytes]:
    """The reading end of a new FIFO, for `until_closed`."""
    os.mkfifo(path)
    return open(os.open(path, os.O_RDONLY | os.O_NONBLOCK), "rb", buffering=0)


async def until_closed(fifo: IO[bytes]) -> bytes:
    """What was written into a FIFO that a process has opened before; returns when that process has ended."""
    stream, loop = asyncio.StreamReader(), asyncio.get_running_loop()
    transport, _ = await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(stream), fifo)
    try:
        async with asyncio.timeout(PATIENCE_S):
            return await stream.read()
    finally:
        transport.close()


async def test_it_ends_with_the_process_that_started_it(tmp_path: Path) -> None:
    """A killed venue leaves no proof behind that computes on, or waits for ever."""
    module(
        tmp_path,
        "endless",
        "import sys, threading\nkept = open(sys.argv[1], 'w')\nprint('running', flush=True)\nthreading.Event().wait()",
    )
    (tmp_path / "killed.py").write_text(
        "import asyncio, os, signal, sys\n"
        "from services.processes.child_process import run_module\n"
        "asyncio.run(run_module('endless', sys.argv[1], on_line=lambda _: os.kill(os.getpid(), signal.SIGKILL)))"
    )
    kept = fifo_of(tmp_path / "kept")
    await until_killed(tmp_path / "kept", path=tmp_path)
    assert await until_closed(kept) == b""


@pytest.mark.skipif(sys.platform != "linux", reason="another system continues no stopped process")
async def test_stopped_it_ends_with_the_process_that_started_it(tmp_path: Path) -> None:
    """A proof that was stopped stayed until somebody found it: a stopped process sees no end of another one."""
    module(
        tmp_path,
        "endless",
        "import os, sys, threading\n"
        "kept = open(sys.argv[1], 'w')\n"
        "print(os.getpid(), flush=True)\n"
        "threading.Event().wait()",
    )
    (tmp_path / "killed.py").write_text(
        "import asyncio, os, signal, sys\n"
        "from services.processes.child_process import run_module\n"
        "def kill(line):\n"
        "    open(sys.argv[2], 'wb').write(line)\n"
        "    os.kill(int(line), signal.SIGSTOP)\n"
        "    os.kill(os.getpid(), signal.SIGKILL)\n"
        "asyncio.run(run_module('endless', sys.argv[1], on_line=kill))"
    )
    kept = fifo_of(tmp_path / "kept")
    await until_killed(tmp_path / "kept", tmp_path / "pid", path=tmp_path)
    try:
        assert await until_closed(kept) == b""
    except TimeoutError:
        os.kill(int((tmp_path / "pid").read_text()), signal.SIGKILL)
        raise


async def test_what_it_made_goes_with_the_process_that_started_it(tmp_path: Path) -> None:
    """A soak in which leaders are killed found a copy of the read database that a proof had left."""
    module(
        tmp_path,
        "endless",
        "import os, sys, tempfile, threading\n"
        "kept = open(sys.argv[1], 'w')\n"
        "open(os.path.join(tempfile.mkdtemp(), 'read.sqlite'), 'w').close()\n"
        "print('running', flush=True)\n"
        "threading.Event().wait()",
    )
    (tmp_path / "killed.py").write_text(
        "import asyncio, os, signal, sys\n"
        "from services.processes.child_process import run_module\n"
        "def kill(_):\n"
        "    assert os.listdir(sys.argv[2])\n"
        "    os.kill(os.getpid(), signal.SIGKILL)\n"
        "asyncio.run(run_module('endless', sys.argv[1], on_line=kill, temporary=sys.argv[2]))"
    )
    (tmp_path / "temporary").mkdir()
    kept = fifo_of(tmp_path / "kept")
    await until_killed(tmp_path / "kept", tmp_path / "temporary", path=tmp_path)
    assert await until_closed(kept) == b""
    assert not (tmp_path / "temporary").exists()


def test_to_start_it_copies_no_process(tmp_path: Path) -> None:
    """A fork of an order process with many orders takes its event loop for 35 ms."""
    module(
        tmp_path,
        "starter",
        "import os, uvloop\n"
        "from services.processes.child_process import run_module\n"
        "forked = []\n"
        "os.register_at_fork(before=lambda: forked.append(True))\n"
        "assert uvloop.run(run_module('json.tool', given=b'[]')).output\n"
        "print(forked)",
    )
    path = os.pathsep.join([str(tmp_path), os.getcwd()])
    ended = uvloop.run(run_module("starter", environment={"PYTHONPATH": path}))
    assert (ended.output, ended.failure) == (b"[]\n", None)
