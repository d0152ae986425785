"""The public side of a venue: the server, its pages and, in a demo, the simulated traders, who are clients as well."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Mapping
from dataclasses import dataclass

from fastapi import FastAPI

from services.dashboard import Dashboard, mount_dashboard
from services.first_start import OPERATOR, PAGES, IssuedKey
from services.gateway.server.server import SHUTDOWN_SECONDS, Server, make_server, serve, venue_url
from services.parts import Parts, cancel
from services.settings import Settings
from services.simulator import DemoAccount, Pace, Simulator, TraderKey, demo_accounts
from services.simulator.year.labels import held_at_end


@dataclass(frozen=True)
class Public:
    """The running public side of a venue."""

    url: str
    server: Server
    serving: asyncio.Task[None]
    clients: list[asyncio.Task[None]]
    """The venue's own clients: pages, simulated traders."""

    async def close(self) -> None:
        """Stops the venue's own clients, then lets the server answer the requests under way and end."""
        await cancel(self.clients)
        self.server.end(SHUTDOWN_SECONDS)
        await asyncio.wait([self.serving])


def open_to_clients(
    app: FastAPI, settings: Settings, listener: socket.socket, keys: Mapping[str, IssuedKey], parts: Parts
) -> Public:
    """Mounts the pages and starts the server, the pages' connections and, in a demo, the simulated traders."""
    url = venue_url(settings.host, listener)
    pages = mount_pages(app, settings, url, keys)
    server = make_server(
        app,
        max_connections=settings.max_connections,
        max_connections_per_address=settings.max_connections_per_address,
    )
    serving = parts.start(serve(server, listener), "server")
    clients = [parts.start(pages.run(), "pages")]
    if settings.demo:
        clients.append(parts.start(make_simulator(settings, url, keys).run(), "simulator"))
    return Public(url, server, serving, clients)


def mount_pages(app: FastAPI, settings: Settings, url: str, keys: Mapping[str, IssuedKey]) -> Dashboard:
    """Everyone who reaches the pages acts with their keys: in a demo those trade and operate, otherwise they only read."""
    demo = settings.demo
    return mount_dashboard(
        app,
        url=lambda: url,
        read_key=keys[PAGES].key,
        trader_key=keys[_desk().name].key if demo else None,
        operator_key=keys[OPERATOR].key if demo else None,
        pages_per_address=settings.max_pages_per_address,
    )


def _desk() -> DemoAccount:
    """The account of a demo's trader page."""
    return next(account for account in demo_accounts() if account.role == "desk")


def make_simulator(settings: Settings, url: str, keys: Mapping[str, IssuedKey]) -> Simulator:
    """The simulated traders of a demo, as clients of the venue at this address. What they want to hold follows from what the
    history of the data folder has left them: the scaled demo has none, and reads that of no other venue."""
    names = [account.name for account in demo_accounts() if account.role != "desk"]
    traders = [TraderKey(name, keys[name].key) for name in names]
    held = {} if settings.database_url else held_at_end(settings.data_dir)
    return Simulator(url, traders, settings.seed, demo_pace(settings), held)


def demo_pace(settings: Settings) -> Pace:
    """How many orders the simulated traders of a demo place, and how much they trade."""
    return Pace(settings.demo_orders_per_second, settings.demo_pace)
