# Copyright: (c) 2026, typeone.metal contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A lab comes up, stays as it is, and goes without a trace, also when lab_up was killed half-way."""

from __future__ import annotations

import os
import pathlib
import re
import subprocess
import sys
import time

import pytest
import yaml

from labs import CACHE, GUARD, Lab

pytestmark = pytest.mark.timeout(2400)

PROGRAM = pathlib.Path("ansible_collections/typeone/metal/roles/lab/files/typeone_lab")


@pytest.fixture(name="folder", scope="module")
def _folder(tmp_path_factory):
    return tmp_path_factory.mktemp("labs")


def _named(folder: pathlib.Path, tag: str, **options) -> Lab:
    """A lab whose name no other has, so that the tests run beside whatever labs there are."""
    name = f"test-{tag}-{os.getpid()}"
    return Lab(name, folder / tag, {"lab_nodes": 1, "lab_node_memory_mib": 512, **options})


@pytest.fixture(name="lab", scope="module")
def _lab(folder):
    """Three nodes with two NUMA nodes each. The first lab_up is killed; the second completes what is there."""
    lab = _named(folder, "up", lab_nodes=3, lab_node_vcpus=2, lab_node_numa=2)
    try:
        killed = lab.play("lab_up", kill_at=("Make disks and machines of the nodes", "libvirtd"))
        assert killed.status == -9, killed.output
        done = lab.play("lab_up")
        assert done.status == 0, done.output
        assert done.changed > 0
        yield lab
    finally:
        lab.play("lab_down")


def test_each_node_has_a_bmc_of_its_own(lab):
    """HTTPS with a certificate of the lab's authority, authentication on, and one system: its node."""
    assert [node["name"] for node in lab.nodes] == ["node1", "node2", "node3"]
    for node in lab.nodes:
        status, systems = lab.ask(node, "/redfish/v1/Systems")
        assert status == 200
        assert [member["@odata.id"] for member in systems["Members"]] == [f"/redfish/v1/Systems/{node['uuid']}"]
        assert lab.ask(node, f"/redfish/v1/Systems/{node['uuid']}")[1]["PowerState"] == "Off"
    node = lab.nodes[0]
    assert lab.ask(node, "/redfish/v1/Systems", password="wrong")[0] == 401
    assert lab.ask(node, "/redfish/v1/Systems", password="")[0] == 401
    assert len({node[key] for node in lab.nodes for key in ("uuid", "serial", "disk_serial", "prov_mac")}) == 12
    assert len({nic["mac"] for node in lab.nodes for nic in node["nics"]}) == 6


def test_a_node_is_powered_through_its_bmc(lab):
    """The machine starts with what was asked for, and what it says on its console is logged."""
    node = lab.nodes[1]
    lab.power(node, "On")
    machines = [words for words in lab.processes().values() if "qemu-system" in words and node["uuid"] in words]
    assert len(machines) == 1
    assert len(re.findall(r"-numa node", machines[0])) == 2
    assert f'"serial":"{node["disk_serial"]}"' in machines[0].replace(" ", "")
    assert machines[0].count("e1000e") >= 2
    assert [nic["network"] for nic in node["nics"]] == ["prov", "tenant"] and node["nics"][0]["mac"] == node["prov_mac"]
    assert all(nic["mac"] in machines[0] for nic in node["nics"])
    console = pathlib.Path(node["dir"], "console.log")
    deadline = time.monotonic() + GUARD
    while time.monotonic() < deadline and not console.read_bytes().strip():
        time.sleep(0.2)
    assert console.read_bytes().strip()


def test_the_inventory_is_complete(lab):
    """The provisioner answers by the inventory, over pinned SSH, and runs its own init."""
    inventory = yaml.safe_load((lab.folder / "inventory.yml").read_text())["all"]
    assert sorted(inventory["children"]["nodes"]["hosts"]) == ["node1", "node2", "node3"]
    ssh = ["ssh", *inventory["vars"]["ansible_ssh_common_args"].split(), "-o", "BatchMode=yes"]
    ssh += ["-i", inventory["vars"]["ansible_ssh_private_key_file"]]
    host = inventory["children"]["provisioner"]["hosts"]["provisioner"]["ansible_host"]
    answer = lab.inside(*ssh, f"root@{host}", "cat /proc/1/comm; hostname")
    assert answer.stdout.split() == ["systemd", "provisioner"], answer.stderr


def test_a_second_run_changes_nothing(lab):
    """Neither a file nor a process; a node that runs goes on."""
    before = lab.processes()
    again = lab.play("lab_up")
    assert (again.status, again.changed) == (0, 0), again.output
    assert before.keys() <= lab.processes().keys()
    assert lab.ask(lab.nodes[1], f"/redfish/v1/Systems/{lab.nodes[1]['uuid']}")[1]["PowerState"] == "On"


def test_lab_down_leaves_nothing(lab):
    """With a node running; and once more, where there is nothing."""
    assert lab.left()
    down = lab.play("lab_down")
    assert down.status == 0 and down.changed == 1, down.output
    assert lab.left() == []
    again = lab.play("lab_down")
    assert (again.status, again.changed) == (0, 0), again.output


@pytest.mark.parametrize(("moment", "program", "options"), [
    ("Make the SSH keys", "mmdebstrap", {"lab_provisioner_packages": ["less"]}),  # a system that is not in the cache
    ("Boot the provisioner", "systemd-nspawn", {}),
])
def test_lab_down_leaves_nothing_after_a_crash(folder, moment, program, options):
    """Whatever lab_up was doing when it was killed."""
    lab = _named(folder, f"crash{len(options)}", **options)
    try:
        killed = lab.play("lab_up", kill_at=(moment, program))
        assert killed.status == -9, killed.output
    finally:
        down = lab.play("lab_down")
    assert down.status == 0 and down.changed == 1, down.output
    assert lab.left() == []


def test_check_mode_makes_nothing(folder):
    """It says what it would do."""
    lab = _named(folder, "check")
    checked = lab.play("lab_up", "--check", "--diff")
    assert checked.status == 0 and checked.changed > 0, checked.output
    assert lab.left() == []


def test_a_lab_that_cannot_be_is_refused_in_words(folder):
    """With nothing made."""
    lab = _named(folder, "refused", lab_node_vcpus=1, lab_node_numa=2)
    done = lab.play("lab_up")
    assert done.status == 2 and lab.left() == [], done.output
    assert re.search("fatal: .*Cannot plan the lab: node1 has 2 NUMA nodes and 1 virtual CPU.*Raise lab_node_vcpus", done.output), done.output


def test_acceleration_is_tried_by_booting(lab):
    """The trial's kernel is seen to boot where it does, and not where it cannot."""
    tree = next(path for path in map(pathlib.Path, os.environ["ANSIBLE_COLLECTIONS_PATH"].split(":")) if (path / PROGRAM).is_dir())
    script = f"""
import pathlib, acceleration, plan
from common import Lab
options = dict(name={lab.name!r}, dir='/nowhere', cache_dir={str(CACHE)!r}, nodes=1, nics=['prov'], disks=1, firmware=['uefi'], vcpus=[1], numa=[1],
               packages=[], python='', bmc_username='', disk_gib=1)
lab = Lab.from_spec(plan.plan(options))
kernel = acceleration._kernel(lab)
emulation = ["-accel", "tcg", "-cpu", "max"]
print([acceleration.REACHED in acceleration.boot(lab, kernel, emulation + more, seconds=seconds)
       for more, seconds in (([], {GUARD}), (["-S"], 0.5))])
"""
    done = subprocess.run([sys.executable, "-c", script], cwd=tree / PROGRAM, capture_output=True, text=True, check=False)
    assert done.stdout.strip() == "[True, False]", done.stderr
