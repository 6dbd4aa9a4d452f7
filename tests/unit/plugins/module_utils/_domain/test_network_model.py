# Copyright: (c) 2026, typeone.metal contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The model of a host's network: what it takes, and what it refuses, each in one row."""

from __future__ import annotations

import copy

import pytest
from ansible_collections.typeone.metal.plugins.module_utils._domain.network_bonds import OPTIONS, OVS_OPTIONS, bond_options
from ansible_collections.typeone.metal.plugins.module_utils._domain.network_checks import Management, check_model
from ansible_collections.typeone.metal.plugins.module_utils._domain.network_model import BOND_MODES, parse_model

WHOLE = {
    "interfaces": [
        {"name": "left", "mac": "52-54-00-00-00-01"},
        {"name": "right", "pci_address": "0000:3B:00.1"},
        {"name": "third", "switch": "leaf1", "switch_port": "Ethernet1/7", "mtu": 9000},
        {"name": "fourth", "mac": "52:54:00:00:00:04"},
    ],
    "bonds": [{"name": "bond0", "members": ["left", "right"], "mode": "802.3ad", "mtu": 9000, "options": {"lacp_rate": "fast"}}],
    "vlans": [{"name": "storage", "id": 30, "link": "bond0", "mtu": 9000}],
    "bridges": [{"name": "br0", "members": ["bond0"], "mtu": 1500}, {"name": "ovs0", "members": ["third"], "openvswitch": True}],
    "ip": [
        {"interface": "br0", "addresses": ["192.0.2.10/24", "2001:db8::10/64"], "dns": ["192.0.2.53"],
         "routes": [{"to": "default", "via": "192.0.2.1"}, {"to": "default", "via": "2001:db8::1"}, {"to": "203.0.113.0/24", "via": "192.0.2.2"}]},
        {"interface": "ovs0", "dhcp4": True},
    ],
}
LAST = object()


def with_(path: tuple, value) -> dict:
    """The whole model with one thing changed; LAST as a place appends."""
    model = copy.deepcopy(WHOLE)
    model["vlans"] = [] if path[0] == "bridges" else [{"name": "storage", "id": 30, "link": "fourth"}]
    place = model
    for key in path[:-1]:
        place = place[key]
    if path[-1] is LAST:
        place.append(value)
    else:
        place[path[-1]] = value
    return model


def test_a_whole_model_is_taken():
    """Everything at once, but for a VLAN on what is in a bridge."""
    assert check_model(parse_model(with_(("vlans", 0, "mtu"), 1500))) == []


def test_what_is_written_in_several_ways_is_one():
    """Addresses in the forms of the kernel; the MTU of a bond is its members'."""
    model = parse_model(WHOLE)
    assert model.nics[0].mac == "52:54:00:00:00:01" and model.nics[1].pci_address == "0000:3b:00.1"
    assert [model.mtu(name) for name in ("left", "right", "third", "fourth", "br0")] == [9000, 9000, 9000, 1500, 1500]


ROWS = [
    (("interfaces", 0, "mac"), "52:54:00", "mac of interface left is '52:54:00', not an address such as"),
    (("interfaces", 1, "pci_address"), "3b:00", "pci_address of interface right is '3b:00'"),
    (("interfaces", 0, "pci_address"), "0000:3b:00.0", "interface left needs one of mac, pci_address and switch_port"),
    (("interfaces", LAST), {"name": "x"}, "interface x needs one of"),
    (("interfaces", LAST), {"name": "left", "mac": "52:54:00:00:00:05"}, "the name 'left' is given twice"),
    (("interfaces", LAST), {"name": "x", "mac": "52:54:00:00:00:01"}, "two interfaces are matched by the same"),
    (("bonds", 0, "name"), "a/b", "'a/b' cannot be the name of a bond"),
    (("bonds", 0, "name"), "sixteencharacter", "cannot be the name of a bond: up to 15"),
    (("bonds", 0, "members"), [], "bond bond0 has no members"),
    (("bonds", 0, "members"), ["left", "left"], "bond bond0 lists left twice"),
    (("bonds", 0, "members"), ["left", "nobody"], "bond bond0 has the member 'nobody', which is nowhere"),
    (("bonds", 0, "members"), ["left", "storage"], "bond bond0 cannot have the vlan storage as a member"),
    (("bonds", LAST), {"name": "bond1", "members": ["left"]}, "left is a member of bond bond0 and of bond bond1"),
    (("bonds", 0, "mode"), "lacp", "the mode of bond bond0 is 'lacp', not one of balance-rr"),
    (("bonds", 0, "mode"), "active-backup", "lacp_rate of bond bond0 is of no use in mode active-backup (but in 802.3ad)"),
    (("bonds", 0, "options"), {"lacp": "fast"}, "bond bond0 has no option 'lacp'; there are lacp_rate"),
    (("bonds", 0, "options"), {"lacp_rate": "often"}, "lacp_rate of bond bond0 is 'often', not one of slow, fast"),
    (("bonds", 0, "options"), {"min_links": "two"}, "min_links of bond bond0 is 'two', not a number"),
    (("bonds", 0, "options"), {"arp_interval": 100}, "arp_interval of bond bond0 is of no use in mode 802.3ad"),
    (("bonds", LAST), {"name": "bond1", "members": ["fourth"], "options": {"primary": "left"}}, "'left', is not one of its members"),
    (("bonds", LAST), {"name": "bond1", "members": ["fourth"], "options": {"arp_interval": 100}}, "arp_interval and arp_ip_target of bond bond1 need"),
    (("bonds", LAST), {"name": "bond1", "members": ["fourth"], "options": {"arp_interval": 1, "arp_ip_target": ["192.0.2.1"], "miimon": 1}}, "either by"),
    (("bonds", LAST), {"name": "bond1", "members": ["fourth"], "openvswitch": True}, "must be a member of a bridge of Open vSwitch"),
    (("bonds", LAST), {"name": "bond1", "members": ["fourth"], "openvswitch": True}, "bond1 of Open vSwitch needs two members"),
    (("bonds", LAST), {"name": "bond1", "members": ["fourth"], "openvswitch": True, "mode": "balance-tcp"}, "needs lacp: active or passive"),
    (("bonds", LAST), {"name": "bond1", "members": ["fourth"], "openvswitch": True, "mode": "802.3ad"}, "not one of active-backup, balance-slb"),
    (("vlans", 0, "id"), 0, "the id of VLAN storage is 0, not 1 to 4094"),
    (("vlans", 0, "id"), 4095, "the id of VLAN storage is 4095, not 1 to 4094"),
    (("vlans", 0, "link"), "nobody", "VLAN storage is on 'nobody', which is nowhere"),
    (("vlans", 0, "link"), "left", "VLAN storage is on left, which is a member of bond bond0: put it on that"),
    (("vlans", LAST), {"name": "other", "id": 30, "link": "fourth"}, "two VLANs have id 30 on fourth"),
    (("vlans", LAST), {"name": "inner", "id": 31, "link": "storage"}, "tags in tags are not supported"),
    (("vlans", 0, "mtu"), 9000, "the MTU of storage is 9000, more than the 1500 of fourth under it"),
    (("bridges", 0, "mtu"), 9216, "the MTU of br0 is 9216, more than the 9000 of bond0 under it"),
    (("bridges", 0, "members"), ["bond0", "ovs0"], "bridge br0 cannot have the bridge ovs0 as a member"),
    (("bridges", 0, "mtu"), 60, "the MTU of br0 is 60, not 68 to 65535"),
    (("bridges", 0, "mtu"), 1000, "br0 has IPv6 and an MTU of 1000; IPv6 needs 1280"),
    (("interfaces", 0, "mtu"), 1500, "the MTU of left is 1500, but its bond bond0 gives it 9000"),
    (("ip", LAST), {"interface": "nobody", "dhcp4": True}, "ip names 'nobody', which is nowhere"),
    (("ip", LAST), {"interface": "left", "dhcp4": True}, "left is a member of bond bond0: addresses belong on that"),
    (("ip", LAST), {"interface": "br0", "dhcp4": True}, "ip lists br0 twice"),
    (("ip", LAST), {"interface": "fourth", "addresses": ["192.0.2.10/16"]}, "the address 192.0.2.10 is given twice"),
    (("ip", LAST), {"interface": "fourth", "addresses": ["198.51.100.0/24"]}, "198.51.100.0/24 is the network or the broadcast address"),
    (("ip", LAST), {"interface": "fourth", "addresses": ["224.0.0.1/24"]}, "224.0.0.1/24 cannot be an address of a host"),
    (("ip", 0, "routes"), [{"to": "default"}], "the route to default on br0 has no gateway"),
    (("ip", 0, "routes"), [{"to": "default", "via": "198.51.100.1"}], "via 198.51.100.1, which is in no network of br0"),
    (("ip", 0, "routes"), [{"to": "default", "via": "192.0.2.10"}], "via 192.0.2.10, an address of this host"),
    (("ip", 0, "routes"), [{"to": "203.0.113.0/24", "via": "2001:db8::1"}], "an address of the other family"),
    (("ip", 0, "routes"), [{"to": "default", "via": "192.0.2.1"}, {"to": "default", "via": "192.0.2.2"}], "two routes lead to 0.0.0.0/0"),
]


@pytest.mark.parametrize(("path", "value", "problem"), ROWS, ids=[row[2][:60] for row in ROWS])
def test_what_cannot_be_is_refused(path, value, problem):
    """In words that name it."""
    problems = check_model(parse_model(with_(path, value)))
    assert any(problem in text for text in problems), problems


@pytest.mark.parametrize(("item", "problem"), [
    ({"interface": "br0", "addresses": ["192.0.2.300/24"]}, "addresses of br0"),
    ({"interface": "br0", "dns": ["name.example"]}, "dns of br0"),
    ({"interface": "br0", "routes": [{"to": "192.0.2.1/24"}]}, "routes of br0"),
])
def test_what_cannot_be_read_is_refused(item, problem):
    """With the place."""
    with pytest.raises(ValueError, match=problem):
        parse_model({"ip": [item]})


@pytest.mark.parametrize(("management", "problem"), [
    (Management(), None),
    (Management("192.0.2.10", "192.0.2.1"), None),
    (Management("192.0.2.10", "198.51.100.77"), None),  # by the default route
    (Management("2001:db8::10", "2001:db8:1::1"), None),
    (Management("192.0.2.11", "192.0.2.1"), "the controller comes to 192.0.2.11, which nothing in the model has"),
    (Management("192.0.2.11", "192.0.2.1", "third"), None),  # DHCP on the bridge that has the card
    (Management("192.0.2.11", "192.0.2.1", "left"), "the management interface is lost"),
])
def test_management_is_not_lost(management, problem):
    """The address that the controller comes to stays, and a way back."""
    problems = check_model(parse_model(with_(("vlans", 0, "mtu"), 1500)), management)
    assert (problem is None and not problems) or problem in problems[0]


def test_a_way_back_to_the_controller_is_needed():
    """The address alone is not enough."""
    model = with_(("ip", 0, "routes"), [])
    model["ip"].pop()
    assert "leads back to the controller at 198.51.100.77" in check_model(parse_model(model), Management("192.0.2.10", "198.51.100.77"))[0]


@pytest.mark.parametrize("mode", BOND_MODES)
def test_each_mode_takes_its_options(mode):
    """Every option in every mode that has it; links are always watched."""
    samples = {int: 3, list: ["192.0.2.1"], bool: True, str: "left"}
    exclusive = {"arp_interval", "arp_ip_target"}
    options = {
        name: option.choices[0] if option.choices else samples[option.type]
        for name, option in OPTIONS.items() if mode in option.modes and name not in exclusive
    }
    bond = {"name": "bond0", "members": ["left", "right"], "mode": mode, "options": options}
    model = parse_model({**WHOLE, "vlans": [], "bonds": [bond], "bridges": [], "ip": []})
    assert check_model(model) == []
    assert bond_options(model.bonds[0])["miimon"] == 3
    assert bond_options(parse_model({"bonds": [{**bond, "options": {}}]}).bonds[0]) == {"miimon": 100}


def test_open_vswitch_has_options_of_its_own():
    """LACP, and no watching of links."""
    bond = {"name": "bond0", "members": ["left", "right"], "mode": "balance-tcp", "openvswitch": True, "options": {"lacp": "active"}}
    bridge = {"name": "ovs0", "members": ["bond0"], "openvswitch": True}
    model = parse_model({**WHOLE, "vlans": [], "bonds": [bond], "bridges": [bridge], "ip": []})
    assert check_model(model) == [] and bond_options(model.bonds[0]) == {"lacp": "active"} and set(OVS_OPTIONS) == {"lacp"}
