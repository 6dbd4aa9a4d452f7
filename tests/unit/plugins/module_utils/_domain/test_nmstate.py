# Copyright: (c) 2026, typeone.metal contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Rendering to nmstate, and what nmstate has no words for."""

from __future__ import annotations

import dataclasses

import pytest
import yaml
from ansible_collections.typeone.metal.plugins.module_utils._domain.network_model import parse_model
from ansible_collections.typeone.metal.plugins.module_utils._domain.nmstate import refused, render, rendered_links

OFF = {"ipv4": {"enabled": False}, "ipv6": {"enabled": False}}
BOND = {"name": "bond0", "members": ["left", "right"], "mode": "active-backup", "options": {"primary": "right"}}
OVS = {"name": "ovs0", "members": ["left"], "openvswitch": True}


def found(options: dict):
    """A model whose cards are found."""
    model = parse_model({"interfaces": [{"name": "left", "mac": "52:54:00:00:00:01"}, {"name": "right", "mac": "52:54:00:00:00:02"}], **options})
    return model.with_nics(tuple(dataclasses.replace(nic, link=link) for nic, link in zip(model.nics, ("eno1", "eno2"))))


def state(options: dict) -> dict:
    """What is rendered, read back by an independent reader of YAML."""
    return yaml.safe_load(render(found(options)))


def entry(kind: str, name: str, *, mtu: int = 1500, **given) -> dict:
    """An interface that has no addresses."""
    return {"name": name, "type": kind, "state": "up", "mtu": mtu, **OFF, **given}


def bond(mode: str = "active-backup", **options) -> dict:
    """The bond's own part."""
    return {"link-aggregation": {"mode": mode, "options": options, "port": ["eno1", "eno2"]}}


@pytest.mark.parametrize(("options", "expected"), [
    ({}, [entry("ethernet", "eno1"), entry("ethernet", "eno2")]),
    ({"bonds": [{**BOND, "mtu": 9000}]}, [
        entry("ethernet", "eno1", mtu=9000), entry("ethernet", "eno2", mtu=9000),
        entry("bond", "bond0", mtu=9000, **bond(miimon=100, primary="eno2"))]),
    ({"bonds": [{**BOND, "options": {"arp_interval": "500", "arp_ip_target": ["192.0.2.1", "192.0.2.2"], "all_slaves_active": True}}]}, [
        entry("bond", "bond0", **bond(arp_interval=500, arp_ip_target="192.0.2.1,192.0.2.2", all_slaves_active="delivered"))]),
    ({"vlans": [{"name": "v30", "id": 30, "link": "right", "mtu": 1400}]}, [
        entry("vlan", "v30", mtu=1400, vlan={"base-iface": "eno2", "id": 30})]),
    ({"bridges": [{"name": "br0", "members": ["left"]}]}, [
        entry("linux-bridge", "br0", bridge={"options": {"stp": {"enabled": False}}, "port": [{"name": "eno1"}]})]),
    ({"bridges": [{"name": "br0", "stp": True, "priority": 4096, "forward_delay": 4}]}, [
        entry("linux-bridge", "br0", bridge={"options": {"stp": {"enabled": True, "priority": 4096, "forward-delay": 4}}, "port": []})]),
    ({"bridges": [{**OVS, "members": ["left", "bond0"]}], "bonds": [{**BOND, "members": ["right", "right2"], "mode": "balance-slb", "openvswitch": True}],
      "vlans": [{"name": "v30", "id": 30, "link": "ovs0"}]}, [
        {"name": "ovs0", "type": "ovs-bridge", "state": "up", "bridge": {"options": {"rstp": False}, "port": [
            {"name": "eno1"}, {"name": "bond0", "link-aggregation": {"mode": "balance-slb", "port": [{"name": "eno2"}, {"name": "right2"}]}},
            {"name": "ovs0"}, {"name": "v30", "vlan": {"mode": "access", "tag": 30}}]}},
        entry("ovs-interface", "ovs0"), entry("ovs-interface", "v30")]),
])
def test_each_kind_is_rendered(options, expected):
    """And nothing but the cards beside it."""
    made = [item for item in state(options)["interfaces"] if item["type"] != "ethernet"]
    cards = [item for item in expected if item["type"] == "ethernet"]
    assert sorted(made, key=str) == sorted((item for item in expected if item not in cards), key=str)
    assert all(card in state(options)["interfaces"] for card in cards)


def test_addresses_routes_and_name_servers_are_rendered():
    """What an interface had of routes is taken away first; name servers are the host's."""
    routes = [{"to": "default", "via": "192.0.2.1", "metric": 50}, {"to": "default", "via": "2001:db8::1"}, {"to": "198.51.100.0/24"}]
    ip = [{"interface": "left", "addresses": ["192.0.2.10/24", "2001:db8::10/64"], "routes": routes, "dns": ["192.0.2.53"], "search": ["example.org"]},
          {"interface": "right", "dhcp4": True, "dhcp6": True, "accept_ra": True, "dns": ["192.0.2.53", "192.0.2.54"]}]
    left, right = state({"ip": ip})["interfaces"]
    assert left["ipv4"] == {"enabled": True, "dhcp": False, "address": [{"ip": "192.0.2.10", "prefix-length": 24}]}
    assert left["ipv6"] == {"enabled": True, "dhcp": False, "autoconf": False, "address": [{"ip": "2001:db8::10", "prefix-length": 64}]}
    assert right["ipv4"] == {"enabled": True, "dhcp": True, "address": [], "auto-dns": False} and right["ipv6"]["autoconf"]
    assert state({"ip": ip})["routes"]["config"] == [
        {"next-hop-interface": "eno1", "state": "absent"},
        {"destination": "0.0.0.0/0", "next-hop-interface": "eno1", "next-hop-address": "192.0.2.1", "metric": 50},
        {"destination": "::/0", "next-hop-interface": "eno1", "next-hop-address": "2001:db8::1"},
        {"destination": "198.51.100.0/24", "next-hop-interface": "eno1"},
        {"next-hop-interface": "eno2", "state": "absent"},
    ]
    assert state({"ip": ip})["dns-resolver"] == {"config": {"server": ["192.0.2.53", "192.0.2.54"], "search": ["example.org"]}}


def test_what_was_rendered_is_known_again():
    """By its names, odd ones among them; a bridge's ports are not its interfaces."""
    text = render(found({"bridges": [{"name": "br.0", "members": ["left"]}, OVS], "vlans": [{"name": "0", "id": 3, "link": "right"}]}))
    assert rendered_links(text) == ["eno1", "eno2", "0", "br.0", "ovs0"] and rendered_links("") == []


@pytest.mark.parametrize(("options", "problems"), [
    ({"ip": [{"interface": "left", "addresses": ["192.0.2.10/24"], "dhcp6": True, "accept_ra": True}]}, []),
    ({"ip": [{"interface": "left", "accept_ra": True}]}, ["accept_ra of left without dhcp6 is nothing that nmstate has: set dhcp6 too"]),
    ({"ip": [{"interface": "left", "addresses": ["192.0.2.10/24"], "dhcp4": True}]}, ["nmstate gives left either addresses or dhcp4, not both"]),
    ({"ip": [{"interface": "left", "routes": [{"to": "default", "via": "192.0.2.1", "on_link": True}]}]},
     ["on_link of the route to default on left is nothing that nmstate has"]),
    ({"bonds": [{**BOND, "openvswitch": True, "mode": "balance-tcp", "options": {"lacp": "active"}}]},
     ["lacp of bond bond0 of Open vSwitch is nothing that nmstate has for mode balance-tcp"]),
])
def test_what_nmstate_does_not_have_is_refused(options, problems):
    """In words."""
    assert list(refused(found(options))) == problems
