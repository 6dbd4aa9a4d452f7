# Copyright: (c) 2026, typeone.metal contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""One lab for the tests of a file, deployed by one play: a Xen host and two KVM hosts, by GRUB and by iPXE, with UEFI and with BIOS.

TYPEONE_TEST_LAB names the folder of a lab that is up and deployed: it is used then, and left as it is.
TYPEONE_TEST_SUITE has the servers deployed with another suite of Debian than the machine's own, such as trixie.
A file with tests of its own machines says them as MACHINES (options of lab_up) and HOSTS (variables by host).
"""

from __future__ import annotations

import json
import os
import pathlib

import pytest
import tunings
import yaml
from systems import SUITE, sources

from labs import Lab
from sites import Site

HOSTS = {
    "node1": {"typeone_hypervisor": "xen"},
    "node2": {"typeone_hypervisor": "kvm", "typeone_loader": "ipxe"},
    "node3": {"typeone_hypervisor": "kvm", **tunings.KVM},
}
# With more nodes than processors one virtual CPU is fastest; the host to tune has two.
MACHINES = {"lab_nodes": 3, "lab_node_vcpus": [1, 1, 2], "lab_node_numa": [1, 1, 2], "lab_node_disks": 2, "lab_firmware": ["uefi", "uefi", "bios"]}
# What roles would install otherwise: on an emulated node that takes minutes, in the image it does not.
PACKAGES = ["multipath-tools", "netplan.io", "open-iscsi", "openvswitch-switch", "targetcli-fb"]


@pytest.fixture(name="site", scope="module")
def _site(tmp_path_factory, request):
    """A lab, its servers blank and off at first. What is being done is told although tests' output is kept back: it takes minutes."""
    folder = tmp_path_factory.mktemp("site")
    capture = request.config.pluginmanager.getplugin("capturemanager")
    image = {"os_image_host_packages": PACKAGES, **({"os_image_release": SUITE, "os_image_apt_sources": sources()} if SUITE else {})}
    hosts = {**getattr(request.module, "HOSTS", HOSTS), "provisioner": image}
    (folder / "inventory-own.yml").write_text(yaml.safe_dump({"all": {"hosts": hosts}}))
    given = os.environ.get("TYPEONE_TEST_LAB")
    if given:
        name = json.loads(pathlib.Path(given, "lab.json").read_text())["name"]
        yield Site(Lab(name, pathlib.Path(given), {}), folder, capture)
        return
    lab = Lab(f"test-{os.getpid()}", folder / "lab", getattr(request.module, "MACHINES", MACHINES))
    try:
        done = lab.play("lab_up")
        assert done.status == 0, done.output
        yield Site(lab, folder, capture)
    finally:
        lab.play("lab_down")


@pytest.fixture(name="deployed", scope="module")
def _deployed(site):
    """The site with all its servers deployed, whichever tests have run before."""
    if not os.environ.get("TYPEONE_TEST_LAB") and not all(node.deployed for node in site.nodes):
        done = site.deploy()
        assert done.status == 0, done.output
    return site
