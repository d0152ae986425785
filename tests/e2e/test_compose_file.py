"""docker-compose.yml: docker-compose accepts it, and `make run-scaled` reads it as docker-compose does.

`docker-compose config` needs no Docker daemon. What only a daemon could show is in docs/scaling.md.
"""

from __future__ import annotations

import json
import os
import re
import secrets
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from load_tests.run_scaled.compose_file import COMPOSE_FILE, read_compose_file, rex_services
from tests.patience import PATIENCE_S

SECRETS = ("POSTGRES_PASSWORD", "REDIS_PASSWORD", "GRAFANA_PASSWORD", "REX_LINK_SECRET")
ONE_SHOTS = ["migrate", "init"]
PROCESSES = ["sequencer-1", "sequencer-2", "gateway-1", "gateway-2", "projector", "reporting"]
SERVERS = ["postgres", "redis", "haproxy", "prometheus", "grafana"]
REPOSITORY = COMPOSE_FILE.parent
SAMPLE = REPOSITORY / "load_tests/flows/sample.csv"


@pytest.fixture
def variables() -> dict[str, str]:
    """A secret for each variable that the file requires."""
    return {name: secrets.token_hex(24) for name in SECRETS}


def compose(*arguments: str, variables: dict[str, str], file: Path = COMPOSE_FILE) -> subprocess.CompletedProcess[str]:
    """Runs docker-compose without a daemon and without a .env file."""
    program = shutil.which("docker-compose")
    if program is None:
        pytest.skip("NO TEST OF docker-compose.yml RAN: install Debian's package docker-compose")
    command = [program, "--env-file", os.devnull, "--project-directory", str(REPOSITORY), "-f", str(file), *arguments]
    environment = {"PATH": os.environ["PATH"], "HOME": os.environ.get("HOME", "/"), **variables}
    return subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE_S, check=False, env=environment)


def config_of(variables: dict[str, str], *options: str) -> dict[str, Any]:
    """The file as docker-compose understands it."""
    done = compose(*options, "config", "--format", "json", variables=variables)
    assert (done.returncode, done.stderr) == (0, "")
    config: dict[str, Any] = json.loads(done.stdout)
    return config


def test_the_default_is_the_scaled_venue_and_a_profile_is_the_embedded_one(variables: dict[str, str]) -> None:
    assert sorted(config_of(variables)["services"]) == sorted([*ONE_SHOTS, *PROCESSES, *SERVERS])
    embedded = config_of(variables, "--profile", "embedded")["services"]["venue"]
    assert (embedded["command"], embedded.get("environment")) == (None, None), "the image's command, `rex demo`"
    assert embedded["ports"][0]["host_ip"] == "127.0.0.1"


def test_what_the_file_needs_is_named_and_a_misspelt_key_is_refused(variables: dict[str, str], tmp_path: Path) -> None:
    for missing in SECRETS:
        done = compose("config", "-q", variables={name: one for name, one in variables.items() if name != missing})
        assert done.returncode != 0
        assert f"required variable {missing} is missing a value: run `sh deploy/make_secrets.sh`" in done.stderr
    assert (accepted := compose("config", "-q", variables=variables)).returncode == 0, accepted.stderr
    misspelt = tmp_path / "docker-compose.yml"
    for key in ("healthcheck", "depends_on", "environment", "services", "condition"):
        misspelt.write_text(re.sub(rf"\b{key}:", f"{key}x:", COMPOSE_FILE.read_text()))
        assert compose("config", "-q", variables=variables, file=misspelt).returncode != 0, key


def test_haproxy_sends_orders_where_they_are_taken_and_shows_pages_while_their_process_lives() -> None:
    """Not `/readyz` of reporting: it is 503 while no report can be made, and nobody could log in."""
    backends = (REPOSITORY / "deploy/haproxy.cfg").read_text().split("\nbackend ")[1:]
    asked = {one.split()[0]: re.findall(r"http-check send meth GET uri (\S+)", one) for one in backends}
    assert asked == {
        "gateways": ["/readyz"],
        "websockets": ["/readyz"],
        "gateways-without-leader": ["/healthz"],
        "pages": ["/healthz"],
    }


def test_everything_is_published_on_loopback_and_starts_again(variables: dict[str, str]) -> None:
    for name, service in config_of(variables)["services"].items():
        assert {port["host_ip"] for port in service.get("ports", [])} <= {"127.0.0.1"}, name
        if name in ONE_SHOTS:
            assert service["restart"] == "on-failure:3", name
        else:
            assert service["restart"] == "unless-stopped", name
            assert service["healthcheck"]["test"][0] in ("CMD", "CMD-SHELL"), name


def test_make_run_scaled_reads_the_file_as_docker_compose_does(variables: dict[str, str]) -> None:
    ours = rex_services(read_compose_file({**variables, "REX_SCHEDULE": "always"}))
    theirs = rex_services(config_of({**variables, "REX_SCHEDULE": "always"}))
    assert sorted(ours) == sorted(theirs)
    assert [service.name for service in ours[:2]] == ONE_SHOTS
    assert sorted(service.name for service in ours[2:] if service.restarts) == sorted(PROCESSES)
    made, again = dict[str, str](), dict[str, str]()
    for missing in (made, again):  # A missing secret is a random one.
        read_compose_file(missing)
    assert sorted(made) == sorted(SECRETS)
    assert not set(made.values()) & set(again.values())


def test_secrets_are_made_once(tmp_path: Path) -> None:
    script = tmp_path / "deploy" / "make_secrets.sh"
    script.parent.mkdir()
    shutil.copy(REPOSITORY / "deploy" / "make_secrets.sh", script)
    subprocess.run(["sh", script], check=True)
    file = tmp_path / ".env"
    made = dict(line.split("=") for line in file.read_text().splitlines())
    assert sorted(made) == sorted(SECRETS)
    assert all(re.fullmatch(r"[0-9a-f]{48}", secret) for secret in made.values())
    assert file.stat().st_mode & 0o777 == 0o600
    assert subprocess.run(["sh", script], capture_output=True, check=False).returncode != 0
    assert dict(line.split("=") for line in file.read_text().splitlines()) == made


def test_every_server_of_the_configuration_files_is_a_service(variables: dict[str, str]) -> None:
    services = rex_services(read_compose_file(variables))
    ports = {f"{service.name}:{service.environment['REX_PORT']}" for service in services if service.restarts}
    haproxy = (REPOSITORY / "deploy/haproxy.cfg").read_text()
    assert set(re.findall(r"^ +server \S+ (\S+)", haproxy, re.MULTILINE)) == {
        port for port in ports if port.startswith(("gateway", "reporting"))
    }
    prometheus = (REPOSITORY / "deploy/prometheus.yml").read_text()
    assert set(re.findall(r'"([\w-]+:\d+)"', prometheus)) == ports | {"haproxy:8404"}
