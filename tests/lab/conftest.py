# Copyright: (c) 2026, typeone.metal contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""One lab for the tests of the session, deployed by one play: a Xen host and two KVM hosts, by GRUB and by iPXE, with UEFI and with BIOS.

TYPEONE_TEST_LAB names the folder of a lab that is up and deployed: it is used then, and left as it is.
TYPEONE_TEST_ROLES asks for servers with what the tests of roles need: make lab-roles sets it.
"""

from __future__ import annotations

import json
import os
import pathlib

import pytest
import yaml

from labs import Lab
from sites import Site

NODES = {
    "node1": {"typeone_hypervisor": "xen"},
    "node2": {"typeone_hypervisor": "kvm", "typeone_loader": "ipxe"},
    "node3": {"typeone_hypervisor": "kvm"},
}
# With more nodes than processors, one virtual CPU each is fastest.
MACHINES = {"lab_nodes": 3, "lab_node_vcpus": 1, "lab_node_disks": 2, "lab_firmware": ["uefi", "uefi", "bios"]}
# What the tests of roles need more, and what those roles would install: on an emulated node that takes minutes, in the image it does not.
FOR_ROLES = {**MACHINES, "lab_node_vcpus": 2, "lab_node_numa": 2, "lab_node_nics": ["prov", "tenant", "prov", "tenant"]}
PACKAGES_FOR_ROLES = ["multipath-tools", "netplan.io", "open-iscsi", "openvswitch-switch", "targetcli-fb"]


@pytest.fixture(name="site", scope="session")
def _site(tmp_path_factory, request):
    """A lab, its servers blank and off at first. What is being done is told although tests' output is kept back: it takes minutes."""
    folder = tmp_path_factory.mktemp("site")
    capture = request.config.pluginmanager.getplugin("capturemanager")
    given = os.environ.get("TYPEONE_TEST_LAB")
    if given:
        name = json.loads(pathlib.Path(given, "lab.json").read_text())["name"]
        yield Site(Lab(name, pathlib.Path(given), {}), folder, capture)
        return
    roles = bool(os.environ.get("TYPEONE_TEST_ROLES"))
    lab = Lab(f"test-{os.getpid()}", folder / "lab", FOR_ROLES if roles else MACHINES)
    hosts = {**NODES, "provisioner": {"os_image_extra_packages": PACKAGES_FOR_ROLES if roles else []}}
    (folder / "inventory-own.yml").write_text(yaml.safe_dump({"all": {"hosts": hosts}}))
    try:
        done = lab.play("lab_up")
        assert done.status == 0, done.output
        yield Site(lab, folder, capture)
    finally:
        lab.play("lab_down")


@pytest.fixture(name="deployed", scope="session")
def _deployed(site):
    """The site with all its servers deployed, whichever tests have run before."""
    if not os.environ.get("TYPEONE_TEST_LAB") and not all(node.deployed for node in site.nodes):
        done = site.deploy()
        assert done.status == 0, done.output
    return site


@pytest.fixture(name="kvm_hosts")
def _kvm_hosts(deployed):
    """The servers that run KVM, reachable. A developer's lab may have others: TYPEONE_TEST_NODES names those to use."""
    chosen = os.environ.get("TYPEONE_TEST_NODES", "node2,node3").split(",")
    nodes = [node for node in deployed.nodes if node.name in chosen]
    for node in nodes:
        node.shell("true")
    return nodes
