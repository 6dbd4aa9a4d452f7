# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, typeone.metal contributors
"""Many BMCs from one process, for tests and measurements of whole fleets: asyncio, TLS, one listener for all of 127.0.0.0/8.

    with FleetProcess(count=3500, dead=0.05, slow=0.05, slow_seconds=30) as fleet:
        fleet.addresses, fleet.port, fleet.username, fleet.password, fleet.ca_path
        fleet.expected["127.1.0.1"]     {"kind": "live|dead|slow", "power": "On|Off", "health": "OK|Warning|Critical", "serial": ...}
        fleet.stats()                   connections, handshakes, logins, logouts, sessions_open, requests, writes, max_connections, ...

Which BMC is meant is told by the address that was connected to (getsockname). The listener is bound to the loopback interface and
serves 127.0.0.0/8 only. Dead ones accept a connection and never say a word (or refuse it: dead_mode="refuse"); slow ones take
slow_seconds for the first answer of each connection (slow_scope="first") or for every answer ("every").
As a program: python -m testbmc.fleet --count N prints a JSON line when it serves; `stats` on its standard input prints the counters.
"""

from __future__ import annotations

import argparse
import asyncio
import dataclasses
import ipaddress
import json
import os
import pathlib
import socket
import ssl
import struct
import subprocess
import sys

from . import certs
from .fleet_http import FleetProtocol
from .trees import load

_CLOEXEC_LIMIT = 65536


@dataclasses.dataclass
class Settings:  # pylint: disable=too-many-instance-attributes
    """What the fleet is like."""

    count: int = 10
    first: str = "127.1.0.1"
    port: int = 0
    tree: str = "mini"
    dead: float = 0.0
    slow: float = 0.0
    slow_seconds: float = 30.0
    slow_scope: str = "first"
    dead_mode: str = "hang"
    latency: float = 0.0
    username: str = "root"
    password: str = "Fleet-0penSesame"
    tls: bool = True
    session_cap: int = 16


@dataclasses.dataclass
class Machine:
    """One BMC of the fleet: little more than its state."""

    address: str
    kind: str
    power: str
    health: str
    serial: str
    sessions: dict = dataclasses.field(default_factory=dict)
    connections: int = 0

    def facts(self) -> dict:
        """What a test compares with."""
        return {"kind": self.kind, "power": self.power, "health": self.health, "serial": self.serial}


def machines(settings: Settings) -> dict:
    """{address: Machine}; dead and slow ones are spread evenly, the rest of the state goes by the number."""
    first = int(ipaddress.IPv4Address(settings.first))
    found = {}
    for place in range(settings.count):
        address = str(ipaddress.IPv4Address(first + place))
        kind = "live"
        if _share(place, settings.dead):
            kind = "dead"
        elif _share(place + settings.count // 2 + 1, settings.slow):
            kind = "slow"
        found[address] = Machine(address, kind, "On" if place % 3 else "Off", "Warning" if place % 7 == 3 else "Critical" if place % 31 == 5 else "OK",
                                 f"FLEET{place:05d}")
    return found


def _share(place: int, share: float) -> bool:
    """Whether the place is one of an even spread of a share of all places."""
    return int((place + 1) * share + 1e-9) > int(place * share + 1e-9)


class Fleet:
    """The server, to be run in an event loop of its own."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.machines = machines(settings)
        self.tree = load(settings.tree)
        self.count = {name: 0 for name in ("connections", "handshakes", "logins", "failed_logins", "logouts", "requests", "writes", "basic_requests",
                                           "unauthorized")}
        self.live = 0
        self.most = 0
        self.most_of_one = 0
        self.pages = Pages(self.tree)
        self._kept: list = []

    def stats(self) -> dict:
        """The counters now."""
        return {**self.count, "sessions_open": sum(len(item.sessions) for item in self.machines.values()), "open_connections": self.live,
                "max_connections": self.most, "max_connections_of_one": self.most_of_one}

    def opened(self, machine: Machine) -> None:
        """A connection was accepted."""
        self.count["connections"] += 1
        self.live += 1
        machine.connections += 1
        self.most = max(self.most, self.live)
        self.most_of_one = max(self.most_of_one, machine.connections)

    def closed(self, machine: Machine) -> None:
        """A connection has ended."""
        self.live -= 1
        machine.connections -= 1

    async def serve(self, ready) -> None:
        """Listen and accept until cancelled; ready(port) once listening."""
        loop = asyncio.get_running_loop()
        listener = _listener(self.settings.port)
        context = certs.server_context(certs.identity(tuple(self.machines))) if self.settings.tls else None
        if context is not None:
            context.num_tickets = 0
        ready(listener.getsockname()[1])
        while True:
            sock, _peer = await loop.sock_accept(listener)
            machine = self.machines.get(sock.getsockname()[0])
            if machine is None or (machine.kind == "dead" and self.settings.dead_mode == "refuse"):
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                sock.close()
            elif machine.kind == "dead":
                self.count["connections"] += 1
                self._kept = [item for item in self._kept if not _has_ended(item)][-2000:] + [sock]
            else:
                sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                task = loop.create_task(self._take(loop, sock, machine=machine, context=context))
                task.add_done_callback(_quiet)

    async def _take(self, loop, sock: socket.socket, *, machine: Machine, context) -> None:
        self.opened(machine)
        try:
            await loop.connect_accepted_socket(lambda: FleetProtocol(self, machine), sock, ssl=context,
                                               ssl_handshake_timeout=60 if context else None)
            self.count["handshakes"] += 1 if context else 0
        except (OSError, ssl.SSLError, asyncio.TimeoutError):
            self.closed(machine)


class Pages:
    """The tree's answers, with places for what differs between machines."""

    MARKS = {b"@@POWER@@": "power", b"@@HEALTH@@": "health", b"@@SERIAL@@": "serial"}

    def __init__(self, tree) -> None:
        self.plain = dict(tree.files)
        self.marked: dict = {}
        for path in tree.of_kind("ComputerSystem"):
            data = tree.json(path)
            data.update(PowerState="@@POWER@@", SerialNumber="@@SERIAL@@", UUID=None)
            data["Status"] = {**(data.get("Status") or {}), "Health": "@@HEALTH@@", "HealthRollup": "@@HEALTH@@"}
            self.marked[path] = json.dumps(data).encode()

    def get(self, path: str, machine: Machine):
        """A resource's bytes for a machine, None where there is none."""
        body = self.marked.get(path)
        if body is None:
            return self.plain.get(path)
        for mark, name in self.MARKS.items():
            body = body.replace(mark, getattr(machine, name).encode())
        return body


def _has_ended(sock: socket.socket) -> bool:
    try:
        if sock.recv(4096, socket.MSG_DONTWAIT) == b"":
            sock.close()
            return True
    except BlockingIOError:
        return False
    except OSError:
        sock.close()
        return True
    return False


def _quiet(task: asyncio.Task) -> None:
    if not task.cancelled():
        task.exception()


def _listener(port: int) -> socket.socket:
    sock = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, b"lo\0")
    except OSError:
        pass  # without the right to it, addresses other than 127.0.0.0/8 are refused after the accept
    sock.bind(("0.0.0.0", port))
    sock.listen(4096)
    sock.setblocking(False)
    return sock


def raise_file_limit() -> None:
    """As many open files as this process may have."""
    import resource  # pylint: disable=import-outside-toplevel
    _soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    most = min(hard, _CLOEXEC_LIMIT) if hard != resource.RLIM_INFINITY else _CLOEXEC_LIMIT
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))


class FleetProcess:
    """A fleet in a process of its own. Keyword arguments are those of Settings."""

    def __init__(self, **settings) -> None:
        self.settings = Settings(**settings)
        self.expected = {address: machine.facts() for address, machine in machines(self.settings).items()}
        self.addresses = list(self.expected)
        self.username, self.password = self.settings.username, self.settings.password
        self.port = 0
        self.ca_path = ""
        self._process = None

    def start(self) -> "FleetProcess":
        """Start it; returns when it serves."""
        arguments = [f"--{name.replace('_', '-')}={value}" for name, value in dataclasses.asdict(self.settings).items()]
        where = str(pathlib.Path(__file__).resolve().parents[1])
        environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, (where, os.environ.get("PYTHONPATH"))))}
        self._process = subprocess.Popen(  # pylint: disable=consider-using-with
            [sys.executable, "-m", "testbmc.fleet", *arguments], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment)
        told = self._line()
        self.port, self.ca_path = told["port"], told["ca_path"]
        return self

    def _line(self) -> dict:
        line = self._process.stdout.readline()
        if not line:
            raise RuntimeError(f"the fleet server has ended ({self._process.wait()})")
        return json.loads(line)

    def stats(self) -> dict:
        """Its counters now."""
        self._process.stdin.write("stats\n")
        self._process.stdin.flush()
        return self._line()

    def stop(self) -> None:
        """End it."""
        if self._process is None:
            return
        self._process.stdin.close()
        try:
            self._process.wait(10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._process.stdout.close()

    def __enter__(self) -> "FleetProcess":
        return self.start()

    def __exit__(self, *_exception) -> None:
        self.stop()


async def _run(fleet: Fleet) -> None:
    """Serve until standard input ends; each line `stats` is answered with the counters."""
    loop = asyncio.get_running_loop()

    def ready(port: int) -> None:
        _say({"port": port, "ca_path": certs.ca_path(), "pid": os.getpid(), "addresses": len(fleet.machines)})

    server = loop.create_task(fleet.serve(ready))
    reader = asyncio.StreamReader()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    while True:
        line = await reader.readline()
        if not line:
            break
        if line.strip() == b"stats":
            _say(fleet.stats())
    server.cancel()


def _say(data: dict) -> None:
    sys.stdout.write(json.dumps(data) + "\n")
    sys.stdout.flush()


def main() -> None:
    """python -m testbmc.fleet"""
    parser = argparse.ArgumentParser(description="Serve many Redfish BMCs on loopback addresses.")
    for field in dataclasses.fields(Settings):
        kind = type(field.default)
        parser.add_argument(f"--{field.name.replace('_', '-')}", default=field.default,
                            type=(lambda text: text.lower() in ("1", "true", "yes")) if kind is bool else kind)
    raise_file_limit()
    asyncio.run(_run(Fleet(Settings(**vars(parser.parse_args())))))


if __name__ == "__main__":
    main()
