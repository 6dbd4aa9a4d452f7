# Copyright: (c) 2026, typeone.metal contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A server of a lab whose network is changed while it is watched from outside: does it answer, since when, and what is on its cables."""

from __future__ import annotations

import contextlib
import dataclasses
import json
import os
import re
import subprocess
import sys
import threading
import time
from typing import Any

GUARD = 900  # seconds; against hanging for ever, no measure of anything
LIMIT = float(os.environ.get("TYPEONE_TEST_LIMIT", "90"))  # seconds after a change within which a server is to be reached again
PENDING = "/var/lib/typeone/network/pending"
PINGS = 100
CONTROLLER = "203.0.113.1"
WINDOW = int(os.environ.get("TYPEONE_TEST_WINDOW", "40"))  # seconds to confirm a change in: an emulated server applies slowly
PATIENCE = 3 * WINDOW  # seconds for what is right
NICS = ("left", "spare", "right", "fourth")  # by their order in lab.json: prov, tenant, prov, tenant

# A host on a VLAN: it answers ARP and pings. argv are a link, the tag and the address.
NEIGHBOUR = """
import socket, struct, sys
link, tag, address = sys.argv[1], int(sys.argv[2]), socket.inet_aton(sys.argv[3])
mac = bytes.fromhex("525400aabb") + bytes([tag])
wire = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3))
wire.setsockopt(263, 8, 1)  # SOL_PACKET, PACKET_AUXDATA: the kernel has taken the tag off the frame
wire.setsockopt(263, 1, struct.pack("iHH8s", socket.if_nametoindex(link), 1, 0, b""))  # PACKET_ADD_MEMBERSHIP, promiscuous
wire.bind((link, 3))
def checksum(data):
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    total = (total >> 16) + (total & 0xffff)
    return ~(total + (total >> 16)) & 0xffff
print("ready", flush=True)
while True:
    frame, extra, _flags, _sender = wire.recvmsg(2048, 256)
    tags = [struct.unpack("IIIHHHH", data[:20])[5] & 0xfff for level, kind, data in extra if (level, kind) == (263, 8)]
    kind, body, answer = frame[12:14], frame[14:], None
    if tags != [tag]:
        continue
    if kind == b"\\x08\\x06" and body[6:8] == b"\\0\\1" and body[24:28] == address:
        answer = body[:6] + b"\\0\\2" + mac + address + body[8:18]
    if kind == b"\\x08\\0" and body[9] == 1 and body[16:20] == address and body[20] == 8:
        length = struct.unpack("!H", body[2:4])[0]
        icmp = b"\\0\\0\\0\\0" + body[24:length]
        icmp = icmp[:2] + struct.pack("!H", checksum(icmp + b"\\0" * (len(icmp) % 2))) + icmp[4:]
        answer = body[:12] + body[16:20] + body[12:16] + icmp
    if answer:
        wire.send(frame[6:12] + mac + b"\\x81\\0" + struct.pack("!H", tag) + kind + answer)
"""

# The far end of a bond: it speaks LACP on each of the links that argv names (IEEE 802.1AX-2014, 6.4.2.3), as ports of one switch.
LACP = """
import select, socket, struct, sys, time
switch, state = bytes.fromhex("525400aabbff"), 0x3f  # active, short timeout, aggregatable, in sync, collecting, distributing
ports = {}  # what the other end says of itself, by the socket of each port
for link in sys.argv[1:]:
    wire = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3))
    wire.bind((link, 3))
    ports[wire] = bytes(15)
print("ready", flush=True)
due = time.monotonic()
while True:
    for wire in select.select(ports, [], [], 0.2)[0]:
        frame = wire.recv(2048)
        if frame[12:15] == b"\\x88\\x09\\1" and frame[6:12] != switch:
            ports[wire] = frame[18:33]
    if time.monotonic() < due:
        continue
    due += 1
    for number, (wire, partner) in enumerate(ports.items(), 1):
        actor = struct.pack("!H6sHHHB", 32768, switch, 1, 32768, number, state)
        words = b"\\1\\x14" + actor + bytes(3) + b"\\2\\x14" + partner + bytes(3) + b"\\3\\x10" + bytes(14) + bytes(52)
        wire.send(bytes.fromhex("0180c2000002") + switch + b"\\x88\\x09\\1\\1" + words)
"""


class Watch:
    """Asks a server again and again, from outside, and remembers when it answered."""

    def __init__(self, host: Host) -> None:
        self.host = host
        self.asked: list[tuple[float, bool]] = []
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
            self.asked.append((time.monotonic(), self.host.answers()))
            self._end.wait(0.5)

    def until(self, start: float) -> float:
        """Seconds from a moment until it answered for good."""
        failed = [moment for moment, reached in self.asked if not reached and moment > start]
        back = [moment for moment, reached in self.asked if reached and moment > (failed[-1] if failed else start)]
        assert back, "the server is not reached"
        return back[0] - start if failed else 0.0

    def silence(self, start: float) -> float:
        """The longest time between two answers since a moment."""
        moments = [start, *(moment for moment, reached in self.asked if reached and moment > start)]
        return max((after - before for before, after in zip(moments, moments[1:])), default=0.0)


@dataclasses.dataclass(frozen=True)
class Host:
    """A server of the lab by what its network is."""

    node: Any

    @property
    def lab(self) -> Any:
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
        """The lab's end of the cable of a card. A bridge may have the address of one of its ports."""
        mac = next(nic["mac"] for nic in self.interfaces if nic["name"] == name)
        links = json.loads(self.lab.inside("ip", "-j", "link").stdout)
        return next(link["ifname"] for link in links if "master" in link and link["address"][2:] == mac[2:])

    def answers(self) -> bool:
        """Whether it answers as an SSH server with its own key: a connection and an exchange of keys, but no costly login."""
        said = self.lab.inside("ssh-keyscan", "-T", "10", "-t", "ed25519", self.address).stdout.split()
        return said[-1:] == self.key

    @property
    def key(self) -> list[str]:
        """Its host key, as pinned."""
        return (self.node.site.state / self.node.name / "known_hosts").read_text().split()[-1:]

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

    def change(self, variables: dict, *flags: str, kill_at: str = "") -> tuple[Any, float]:
        """Play the role; returns what came of it, and the moment at which the server was told to change."""
        start = time.monotonic()
        given = {"ansible_pipelining": True, "network_install": False, "network_interfaces": self.interfaces, **variables}
        done = self.node.play("network", given, *flags, kill_at=kill_at)
        told = re.search(r"([\d.]+) changed:", done.output.partition("network : Change the network]")[2])
        return done, start + float(told[1]) if told else start

    def watched(self, what: str, variables: dict, **given) -> Any:
        """Play the role while the server is asked all the time, and see that it is not away for long."""
        with Watch(self) as watch:
            done, told = self.change(variables, **given)
            self.is_back(what, watch, told)
        return done

    def is_back(self, what: str, watch: Watch, since: float) -> None:
        """Wait until nothing is open any more, tell how long the server was away, and see that it was not for longer than it may be."""
        self.wait(self.settled, "no transaction is left")
        self.wait(self.answers, "it answers")
        seconds, silence = watch.until(since), watch.silence(since)
        self.node.site.tell(f"== {what}: reached again {seconds:.0f} s afterwards, not longer than {silence:.0f} s without an answer")
        assert seconds < LIMIT, f"{what}: {self.node.name} was reached again after {seconds:.0f} s, the bar is {LIMIT:.0f} s"

    @contextlib.contextmanager
    def controller_behind(self, gateway_of: str):
        """The controller comes from another network, behind an address that the server knows as its gateway."""
        self.lab.inside("ip", "address", "add", f"{CONTROLLER}/32", "dev", "lo")
        self.lab.inside("ip", "route", "add", f"{self.address}/32", "dev", gateway_of, "src", CONTROLLER)
        try:
            yield
        finally:
            self.lab.inside("ip", "route", "delete", f"{self.address}/32")
            self.lab.inside("ip", "address", "delete", f"{CONTROLLER}/32", "dev", "lo")

    @contextlib.contextmanager
    def dead(self, name: str):
        """The far end of a card's cable takes nothing and says nothing, though the card has a link."""
        tap = self.tap(name)
        self.lab.inside("ip", "link", "set", tap, "down")
        try:
            yield
        finally:
            self.lab.inside("ip", "link", "set", tap, "up")

    @contextlib.contextmanager
    def large_frames(self, bridge: str):
        """The controller believes that its network takes large frames; the ports between do not."""
        self.lab.inside("ip", "link", "set", bridge, "mtu", "9000")
        try:
            yield
        finally:
            self.lab.inside("ip", "link", "set", bridge, "mtu", "1500")

    def neighbour(self, bridge: str, tag: int, address: str):
        """Another host on a VLAN of a network. The machine's kernel may know no VLANs: a program answers."""
        return self._around(NEIGHBOUR, bridge, str(tag), address)

    def lacp(self, *names: str):
        """A switch that speaks LACP at the other ends of these cards' cables."""
        return self._around(LACP, *map(self.tap, names))

    @contextlib.contextmanager
    def _around(self, program: str, *words: str):
        """A program in the lab's network, from when it is ready."""
        with subprocess.Popen([self.lab.folder / "enter", sys.executable, "-c", program, *words], stdout=subprocess.PIPE, text=True) as process:
            assert process.stdout.readline() == "ready\n"
            try:
                yield
            finally:
                process.terminate()

    def link(self, name: str) -> str:
        """The server's own name of a card. In a bond all members have one address, but for the permanent one."""
        mac = next(nic["mac"] for nic in self.interfaces if nic["name"] == name)
        links = [link for link in json.loads(self.node.shell("ip -j -d link")) if "info_kind" not in link.get("linkinfo", {})]
        return next(link["ifname"] for link in links if link.get("permaddr", link.get("address")) == mac)

    def pings_lost_without(self, name: str, address: str) -> int:
        """Have the server ping an address, and take a card down meanwhile; how many had no answer.

        A cable cannot be pulled: the emulated card does not tell the server of it.
        """
        link = self.link(name)
        script = f"nohup ping -q -i 0.2 -c {PINGS} -W 2 {address} >/run/typeone-ping 2>&1 & sleep 3; ip link set {link} down; echo begun"
        assert "begun" in self.node.shell(script)
        try:
            self.wait(lambda: "packet loss" in self.node.shell("cat /run/typeone-ping"), "all pings are sent")
        finally:
            self.node.shell(f"ip link set {link} up")
        sent, received = map(int, re.search(r"(\d+) packets transmitted, (\d+) received", self.node.shell("cat /run/typeone-ping")).groups())
        assert sent == PINGS
        return sent - received

    @contextlib.contextmanager
    def capture(self, *names: str):
        """Capture what leaves the server by its cards meanwhile: yields {name: lines}, complete once it is left."""
        found: dict[str, list[str]] = {name: [] for name in names}
        program = [self.lab.folder / "enter", "tcpdump", "--immediate-mode", "-n", "-e", "-l", "-Q", "in"]
        running = {
            name: subprocess.Popen([*program, "-i", self.tap(name), "icmp or (vlan and icmp)"], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                   text=True) for name in names}
        try:
            for process in running.values():
                while "listening on" not in process.stderr.readline():
                    assert process.poll() is None
            yield found
        finally:
            for name, process in running.items():
                process.terminate()
                found[name] += process.communicate(timeout=GUARD)[0].splitlines()
