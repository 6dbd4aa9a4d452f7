# Copyright: (c) 2026, typeone.metal contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A server whose network is changed while everything is watched from outside: who answers, since when, and what is on its cables."""

from __future__ import annotations

import contextlib
import dataclasses
import json
import re
import subprocess
import threading
import time

from labs import GUARD, Lab, Run
from sites import Node

LIMIT = 90  # seconds after a change within which a server has to be reached again
PENDING = "/var/lib/typeone/network/pending"
NICS = ("left", "spare", "right", "fourth")  # by their order in lab.json: prov, tenant, prov, tenant


class Watch:
    """Logs in to a server again and again, from outside, and remembers when it could."""

    def __init__(self, host: Host) -> None:
        self.host = host
        self.logins: list[tuple[float, bool]] = []
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._run)

    def __enter__(self) -> Watch:
        self._thread.start()
        return self

    def __exit__(self, *_failure) -> None:
        self._end.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._end.is_set():
            reached = self.host.answers()
            self.logins.append((time.monotonic(), reached))
            self._end.wait(0.5)

    def until(self, start: float) -> float:
        """Seconds from a moment until logins worked for good."""
        failed = [moment for moment, reached in self.logins if not reached and moment > start]
        back = [moment for moment, reached in self.logins if reached and moment > (failed[-1] if failed else start)]
        assert back, "the server is not reached"
        return back[0] - start if failed else 0.0


@dataclasses.dataclass(frozen=True)
class Host:
    """A server of the lab by what its network is."""

    node: Node
    gateway: str

    @property
    def lab(self) -> Lab:
        """The lab that it is in."""
        return self.node.site.lab

    @property
    def address(self) -> str:
        """Where it is administered."""
        return self.node.described["address"]

    @property
    def interfaces(self) -> list[dict]:
        """Its cards, by their addresses."""
        return [{"name": name, "mac": nic["mac"]} for name, nic in zip(NICS, self.node.described["nics"])]

    def tap(self, name: str) -> str:
        """The lab's end of the cable of a card."""
        mac = next(nic["mac"] for nic in self.interfaces if nic["name"] == name)
        links = json.loads(self.lab.inside("ip", "-j", "link").stdout)
        return next(link["ifname"] for link in links if link["address"][2:] == mac[2:] and link["address"] != mac)

    def answers(self) -> bool:
        """Whether one can log in, by a new connection."""
        done = self.lab.inside(
            "timeout", "10", "ssh", "-F", "none", "-i", self.lab.folder / "ssh/id_ed25519",
            "-o", f"UserKnownHostsFile={self.node.site.state / self.node.name / 'known_hosts'}", "-o", "StrictHostKeyChecking=yes",
            "-o", "BatchMode=yes", "-o", "ConnectTimeout=3", f"root@{self.address}", "true")
        return done.returncode == 0

    def addresses(self) -> dict[str, list[str]]:
        """IPv4 addresses by link, of links that have any."""
        links = json.loads(self.node.shell("ip -j -4 address"))
        found = {link["ifname"]: [f"{a['local']}/{a['prefixlen']}" for a in link["addr_info"]] for link in links if link.get("addr_info")}
        return {name: addresses for name, addresses in found.items() if name not in ("lo", "virbr0")}

    def settled(self) -> bool:
        """Whether no transaction is left; false where that cannot be seen."""
        return (self.node.answer(f"test -e {PENDING} || echo settled") or "").strip() == "settled"

    def wait(self, done, what: str, seconds: float = GUARD) -> None:
        """Wait until something is so."""
        deadline = time.monotonic() + seconds
        while not done():
            assert time.monotonic() < deadline, f"not within {seconds:.0f} s: {what}"
            time.sleep(0.5)

    def change(self, variables: dict, *flags: str, kill_at: str = "") -> tuple[Run, float]:
        """Play the role; returns what it said and when the host was told to change."""
        start = time.monotonic()
        done = self.node.play("network", {"network_interfaces": self.interfaces, **variables}, *flags, kill_at=kill_at)
        told = re.search(r"TASK \[typeone.metal.network : Change the network\].*\n\s*([\d.]+) changed:", done.output)
        return done, start + float(told[1]) if told else start

    def set_link(self, name: str, state: str) -> None:
        """Pull the cable of a card, or plug it in."""
        mac = next(nic["mac"] for nic in self.interfaces if nic["name"] == name)
        uri = json.loads((self.lab.folder / "lab.json").read_text())["libvirt_uri"]
        subprocess.run(["virsh", "-q", "-c", uri, "domif-setlink", self.node.name, mac, state], check=True, timeout=GUARD)

    @contextlib.contextmanager
    def capture(self, *names: str):
        """Capture what goes over the cables of cards meanwhile: yields {name: lines}, complete once it is left."""
        found: dict[str, list[str]] = {name: [] for name in names}
        running = {
            name: subprocess.Popen([self.lab.folder / "enter", "tcpdump", "-n", "-e", "-l", "-i", self.tap(name), "icmp or (vlan and icmp)"],
                                   stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) for name in names}
        try:
            for process in running.values():
                while "listening on" not in process.stderr.readline():
                    assert process.poll() is None
            yield found
        finally:
            for name, process in running.items():
                process.terminate()
                found[name] += process.communicate(timeout=GUARD)[0].splitlines()
