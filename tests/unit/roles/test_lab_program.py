# Copyright: (c) 2026, typeone.metal contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The parts of the lab's program that need no lab: its plan, package sources, locks, and what lab_down refuses."""

from __future__ import annotations

import importlib
import pathlib
import re
import sys

import pytest
import yaml

ROOT = pathlib.Path(__file__).resolve().parents[3]
PROGRAM = ROOT / "roles/lab/files/typeone_lab"
OPTIONS = {
    "name": "one", "dir": "/var/lib/one", "cache_dir": "/var/cache/one", "nodes": 3, "disks": 2,
    "nics": ["prov", "tenant", "prov", "tenant"], "firmware": ["uefi", "bios"], "vcpus": [1, 2], "numa": [1, 1, 2],
    "packages": ["zstd", "curl"],
    "python": "/usr/bin/python3", "bmc_username": "admin", "disk_gib": 8,
}


@pytest.fixture(name="load")
def _load(monkeypatch):
    """Import parts of the program as it does itself, and forget them afterwards."""
    monkeypatch.syspath_prepend(str(PROGRAM))
    before = set(sys.modules)
    yield importlib.import_module
    for name in set(sys.modules) - before:
        if getattr(sys.modules[name], "__file__", None) and str(PROGRAM) in str(sys.modules[name].__file__):
            del sys.modules[name]


def test_a_plan_is_stable_and_has_no_double(load):
    """The same options give the same lab; no two nodes or labs share an identity."""
    plan = load("plan").plan
    one, other = plan(OPTIONS), plan({**OPTIONS, "name": "other", "dir": "/var/lib/other"})
    assert one == plan(OPTIONS)
    keys = ("uuid", "serial", "disk_serial", "prov_mac", "dir")
    values = [node[key] for lab in (one, other) for node in lab["nodes"] for key in keys]
    values += [disk["serial"] for lab in (one, other) for node in lab["nodes"] for disk in node["disks"][1:]]
    values += [nic["mac"] for lab in (one, other) for node in lab["nodes"] for nic in node["nics"][1:]]
    assert len(set(values)) == len(values)
    assert one["netns"] != other["netns"] and one["run_dir"] != other["run_dir"]


def test_a_larger_lab_keeps_the_nodes_it_had(load):
    """So that a node added does not disturb the others."""
    plan = load("plan").plan
    assert plan({**OPTIONS, "nodes": 5})["nodes"][:3] == plan(OPTIONS)["nodes"]


def test_a_numa_node_has_a_cpu(load):
    """The server that lacks one is named, with the remedy."""
    with pytest.raises(load("common").LabError, match="node1 has 2 NUMA nodes and 1 virtual CPU.*Raise lab_node_vcpus"):
        load("plan").plan({**OPTIONS, "numa": [2]})


def test_addresses_are_on_their_bridges(load):
    """Each BMC's address is on the machine's side; nodes and provisioner are in the provisioning network. The last firmware and number is that of the rest."""
    lab = load("plan").plan(OPTIONS)
    assert [(node["firmware"], node["vcpus"], node["numa"]) for node in lab["nodes"]] == [("uefi", 1, 1), ("bios", 2, 1), ("bios", 2, 2)]
    assert {f"{node['bmc_address']}/32" for node in lab["nodes"]} <= set(lab["bridges"]["oob"])
    addresses = [node["address"] for node in lab["nodes"]] + [lab["provisioner"]["address"]]
    assert len(set(addresses)) == 4 and all(address.startswith("192.0.2.") for address in addresses)
    assert all(re.fullmatch(r"52:54:00(:[0-9a-f]{2}){3}", node["prov_mac"]) for node in lab["nodes"])


@pytest.mark.parametrize(("listing", "lines"), [
    ("http://a.example/debian/|bookworm|main|Debian\nhttp://a.example/debian/|bookworm|contrib|Debian\n",
     ["http://a.example/debian/ bookworm main contrib"]),
    ("https://a.example/debian/|bookworm|main|Debian\n", ["http://HTTPS///a.example/debian/ bookworm main"]),
    ("http://other.example/|stable|main|Somebody\n", []),
    ("file:/srv/mirror|bookworm|main|Debian\n", []),
    ("", []),
])
def test_only_the_distribution_s_archives_are_taken(load, listing, lines):
    """Whatever else feeds the machine, and what is no URL, is left out; https goes through the cache as well."""
    found = load("mirror").parse_sources(listing)
    assert [line.partition("] ")[2] for line in found] == lines
    assert all(line.startswith("deb [signed-by=/usr/share/keyrings/") for line in found)


def test_a_lock_that_is_held_is_seen(load, tmp_path):
    """Without waiting, the second is told that it does not hold it."""
    common = load("common")
    with common.exclusive(tmp_path / "lock") as first, common.exclusive(tmp_path / "lock", wait=False) as second:
        assert (first, second) == (True, False)
    with common.exclusive(tmp_path / "lock", wait=False) as third:
        assert third is True


def test_a_folder_that_is_no_lab_s_is_not_removed(load, tmp_path):
    """A wrong lab_dir costs nobody his files."""
    common, down = load("common"), load("down")
    (tmp_path / "thesis.txt").write_text("years of work")
    lab = common.Lab.from_spec(load("plan").plan({**OPTIONS, "name": "never-up", "dir": str(tmp_path)}))
    with pytest.raises(common.LabError, match="was not made by a lab"):
        down.down(lab)
    assert (tmp_path / "thesis.txt").read_text() == "years of work"


@pytest.mark.parametrize(("asked", "kind"), [("kvm", "kvm"), ("tcg", "qemu")])
def test_acceleration_that_is_asked_for_is_not_tried(load, asked, kind):
    """An answer without a boot, that says why."""
    lab = load("common").Lab.from_spec({**load("plan").plan(OPTIONS), "acceleration": asked})
    answer = load("acceleration").find(lab)
    assert answer["type"] == kind and "asked for" in answer["why"]


def test_make_installs_what_the_role_installs():
    """The packages of the lab stand in two places: for make, and for users of the role."""
    role = yaml.safe_load((ROOT / "roles/lab/vars/main.yml").read_text())["__lab_packages"]
    make = re.findall(r"^(\S+) \[platform:dpkg.* lab\]$", (ROOT / "bindep.txt").read_text(), re.MULTILINE)
    assert sorted(make) == sorted(role)
