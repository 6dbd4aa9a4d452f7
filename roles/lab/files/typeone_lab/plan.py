# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, typeone.metal contributors
"""Work out the names, addresses and identities of a lab from its options. Pure: the same options give the same lab."""

from __future__ import annotations

import collections
import hashlib
import os
import typing as t
import uuid

from common import LabError

NAMESPACE = uuid.UUID("6f0c7f0e-8f0a-5c53-9a53-2f1a2f6d8c11")
SEABIOS = "/usr/share/seabios/bios-256k.bin"
PROVISIONING = "192.0.2"
OUT_OF_BAND = "198.51.100"


def mac(lab: str, node: str, nic: str) -> str:
    """A stable address in the range that QEMU uses for its virtual NICs."""
    digest = hashlib.sha256(f"{lab}/{node}/{nic}".encode()).digest()
    return "52:54:00:" + ":".join(f"{byte:02x}" for byte in digest[:3])


def nics(lab: str, node_name: str, networks: list[str]) -> list[dict[str, str]]:
    """The NICs of a node in the order of its slots: [{network, mac}]; a network's first one is named after the network alone."""
    seen: collections.Counter[str] = collections.Counter()
    found = []
    for network in networks:
        seen[network] += 1
        number = seen[network]
        found.append({"network": network, "mac": mac(lab, node_name, network if number == 1 else f"{network}{number}")})
    return found


def disks(serial: str, number: int) -> list[dict[str, str]]:
    """The disks of a node: [{serial, file, target}]. The first has the node's own disk serial."""
    return [
        {"serial": f"{serial}{chr(ord('A') + index)}" if index else serial, "file": f"disk{index + 1}.img" if index else "disk.img",
         "target": f"sd{chr(ord('a') + index)}"}
        for index in range(number)
    ]


def of_node(values: list[t.Any], index: int) -> t.Any:
    """What of a list, in the nodes' order, is a node's: the last is that of all others."""
    return values[min(index, len(values)) - 1]


def node(options: dict[str, t.Any], index: int) -> dict[str, t.Any]:
    """One node of the lab; index counts from 1."""
    lab, name = options["name"], f"node{index}"
    identity = uuid.uuid5(NAMESPACE, f"{lab}/{name}")
    tag = identity.hex[:8].upper()
    firmware, vcpus, numa = (of_node(options[key], index) for key in ("firmware", "vcpus", "numa"))
    if numa > vcpus:
        raise LabError(f"Cannot plan the lab: {name} has {numa} NUMA nodes and {vcpus} virtual CPU(s), and each NUMA node needs one. "
                       "Raise lab_node_vcpus or lower lab_node_numa.")
    return {
        "name": name,
        "index": index,
        "dir": os.path.join(options["dir"], name),
        "uuid": str(identity),
        "serial": f"T1-{tag}",
        "disk_serial": f"T1DISK{tag}",
        "firmware": firmware,
        "vcpus": vcpus,
        "numa": numa,
        "prov_mac": mac(lab, name, "prov"),
        "nics": nics(lab, name, options["nics"]),
        "disks": disks(f"T1DISK{tag}", options["disks"]),
        "address": f"{PROVISIONING}.{10 + index}",
        "bmc_address": f"{OUT_OF_BAND}.{10 + index}",
    }


def plan(options: dict[str, t.Any]) -> dict[str, t.Any]:
    """The whole lab. Options: name, dir, cache_dir, nodes (a number), nics (networks), firmware, vcpus and numa (lists, by node),
    disks (a number), packages, python, bmc_username, disk_gib.
    """
    run_dir = f"/run/typeone-lab/{options['name']}"
    return {
        "name": options["name"],
        "dir": options["dir"],
        "cache_dir": options["cache_dir"],
        "run_dir": run_dir,
        "netns": f"typeone-lab-{options['name']}",
        "libvirt_uri": f"qemu:///system?socket={run_dir}/libvirt/libvirt-sock",
        "bridges": {
            "prov": [f"{PROVISIONING}.1/24"],
            "oob": [f"{OUT_OF_BAND}.1/24"]
            + [f"{OUT_OF_BAND}.{10 + index}/32" for index in range(1, options["nodes"] + 1)],
            "tenant": [],
        },
        "python": options["python"],
        "bmc_username": options["bmc_username"],
        "disk_gib": options["disk_gib"],
        "bios": SEABIOS,
        "apt_proxy": f"http://{PROVISIONING}.1:3142",
        "provisioner": {"address": f"{PROVISIONING}.2", "prefix": 24, "packages": sorted(options["packages"])},
        "nodes": [node(options, index) for index in range(1, options["nodes"] + 1)],
    }
