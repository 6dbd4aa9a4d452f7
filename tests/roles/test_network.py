# Copyright: (c) 2026, typeone.metal contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The role network on a booted system, whose management comes by the very interfaces that are changed."""

from __future__ import annotations

import re

import pytest
from ansible_collections.typeone.metal.plugins.module_utils._domain import nmstate
from ansible_collections.typeone.metal.plugins.module_utils._domain.netplan import RENDERERS, render
from ansible_collections.typeone.metal.plugins.module_utils._domain.network_bonds import OPTIONS
from ansible_collections.typeone.metal.plugins.module_utils._domain.network_checks import check_model
from ansible_collections.typeone.metal.plugins.module_utils._domain.network_model import BOND_MODES, parse_model

from host import BACK_ENDS, PROFILES

pytestmark = pytest.mark.timeout(2400)
by_each_back_end = pytest.mark.parametrize("host", BACK_ENDS, indirect=True)

OLD = {"lo": ["127.0.0.1/8"], "host0": ["192.0.2.10/24"]}
NEW = {"lo": ["127.0.0.1/8"], "br0": ["192.0.2.10/24"]}

# Everything that could be written, with its content.
FILES = "find /etc /usr/local /var/lib/typeone* -type f -exec md5sum {} + 2>/dev/null | sort -k2; ls -a /var/lib"
CONFIGURED = "find /etc/netplan /etc/NetworkManager /etc/typeone -type f -exec md5sum {} + 2>/dev/null | sort -k2"


def into_bridge(host, **given) -> dict:
    """Variables that put both cards into a bridge, with the host's address on that."""
    return {
        "network_takeover": True,
        "network_interfaces": [{"name": "left", "mac": host.mac("host0")}, {"name": "right", "mac": host.mac("nic1")}],
        "network_bridges": [{"name": "br0", "members": ["left", "right"]}],
        "network_ip": [{"interface": "br0", "addresses": ["192.0.2.10/24"], "routes": [{"to": "default", "via": "192.0.2.1"}]}],
        "network_confirm_within": 180,
        **host.back_end.variables,
        **given,
    }


def changed(output: str) -> int:
    """How many tasks changed something."""
    return sum(map(int, re.findall(r"changed=(\d+)", output)))


def settled(host) -> bool:
    """Whether no transaction is left."""
    return not host.exists("/var/lib/typeone/network/pending")


@by_each_back_end
def test_a_right_change_is_confirmed(host):
    """Check mode shows it and touches nothing; then it is there and stays; a second run does nothing."""
    wanted = into_bridge(host)
    files = host.shell(FILES)
    status, output = host.play(wanted, "--check", "--diff")
    assert status == 0 and changed(output) == 1 and f"+++ after: {host.back_end.path}" in output and "host0" in output, output
    assert host.addresses() == OLD and host.shell(FILES) == files
    status, output = host.play(wanted)
    assert status == 0 and changed(output) == 2, output
    assert settled(host) and host.addresses() == NEW and host.answers()
    host.until(lambda: host.shell("systemctl is-active typeone-network-rollback.service", check=False).strip() == "inactive", "nothing waits any more")
    status, output = host.play(wanted)
    assert status == 0 and changed(output) == 0, output
    host.reboot()
    host.until(host.answers, "the host is reached after a reboot")
    assert host.addresses() == NEW


@by_each_back_end
@pytest.mark.parametrize("wrong", ["gateway", "address"])
def test_a_wrong_change_is_taken_back_by_the_host(host, wrong):
    """The controller cannot come back: it is told so, and the host is as it was."""
    ways = {
        "gateway": {"network_ip": [{"interface": "br0", "addresses": ["192.0.2.10/24"], "routes": [{"to": "default", "via": "192.0.2.9"}]}]},
        "address": {
            "network_ip": [{"interface": "br0", "addresses": ["203.0.113.10/24"], "routes": [{"to": "default", "via": "203.0.113.1"}]}],
            "network_management_address": "203.0.113.10",
        },
    }
    host.come_from("198.51.100.1")
    assert host.answers()
    before = host.shell(CONFIGURED)
    status, output = host.play(into_bridge(host, network_confirm_within=15, **ways[wrong]))
    assert status == 2 and "could not come back" in output and "has put its previous network back" in output, output
    assert settled(host) and host.answers() and host.addresses() == OLD
    assert host.shell(CONFIGURED) == before


FAILING = """#!/bin/sh
# Fails as often as there are files for that.
for number in 1 2; do
    if [ "$1" = apply ] && rm /run/fail$number 2>/dev/null; then
        echo "no such thing"
        exit 1
    fi
done
exec /usr/sbin/netplan "$@"
"""


def test_a_change_that_cannot_be_applied_is_taken_back_at_once(host):
    """Not when the time is up; and it is said why."""
    host.shell(f"cat >/usr/local/sbin/netplan <<'END'\n{FAILING}END\nchmod 755 /usr/local/sbin/netplan; touch /run/fail1 /run/fail2")
    try:
        status, output = host.play(into_bridge(host, network_confirm_within=600))
    finally:
        host.shell("rm /usr/local/sbin/netplan")
    assert status == 2 and "the change could not be applied: no such thing" in output, output
    assert settled(host) and host.answers() and host.addresses() == OLD


def test_nothing_is_touched_where_management_would_be_lost(host):
    """A model without the host's own address is refused at once."""
    wanted = into_bridge(host, network_ip=[{"interface": "br0", "addresses": ["203.0.113.10/24"]}])
    status, output = host.play(wanted)
    assert status == 2 and "the management interface is lost: the controller comes to 192.0.2.10" in output, output
    assert host.addresses() == OLD and not host.exists("/var/lib/typeone/network")


@by_each_back_end
def test_the_host_takes_back_what_a_killed_controller_left(host):
    """By itself."""
    host.play_killed(into_bridge(host, network_confirm_within=15))
    host.until(lambda: settled(host), "the host takes the change back")
    host.until(host.answers, "the host is reached as before")
    assert host.addresses() == OLD
    assert host.shell("cat /var/lib/typeone/network/result").strip() == "rolled back"


PROFILE = """[connection]
id=nic1
type=ethernet
interface-name=nic1

[ipv4]
method=manual
address1=203.0.113.9/24
"""


@pytest.mark.parametrize("host", [name for name in BACK_ENDS if name != "networkd"], indirect=True)
def test_what_networkmanager_has_of_others_goes_with_the_change_and_comes_back(host):
    """A profile that nobody told netplan or nmstate of: neither it nor its address is left where the model has none."""
    path = f"{PROFILES}/nic1.nmconnection"
    host.shell(f"umask 077; cat >{path} <<'END'\n{PROFILE}END\nnmcli connection reload; nmcli connection up nic1")
    both = {**OLD, "nic1": ["203.0.113.9/24"]}
    wanted = into_bridge(host, network_interfaces=[{"name": "left", "mac": host.mac("host0")}], network_bridges=[], network_confirm_within=30,
                         network_ip=[{"interface": "left", "addresses": ["192.0.2.10/24"], "routes": [{"to": "default", "via": "192.0.2.1"}]}])
    status, output = host.play({**wanted, "network_takeover": False})
    assert status == 2 and f"{path} as well" in output and host.addresses() == both, output
    host.play_killed(wanted)
    assert host.addresses() == OLD
    host.until(lambda: settled(host), "the host takes the change back")
    host.until(lambda: host.addresses() == both, "both cards have their addresses again")
    status, output = host.play(wanted)
    assert status == 0 and host.addresses() == OLD and not host.exists(path), output


@by_each_back_end
def test_a_left_over_transaction_is_settled_by_the_next_run(host):
    """The change was right: the new run confirms it and has nothing else to do. Then another model begins where this ended."""
    host.play_killed(into_bridge(host))
    assert not settled(host) and host.addresses() == NEW
    status, output = host.play(into_bridge(host))
    assert status == 0 and settled(host) and host.addresses() == NEW, output
    status, output = host.play(into_bridge(host))
    assert status == 0 and changed(output) == 0, output
    flat = into_bridge(host, network_bridges=[], network_ip=[{"interface": "left", "addresses": ["192.0.2.10/24"]}])
    status, output = host.play(flat)
    assert status == 0 and host.addresses() == OLD, output


@by_each_back_end
def test_a_left_over_transaction_still_knows_the_last_network_that_was_confirmed(host):
    """A second change, wrong as well, ends where the first began."""
    host.play_killed(into_bridge(host))
    host.play_killed(into_bridge(host, network_bridges=[{"name": "br1", "members": ["left"]}], network_confirm_within=15,
                                 network_ip=[{"interface": "br1", "addresses": ["192.0.2.10/24"]}]))
    host.until(lambda: settled(host), "the host takes the change back")
    host.until(host.answers, "the host is reached as before")
    assert host.addresses() == OLD


@by_each_back_end
def test_a_reboot_does_not_end_a_transaction(host):
    """After it the host takes back what nobody confirms."""
    host.play_killed(into_bridge(host, network_confirm_within=20))
    host.reboot()
    host.until(lambda: host.leader() and settled(host), "the host takes the change back")
    host.until(host.answers, "the host is reached as before")
    assert host.addresses() == OLD


def test_a_right_change_can_be_confirmed_after_a_reboot(host):
    """The next run comes in time."""
    host.play_killed(into_bridge(host))
    host.reboot()
    host.until(host.answers, "the host is reached by the new network")
    assert not settled(host)
    status, output = host.play(into_bridge(host))
    assert status == 0 and settled(host) and host.addresses() == NEW, output


def test_a_card_is_found_by_its_switch_port(host):
    """The far end of nic1 tells of itself as a switch does."""
    by_port = [{"name": "left", "mac": host.mac("host0")}, {"name": "right", "switch": "leaf1", "switch_port": "Ethernet1/7"}]
    status, output = host.play(into_bridge(host, network_interfaces=by_port), "--check", "--diff")
    assert status == 2 and "interface right (switch_port Ethernet1/7): no card of" in output, output
    host.announce("far", switch="leaf1", port="Ethernet1/7")
    host.until(lambda: "leaf1" in host.shell("networkctl lldp", check=False), "the host hears of the switch")
    status, output = host.play(into_bridge(host, network_interfaces=by_port), "--check", "--diff")
    assert status == 0 and "- nic1" in output and host.addresses() == OLD, output


CARDS = [{"name": name, "mac": f"52:54:00:00:00:0{number}"} for number, name in enumerate(("left", "right", "third", "fourth"))]
SAMPLES = {int: 3, list: ["192.0.2.1", "192.0.2.2"], bool: True, str: "left"}
ARP = ("arp_interval", "arp_ip_target")


def models() -> dict[str, dict]:
    """What containers cannot show for want of the kernel's modules: every mode of bonds, VLANs, Open vSwitch."""
    bonds = {
        f"{mode} by {kind}": {"bonds": [{"name": "bond0", "members": ["left", "right"], "mode": mode, "mtu": 9000, "options": {
            name: option.choices[-1] if option.choices else SAMPLES[option.type]
            for name, option in OPTIONS.items() if mode in option.modes and name not in without}}]}
        for mode in BOND_MODES for kind, without in (("miimon", ARP), ("arp", ("miimon", "updelay", "downdelay")))
        if kind == "miimon" or mode in OPTIONS["arp_interval"].modes
    }
    bond = {"name": "bond0", "members": ["left", "right"], "mode": "802.3ad", "options": {"lacp_rate": "fast"}}
    address = {"interface": "br0", "addresses": ["192.0.2.10/24", "2001:db8::10/64"], "dns": ["192.0.2.53"], "search": ["example.org"],
               "routes": [{"to": "default", "via": "192.0.2.1"}, {"to": "default", "via": "2001:db8::1"}, {"to": "198.51.100.0/24"},
                          {"to": "203.0.113.0/24", "via": "198.51.100.1", "metric": 7, "on_link": True}]}
    return {
        **bonds,
        "vlans on a bond in a bridge": {
            "bonds": [bond], "vlans": [{"name": "v30", "id": 30, "link": "bond0"}], "bridges": [{"name": "br0", "members": ["v30", "third"]}], "ip": [address]},
        "a bridge that speaks the spanning tree protocol": {
            "bridges": [{"name": "br0", "members": ["left"], "stp": True, "priority": 4096, "forward_delay": 4}], "ip": [address]},
        "dhcp": {"ip": [{"interface": "left", "dhcp4": True, "dhcp6": True, "accept_ra": True, "dns": ["192.0.2.53"]}]},
        "open vswitch": {
            "bonds": [{**bond, "mode": "balance-tcp", "openvswitch": True, "options": {"lacp": "active"}}],
            "bridges": [{"name": "br0", "members": ["bond0", "third"], "openvswitch": True, "stp": True}],
            "vlans": [{"name": "v30", "id": 30, "link": "br0"}], "ip": [address]},
        "balance-slb of open vswitch": {
            "bonds": [{**bond, "mode": "balance-slb", "openvswitch": True, "options": {}}],
            "bridges": [{"name": "br0", "members": ["bond0"], "openvswitch": True}]},
    }


def test_nmstate_takes_whatever_is_rendered(managed):
    """Every kind of link with every option, as far as nmstate goes without touching anything."""
    script = ["cd $(mktemp -d)"]
    for name, options in models().items():
        model = parse_model({"interfaces": CARDS, **options})
        if not list(nmstate.refused(model)):
            script.append(f"cat >x.yml <<'END'\n{nmstate.render(model)}END\n"
                          f"nmstatectl gc x.yml >made 2>said && grep -q '^NetworkManager:' made || {{ echo '{name}:'; tail -n 3 said; }}")
    assert len(script) > 10 and managed.shell("\n".join(script)) == ""


def test_netplan_takes_whatever_is_rendered(booted):
    """Every kind of link with every option, for both back ends; Open vSwitch with networkd, its only one."""
    script = ["cd $(mktemp -d)"]
    for name, options in models().items():
        model = parse_model({"interfaces": CARDS, **options})
        assert check_model(model) == [], name
        for renderer in RENDERERS if "open vswitch" not in name else RENDERERS[:1]:
            text = render(model, renderer=renderer)
            script.append(f"rm -rf etc run; mkdir -p etc/netplan; (umask 077; cat >etc/netplan/x.yaml <<'END'\n{text}END\n)\n"
                          f"netplan generate --root-dir . >said 2>&1 && [ -n \"$(ls run)\" ] || {{ echo '{name} ({renderer}):'; cat said; }}")
    assert booted.shell("\n".join(script)) == ""
