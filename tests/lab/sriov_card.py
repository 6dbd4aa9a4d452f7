# Copyright: (c) 2026, typeone.metal contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The role sriov on a deployed host with a network card that has SR-IOV, and an IOMMU: make lab-sriov.

The host is deployed by its BMC; then the same disk is booted in a machine that has the card.
"""

from __future__ import annotations

import json
import os

import newer_emulator
import pytest

pytestmark = pytest.mark.timeout(2400)
MACHINES = {"lab_nodes": 1, "lab_node_vcpus": 2, "lab_firmware": "bios"}
HOSTS = {"node1": {"typeone_hypervisor": "kvm"}}
GATEWAY = "203.0.113.1"

LOOK = """
import glob, json, os
def link(path):
    return os.path.basename(os.path.realpath(path)) if os.path.exists(path) else ""
card = glob.glob("/sys/bus/pci/devices/*/sriov_numvfs")[0]
card = os.path.dirname(card)
found = {}
for path in sorted(glob.glob(card + "/virtfn*")):
    place = os.path.realpath(path)
    group = link(place + "/iommu_group")
    found[os.path.basename(place)] = {
        "driver": link(place + "/driver"), "names": sorted(map(os.path.basename, glob.glob(place + "/net/*"))),
        "group": os.listdir(f"/sys/kernel/iommu_groups/{group}/devices") if group else []}
print(json.dumps({"card": os.path.basename(card), "name": os.path.basename(glob.glob(card + "/net/*")[0]), "functions": found,
                  "vfio": sorted(name for name in os.listdir("/dev/vfio") if name.isdigit()) if os.path.isdir("/dev/vfio") else []}))
"""
OURS = "find /etc /usr/local -path '*sriov*' | sort; grep -rhs iommu /etc/default/grub.d /proc/cmdline || true"


def look(host) -> dict:
    """The card and its functions, as the kernel shows them."""
    return json.loads(host.shell(f"python3 -c '{LOOK}'"))


def asked(card: str, count: int, **more) -> dict:
    """Variables of the role."""
    return {"sriov_functions": [{"address": card, "count": count, **more}] if count else [], "sriov_reboot": True}


def check_made_before_the_network(host) -> None:
    """In this boot, by the unit, before anything that configures links."""
    times = host.shell("systemctl show -P ActiveEnterTimestampMonotonic typeone-sriov.service network-pre.target systemd-networkd.service").split()
    made, before, network = map(int, times)
    assert 0 < made <= before <= network, times


@pytest.fixture(name="host", scope="module")
def _host(deployed):
    """The deployed host in the other machine."""
    host = {node.name: node for node in deployed.nodes}[os.environ.get("TYPEONE_TEST_NODE", "node1")]
    host.reset("ForceOff")
    with newer_emulator.booted(host):
        host.wait_for_boot(None)
        deployed.lab.inside("ip", "address", "add", f"{GATEWAY}/24", "dev", "tenant")
        yield host
        deployed.lab.inside("ip", "address", "delete", f"{GATEWAY}/24", "dev", "tenant")


def test_what_the_card_has_not_is_refused_and_a_dry_run_touches_nothing(host):
    """More than the card has, and a look at what would be done."""
    card = look(host)["card"]
    done = host.play("sriov", asked(card, 99))
    assert done.status == 2 and "it has at most 7. Choose 0 to 7" in done.output, done.output
    done = host.play("sriov", asked(card, 2), "--check", "--diff")
    assert done.status == 0 and done.changed and f"+{card}: 2 virtual functions" in done.output, done.output
    assert look(host)["functions"] == {} and host.shell(OURS) == ""


def test_functions_are_made_and_carry_traffic(host):
    """At once, as Debian's kernel turns the IOMMU on by itself: each function in a group of its own."""
    card, boot = look(host)["card"], host.boot_id
    done = host.play("sriov", asked(card, 2))
    assert done.status == 0 and done.changed, done.output
    found = look(host)
    assert [(seen["driver"], seen["group"]) for seen in found["functions"].values()] == [("igbvf", [name]) for name in found["functions"]]
    assert len(found["functions"]) == 2
    link = next(iter(found["functions"].values()))["names"][0]
    host.shell(f"ip link set {found['name']} up; ip link set {link} up; ip address add 203.0.113.21/24 dev {link}")
    host.shell(f"timeout 60 sh -c 'until ping -c 1 -W 2 -I {link} {GATEWAY}; do sleep 1; done'")
    host.shell(f"ip link set {link} down; ip link set {found['name']} down")
    done = host.play("sriov", asked(card, 2))
    assert (done.status, done.changed, host.boot_id) == (0, 0, boot), done.output


def test_another_number_is_not_made_unasked_and_goes_to_guests(host):
    """With the driver that gives functions to guests, after a reset too."""
    card = look(host)["card"]
    more = asked(card, 3, autoprobe=False, driver="vfio-pci")
    done = host.play("sriov", more)
    assert done.status == 2 and "the kernel takes them all away to change their number" in done.output, done.output
    assert len(look(host)["functions"]) == 2
    done = host.play("sriov", {**more, "sriov_replace": True})
    assert done.status == 0, done.output
    for again in (False, True):
        if again:
            host.reboot()
            check_made_before_the_network(host)
        found = look(host)
        assert [seen["driver"] for seen in found["functions"].values()] == ["vfio-pci"] * 3 and len(found["vfio"]) == 3
    boot = host.boot_id
    done = host.play("sriov", more)
    assert (done.status, done.changed, host.boot_id) == (0, 0, boot), done.output


def test_functions_are_given_back(host):
    """None is left, nor a file of the role; the next boot has no argument of it."""
    nothing = asked(look(host)["card"], 0)
    done = host.play("sriov", nothing)
    assert done.status == 2 and "3 are there, and the kernel takes them all away" in done.output, done.output
    done = host.play("sriov", {**nothing, "sriov_replace": True, "sriov_reboot": False})
    assert done.status == 0, done.output
    assert look(host)["functions"] == {}
    assert [line for line in host.shell(OURS).splitlines() if not line.startswith("BOOT_IMAGE")] == []
