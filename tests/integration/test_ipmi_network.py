# Copyright: (c) 2026, typeone.metal contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""bmc_network over IPMI: LAN parameters, the BMC's name, and a BMC that goes to another address."""

from __future__ import annotations

import socket

import pytest
from running_ipmi import over_ipmi

from ansible_collections.typeone.metal.plugins.module_utils._resources.network import NetworkResource

SET_LAN = (0x0C, 0x01)
HERE = {"address": "192.0.2.10", "netmask": "255.255.255.0", "gateway": "192.0.2.1", "dhcp": False}


def network(bmc, **params):
    """Run bmc_network over IPMI."""
    return over_ipmi(NetworkResource, bmc, **{"wait_timeout": 5, **params})


def test_reads_in_neutral_words(ipmi_bmc):
    """What is as declared is not written; what IPMI cannot tell is null."""
    bmc = ipmi_bmc()
    result = network(bmc, hostname="bmc-17", vlan=0, **HERE)
    assert not result["changed"] and result["verified"] and not bmc.writes(), result
    assert {key: result["network"][key] for key in HERE} == HERE
    assert result["network"]["mac_address"] == "52:54:00:aa:bb:cc" and result["network"]["interface"] == "channel 1"
    assert result["network"]["dns"] is None and result["network"]["protocols"] is None


@pytest.mark.parametrize("asked", [{"hostname": "rack1-bmc7"}, {"vlan": 7}, {"dhcp": True, "allow_lockout": True},
                                   {"address": "192.0.2.11/25", "gateway": "192.0.2.2"}])
def test_check_mode_sends_only_reads(ipmi_bmc, asked):
    """What would change is told."""
    bmc = ipmi_bmc()
    result = network(bmc, check_mode=True, **asked)
    assert result["changed"] and not bmc.writes() and result["diff"]["before"] != result["diff"]["after"], result


@pytest.mark.parametrize("name", ["b", "rack1-bmc7", "a-name-that-takes-more-than-one-part.example"])
def test_the_name(ipmi_bmc, name):
    """Written part by part and read back; repeated, nothing is written."""
    bmc = ipmi_bmc()
    result = network(bmc, hostname=name)
    assert result["changed"] and result["verified"] and bmc.lan.name == name
    count = len(bmc.writes())
    assert not network(bmc, hostname=name)["changed"] and len(bmc.writes()) == count


def test_what_leaves_the_address_as_it_is(ipmi_bmc):
    """VLAN, netmask and gateway, proven where the BMC is."""
    bmc = ipmi_bmc()
    result = network(bmc, vlan=7, netmask="25", gateway="192.0.2.2", new_address="127.0.0.1")
    assert result["changed"] and result["verified"] and result["network"]["vlan"] == 7, result
    assert bmc.lan.parameters[20] == b"\x07\x80" and bmc.lan.parameters[6] == bytes((255, 255, 255, 128))
    assert bmc.lan.parameters[12] == bytes((192, 0, 2, 2)) and bmc.lan.parameters[0] == b"\0"
    assert network(bmc, vlan=0, new_address="127.0.0.1")["verified"] and bmc.lan.parameters[20] == bytes(2)


def test_from_dhcp_to_a_static_address(ipmi_bmc):
    """The source comes first: BMCs refuse an address while they take theirs from DHCP."""
    bmc = ipmi_bmc()
    bmc.lan.parameters[4] = b"\x02"
    result = network(bmc, new_address="127.0.0.1", **{**HERE, "address": "192.0.2.77"})
    assert result["verified"] and bmc.lan.parameters[3] == bytes((192, 0, 2, 77)) and bmc.lan.parameters[4] == b"\x01"


def test_a_bmc_that_goes_to_another_address(ipmi_bmc):
    """The answer never comes; the change is proven where the BMC is then. No session is left."""
    bmc = ipmi_bmc()
    bmc.lan.parameters.update({3: bytes((127, 0, 0, 1)), 6: bytes((255, 0, 0, 0)), 12: bytes(4)})
    bmc.lan.on_address = lambda address: bmc.server.move(socket.inet_ntoa(address))
    result = network(bmc, address="127.0.0.2", bmc_timeout=1)
    assert result["changed"] and result["verified"] and result["network"]["address"] == "127.0.0.2", result
    assert [entry[2][2:] for entry in bmc.writes() if entry[2][1] == 3] == [bytes((127, 0, 0, 2))]
    assert not bmc.server.sessions


@pytest.mark.parametrize("asked", [{"dns": ["192.0.2.53"]}, {"ntp": ["192.0.2.1"]}, {"protocols": {"ssh": False}}])
def test_what_ipmi_cannot_change(ipmi_bmc, asked):
    """The error says so, and nothing is written."""
    bmc = ipmi_bmc()
    result = network(bmc, **asked)
    assert result["error"]["kind"] == "unsupported" and not bmc.writes()


def test_a_bmc_without_a_name(ipmi_bmc):
    """The commands for it are of a later standard: without them the name is null, the rest is there."""
    bmc = ipmi_bmc(lan={"names": False})
    result = network(bmc, **HERE)
    assert not result.get("failed") and result["network"]["hostname"] is None


def test_another_interface(ipmi_bmc):
    """Only that which is spoken to can be seen."""
    result = network(ipmi_bmc(), interface="eth1", hostname="x")
    assert result["error"]["kind"] == "invalid_input" and "channel 1" in result["msg"]


def test_a_refused_parameter(ipmi_bmc):
    """A completion code is told, and what was sent."""
    bmc = ipmi_bmc()
    bmc.server.fail_next(0x82, SET_LAN, times=9)
    result = network(bmc, vlan=9, new_address="127.0.0.1")
    assert result["failed"] and result["error"]["completion_code"] == 0x82 and result["sent"]
