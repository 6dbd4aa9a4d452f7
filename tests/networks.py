# Copyright: (c) 2026, typeone.metal contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A server whose network is changed while it is watched from outside: does it answer, since when, and what is on its cables.

A server is a Node of tests/lab/sites.py; it may be one of a lab of virtual machines, or one that only looks like it.
"""

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

import pytest

GUARD = 900  # seconds; against hanging for ever, no measure of anything
LIMIT = 90  # seconds after a change within which a server is to be reached again
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
        """The lab's end of the cable of a card."""
        mac = next(nic["mac"] for nic in self.interfaces if nic["name"] == name)
        links = json.loads(self.lab.inside("ip", "-j", "link").stdout)
        return next(link["ifname"] for link in links if link["address"][2:] == mac[2:] and link["address"] != mac)

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
        """Play the role while the server is asked all the time, and tell how long it was away.

        The bar is 90 s. On a machine that others use as well an emulated server is slower by any factor: that is told, no failure.
        """
        with Watch(self) as watch:
            done, told = self.change(variables, **given)
            self.wait(self.settled, "no transaction is left")
            self.wait(self.answers, "it answers")
        seconds = watch.until(told)
        self.node.site.tell(f"== {what}: reached again {seconds:.0f} s after the change, not longer than {watch.silence(told):.0f} s without an answer"
                            f"{'' if seconds < LIMIT else f' (more than {LIMIT} s)'}")
        return done

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

    @contextlib.contextmanager
    def neighbour(self, bridge: str, tag: int, address: str):
        """Another host on a VLAN of a network. The machine's kernel may know no VLANs: a program answers."""
        words = [self.lab.folder / "enter", sys.executable, "-c", NEIGHBOUR, bridge, str(tag), address]
        with subprocess.Popen(words, stdout=subprocess.PIPE, text=True) as process:
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
        running = {
            name: subprocess.Popen([self.lab.folder / "enter", "tcpdump", "-n", "-e", "-l", "-Q", "in", "-i", self.tap(name), "icmp or (vlan and icmp)"],
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


# Models. The management address is on what stands on the bond of the two cards of its network. -----------------------------------

BOND = {"name": "bond0", "members": ["left", "right"]}
OTHER = "203.0.113.99"


def addressed(host: Host, link: str, via: str = "192.0.2.1") -> list[dict]:
    """The management address on a link."""
    return [{"interface": link, "addresses": [f"{host.address}/24"], "routes": [{"to": "default", "via": via}]}]


def flat(host: Host) -> dict:
    """As it was: the address on the first card."""
    return {"network_ip": addressed(host, "left")}


def right(host: Host, **given) -> dict:
    """A bond with a bridge on it."""
    return {"network_bonds": [BOND], "network_bridges": [{"name": "br0", "members": ["bond0"]}], "network_ip": addressed(host, "br0"), **given}


def tagged(host: Host, tag: int = 999) -> dict:
    """On a VLAN of the bond: nobody answers there."""
    return {"network_bonds": [BOND], "network_vlans": [{"name": "mgmt", "id": tag, "link": "bond0"}], "network_ip": addressed(host, "mgmt")}


def openvswitch(host: Host, link: str = "ovs0") -> dict:
    """The bond in a bridge of Open vSwitch, which has the address itself or by one of its VLANs."""
    return {"network_bonds": [BOND], "network_bridges": [{"name": "ovs0", "members": ["bond0"], "openvswitch": True}],
            "network_vlans": [{"name": "mgmt", "id": 999, "link": "ovs0"}] if link == "mgmt" else [], "network_ip": addressed(host, link)}


WRONG = {
    "wrong VLAN": tagged,
    "a peer that speaks no LACP, where two links have to": lambda host: right(
        host, network_bonds=[{**BOND, "mode": "802.3ad", "options": {"min_links": 2, "lacp_rate": "fast"}}]),
    "a bond whose only peer is dead": lambda host: right(host, network_bonds=[{**BOND, "members": ["spare"]}]),
    "wrong gateway": lambda host: right(host, network_ip=addressed(host, "br0", via="192.0.2.9")),
    "an MTU that the network does not carry": lambda host: right(
        host, network_bonds=[{**BOND, "mtu": 9000}], network_bridges=[{"name": "br0", "members": ["bond0"], "mtu": 9000}]),
    "an address that another host on the VLAN has": lambda host: right(
        host, network_vlans=[{"name": "v30", "id": 30, "link": "br0"}],
        network_ip=[*addressed(host, "br0"), {"interface": "v30", "addresses": [f"{OTHER}/24"]}]),
    "a wrong VLAN of Open vSwitch": lambda host: openvswitch(host, "mgmt"),
}


TRAFFIC = {
    "the kernel": lambda host: right(
        host, network_bonds=[BOND, {"name": "bond1", "members": ["spare", "fourth"]}],
        network_vlans=[{"name": "v31", "id": 31, "link": "bond1"}],
        network_ip=[*addressed(host, "br0"), {"interface": "v31", "addresses": ["203.0.113.31/24"]}]),
    "Open vSwitch": lambda host: right(
        host, network_bonds=[BOND, {"name": "bond1", "members": ["spare", "fourth"], "openvswitch": True}],
        network_bridges=[{"name": "br0", "members": ["bond0"]}, {"name": "ovs1", "members": ["bond1"], "openvswitch": True}],
        network_vlans=[{"name": "v31", "id": 31, "link": "ovs1"}],
        network_ip=[*addressed(host, "br0"), {"interface": "v31", "addresses": ["203.0.113.31/24"]}]),
}


@contextlib.contextmanager
def world(host: Host, what: str):
    """What has to be around a server for a mistake to be one."""
    with contextlib.ExitStack() as stack:
        if what == "wrong gateway":
            stack.enter_context(host.controller_behind("prov"))
        if what.endswith("peer is dead"):
            stack.enter_context(host.dead("spare"))
        if what.startswith("an MTU"):
            stack.enter_context(host.large_frames("prov"))
        if what.startswith("an address"):
            stack.enter_context(host.neighbour("prov", 30, OTHER))
        yield


# What is checked of several of them. ------------------------------------------------------------------------------------------


def check_wrong(bonded: Host, what: str) -> None:
    """The host is reached as before, and the run says so."""
    with world(bonded, what):
        done = bonded.watched(what, {**WRONG[what](bonded), "network_confirm_within": WINDOW})
    assert done.status == 2 and "has put its previous network back" in done.output, done.output
    assert bonded.addresses() == {"br0": [f"{bonded.address}/24"]}


def check_traffic(bonded: Host, what: str) -> None:
    """Captured on the cables. Pings that are lost when the active member is taken down are counted and told."""
    wanted = {**TRAFFIC[what](bonded), "network_confirm_within": PATIENCE}
    done, _told = bonded.change(wanted)
    assert done.status == 0, done.output
    with bonded.neighbour("tenant", 31, "203.0.113.1"):
        with bonded.capture("spare", "fourth") as frames:
            assert " 0% packet loss" in bonded.node.shell("ping -c 5 -i 0.5 -W 3 203.0.113.1")
        active = max(frames, key=lambda name: len(frames[name]))
        mine = {name: [line for line in lines if "echo request" in line] for name, lines in frames.items()}
        assert len(mine[active]) == 5 and all("vlan 31," in line for line in mine[active]), frames
        assert not [line for name in mine if name != active for line in mine[name]], frames
        lost = bonded.pings_lost_without(active, "203.0.113.1")
        bonded.node.site.tell(f"== {what}: {lost} of {PINGS} pings, one each 0.2 s, were lost when the active member was taken down")
        assert lost < PINGS // 2


def check_guest(bonded: Host) -> None:
    """A guest's NIC on a bridge on a VLAN of a bond: its pings are answered, and leave with the tag."""
    wanted = right(bonded, network_bonds=[BOND, {"name": "bond1", "members": ["spare", "fourth"]}],
                   network_vlans=[{"name": "v31", "id": 31, "link": "bond1"}],
                   network_bridges=[{"name": "br0", "members": ["bond0"]}, {"name": "guests", "members": ["v31"]}])
    done, _told = bonded.change({**wanted, "network_confirm_within": PATIENCE})
    assert done.status == 0, done.output
    proof = {"guest_proof_hypervisor": "kvm", "guest_proof_again": True, "guest_proof_rounds": 2, "guest_proof_memory_mib": 128,
             "guest_proof_timeout": GUARD, "guest_proof_network": {"bridge": "guests", "address": "203.0.113.41/24", "peer": "203.0.113.1"}}
    with bonded.neighbour("tenant", 31, "203.0.113.1"), bonded.capture("spare", "fourth") as frames:
        done = bonded.node.play("guest_proof", proof)
    assert done.status == 0, done.output
    asked = {name: [line for line in lines if "203.0.113.41 > 203.0.113.1: ICMP echo request" in line] for name, lines in frames.items()}
    sent = [line for lines in asked.values() for line in lines]
    assert sent and all("vlan 31," in line for line in sent), frames


# Fixtures; a file with tests names this one in pytest_plugins. --------------------------------------------------------------------------------


INSTALL = """
set -e
for program in netplan ovs-vsctl ping; do command -v $program >/dev/null || missing=1; done
[ -n "${missing:-}" ] || exit 0
proxy="-o Acquire::http::Proxy=PROXY"
apt-get $proxy update -qq
DEBIAN_FRONTEND=noninteractive apt-get $proxy install -y -qq --no-install-recommends netplan.io openvswitch-switch iputils-ping
"""
BOOT_FILE = "/etc/systemd/network/10-typeone-boot.network"


@pytest.fixture(name="host", scope="module")
def _host(deployed):
    """A server with what the role needs; its network is afterwards what the deployment made it."""
    chosen = os.environ.get("TYPEONE_TEST_NODE", "node1")
    host = Host({node.name: node for node in deployed.nodes}[chosen])
    host.node.shell(INSTALL.replace("PROXY", json.loads((host.lab.folder / "lab.json").read_text())["apt_proxy"]))
    # Logins that start a manager of the user's services each are costly for an emulated server.
    host.node.shell("loginctl enable-linger root")
    before = host.node.shell(f"cat {BOOT_FILE}")
    yield host
    done, _told = host.change({**flat(host), "network_confirm_within": PATIENCE})
    assert done.status == 0, done.output
    host.node.shell(f"cat >{BOOT_FILE} <<'END'\n{before}END\nrm /etc/netplan/90-typeone.yaml; loginctl disable-linger root\n"
                    "systemctl daemon-reload; systemctl restart systemd-networkd")


@pytest.fixture(name="bonded", scope="module")
def _bonded(host):
    """The server once its address is on a bridge on a bond."""
    if "br0" not in host.addresses():
        host.watched("the right change, a bridge on a bond", {**right(host), "network_confirm_within": PATIENCE})
    return host
