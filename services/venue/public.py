"""The public side of a venue: the server, its pages and, in a demo, the simulated traders, who are clients as well."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Mapping
from dataclasses import dataclass

from fastapi import APIRouter, FastAPI

from services.gateway.server.server import SHUTDOWN_SECONDS, Server, make_server, serve, venue_url
from services.gateway.websocket.liveness import SHUTDOWN_REASON, Liveness
from services.pages import mount_pages
from services.simulator import Pace, Simulator, TraderKey, demo_accounts
from services.simulator.year.labels import held_at_end
from services.venue.first_start import PAGES, IssuedKey
from services.venue.parts import Parts, cancel
from services.venue.settings import Settings


@dataclass(frozen=True)
class Public:
    """The running public side of a venue."""

    url: str
    server: Server
    serving: asyncio.Task[None]
    clients: list[asyncio.Task[None]]
    """The venue's own clients: pages, simulated traders."""
    liveness: Liveness
    shutdown_notice_s: float

    async def announce_close(self) -> None:
        """Stops the venue's own clients, then tells those of others when the venue closes, and waits until then."""
        await cancel(self.clients)
        await self.liveness.announce_shutdown(self.shutdown_notice_s, SHUTDOWN_REASON)

    async def close(self) -> None:
        """Stops the venue's own clients, then lets the server answer the requests under way and end."""
        await cancel(self.clients)
        self.server.end(SHUTDOWN_SECONDS)
        await asyncio.wait([self.serving])


def open_to_clients(
    app: FastAPI,
    settings: Settings,
    listener: socket.socket,
    keys: Mapping[str, IssuedKey],
    parts: Parts,
    liveness: Liveness,
    demo_entry: APIRouter | None,
) -> Public:
    """Mounts the pages and starts the server, the pages' connections and, in a demo, the simulated traders.

    `demo_entry` lets visitors of a demo enter as one of its people.
    """
    url = venue_url(settings.host, listener)
    pages = mount_pages(
        app, url=lambda: url, read_key=keys[PAGES].key, public=settings.public_market_data, demo_entry=demo_entry
    )
    server = make_server(
        app,
        max_connections=settings.max_connections,
        max_connections_per_address=settings.max_connections_per_address,
        behind_tls=settings.behind_tls,
        trusted_proxies=settings.trusted_proxies,
    )
    serving = parts.start(serve(server, listener), "server")
    clients = [parts.start(pages.run(), "pages")]
    if settings.demo:
        clients.append(parts.start(make_simulator(settings, url, keys).run(), "simulator"))
    return Public(url, server, serving, clients, liveness, settings.shutdown_notice_s)


def make_simulator(settings: Settings, url: str, keys: Mapping[str, IssuedKey]) -> Simulator:
    """The simulated traders of a demo, as clients of the venue at this address. What they want to hold follows from what the
    history of the data folder has left them: the scaled demo has none, and reads that of no other venue."""
    names = [account.name for account in demo_accounts() if account.role != "desk"]
    traders = [TraderKey(name, keys[name].key) for name in names]
    held = {} if settings.database_url else held_at_end(settings.data_dir)
    return Simulator(url, traders, settings.seed, demo_pace(settings), held)


def demo_pace(settings: Settings) -> Pace:
    """How many orders the simulated traders of a demo place, and how much they trade."""
    return Pace(settings.demo_rate, settings.demo_pace)
