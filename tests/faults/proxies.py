"""A TCP proxy between every two processes of a scaled venue that speak to each other.

The proxies run on an event loop in a thread of their own: bytes pass while the rig waits for a process to start.
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Iterator
from contextlib import AsyncExitStack, contextmanager
from random import Random
from threading import Thread
from typing import Any, TypeVar

from load_tests.servers.postgres import PostgresServer
from load_tests.servers.redis import ValkeyServer
from load_tests.servers.server_process import free_port
from tests.faults.tcp_proxy import TcpProxy, server_of, through

PROCESSES = ("sequencer 1", "sequencer 2", "projector 1", "gateway 1", "gateway 2")
PAIRS = ("link", "gateway-postgres", "sequencer-postgres", "projector-postgres", "redis")
Result = TypeVar("Result")


class Proxies:
    """By process name: the proxies in front of the servers that it connects to, and of its own links."""

    def __init__(self, server: PostgresServer, valkey: ValkeyServer, database_url: str) -> None:
        self._valkey, self._url = valkey, database_url
        self._loop = asyncio.new_event_loop()
        self._link_ports = {name: free_port() for name in PROCESSES if name.startswith("sequencer")}
        self._postgres = {name: TcpProxy(("127.0.0.1", server.port)) for name in PROCESSES}
        self._links = {name: TcpProxy(("127.0.0.1", port)) for name, port in self._link_ports.items()}
        self._redis = TcpProxy(("127.0.0.1", valkey.port))

    @contextmanager
    def running(self) -> Iterator[Proxies]:
        """Every proxy listens while the block runs."""
        thread = Thread(target=self._loop.run_forever, name="proxies")
        thread.start()
        opened = AsyncExitStack()
        try:
            for proxy in (*self.postgres(), *self._links.values(), self._redis):
                self.do(opened.enter_async_context(proxy.running()))
            yield self
        finally:
            self.do(opened.aclose())
            self._loop.call_soon_threadsafe(self._loop.stop)
            thread.join()
            self._loop.close()

    def do(self, work: Coroutine[Any, Any, Result]) -> Result:
        """The result of `work`, run on the proxies' loop; from any thread but that one."""
        return asyncio.run_coroutine_threadsafe(work, self._loop).result()

    def variables_of(self, name: str) -> dict[str, str]:
        """The addresses that lead the process through its proxies."""
        variables = {"REX_DATABASE_URL": through(self._url, self._postgres[name].port)}
        if name in self._links:
            variables["REX_LINK_PORT"] = str(self._link_ports[name])
            variables["REX_LINK_URL"] = f"ws://127.0.0.1:{self._links[name].port}"
        variables["REX_REDIS_URL"] = through(self._valkey.url(), self._redis.port)
        return variables

    def postgres(self) -> list[TcpProxy]:
        """Those in front of PostgreSQL."""
        return [*self._postgres.values()]

    def retarget(self, url: str) -> None:
        """New connections to PostgreSQL go to the server of this URL, as with a virtual address; those that are open are
        cut."""
        for proxy in self.postgres():
            proxy.target = server_of(url)
            self.do(proxy.cut())

    def between(self, pair: str, leader: str, random: Random) -> list[TcpProxy]:
        """The proxies of a pair: those of one process, or of all of its kind."""
        if pair == "redis":
            return [self._redis]
        if pair == "link":
            return [self._links[leader]]
        kind = pair.partition("-")[0]
        names = [name for name in PROCESSES if name.startswith(kind)]
        if len(names) > 1 and random.random() < 0.5:
            names = [leader if kind == "sequencer" else random.choice(names)]
        return [self._postgres[name] for name in names]
