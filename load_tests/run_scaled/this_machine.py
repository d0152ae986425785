"""Where the addresses, folders and servers of the compose file are on this machine."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable
from pathlib import Path

from load_tests.run_scaled.compose_file import Service
from load_tests.servers.server_process import free_port

HOST = "127.0.0.1"
EVERYWHERE = "0.0.0.0"


class ThisMachine:
    """Gives each `service:port` of the compose file a free port of 127.0.0.1."""

    def __init__(self, services: Iterable[str], folder: Path, database_url: str, redis_url: str) -> None:
        self._addresses = re.compile(rf"(?<![\w.-])({'|'.join(map(re.escape, (*services, EVERYWHERE)))}):(\d+)")
        self._ports: dict[tuple[str, str], int] = {}
        self._variables = {
            "REX_DATABASE_URL": database_url,
            "REX_REDIS_URL": redis_url,
            "REX_HOST": HOST,
            "REX_DATA_DIR": str(folder),
        }

    def port(self, service: str, port: str) -> int:
        """The port of this machine for a port of a service."""
        if (service, port) not in self._ports:
            self._ports[service, port] = free_port()
        return self._ports[service, port]

    def text(self, service: str, text: str) -> str:
        """A text of this service with every address in it replaced; 0.0.0.0 is the service itself."""

        def local(match: re.Match[str]) -> str:
            return f"{HOST}:{self.port(service if match[1] == EVERYWHERE else match[1], match[2])}"

        return self._addresses.sub(local, text)

    def environment(self, service: Service) -> dict[str, str]:
        """The variables of a process: its service's, and of this process's own all that are not REX's."""
        variables = {name: self.text(service.name, value) for name, value in service.environment.items()}
        variables |= {name: value for name, value in self._variables.items() if name in variables}
        for name in ("REX_PORT", "REX_LINK_PORT"):
            if name in variables:
                variables[name] = str(self.port(service.name, variables[name]))
        return {name: value for name, value in os.environ.items() if not name.startswith("REX_")} | variables
