# Copyright: (c) 2026, typeone.metal contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Rendering to netplan, what the kernel lacks of a model, and what switches say."""

from __future__ import annotations

import dataclasses

import pytest
import yaml
from ansible_collections.typeone.metal.plugins.module_utils._domain.lldp import (
    parse_frame,
    parse_frames,
    parse_lldpctl,
    parse_networkctl,
)
from ansible_collections.typeone.metal.plugins.module_utils._domain.netplan import render
from ansible_collections.typeone.metal.plugins.module_utils._domain.network_model import parse_model
from ansible_collections.typeone.metal.plugins.module_utils._domain.network_state import Seen, missing, redefined, replaced
from ansible_collections.typeone.metal.plugins.module_utils._domain.plain_yaml import to_yaml


def found(options: dict):
    """A model whose cards are found: the first is a real card, all others are ends in a container."""
    model = parse_model({"interfaces": [{"name": "left", "mac": "52:54:00:00:00:01"}, {"name": "right", "mac": "52:54:00:00:00:02"}], **options})
    first, *others = model.nics
    first = dataclasses.replace(first, link="eno1", permanent_mac=first.mac)
    return model.with_nics((first, *(dataclasses.replace(nic, link="host0") for nic in others)))


OFF = {"dhcp4": False, "dhcp6": False, "accept-ra": False}
BOND = {"name": "bond0", "members": ["left", "right"], "mode": "active-backup", "options": {"primary": "right"}}


@pytest.mark.parametrize(("options", "section", "expected"), [
    ({}, "ethernets", {"eno1": {"match": {"macaddress": "52:54:00:00:00:01"}, "set-name": "eno1", **OFF}, "host0": OFF}),
    ({"bonds": [BOND]}, "bonds", {"bond0": {"interfaces": ["eno1", "host0"], **OFF, "parameters": {
        "mode": "active-backup", "mii-monitor-interval": 100, "primary": "host0"}}}),
    ({"bonds": [{**BOND, "options": {"arp_interval": "500", "arp_ip_target": ["192.0.2.1"]}}]}, "bonds", {"bond0": {
        "interfaces": ["eno1", "host0"], **OFF,
        "parameters": {"mode": "active-backup", "arp-interval": 500, "arp-ip-targets": ["192.0.2.1"]}}}),
    ({"bonds": [{**BOND, "mode": "balance-tcp", "openvswitch": True, "options": {"lacp": "active"}}]}, "bonds", {"bond0": {
        "interfaces": ["eno1", "host0"], **OFF, "parameters": {"mode": "balance-tcp"}, "openvswitch": {"lacp": "active"}}}),
    ({"vlans": [{"name": "v30", "id": 30, "link": "right", "mtu": 1400}]}, "vlans", {"v30": {"id": 30, "link": "host0", "mtu": 1400, **OFF}}),
    ({"bridges": [{"name": "br0", "members": ["left"]}]}, "bridges", {"br0": {
        "interfaces": ["eno1"], "parameters": {"stp": False, "forward-delay": 0}, **OFF}}),
    ({"bridges": [{"name": "br0", "stp": True, "priority": 4096}]}, "bridges", {"br0": {
        "interfaces": [], "parameters": {"stp": True, "priority": 4096}, **OFF}}),
    ({"bridges": [{"name": "br0", "members": ["left"], "openvswitch": True}]}, "bridges", {"br0": {
        "interfaces": ["eno1"], "openvswitch": {"rstp": False}, **OFF}}),
    ({"ip": [{"interface": "right", "dhcp4": True, "accept_ra": True, "dns": ["192.0.2.53"], "search": ["on"]}]}, "ethernets", {
        "eno1": {"match": {"macaddress": "52:54:00:00:00:01"}, "set-name": "eno1", **OFF},
        "host0": {"dhcp4": True, "dhcp6": False, "accept-ra": True, "dhcp-identifier": "mac",
                  "nameservers": {"addresses": ["192.0.2.53"], "search": ["on"]}}}),
])
def test_each_kind_is_rendered(options, section, expected):
    """Read back by an independent reader of YAML."""
    network = yaml.safe_load(render(found(options), renderer="networkd"))["network"]
    assert (network["version"], network["renderer"]) == (2, "networkd")
    assert network[section] == expected


def test_routes_are_rendered():
    """Both families' defaults, a route without gateway, a metric, a gateway that is no neighbour."""
    routes = [{"to": "default", "via": "192.0.2.1", "metric": 50}, {"to": "default", "via": "2001:db8::1", "on_link": True}, {"to": "198.51.100.0/24"}]
    network = yaml.safe_load(render(found({"ip": [{"interface": "right", "addresses": ["192.0.2.10/24"], "routes": routes}]}), renderer="networkd"))
    assert network["network"]["ethernets"]["host0"]["routes"] == [
        {"to": "0.0.0.0/0", "via": "192.0.2.1", "metric": 50},
        {"to": "::/0", "via": "2001:db8::1", "on-link": True},
        {"to": "198.51.100.0/24", "scope": "link"},
    ]


@pytest.mark.parametrize(("ip", "words"), [
    (None, {"ipv4.method": "disabled", "ipv6.method": "link-local"}),
    ({"addresses": ["192.0.2.10/24"]}, {"ipv6.method": "link-local"}),
    ({"addresses": ["2001:db8::10/64"]}, {"ipv4.method": "disabled"}),
    ({"dhcp4": True, "accept_ra": True}, None),
])
def test_networkmanager_is_told_what_is_off(ip, words):
    """It would take addresses of the link; a member has no addresses anyway."""
    options = {"bonds": [BOND], **({"ip": [{"interface": "bond0", **ip}]} if ip else {})}
    network = yaml.safe_load(render(found(options), renderer="NetworkManager"))["network"]
    assert network["bonds"]["bond0"].get("networkmanager") == ({"passthrough": words} if words else None)
    assert not any("networkmanager" in nic for nic in network["ethernets"].values())


def test_members_get_the_mtu_of_their_bond():
    """Whichever renderer it is."""
    network = yaml.safe_load(render(found({"bonds": [{**BOND, "mtu": 9000}]}), renderer="NetworkManager"))["network"]
    assert [network[kind][name]["mtu"] for kind, name in (("ethernets", "eno1"), ("ethernets", "host0"), ("bonds", "bond0"))] == [9000] * 3


@pytest.mark.parametrize("value", [
    {"a": {"b": [1, "yes", {"c": [], "d": {"e": None}}], "f": True}, "0123": "1:30", "x y": "#no: comment", "off": "~", "list": [["a"], "b-c", "-"]},
    {"text": "line\nline \"quoted\" 'so' \\ ü", "empty": "", "numbers": ["1e3", "0x10", "1_000", 5]},
])
def test_yaml_is_read_as_it_was_meant(value):
    """Nothing turns into a number or a truth value."""
    assert yaml.safe_load(to_yaml(value)) == value


def seen(**changes) -> Seen:
    """What the kernel has once the model below is there."""
    links = {
        "eno1": {"flags": ["UP"], "mtu": 9000, "master": "bond0"},
        "host0": {"flags": ["UP"], "mtu": 9000, "master": "bond0"},
        "bond0": {"flags": ["UP"], "mtu": 9000, "linkinfo": {"info_kind": "bond", "info_data": {"mode": "active-backup"}},
                  "addr_info": [{"local": "192.0.2.10", "prefixlen": 24}, {"local": "2001:db8::10", "prefixlen": 64}]},
        "v30": {"flags": ["UP"], "mtu": 1500, "link": "bond0", "linkinfo": {"info_kind": "vlan", "info_data": {"id": 30}}},
    }
    routes = ({"dst": "default", "gateway": "192.0.2.1", "dev": "bond0"}, {"dst": "default", "gateway": "2001:db8::1", "dev": "bond0"},
              {"dst": "203.0.113.7", "gateway": "192.0.2.2", "dev": "bond0"})
    for path, value in changes.items():
        name, _sign, key = path.partition("__")
        links[name] = {**links[name], key: value} if key else value
    return Seen({name: link for name, link in links.items() if link}, routes, {"ovs0": ["eno1"]}, {"v30": 30})


THERE = {
    "bonds": [{**BOND, "mtu": 9000}], "vlans": [{"name": "v30", "id": 30, "link": "bond0"}],
    "ip": [{"interface": "bond0", "addresses": ["192.0.2.10/24", "2001:db8::10/64"], "routes": [
        {"to": "default", "via": "192.0.2.1"}, {"to": "default", "via": "2001:db8::1"}, {"to": "203.0.113.7/32", "via": "192.0.2.2"}]}],
}

OVS = {"info_kind": "openvswitch"}
TAGGED = {"bridges": [{"name": "ovs0", "members": ["left"], "openvswitch": True}], "vlans": [{"name": "v30", "id": 30, "link": "ovs0"}]}


@pytest.mark.parametrize(("model", "state", "lacking"), [
    (THERE, seen(), []),
    (THERE, seen(bond0__addr_info=[{"local": "2001:db8::10", "prefixlen": 64}]), ["bond0 has not the address 192.0.2.10/24"]),
    (THERE, seen(host0__addr_info=[{"local": "192.0.2.10", "prefixlen": 24}]), ["the address 192.0.2.10/24 is on host0 too"]),
    (THERE, seen(bond0__flags=["UP", "NO-CARRIER"], bond0__addr_info=[]), []),
    (THERE, seen(host0__master=None), ["host0 is in no other link, not in bond0"]),
    (THERE, seen(bond0__mtu=1500), ["the MTU of bond0 is 1500, not 9000"]),
    (THERE, seen(bond0__linkinfo={"info_kind": "bond", "info_data": {"mode": "802.3ad"}}), ["the mode of bond bond0 is 802.3ad, not active-backup"]),
    (THERE, seen(v30__linkinfo={"info_kind": "vlan", "info_data": {"id": 31}}), ["the id of VLAN v30 is 31, not 30"]),
    (THERE, seen(v30__link="eno1"), ["VLAN v30 is on eno1, not on bond0"]),
    (THERE, seen(v30=None), ["there is no vlan v30"]),
    ({**THERE, "ip": [{"interface": "bond0", "routes": [{"to": "default", "via": "192.0.2.9"}]}]}, seen(), ["there is no route to default via 192.0.2.9"]),
    ({"bridges": [{"name": "ovs0", "members": ["left", "right"], "openvswitch": True}]},
     seen(eno1__master="ovs-system", host0__master="ovs-system"), ["host0 is no port of bridge ovs0"]),
    (TAGGED, seen(eno1__master="ovs-system", host0__master=None, v30__linkinfo=OVS), []),
    # What systemd-networkd did not take for its own, although Open vSwitch made it.
    (TAGGED, seen(eno1__master="ovs-system", host0__master=None, v30__linkinfo=OVS, v30__flags=[]), ["v30 is down"]),
    ({**TAGGED, "vlans": [{**TAGGED["vlans"][0], "id": 31}]}, seen(eno1__master="ovs-system", host0__master=None, v30__linkinfo=OVS),
     ["the id of VLAN v30 of Open vSwitch is 30, not 31"]),
    ({"bridges": [{"name": "ovs1", "openvswitch": True}]}, seen(eno1__master=None, host0__master=None), ["there is no bridge ovs1 of Open vSwitch"]),
])
def test_what_the_kernel_lacks_is_told(model, state, lacking):
    """In words, and nothing else."""
    assert missing(found(model), state) == lacking


def test_a_bond_of_the_kernel_is_none_of_open_vswitch():
    """It would keep the members: it is told, and goes with the change."""
    model = found({"bonds": [{**BOND, "openvswitch": True}], "bridges": [{"name": "ovs0", "members": ["bond0"], "openvswitch": True}]})
    assert "the kind of bond bond0 is bond, not of Open vSwitch, where it is no link" in missing(model, seen())
    assert redefined(model, seen()) == replaced(model, seen()) == {"bond0"}
    there = seen(bond0=None, v30=None, eno1__master="ovs-system", host0__master="ovs-system")
    assert redefined(model, there) == set()
    assert missing(model, there) == ["bond0 is no port of bridge ovs0", "host0 is no port of bridge ovs0"]


@pytest.mark.parametrize(("model", "kind", "problem"), [
    (TAGGED, "vlan", "the kind of vlan v30 is vlan, not openvswitch or tun"),
    ({"vlans": [{"name": "v30", "id": 30, "link": "bond0"}], "bonds": [BOND]}, "openvswitch", "the kind of vlan v30 is openvswitch, not vlan"),
    ({"bridges": [{"name": "v30", "openvswitch": True}]}, "bridge", "the kind of bridge v30 is bridge, not openvswitch or tun"),
    ({"bridges": [{"name": "v30"}]}, "openvswitch", "the kind of bridge v30 is openvswitch, not bridge"),
])
def test_a_name_is_taken_from_a_link_of_another_kind(model, kind, problem):
    """systemd-networkd and Open vSwitch refuse a name that the other has."""
    state = seen(v30__linkinfo={"info_kind": kind})
    assert problem in missing(found(model), state) and replaced(found(model), state) == {"v30"}


def tlv(kind: int, value: bytes) -> bytes:
    """An element of a frame."""
    return (kind << 9 | len(value)).to_bytes(2, "big") + value


FRAME = bytes(14) + tlv(1, b"\x04\x52\x54\x00\xaa\xbb\xcc") + tlv(2, b"\x05Ethernet1/7") + tlv(3, b"\0\x78") + tlv(4, b"to host 5") + tlv(5, b"leaf1")


@pytest.mark.parametrize(("port", "switch", "is_it"), [
    ("Ethernet1/7", None, True), ("ethernet1/7", "LEAF1", True), ("to host 5", "52:54:00:aa:bb:cc", True),
    ("Ethernet1/70", None, False), ("Ethernet1/7", "leaf2", False),
])
def test_a_switch_port_is_known_by_its_words(port, switch, is_it):
    """Id or description, name or chassis."""
    assert parse_frame(FRAME + tlv(0, b"")).is_port(port, switch) is is_it


@pytest.mark.parametrize("length", range(0, len(FRAME), 7))
def test_a_frame_that_is_cut_off_loses_only_its_end(length):
    """No exception, nothing invented."""
    whole, part = parse_frame(FRAME), parse_frame(FRAME[:length])
    assert set(part.switches) <= set(whole.switches) and set(part.ports) <= set(whole.ports)


def test_neighbours_are_read_from_both_daemons():
    """systemd-networkd's file of frames and its answer, and lldpd's answer."""
    data = b"".join(len(frame).to_bytes(8, "little") + frame for frame in (FRAME, bytes(14) + tlv(2, b"\x07p2")))
    assert [neighbour.ports for neighbour in parse_frames(data)] == [("Ethernet1/7", "to host 5"), ("p2",)]
    answer = {"lldp": [{"interface": [{
        "name": "eno1", "chassis": [{"id": [{"type": "mac", "value": "52:54:00:aa:bb:cc"}], "name": [{"value": "leaf1"}]}],
        "port": [{"id": [{"type": "ifname", "value": "Ethernet1/7"}], "descr": [{"value": "to host 5"}]}]}]}]}
    assert parse_lldpctl(answer) == {"eno1": [parse_frame(FRAME)]}
    assert parse_lldpctl({}) == parse_lldpctl({"lldp": [{}]}) == {}
    answer = {"Neighbors": [{"InterfaceName": "eno1", "Neighbors": [{
        "ChassisID": "52:54:00:aa:bb:cc", "PortID": "Ethernet1/7", "PortDescription": "to host 5", "SystemName": "leaf1"}]}]}
    assert parse_networkctl(answer) == {"eno1": [parse_frame(FRAME)]}
    assert parse_networkctl({}) == parse_networkctl({"Neighbors": [{}]}) == {}
