# Copyright: (c) 2026, typeone.metal contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is asked of a BMC's network, in which order it is sent, and which interface is meant."""

from __future__ import annotations

import pytest

from ansible_collections.typeone.metal.plugins.module_utils._domain.bmc_network import (
    BadNetwork, changes, check_static, desired_network, expected, in_use, not_told, pick_interface, reached, split, used_list,
)

NOW = {"hostname": "bmc", "interface": "1", "mac_address": "02:00:00:00:b0:01", "dhcp": False, "address": "192.0.2.50",
       "netmask": "255.255.255.0", "gateway": "192.0.2.1", "dns": [], "vlan": 0, "ntp": None, "protocols": {"ssh": True, "https": True}}


@pytest.mark.parametrize("options, wanted", [
    ({"address": "192.0.2.60/24"}, {"address": "192.0.2.60", "netmask": "255.255.255.0", "dhcp": False}),
    ({"address": "192.0.2.60/24", "netmask": "24"}, {"address": "192.0.2.60", "netmask": "255.255.255.0", "dhcp": False}),
    ({"netmask": "/25"}, {"netmask": "255.255.255.128", "dhcp": False}),
    ({"dhcp": True}, {"dhcp": True}), ({"dns": []}, {"dns": []}), ({"vlan": 0}, {"vlan": 0}),
    ({"hostname": "a-1.example.com", "wait_timeout": 5}, {"hostname": "a-1.example.com"}),
    ({"ntp": ["192.0.2.1", "2001:db8::1", "ntp.example.com"]}, {"ntp": ["192.0.2.1", "2001:db8::1", "ntp.example.com"]}),
])
def test_options(options, wanted):
    """They come in the forms of a reading."""
    assert desired_network(options) == wanted


@pytest.mark.parametrize("options", [
    {}, {"address": "192.0.2"}, {"address": "192.0.2.1/33"}, {"address": "192.0.2.60/24", "netmask": "25"}, {"netmask": "255.0.255.0"},
    {"gateway": "x"}, {"dhcp": True, "gateway": "192.0.2.1"}, {"dns": ["x"]}, {"ntp": ["a b"]}, {"vlan": -1}, {"vlan": 4095},
    {"hostname": "-a"}, {"hostname": "a" * 300}, {"hostname": ""}])
def test_options_that_cannot_be(options):
    """Each has a remedy."""
    with pytest.raises(BadNetwork) as caught:
        desired_network(options)
    assert len(caught.value.args) == 2 and all(caught.value.args)


def test_only_differences_are_sent_and_the_dangerous_last():
    """Protocols one by one; what was asked for and is so already is left out."""
    wanted = desired_network({"hostname": "bmc", "address": "192.0.2.60", "dns": ["192.0.2.53"], "protocols": {"ssh": False, "https": True}})
    changed = changes(NOW, wanted)
    assert changed == {"address": "192.0.2.60", "dns": ["192.0.2.53"], "protocols": {"ssh": False}}
    assert split(changed) == ({"dns": ["192.0.2.53"], "protocols": {"ssh": False}}, {"address": "192.0.2.60"})
    after = expected(NOW, changed)
    assert reached(after, wanted) and after["protocols"] == {"ssh": False, "https": True} and split(changes(after, wanted)) == ()


def test_dhcp_takes_the_address_into_the_unknown():
    """A dry run does not make one up."""
    assert expected(NOW, {"dhcp": True})["address"] is None


def test_what_the_bmc_does_not_tell():
    """It cannot be proven and is not sent; an unknown protocol is named."""
    assert not_told(NOW, {"ntp": ["x"], "protocols": {"gopher": True}}) == ["ntp", "protocols.gopher"]
    assert not_told(dict(NOW, protocols=None), {"protocols": {"ssh": True}}) == ["protocols"]
    assert not_told(dict(NOW, address=None), {"address": "192.0.2.60"}) == []


@pytest.mark.parametrize("current, wanted, fine", [
    (NOW, {"dhcp": False, "address": "192.0.2.60"}, True), (NOW, {"dhcp": False, "gateway": "198.51.100.1"}, False),
    (dict(NOW, address=None), {"dhcp": False}, False), (dict(NOW, netmask=None), {"dhcp": False, "address": "192.0.2.60"}, False),
    (dict(NOW, gateway=None), {"dhcp": False, "address": "192.0.2.60"}, True), (NOW, {"dhcp": True}, True), (NOW, {}, True)])
def test_a_static_address_is_whole(current, wanted, fine):
    """Address and netmask are there, and the gateway is in their network."""
    if fine:
        check_static(current, wanted)
    else:
        with pytest.raises(BadNetwork):
            check_static(current, wanted)


def test_which_interface():
    """The one named, else the one that is spoken to, else those that lead out."""
    one = {"id": "1", "name": "eth0", "mac_address": "02:00:00:00:00:01", "address": "192.0.2.1", "enabled": True}
    two = {"id": "2", "name": "eth1", "mac_address": "02:00:00:00:00:02", "address": "192.0.2.2", "enabled": True}
    rows = [one, two, {"id": "3", "address": "169.254.0.1", "enabled": True}, {"id": "4", "address": "192.0.2.4", "to_host": True}]
    for name in ("ETH1", "02:00:00:00:00:02", "2"):
        assert pick_interface(rows, name, spoken_to=[]) == [two]
    assert pick_interface(rows, None, spoken_to=["192.0.2.2"]) == [two] and pick_interface(rows, None, spoken_to=["203.0.113.1"]) == [one, two]
    assert in_use(rows, two, spoken_to=["192.0.2.2"]) and not in_use(rows, one, spoken_to=["192.0.2.2"]) and in_use(rows, one, spoken_to=["203.0.113.1"])


def test_what_stands_for_none():
    """Fixed lists are filled up with it."""
    assert used_list(["192.0.2.1", "0.0.0.0", "::", "", None, 5]) == ["192.0.2.1"] and used_list(None) == []
