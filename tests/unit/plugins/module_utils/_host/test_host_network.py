# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, typeone.metal contributors
"""Networks on trees: which card is meant, what is refused, what a transaction keeps. No program is really run."""

from __future__ import annotations

import json
import os
import pathlib
import subprocess
import sys

import pytest
from ansible_collections.typeone.metal.plugins.module_utils._domain.network_model import parse_model
from ansible_collections.typeone.metal.plugins.module_utils._host import network
from ansible_collections.typeone.metal.plugins.module_utils._host.connection import Connection
from ansible_collections.typeone.metal.plugins.module_utils._host.files import FileSet
from ansible_collections.typeone.metal.plugins.module_utils._host.links import find_nics, read_seen
from ansible_collections.typeone.metal.plugins.module_utils._host.network_transaction import BASE, SCRIPT, Steps, Transactions
from ansible_collections.typeone.metal.plugins.module_utils._host.profiles import PROFILES, RUNNING
from ansible_collections.typeone.metal.plugins.module_utils._host.programs import HostError, Outcome, Programs

LEFT, RIGHT = "52:54:00:00:00:01", "52:54:00:00:00:02"
ADDRESS = {"local": "192.0.2.10", "prefixlen": 24, "family": "inet"}


def link(name: str, mac: str, **given) -> dict:
    """A card as `ip -j -d address` lists it."""
    return {"ifindex": len(name) + ord(name[-1]), "ifname": name, "link_type": "ether", "address": mac, "mtu": 1500, "max_mtu": 9000,
            "flags": ["UP"], "addr_info": [], **given}


class Answers(Programs):
    """Programs that say what the test has them say."""

    def __init__(self, *links: dict, netplan: str = "", installed: tuple = ("netplan", "nmcli"), running: tuple = ()) -> None:
        super().__init__(root="/")
        self.links, self.netplan, self.installed, self.running, self.ran = list(links), netplan, installed, running, []

    def find(self, name: str):
        return name if name in self.installed else None

    def run(self, argv, **_given) -> Outcome:
        self.ran.append(" ".join(argv))
        said = {"ip -j -d address": json.dumps(self.links), "ip -j route": "[]", "ip -j -6 route": "[]",
                "lldpctl -f json0": '{"lldp": []}'}
        if argv[0] == "netplan":
            return Outcome(tuple(argv), 1 if self.netplan else 0, "", self.netplan)
        if argv[0] in ("nmstatectl", "systemctl"):
            return Outcome(tuple(argv), 0 if argv[0] == "nmstatectl" or argv[-1] in self.running else 3, "", "")
        return Outcome(tuple(argv), 0 if argv[0] == "ip" else 3, said.get(" ".join(argv), ""), "")


CARDS = (link("eno1", LEFT, addr_info=[ADDRESS]), link("eno2", RIGHT))


@pytest.fixture(name="cards")
def _cards(host):
    """The tree with two cards."""
    for name, address, mac in (("eno1", "0000:3b:00.0", LEFT), ("eno2", "0000:3b:00.1", RIGHT)):
        host.pci(address, driver="ice").nic(name, address, mac=mac)
    return host


def find(host, nic: dict, *links: dict):
    """Look for one card."""
    programs = Answers(*(links or CARDS))
    return find_nics(parse_model({"interfaces": [{"name": "x", **nic}]}), read_seen(programs), programs, root=host.root)


def frame(port: bytes) -> bytes:
    """A frame of LLDP as systemd-networkd keeps it."""
    text = bytes(14) + (1 << 9 | 6).to_bytes(2, "big") + b"\x07leaf1" + (2 << 9 | len(port) + 1).to_bytes(2, "big") + b"\x05" + port
    return len(text).to_bytes(8, "little") + text


@pytest.mark.parametrize(("nic", "name"), [
    ({"mac": RIGHT}, "eno2"),
    ({"mac": RIGHT.upper()}, "eno2"),
    ({"pci_address": "0000:3b:00.0"}, "eno1"),
    ({"switch_port": "Ethernet1/7"}, "eno2"),
    ({"switch_port": "ethernet1/7", "switch": "leaf1"}, "eno2"),
])
def test_a_card_is_found_by_what_does_not_change(cards, nic, name):
    """Address, place, switch port; and netplan is told the permanent address."""
    folder = cards.path / "run/systemd/netif/lldp"
    folder.mkdir(parents=True)
    (folder / str(CARDS[1]["ifindex"])).write_bytes(frame(b"Ethernet1/7"))
    model, problems = find(cards, nic)
    assert problems == [] and model.nics[0].link == name
    assert model.nics[0].permanent_mac == {"eno1": LEFT, "eno2": RIGHT}[name]


def test_a_member_of_a_bond_keeps_its_own_address(cards):
    """The bond gives all its members one; what the card has for good decides."""
    model, problems = find(cards, {"mac": RIGHT}, CARDS[0], link("eno2", LEFT, permaddr=RIGHT, master="bond0"))
    assert problems == [] and model.nics[0].link == "eno2" and model.nics[0].permanent_mac == RIGHT
    model, problems = find(cards, {"mac": LEFT}, CARDS[0], link("eno2", LEFT, permaddr=RIGHT, master="bond0"))
    assert problems == [] and model.nics[0].link == "eno1"


def test_virtual_links_are_no_cards_and_ends_of_pairs_have_no_permanent_address(cards):
    """A bridge that took a card's address is not the card."""
    bridge = link("br0", LEFT, linkinfo={"info_kind": "bridge"})
    model, problems = find(cards, {"mac": "52:54:00:00:00:09"}, bridge, link("host0", "52:54:00:00:00:09", linkinfo={"info_kind": "veth"}))
    assert problems == [] and (model.nics[0].link, model.nics[0].permanent_mac) == ("host0", None)
    assert find(cards, {"mac": LEFT}, bridge, *CARDS)[0].nics[0].link == "eno1"


@pytest.mark.parametrize(("nic", "problem"), [
    ({"mac": "52:54:00:00:00:09"}, "interface x (mac 52:54:00:00:00:09): no card of eno1, eno2 is it"),
    ({"pci_address": "0000:3c:00.0"}, "interface x (pci_address 0000:3c:00.0): no card of eno1, eno2 is it"),
    ({"switch_port": "Ethernet1/8"}, "interface x (switch_port Ethernet1/8): no card of eno1, eno2 is it"),
    ({"mac": RIGHT, "mtu": 9216}, "the MTU of x is 9216; eno2 takes 9000 at most"),
])
def test_what_no_card_is_or_takes_is_told(cards, nic, problem):
    """With the cards that there are."""
    assert find(cards, nic)[1] == [problem]


IP = [{"interface": "x", "addresses": ["192.0.2.10/24"]}]


def profile(kind: str, interface: str = "", **section: str) -> str:
    """A connection profile of NetworkManager."""
    lines = ["[connection]", "id=any", f"type={kind}", *([f"interface-name={interface}"] if interface else []), f"[{kind}]"]
    return "\n".join([*lines, *(f"{key}={value}" for key, value in section.items()), "[ipv4]", "method=auto"])


def run(host, *, check=True, programs=None, **given):
    """Run the resource; the address of the connection is the host's."""
    given = {"interfaces": [{"name": "x", "mac": LEFT}], "ip": IP, "management_address": "192.0.2.10", **given}
    return network.Network(network.Request(root=host.root, **given), programs or Answers(*CARDS)).run(check=check)


def test_the_plan_is_shown_and_nothing_written(cards):
    """Files as they would be; what the kernel has already is not missing."""
    result = run(cards)
    assert result["changed"] and result["network"]["missing"] == [] and result["network"]["links"] == {"x": "eno1"}
    assert [item["after_header"] for item in result["diff"]] == ["/etc/netplan/90-typeone.yaml"]
    assert not cards.exists("/etc/netplan") and not cards.exists(BASE) and not result["network"]["pending"]


def test_what_is_there_already_is_no_change(cards):
    """File and kernel are as wanted; once the kernel has lost something it is a change."""
    text = run(cards)["diff"][0]["after"]
    FileSet(cards.root, {"/etc/netplan/90-typeone.yaml": (text, 0o600)}).write()
    assert not run(cards)["changed"] and run(cards)["network"]["confirmed"]
    lost = run(cards, programs=Answers(link("eno1", LEFT), CARDS[1]))
    assert lost["changed"] and lost["network"]["missing"] == ["eno1 has not the address 192.0.2.10/24"]
    assert lost["diff"][0]["before"] == "eno1 has not the address 192.0.2.10/24\n"


@pytest.mark.parametrize(("files", "given", "message"), [
    ({"/etc/netplan/50-cloud-init.yaml": "network: {}"}, {}, r"configured by /etc/netplan/50-cloud-init.yaml as well.*takeover: true"),
    ({"/etc/systemd/network/lan.network": "[Match]"}, {}, r"configured by /etc/systemd/network/lan.network as well"),
    ({"/etc/network/interfaces": "auto lo\niface lo inet loopback\niface eno1 inet dhcp"}, {"takeover": True}, "ifupdown configures eno1 as well"),
    ({"/etc/network/interfaces.d/x": "  iface eno2 inet dhcp"}, {}, "ifupdown configures eno2 as well"),
    ({}, {"management_address": "192.0.2.99"}, "the management interface is lost: the controller comes to 192.0.2.99"),
    ({}, {"confirm_within": 9}, "confirm_within is 9 s, too short"),
    ({}, {"ip": [{"interface": "x", "addresses": ["nonsense"]}]}, "addresses of x: 'nonsense' does not appear to be"),
    ({}, {"vlans": [{"name": "v", "id": 5000, "link": "y"}]}, "id of VLAN v is 5000.*VLAN v is on 'y'"),
    ({}, {"programs": Answers(*CARDS, netplan="Error in network definition: no")}, "netplan does not take the model: Error in network"),
    ({}, {"programs": Answers(*CARDS, installed=())}, "neither netplan nor nmstatectl is installed.*Install netplan.io"),
    ({}, {"provider": "nmstate", "renderer": "networkd"}, "nmstatectl has no renderer networkd, but NetworkManager"),
    ({"/run/systemd/system/x": ""}, {"provider": "nmstate"}, "nmstatectl needs NetworkManager, which does not run"),
    ({}, {"provider": "nmstate", "programs": Answers(*CARDS, installed=())}, "the program is not installed. Install the package network-manager"),
    ({}, {"renderer": "NetworkManager", "bridges": [{"name": "br0", "members": ["x"], "openvswitch": True}],
          "ip": [{**IP[0], "interface": "br0"}]}, "bridge br0 of Open vSwitch needs the renderer networkd; it is NetworkManager"),
    ({}, {"provider": "nmstate", "ip": [{**IP[0], "accept_ra": True}]}, "accept_ra of x without dhcp6 is nothing that nmstate has"),
    ({f"{PROFILES}/lan.nmconnection": profile("ethernet")}, {"renderer": "NetworkManager"}, rf"configured by {PROFILES}/lan.nmconnection as well"),
    ({f"{PROFILES}/eno2.nmconnection": profile("ethernet", "eno2")}, {"provider": "nmstate"}, rf"configured by {PROFILES}/eno2.nmconnection as well"),
    ({"/etc/sysconfig/network-scripts/ifcfg-eno1": "DEVICE=eno1"}, {"provider": "nmstate"}, "configured by /etc/sysconfig/network-scripts/ifcfg-eno1 as well"),
])
def test_what_is_refused_leaves_everything_as_it_was(cards, files, given, message):
    """All in one message."""
    for path, text in files.items():
        cards.write(path, text)
    with pytest.raises(HostError, match=message) as caught:
        run(cards, check=False, **given)
    assert any(word in str(caught.value) for word in ("Nothing was changed", "takeover", "not installed"))
    assert not cards.exists("/etc/netplan/90-typeone.yaml") and not cards.exists("/etc/typeone") and not cards.exists(BASE)


def test_files_of_others_go_where_that_is_allowed(cards):
    """Those of the deployment always, cloud-init is told to keep away."""
    cards.write("/etc/systemd/network/10-typeone-boot.network", "[Match]").write("/etc/cloud/cloud.cfg.d/x", "")
    assert {item["after_header"] for item in run(cards)["diff"]} == {
        "/etc/netplan/90-typeone.yaml", "/etc/systemd/network/10-typeone-boot.network", "/etc/cloud/cloud.cfg.d/99-typeone-network.cfg"}
    cards.write("/etc/netplan/01.yaml", "network: {}")
    assert "/etc/netplan/01.yaml" in {item["after_header"] for item in run(cards, takeover=True)["diff"]}


@pytest.mark.parametrize("text", [
    "wifis: {w: {access-points: {x: {password: 'so secret'}}}}", 'auth:\n  password: "so secret"', "[802-1x]\npassword=so-secret", "psk=so-secret",
    "private-key-password=so very, secret", "KEY_PASSPHRASE1=so-secret"])
def test_secrets_of_others_are_not_shown(cards, text):
    """Of the files that go only what can be shown is shown."""
    cards.write("/etc/netplan/01.yaml", text)
    shown = next(item["before"] for item in run(cards, takeover=True)["diff"] if item["before_header"] == "/etc/netplan/01.yaml")
    assert "secret" not in shown and shown.startswith(text[:4]) and "********" in shown


class Declares(Answers):
    """netplan, which makes a definition of a virtual link."""

    def run(self, argv, **given) -> Outcome:
        if argv[0] == "netplan":
            folder = pathlib.Path(argv[-1], "run/systemd/network")
            folder.mkdir(parents=True)
            (folder / "10-netplan-bond0.netdev").write_text("Mode=802.3ad\n", encoding="utf-8")
        return super().run(argv, **given)


@pytest.mark.parametrize(("definition", "kind", "links"), [
    ("Mode=802.3ad", "bond", ["apply delete br9", "apply free eno1", "rollback free eno1"]),
    ("Mode=active-backup", "bond", ["apply delete bond0", "apply delete br9", "apply free eno1", "rollback renew bond0", "rollback free eno1"]),
    ("Kind=vlan", "vlan", ["apply replace bond0", "apply delete br9", "apply free eno1", "rollback renew bond0", "rollback free eno1"])])
def test_a_virtual_link_that_gets_another_definition_is_made_anew(cards, definition, kind, links):
    """systemd-networkd does not change the mode of a bond that is there: neither by the change nor on the way back."""
    cards.write("/run/systemd/network/10-netplan-bond0.netdev", definition).write("/run/systemd/network/10-netplan-br9.netdev", "")
    bond = [{"name": "bond0", "members": ["x"], "mode": "802.3ad"}]
    kinds = {"bond0": {"info_kind": kind, "info_data": {"mode": "802.3ad"}}, "br9": {"info_kind": "bridge"}}
    programs = Declares(*CARDS, *(link(name, LEFT, linkinfo=info) for name, info in kinds.items()))
    ip = [{"interface": "bond0", "addresses": ["192.0.2.10/24"]}]
    result = run(cards, check=False, programs=programs, bonds=bond, ip=ip)
    assert result["network"]["pending"] and len(result["network"]["transaction"]) == 32
    assert cards.read(f"{BASE}/pending/links").splitlines() == links


UNITS = ("systemd-networkd.service", "NetworkManager.service")


@pytest.mark.parametrize(("runs", "files", "renderer"), [
    ((), (), "networkd"),
    ((UNITS[0],), (), "networkd"),
    ((UNITS[1],), (), "NetworkManager"),
    (UNITS, (), "NetworkManager"),
    (UNITS, ("/run/systemd/network/10-netplan-eno1.network",), "networkd"),
    (UNITS, (f"{RUNNING}/netplan-eno1.nmconnection",), "NetworkManager"),
    ((UNITS[0],), (f"{RUNNING}/netplan-eno1.nmconnection",), "networkd"),
])
def test_the_back_end_is_the_one_that_has_the_network(cards, runs, files, renderer):
    """Of two that run, the one to which netplan has given it."""
    cards.write("/run/systemd/system/x", "")
    for path in files:
        cards.write(path, "")
    assert f"renderer: {renderer}\n" in run(cards, programs=Answers(*CARDS, running=runs))["diff"][0]["after"]


VIRTUAL = [{"name": "bond0", "members": ["x"], "mode": "802.3ad"}]
MANAGED = ({"renderer": "NetworkManager", "takeover": True}, RUNNING, "netplan-")


@pytest.mark.parametrize(("given", "folder", "prefix", "gone"), [
    (*MANAGED, ["x.nmconnection", "y.nmconnection"]),
    ({"provider": "nmstate", "takeover": True}, PROFILES, "", ["br9.nmconnection", "y.nmconnection"]),
])
def test_what_networkmanager_would_hold_to_is_taken_from_it(cards, given, folder, prefix, gone):
    """On the way back it finds neither addresses nor masters; with the change goes what no profile is for any more."""
    cards.write(f"{folder}/{prefix}bond0.nmconnection", profile("bond", "bond0", mode="active-backup"))
    cards.write(f"{folder}/{prefix}br9.nmconnection", profile("bridge", "br9"))
    cards.write(f"{PROFILES}/x.nmconnection", profile("ethernet", "eno1")).write(f"{PROFILES}/y.nmconnection", profile("802-3-ethernet", "eno2"))
    cards.write(f"{PROFILES}/z.nmconnection", profile("wifi", "wlan0"))
    cards.write("/etc/typeone/nmstate.yml", "interfaces:\n  - name: bond0\n  - name: br9\n")
    kinds = {"bond0": {"info_kind": "bond", "info_data": {"mode": "active-backup"}}, "br9": {"info_kind": "bridge"}}
    programs = Answers(*CARDS, *(link(name, LEFT, linkinfo=info) for name, info in kinds.items()))
    run(cards, check=False, programs=programs, bonds=VIRTUAL, ip=[{**IP[0], "interface": "bond0"}], **given)
    assert cards.read(f"{BASE}/pending/links").splitlines() == [
        "apply delete br9", "apply clear eno2", "rollback renew bond0", "rollback clear eno1", "rollback clear eno2"]
    assert [name for name in ("br9.nmconnection", "x.nmconnection", "y.nmconnection") if not cards.exists(f"{PROFILES}/{name}")
            and any(line.endswith(name) and line.startswith("keep") for line in cards.read(f"{BASE}/pending/files").splitlines())] == gone
    assert cards.exists(f"{PROFILES}/z.nmconnection")


def test_profiles_that_a_provider_writes_by_itself_go_on_the_way_back(host):
    """All that were there are kept, once: what a second transaction finds is the first one's doing."""
    host.write(f"{PROFILES}/eno1.nmconnection", "old")
    first = begin(host, {"/etc/typeone/nmstate.yml": "new"}, folders=(PROFILES,))
    assert kept(host) == ["/etc/typeone/nmstate.yml: None", f"{PROFILES}/eno1.nmconnection: old", f"{PROFILES}: None"]
    host.write(f"{PROFILES}/eno1.nmconnection", "new").write(f"{PROFILES}/br0.nmconnection", "new")
    begin(host, {"/etc/typeone/nmstate.yml": "newer", f"{PROFILES}/br0.nmconnection": None}, after=first, folders=(PROFILES,))
    assert kept(host) == ["/etc/typeone/nmstate.yml: None", f"{PROFILES}/eno1.nmconnection: old", f"{PROFILES}: None"]


def begin(host, paths: dict, after: str | None = None, **steps: tuple) -> str:
    """Begin a transaction that writes files, after one that is left over."""
    files = FileSet(host.root)
    for path, text in paths.items():
        files.want(path, text, mode=0o600)
    wanted = {"model": {}, "links": {}}
    return Transactions(host.root, Answers()).begin(files, Steps("true", "true", **steps), window=60, wanted=wanted, after=after)


def kept(host) -> list[str]:
    """What a transaction has saved, by path and text."""
    lines = [line.split(" ", 3) for line in host.read(f"{BASE}/pending/files").splitlines()]
    return [f"{path}: {host.read(f'{BASE}/pending/previous/{number}') if what == 'keep' else None}" for what, number, _mode, path in lines]


def test_a_transaction_that_continues_another_keeps_what_that_has_saved(host):
    """The state to go back to is the last one that was confirmed."""
    host.write("/etc/netplan/a.yaml", "old")
    first = begin(host, {"/etc/netplan/a.yaml": "new", "/etc/netplan/b.yaml": "b"}, forward=("delete br9",), back=("delete br0",))
    assert kept(host) == ["/etc/netplan/a.yaml: old", "/etc/netplan/b.yaml: None"] and host.read("/etc/netplan/a.yaml") == "new"
    host.write(f"{BASE}/pending/applied", "12.00")
    second = begin(host, {"/etc/netplan/a.yaml": "newer", "/etc/netplan/c.yaml": "c"}, after=first, back=("delete br0", "delete br1"))
    assert kept(host) == ["/etc/netplan/a.yaml: old", "/etc/netplan/b.yaml: None", "/etc/netplan/c.yaml: None"]
    assert host.read(f"{BASE}/pending/links").splitlines() == ["rollback delete br0", "rollback delete br1"]
    pending = Transactions(host.root, Answers()).pending()
    assert first != second == pending["id"] and pending["applied"] is None


@pytest.mark.parametrize(("changes", "endpoints", "began", "reason"), [
    ({"applied": ""}, "198.51.100.1 2000 192.0.2.10 22", 50.0, "the change has not been applied yet"),
    ({"applied": None}, "198.51.100.1 2000 192.0.2.10 22", 50.0, "the change has not been applied yet"),
    ({"failure": "status 1"}, "198.51.100.1 2000 192.0.2.10 22", 50.0, "status 1"),
    ({"back": True, "boot": "another"}, "198.51.100.1 2000 192.0.2.10 22", 50.0, "the host is putting the previous network back"),
    ({}, "198.51.100.1 2000 192.0.2.10 22", 50.0, None),
    ({}, "198.51.100.1 1000 192.0.2.10 22", 20.0, "this connection is older than the change"),
    ({}, "198.51.100.1 2000 192.0.2.10 22", 30.0, "this connection is older than the change"),
    ({}, "", 0.0, "this is no connection over the network"),
    ({"connection": ""}, "", 0.0, None),
    ({"boot": "another", "applied": None}, "198.51.100.1 2000 192.0.2.10 22", 1.0, None),
])
def test_only_a_connection_opened_after_the_change_proves_it(host, monkeypatch, changes, endpoints, began, reason):
    """And after a reboot any, since the network came up anew."""
    host.write("/proc/sys/kernel/random/boot_id", "this")
    pending = {"boot": "this", "applied": "30.00", "failure": None, "back": False, "connection": "198.51.100.1 1000 192.0.2.10 22", **changes}
    monkeypatch.setattr(Connection, "began", lambda _self: began)
    found = Transactions(host.root, Answers()).why_not(pending, Connection(endpoints, 1))
    assert (found or "").startswith(reason or "") and (found is None) is (reason is None)


def test_a_transaction_that_the_host_took_back_cannot_be_confirmed(host):
    """The time was up while the controller came."""
    begin(host, {"/etc/netplan/a.yaml": "new"})
    transactions = Transactions(host.root, Answers())
    pending = transactions.pending()
    transactions.confirm(pending)
    assert not host.exists(f"{BASE}/pending")
    with pytest.raises(HostError, match="the time was up, the previous network is back"):
        transactions.confirm(pending)


def test_a_change_that_was_planned_on_what_is_no_more_is_not_begun(host):
    """Another run began or ended one meanwhile, or the host took one back: nothing is written, and what is pending stays."""
    first = begin(host, {"/etc/netplan/a.yaml": "new"})
    for after in (None, "another"):
        with pytest.raises(HostError, match="another change of it began or ended while this one was planned. Nothing was changed"):
            begin(host, {"/etc/netplan/a.yaml": "newer"}, after=after)
    transactions = Transactions(host.root, Answers())
    assert host.read("/etc/netplan/a.yaml") == "new" and transactions.pending()["id"] == first
    transactions.confirm(transactions.pending())
    with pytest.raises(HostError, match="Nothing was changed"):
        begin(host, {"/etc/netplan/a.yaml": "newer"}, after=first)


def test_what_was_saved_for_a_change_that_never_began_is_not_what_another_goes_back_to(host):
    """The controller was lost before the change was on record."""
    host.write(f"{BASE}/pending/files", "keep 0 644 /etc/netplan/a.yaml\n").write(f"{BASE}/pending/previous/0", "of long ago")
    host.write("/etc/netplan/a.yaml", "old")
    begin(host, {"/etc/netplan/a.yaml": "new"})
    assert kept(host) == ["/etc/netplan/a.yaml: old"]


def test_a_change_that_takes_longer_to_write_than_there_is_time_is_not_called_begun(host):
    """The host has begun to take it back meanwhile."""
    class Slow(FileSet):
        """Files on a disk that is slow."""

        def write(self) -> list[str]:
            host.write(f"{BASE}/pending/back", "")
            return super().write()

    files = Slow(host.root)
    files.want("/etc/netplan/a.yaml", "new")
    with pytest.raises(HostError, match="longer than 60 s to write the change, which is taken back"):
        Transactions(host.root, Answers()).begin(files, Steps("true", "true"), window=60, wanted={})
    assert not host.exists("/etc/netplan/a.yaml")


def test_a_change_is_begun_anew_where_the_way_back_is_stuck(cards):
    """Although the files may be those of the model: that is what could not be put back."""
    assert run(cards, check=False)["changed"]
    assert run(cards)["diff"] == [] and run(cards)["network"]["confirmed"] is False
    cards.write(f"{BASE}/pending/back", "").write(f"{BASE}/result", "/etc/netplan/a.yaml could not be put back as it was")
    stuck = asked(cards, cards.read(f"{BASE}/pending/transaction.json").split('"')[3])
    assert stuck["back"] and stuck["reason"] == "/etc/netplan/a.yaml could not be put back as it was"
    before = cards.read(f"{BASE}/pending/transaction.json")
    run(cards, check=False)
    assert cards.read(f"{BASE}/pending/transaction.json") != before and not cards.exists(f"{BASE}/pending/back")


def test_owners_and_links_are_kept(host):
    """systemd-networkd reads files with secrets by its group; a link to /dev/null hides a file of the system."""
    host.write("/etc/systemd/network/10-x.network", "old")
    path = f"{host.root}/etc/systemd/network/10-x.network"
    owner = (0, 123) if os.geteuid() == 0 else (os.getuid(), os.getgid())
    os.chown(path, *owner)
    os.symlink("/dev/null", f"{host.root}/etc/systemd/network/80-y.network")
    begin(host, {"/etc/systemd/network/10-x.network": None, "/etc/systemd/network/80-y.network": None})
    lines = host.read(f"{BASE}/pending/files").splitlines()
    assert lines == ["keep 0 644 /etc/systemd/network/10-x.network", "link 1 - /etc/systemd/network/80-y.network"]
    done = os.stat(f"{host.root}{BASE}/pending/previous/0")
    assert (done.st_uid, done.st_gid) == owner
    script = host.read(SCRIPT).replace(BASE, host.root + BASE)
    host.write(f"{BASE}/pending/files", "\n".join(line.replace("/etc", f"{host.root}/etc") for line in lines) + "\n")
    part = script[: script.index('\nif [ "$1" = rollback ]')]
    subprocess.run(["sh", "-c", f"{part}\ntake_back", "sh", "rollback"], check=True, timeout=60)
    assert os.readlink(f"{host.root}/etc/systemd/network/80-y.network") == "/dev/null"
    assert (os.stat(path).st_uid, os.stat(path).st_gid) == owner and host.read("/etc/systemd/network/10-x.network") == "old"


def asked(host, transaction: str) -> dict:
    """What the host says of a change."""
    request = network.Request(state="confirmed", transaction=transaction, wait=0, root=host.root)
    return network.Network(request, Answers()).run(check=False)["network"]


def test_only_the_host_that_began_a_change_confirms_it(host):
    """Another one that has the address must not pass for it, be a change of its own pending or not."""
    assert not asked(host, "1234")["confirmed"]
    identity = begin(host, {"/etc/netplan/a.yaml": "new"})
    said = asked(host, "1234")
    assert (said["confirmed"], said["pending"]) == (False, False) and "the host that answers is another one" in said["reason"]
    transactions = Transactions(host.root, Answers())
    transactions.confirm(transactions.pending())
    assert asked(host, identity)["confirmed"] and not asked(host, "1234")["confirmed"]


def test_a_connection_is_found_past_a_change_of_user():
    """The process above the first with the variable is the daemon's; below, the variable may be gone."""
    script = "import os, subprocess, sys; subprocess.run([sys.executable, '-c', sys.argv[1]], env={'PYTHONPATH': os.environ['PYTHONPATH']}, check=True)"
    inner = ("from ansible_collections.typeone.metal.plugins.module_utils._host.connection import Connection\n"
             "c = Connection.current(); print(c.endpoints, c.client, c.server, c.pid, c.began() > 0)")
    environment = {**os.environ, "SSH_CONNECTION": "198.51.100.1 2000 192.0.2.10 22", "PYTHONPATH": os.pathsep.join(sys.path)}
    done = subprocess.run([sys.executable, "-c", script, inner], env=environment, check=True, capture_output=True, text=True, timeout=60)
    assert done.stdout.split() == ["198.51.100.1", "2000", "192.0.2.10", "22", "198.51.100.1", "192.0.2.10", str(os.getpid()), "True"]
