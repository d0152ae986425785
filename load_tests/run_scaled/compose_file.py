"""Reads docker-compose.yml: which commands of `rex` run, with which variables, in which order."""

from __future__ import annotations

import re
import secrets
from collections.abc import Mapping
from graphlib import TopologicalSorter
from typing import Any, NamedTuple

import yaml

from load_tests.child_process import ROOT

COMPOSE_FILE = ROOT / "docker-compose.yml"

Config = Mapping[str, Any]
"""A compose file after interpolation, as the file itself or as `docker-compose config --format json` spells it."""

_VARIABLE = re.compile(r"\$(?:\{(?P<name>\w+)(?::(?P<kind>[-?])(?P<word>[^}]*))?\}|(?P<dollar>\$))")


class Service(NamedTuple):
    """A service whose command is `rex`."""

    name: str
    command: tuple[str, ...]
    environment: dict[str, str]
    restarts: bool
    """Whether it starts again however it ended. A service that does not is a one-shot: others wait for its exit status 0."""


def read_compose_file(variables: dict[str, str]) -> Config:
    """The services without a profile, with `${NAME}`, `${NAME:-word}` and `${NAME:?sentence}` replaced.

    A required variable that is missing gets a random secret, which is added to `variables`.
    """
    config = _interpolated(yaml.safe_load(COMPOSE_FILE.read_text(encoding="utf-8")), variables)
    return {"services": {name: each for name, each in config["services"].items() if "profiles" not in each}}


def rex_services(config: Config) -> list[Service]:
    """Every service that runs `rex`, each after the services that it waits for."""
    services = config["services"]
    waits_for = {name: sorted(service.get("depends_on") or ()) for name, service in services.items()}
    ordered = TopologicalSorter(waits_for).static_order()
    return [_service(name, services[name]) for name in ordered if (services[name].get("command") or [""])[0] == "rex"]


def _service(name: str, service: Mapping[str, Any]) -> Service:
    restarts = service.get("restart") == "unless-stopped"
    return Service(name, tuple(service["command"]), dict(service["environment"]), restarts)


def _interpolated(value: Any, variables: dict[str, str]) -> Any:
    if isinstance(value, dict):
        return {key: _interpolated(part, variables) for key, part in value.items()}
    if isinstance(value, list):
        return [_interpolated(part, variables) for part in value]
    if isinstance(value, str):
        return _VARIABLE.sub(lambda match: _value(match, variables), value)
    return value


def _value(match: re.Match[str], variables: dict[str, str]) -> str:
    if match["dollar"]:
        return "$"
    if match["kind"] == "?" and not variables.get(match["name"]):
        variables[match["name"]] = secrets.token_hex(24)
    return variables.get(match["name"]) or match["word"] or ""
