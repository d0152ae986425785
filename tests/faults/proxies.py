"""A TCP proxy between every two processes of a scaled venue that speak to each other, and what can be done to one of the pairs.

The proxies run on an event loop in a thread of their own: bytes pass while the rig waits for a process to start.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Iterator, Sequence
from contextlib import AsyncExitStack, contextmanager
from random import Random
from threading import Thread
from typing import Any, NamedTuple, TypeVar

from load_tests.servers.postgres import PostgresServer
from load_tests.servers.redis import ValkeyServer
from load_tests.servers.server_process import free_port
from tests.faults.tcp_proxy import DIRECTIONS, Direction, TcpProxy

PROCESSES = ("sequencer 1", "sequencer 2", "projector 1", "gateway 1", "gateway 2")
PAIRS = ("link", "gateway-postgres", "sequencer-postgres", "projector-postgres", "redis")
FAULTS = ("cut", "refused", "delay", "half close", "single bytes", "black hole")
DELAYS_S = (0.02, 0.2, 1.0)
Result = TypeVar("Result")


class Proxies:
    """By process name: the proxies in front of the servers that it connects to, and of its own links."""

    def __init__(self, server: PostgresServer, valkey: ValkeyServer, database_url: str) -> None:
        self._server, self._valkey, self._url = server, valkey, database_url
        self._loop = asyncio.new_event_loop()
        self._link_ports = {name: free_port() for name in PROCESSES if name.startswith("sequencer")}
        self.postgres = {name: TcpProxy(("127.0.0.1", server.port)) for name in PROCESSES}
        self.links = {name: TcpProxy(("127.0.0.1", port)) for name, port in self._link_ports.items()}
        self.redis = TcpProxy(("127.0.0.1", valkey.port))

    @contextmanager
    def running(self) -> Iterator[Proxies]:
        """Every proxy listens while the block runs."""
        thread = Thread(target=self._loop.run_forever, name="proxies")
        thread.start()
        opened = AsyncExitStack()
        try:
            for proxy in self._all():
                self.call(opened.enter_async_context(proxy.running()))
            yield self
        finally:
            self.call(opened.aclose())
            self._loop.call_soon_threadsafe(self._loop.stop)
            thread.join()
            self._loop.close()

    def call(self, work: Coroutine[Any, Any, Result]) -> Result:
        """The result of `work`, run on the proxies' loop."""
        return asyncio.run_coroutine_threadsafe(work, self._loop).result()

    def variables_of(self, name: str) -> dict[str, str]:
        """The addresses that lead the process through its proxies."""
        variables = {"REX_DATABASE_URL": _through(self.postgres[name], self._url, self._server.port)}
        if name in self.links:
            variables["REX_LINK_PORT"] = str(self._link_ports[name])
            variables["REX_LINK_URL"] = f"ws://127.0.0.1:{self.links[name].port}"
        if not name.startswith("gateway"):
            variables["REX_REDIS_URL"] = _through(self.redis, self._valkey.url(), self._valkey.port)
        return variables

    def between(self, pair: str, leader: str, random: Random) -> list[TcpProxy]:
        """The proxies of a pair: those of one process, or of all of its kind."""
        if pair == "redis":
            return [self.redis]
        if pair == "link":
            return [self.links[leader]]
        kind = pair.partition("-")[0]
        names = [name for name in PROCESSES if name.startswith(kind)]
        if len(names) > 1 and random.random() < 0.5:
            names = [leader if kind == "sequencer" else random.choice(names)]
        return [self.postgres[name] for name in names]

    def _all(self) -> list[TcpProxy]:
        return [*self.postgres.values(), *self.links.values(), self.redis]


class Harm(NamedTuple):
    """A fault of the network, and the directions that it concerns."""

    fault: str
    directions: tuple[Direction, ...]
    delay_s: float

    @classmethod
    def drawn(cls, fault: str, random: Random) -> Harm:
        """With directions and a delay drawn from the seed."""
        return cls(fault, random.choice([DIRECTIONS[:1], DIRECTIONS[1:], DIRECTIONS]), random.choice(DELAYS_S))

    async def begin(self, proxies: Sequence[TcpProxy]) -> None:
        """Does it to every connection of these proxies."""
        for proxy in proxies:
            await _BEGIN[self.fault](proxy, self)


async def heal(proxies: Sequence[TcpProxy]) -> None:
    """Ends every fault of these proxies."""
    for proxy in proxies:
        await proxy.heal()


async def _refuse(proxy: TcpProxy, _harm: Harm) -> None:
    await proxy.refuse()
    await proxy.cut()


async def _half_close(proxy: TcpProxy, harm: Harm) -> None:
    for direction in harm.directions:
        await proxy.half_close(direction)


_BEGIN: dict[str, Callable[[TcpProxy, Harm], Coroutine[Any, Any, None]]] = {
    "cut": lambda proxy, _: proxy.cut(),
    "refused": _refuse,
    "delay": lambda proxy, harm: proxy.delay(harm.delay_s, *harm.directions),
    "half close": _half_close,
    "single bytes": lambda proxy, harm: proxy.single_bytes(*harm.directions),
    "black hole": lambda proxy, harm: proxy.black_hole(*harm.directions),
}


def _through(proxy: TcpProxy, url: str, port: int) -> str:
    return url.replace(f":{port}/", f":{proxy.port}/")
