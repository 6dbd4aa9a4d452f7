# Copyright: (c) 2026, typeone.metal contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""bmc_network against BMCs that really go to another address, and against those that refuse or lie."""

from __future__ import annotations

import pytest
from running import run
from testbmc import certs

from ansible_collections.typeone.metal.plugins.module_utils._resources.network import NetworkResource

INTERFACE = "/redfish/v1/Managers/1/EthernetInterfaces/1"
PROTOCOLS = "/redfish/v1/Managers/1/NetworkProtocol"
DELL, HPE, OPENBMC = "dell-r750-idrac9_6.00", "hpe-dl360gen10plus-ilo5_3.11", "openbmc-stock-2.15"


def network(bmc, **params):
    """Run bmc_network."""
    return run(NetworkResource, bmc, **{"wait_timeout": 5, **params})


@pytest.fixture(name="moving")
def fixture_moving(test_bmc):
    """moving(**options): a BMC at 127.0.0.1 whose interface says so, and which goes where it is sent."""
    def start(name="mini", follow_address="answered", **options):
        bmc = test_bmc(name, follow_address=follow_address, **options)
        bmc.use_identity(certs.identity(("127.0.0.1", "127.0.0.2")))
        here = {"Address": "127.0.0.1", "SubnetMask": "255.0.0.0", "Gateway": None}
        bmc.set(INTERFACE, {"IPv4Addresses": [{**here, "AddressOrigin": "Static"}], "IPv4StaticAddresses": [here]})
        return bmc
    return start


def test_reads_in_neutral_words(test_bmc):
    """All of it; what is asked for and is so already changes nothing."""
    bmc = test_bmc()
    asked = {"hostname": "bmc-mini", "dhcp": False, "address": "192.0.2.50/24", "gateway": "192.0.2.1", "dns": ["192.0.2.1"],
             "ntp": ["192.0.2.1"], "vlan": 0, "protocols": {"https": True, "ssh": True, "ipmi": False}}
    result = network(bmc, **asked)
    assert not result["changed"] and result["verified"] and not bmc.counters.effective_writes(), result
    found = result["network"]
    assert found["mac_address"] == "02:00:00:00:b0:01" and found["netmask"] == "255.255.255.0" and found["in_use"]
    assert found["protocols"]["kvm"] is True and found["protocols"]["virtual_media"] is True and found["vlan"] == 0


@pytest.mark.parametrize("name", ["mini", DELL, OPENBMC, "supermicro-x10sdv-4.00", "lenovo-sr670v2-xcc_1.40", "gigabyte-h262_ami-12.84"])
def test_changes_what_cuts_nobody_off(test_bmc, name):
    """Name, DNS and a protocol are at the BMC and read back; repeated, nothing is sent; one login, one connection."""
    bmc = test_bmc(name)
    interface = {"lenovo-sr670v2-xcc_1.40": "NIC", "gigabyte-h262_ami-12.84": "bond0"}.get(name)
    several = {"bmc_system": bmc.systems[0].rsplit("/", 1)[1]} if len(bmc.systems) > 1 else {}
    asked = {"hostname": "rack1-bmc7", "dns": ["192.0.2.53", "192.0.2.54"], "protocols": {"ipmi": False}, "interface": interface, **several}
    result = network(bmc, **asked)
    assert result["changed"] and result["verified"], result
    assert bmc.counters.logins == bmc.counters.connections == 1 and not bmc.sessions.open()
    path = next(path for path in bmc.of_kind("EthernetInterface") if path.startswith(bmc.manager) and bmc.get(path)["Id"] == result["network"]["interface"])
    servers = bmc.get(path).get("StaticNameServers", bmc.get(path)["NameServers"])
    assert bmc.get(path)["HostName"] == "rack1-bmc7" and servers[:2] == ["192.0.2.53", "192.0.2.54"]
    assert len(servers) == max(2, len(bmc.tree.json(path).get("StaticNameServers", bmc.tree.json(path)["NameServers"])))
    bmc.counters.reset()
    assert not network(bmc, **asked)["changed"] and not bmc.counters.effective_writes()


def test_check_mode_sends_only_reads(test_bmc):
    """What would change is told, with the way to the BMC afterwards; the server sees no write."""
    bmc = test_bmc()
    result = run(NetworkResource, bmc, check_mode=True, address="192.0.2.60", hostname="other", protocols={"ssh": False})
    assert result["changed"] and result["diff"]["after"]["address"] == "192.0.2.60" and not result["diff"]["after"]["protocols"]["ssh"]
    assert "192.0.2.60" in result["warnings"][0] and not bmc.counters.effective_writes()


@pytest.mark.parametrize("follow", ["answered", "lost"])
def test_follows_the_bmc_to_its_new_address(moving, follow):
    """Safe changes go first; then the address, in the same session; it is read at the new place. Repeated there: nothing."""
    bmc = moving(follow_address=follow)
    result = network(bmc, address="127.0.0.2/8", hostname="moved")
    assert result["changed"] and result["verified"] and result["network"]["address"] == "127.0.0.2", result
    assert bmc.host == "127.0.0.2" and bmc.counters.logins == 1 and not bmc.sessions.open()
    bodies = [entry["body"] for entry in result["sent"]]
    assert list(bodies[0]) == ["HostName"] and len(bodies) == 2 and "127.0.0.2" in result["warnings"][0]
    bmc.counters.reset()
    assert not network(bmc, address="127.0.0.2/8", hostname="moved")["changed"] and not bmc.counters.effective_writes()


def test_goes_to_dhcp_where_the_new_address_is_told(moving):
    """Without it nothing is sent; with it the BMC is found there."""
    bmc = moving(dhcp_address="127.0.0.2")
    refused = network(bmc, dhcp=True)
    assert refused["failed"] and refused["error"]["kind"] == "invalid_input" and "new_address" in refused["msg"]
    assert not bmc.counters.effective_writes()
    result = network(bmc, dhcp=True, new_address="127.0.0.2")
    assert result["verified"] and result["network"]["dhcp"] is True and bmc.host == "127.0.0.2", result
    assert not bmc.sessions.open()


def test_a_bmc_that_does_not_come_back_is_a_failure(test_bmc):
    """It says where it was looked for, and that the change was sent."""
    bmc = test_bmc()
    bmc.faults.add("restart", method="PATCH", path="EthernetInterfaces/1$", seconds=60, answer=False)
    result = network(bmc, address="127.0.0.3/8", gateway="127.0.0.1", wait_timeout=1)
    assert result["failed"] and result["changed"] and result["error"]["kind"] == "unreachable"
    assert result["error"]["expected_at"] == "127.0.0.3" and "nothing was tried to undo" in result["msg"] and len(result["sent"]) == 1


def test_a_bmc_that_stays_where_it_was(test_bmc):
    """It is found there, told, and no session is left."""
    bmc = test_bmc()
    result = network(bmc, address="127.0.0.3/8", gateway="127.0.0.1", wait_timeout=1)
    assert result["failed"] and result["error"]["kind"] == "rejected" and "still at 127.0.0.1" in result["msg"]
    assert not bmc.sessions.open()


def test_a_vlan_is_proven_where_the_bmc_is(test_bmc):
    """The address stays; a BMC that is away for a moment is waited for."""
    bmc = test_bmc()
    bmc.faults.add("restart", method="PATCH", path="EthernetInterfaces/1$", seconds=0.4, answer=False)
    result = network(bmc, vlan=101)
    assert result["verified"] and result["network"]["vlan"] == 101 and not bmc.sessions.open(), result
    assert bmc.get(INTERFACE)["VLAN"] == {"VLANEnable": True, "VLANId": 101} and len(bmc.counters.effective_writes()) == 1
    assert network(bmc, vlan=0)["verified"] and bmc.get(INTERFACE)["VLAN"]["VLANEnable"] is False


def test_services_that_start_anew(test_bmc):
    """A BMC that is away for a moment after any change is waited for."""
    bmc = test_bmc()
    bmc.faults.add("restart", method="PATCH", path="NetworkProtocol$", seconds=0.4)
    assert network(bmc, protocols={"ipmi": True})["verified"] and not bmc.sessions.open()


def test_its_own_protocol_is_not_closed_unasked(test_bmc):
    """Refused before anything is sent; asked for, it is sent and said that nothing proves it."""
    bmc = test_bmc()
    refused = network(bmc, protocols={"https": False})
    assert refused["failed"] and "allow_lockout" in refused["msg"] and not bmc.counters.effective_writes()
    result = network(bmc, protocols={"https": False}, allow_lockout=True)
    assert result["changed"] and result["verified"] is None and result["warnings"]
    assert bmc.get(PROTOCOLS)["HTTPS"]["ProtocolEnabled"] is False


def test_an_interface_of_old_keeps_dhcp_in_the_address(test_bmc):
    """No DHCPv4, no static addresses: the origin of the address tells and is told."""
    bmc = test_bmc(DELL)
    path = f"{bmc.manager}/EthernetInterfaces/NIC.1"
    result = network(bmc, address="192.0.2.60", netmask="24", gateway="192.0.2.1", new_address=bmc.url)
    assert result["verified"] and result["network"]["dhcp"] is False, result
    assert bmc.get(path)["IPv4Addresses"] == [{"Address": "192.0.2.60", "AddressOrigin": "Static", "Gateway": "192.0.2.1", "SubnetMask": "255.255.255.0"}]
    assert network(bmc, dhcp=True, new_address=bmc.url)["network"]["dhcp"] is True


def test_fixed_lists_keep_their_length(test_bmc):
    """iLO has six places for name servers, XCC four for NTP: the rest says that there is none."""
    bmc = test_bmc("lenovo-sr670v2-xcc_1.40")
    assert network(bmc, interface="NIC", ntp=["ntp1.example.com"])["network"]["ntp"] == ["ntp1.example.com"]
    assert bmc.get(f"{bmc.manager}/NetworkProtocol")["NTP"]["NTPServers"] == ["ntp1.example.com", "", "", ""]


def test_a_name_that_is_written_elsewhere(test_bmc):
    """The interface refuses it, the protocols take it."""
    bmc = test_bmc()
    bmc.store.edit(INTERFACE).pop("HostName")
    assert network(bmc, hostname="other")["verified"] and bmc.get(PROTOCOLS)["HostName"] == "other"


def test_a_form_that_is_refused_is_sent_in_pieces(moving):
    """The static address first, the end of DHCP after it."""
    bmc = moving(follow_address="")
    bmc.set(INTERFACE, {"DHCPv4": {"DHCPEnabled": True}})
    bmc.faults.add("status", method="PATCH", path="EthernetInterfaces/1$", status=400, message="PropertyValueConflict", times=1)
    result = network(bmc, address="192.0.2.60/24", gateway="192.0.2.1", new_address=bmc.url)
    assert result["verified"], result
    assert [list(entry["body"]) for entry in result["sent"]] == [["IPv4StaticAddresses", "DHCPv4"], ["IPv4StaticAddresses"], ["DHCPv4"]]


def test_a_bmc_that_keeps_the_old_name_is_not_believed(test_bmc):
    """What reads back counts, not the answer."""
    bmc = test_bmc()
    bmc.routes.patches["EthernetInterface"] = lambda *unused: None
    result = network(bmc, hostname="other", wait_timeout=1)
    assert result["failed"] and result["error"]["kind"] == "rejected" and "bmc-mini" in result["msg"]


@pytest.mark.parametrize("params, word", [
    ({}, "hostname"), ({"address": "192.0.2.300"}, "address"), ({"dhcp": True, "address": "192.0.2.9"}, "dhcp"),
    ({"gateway": "198.51.100.1"}, "192.0.2.0/24"), ({"vlan": 5000}, "vlan"), ({"dns": ["ns1"]}, "dns"), ({"hostname": "a_b"}, "hostname"),
    ({"protocols": {"gopher": True}}, "kvm"), ({"protocols": {"ssh": "off"}}, "ssh"), ({"interface": "9", "vlan": 1}, "interface")])
def test_what_cannot_be(test_bmc, params, word):
    """It is told before anything is sent."""
    bmc = test_bmc()
    result = network(bmc, **params)
    assert result["failed"] and word in result["msg"] and not bmc.counters.effective_writes(), result


def test_several_interfaces(test_bmc):
    """Where none is the one that is spoken to, one must be chosen; by MAC address too."""
    bmc = test_bmc(HPE)
    for number in (1, 2):
        bmc.set(f"/redfish/v1/Managers/1/EthernetInterfaces/{number}", {
            "InterfaceEnabled": True, "IPv4Addresses": [{"Address": f"192.0.2.{number}", "SubnetMask": "255.255.255.0", "AddressOrigin": "Static"}]})
    result = network(bmc, dns=["192.0.2.53"])
    assert result["failed"] and result["error"]["interfaces"] == ["1", "2"]
    assert network(bmc, dns=["192.0.2.53"], interface="5C:ED:8C:2E:56:3D")["network"]["interface"] == "2"
