# Copyright: (c) 2026, typeone.metal contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The role network on a booted server: management comes over the very cards that are changed. Seconds are printed for each case.

It takes too long for every run of the tests: make lab-network runs it, on a lab of its own. On a lab that is up (see conftest.py):

  TYPEONE_TEST_LAB=FOLDER TYPEONE_TEST_NODE=node1 pytest tests/lab/network_matrix.py

TYPEONE_TEST_WINDOW are the seconds to confirm a change in; a server that is slow needs more. TYPEONE_TEST_LIMIT are the seconds within
which it has to be reached again, if not 90.
"""

from __future__ import annotations

import json
import os
import time

import networks
import pytest
from watched_host import PATIENCE, WINDOW, Host, Watch

pytestmark = pytest.mark.timeout(1800)
# One host with two bonds of two cards each.
MACHINES = {"lab_nodes": 1, "lab_node_vcpus": 2, "lab_node_nics": ["prov", "tenant", "prov", "tenant"]}
HOSTS = {"node1": {"typeone_hypervisor": "kvm"}}
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
    done, _told = host.change({**networks.flat(host), "network_confirm_within": PATIENCE})
    assert done.status == 0, done.output
    host.node.shell(f"cat >{BOOT_FILE} <<'END'\n{before}END\nrm /etc/netplan/90-typeone.yaml; loginctl disable-linger root\n"
                    "systemctl daemon-reload; systemctl restart systemd-networkd")


@pytest.fixture(name="bonded", scope="module")
def _bonded(host):
    """The server once its address is on a bridge on a bond."""
    if "br0" not in host.addresses():
        done = host.watched("the right change, a bridge on a bond", {**networks.right(host), "network_confirm_within": PATIENCE})
        assert done.status == 0, done.output
    return host


def test_a_right_change_is_shown_then_made_then_nothing_is_left_to_do(host):
    """Check mode touches nothing; a second run changes nothing, and neither runs of the role restart the server."""
    wanted = {**networks.right(host), "network_confirm_within": PATIENCE}
    boot, addresses = host.node.boot_id, host.addresses()
    files = "find /etc /usr/local /var/lib/typeone* -type f -exec md5sum {} + 2>/dev/null | sort -k2"
    before = host.node.shell(files)
    done, _told = host.change(wanted, "--check", "--diff")
    assert (done.status, done.changed) == (0, 1) and "+++ after: /etc/netplan/90-typeone.yaml" in done.output, done.output
    assert host.node.shell(files) == before and host.addresses() == addresses
    done = host.watched("the right change, a bridge on a bond", wanted)
    assert (done.status, done.changed) == (0, 2), done.output
    assert host.addresses() == {"br0": [f"{host.address}/24"]}
    done, _told = host.change(wanted)
    assert (done.status, done.changed) == (0, 0) and host.node.boot_id == boot, done.output


@pytest.mark.parametrize("what", networks.WRONG)
def test_a_wrong_change_is_taken_back(bonded, what):
    """The host is reached as before, and the run says so."""
    networks.check_wrong(bonded, what)


def test_the_bond_moves_into_a_bridge_of_open_vswitch(bonded):
    """With the management address, which is confirmed there; the bridge takes the name of the kernel's."""
    done = bonded.watched("a bridge of Open vSwitch that takes the management over",
                          {**networks.openvswitch(bonded), "network_confirm_within": PATIENCE})
    assert (done.status, done.changed) == (0, 2), done.output
    assert bonded.addresses() == {"br0": [f"{bonded.address}/24"]} and bonded.node.shell("ovs-vsctl list-br").split() == ["br0"]
    again, _told = bonded.change(networks.openvswitch(bonded))
    assert (again.status, again.changed) == (0, 0), again.output


def test_a_bond_speaks_lacp(bonded):
    """The management over it."""
    networks.check_lacp(bonded)


def test_a_killed_controller_is_not_waited_for(bonded):
    """The host takes back even a right change that nobody confirmed."""
    before = bonded.addresses()
    bonded.watched("the controller killed after the change", {**networks.flat(bonded), "network_confirm_within": WINDOW}, kill_at="Connect anew")
    assert bonded.addresses() == before


@pytest.mark.parametrize("window", [WINDOW, 10])
def test_a_reboot_does_not_end_what_was_begun(bonded, window):
    """A wrong change, the controller killed, a reset: the host comes up wrong, and takes it back when it said it would.

    Its boot counts: with the shorter time that is over before the system starts.
    """
    before = bonded.addresses()
    bonded.change({**networks.tagged(bonded), "network_confirm_within": window}, kill_at="Connect anew")
    with Watch(bonded) as watch:
        start = time.monotonic()
        bonded.node.reset("ForceRestart")
        bonded.is_back(f"a reset after a wrong change, {window} s to confirm it, with the boot itself", watch, start)
    assert bonded.addresses() == before


@pytest.mark.parametrize("what", networks.TRAFFIC)
def test_tagged_frames_leave_the_active_member_and_fail_over(bonded, what):
    """Captured on the cables; lost pings are counted."""
    networks.check_traffic(bonded, what)


def test_a_guest_is_on_a_vlan_over_a_bond(bonded):
    """It reaches another host on the VLAN."""
    networks.check_guest(bonded)
