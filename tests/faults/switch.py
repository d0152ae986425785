"""Hosts of a network that can be cut: a network namespace for each, all on one bridge, between any two of which packets can be
dropped.

To cut two hosts, each is told a false hardware address of the other: what it sends is carried by the bridge and taken by
nobody. Nothing is refused, no connection is reset, as behind a switch that has failed. It needs root and iproute2.
"""

from __future__ import annotations

import ctypes
import json
import os
import shutil
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from typing import Self

from tests.faults.rig import CannotRun
from tests.patience import PATIENCE_S

VARIABLE = "RIG_NAMESPACE"
"""Names the namespace that a process enters before it runs `rex` (`enter`)."""
_NOBODY = "02:00:00:00:de:ad"
_AT = "dev eth0"
_NEWNET = 0x4000_0000


class Switch:
    """The network: this process and its hosts, by name. `with` makes it and removes it; the hosts' processes end before."""

    def __init__(self, hosts: Sequence[str]) -> None:
        self._prefix = f"rex{os.getpid()}"
        self._net = f"10.213.{os.getpid() % 250 + 1}"
        self._numbers = {host: number for number, host in enumerate(hosts, start=11)}
        self.cuts: list[tuple[str, str]] = []
        """The pairs that are cut: nothing that the first sends reaches the second."""

    def __enter__(self) -> Self:
        if os.geteuid() != 0:
            raise CannotRun("network namespaces need root")
        if shutil.which("ip") is None:
            raise CannotRun("network namespaces need `ip`: install Debian's package iproute2")
        try:
            self._make()
        except CannotRun:
            self._remove()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self._remove()

    def address(self, host: str) -> str:
        """The IPv4 address of a host."""
        return f"{self._net}.{self._numbers[host]}"

    def namespace(self, host: str) -> str:
        """The path of its namespace."""
        return f"/run/netns/{self._prefix}-{self._numbers[host]}"

    def variables_of(self, host: str) -> Mapping[str, str]:
        """Where the process of a host runs and listens."""
        address = self.address(host)
        return {VARIABLE: self.namespace(host), "REX_HOST": address, "REX_ALLOWED_HOSTS": json.dumps([address])}

    def cut(self, one: str, other: str, *, both: bool = True) -> None:
        """From now on nothing that `one` sends reaches `other`; nor, if `both`, the other way round."""
        pairs = [(one, other), (other, one)] if both else [(one, other)]
        self._ip(
            *(
                f"-n {self._name(a)} neigh replace {self.address(b)} {_AT} lladdr {_NOBODY} nud permanent"
                for a, b in pairs
            )
        )
        self.cuts += pairs

    def heal(self) -> None:
        """Undoes every cut."""
        pairs, self.cuts = dict.fromkeys(self.cuts), []
        self._ip(*(f"-n {self._name(a)} neigh del {self.address(b)} {_AT}" for a, b in pairs))

    def _name(self, host: str) -> str:
        return f"{self._prefix}-{self._numbers[host]}"

    def _make(self) -> None:
        bridge = f"{self._prefix}-switch"
        self._ip(
            f"netns add {bridge}",
            f"-n {bridge} link add switch type bridge forward_delay 0",
            f"-n {bridge} link set switch up",
            f"link add {self._prefix} type veth peer name port1 netns {bridge}",
            f"-n {bridge} link set port1 master switch up",
            f"addr add {self._net}.1/24 dev {self._prefix}",
            f"link set {self._prefix} up",
        )
        for host, number in self._numbers.items():
            name = self._name(host)
            self._ip(
                f"netns add {name}",
                f"link add eth0 netns {name} type veth peer name port{number} netns {bridge}",
                f"-n {bridge} link set port{number} master switch up",
                f"-n {name} addr add {self._net}.{number}/24 dev eth0",
                f"-n {name} link set eth0 up",
                f"-n {name} link set lo up",
            )

    def _remove(self) -> None:
        """The pairs of interfaces go with the namespaces."""
        for name in (f"{self._prefix}-switch", *map(self._name, self._numbers)):
            with suppress(CannotRun):
                self._ip(f"netns del {name}")
        with suppress(CannotRun):
            self._ip(f"link del {self._prefix}")

    @staticmethod
    def _ip(*commands: str) -> None:
        for command in commands:
            try:
                done = subprocess.run(
                    ["ip", *command.split()], capture_output=True, text=True, check=False, timeout=PATIENCE_S
                )
            except subprocess.TimeoutExpired as hangs:
                raise CannotRun(f"`ip {command}` does not end here") from hangs
            if done.returncode:
                raise CannotRun(f"`ip {command}` is refused here: {done.stderr.strip()}")


def enter() -> None:
    """Moves this thread, and what it starts from now on, into the namespace that VARIABLE names."""
    _enter(os.environ.pop(VARIABLE))


@contextmanager
def entered(namespace: str) -> Iterator[None]:
    """What this thread starts while the block runs is in the namespace."""
    own = os.open("/proc/thread-self/ns/net", os.O_RDONLY)
    try:
        _enter(namespace)
        yield
    finally:
        _set(own)
        os.close(own)


def _enter(namespace: str) -> None:
    descriptor = os.open(namespace, os.O_RDONLY)
    try:
        _set(descriptor)
    finally:
        os.close(descriptor)


def _set(descriptor: int) -> None:
    """setns(2); Python has it from 3.12 on."""
    if ctypes.CDLL(None, use_errno=True).setns(descriptor, _NEWNET):
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
