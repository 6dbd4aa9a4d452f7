# Copyright: (c) 2026, typeone.metal contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a host is made of, read from /sys and /proc below a root folder: CPUs, NUMA nodes, PCI, network cards, disks.

Everything is plain data. What cannot be read is left out or None and never loses the rest.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from typing import Any

from ansible_collections.typeone.metal.plugins.module_utils._domain.cpu_list import parse_cpu_list
from ansible_collections.typeone.metal.plugins.module_utils._domain.cpu_partition import Cpu
from ansible_collections.typeone.metal.plugins.module_utils._domain.hugepages import Node, kernel_size
from ansible_collections.typeone.metal.plugins.module_utils._host.files import (
    below,
    entries,
    link_name,
    read_int,
    read_text,
)
from ansible_collections.typeone.metal.plugins.module_utils._host.tasks import read_tasks
from ansible_collections.typeone.metal.plugins.module_utils._host.xen import read_xen

PCI_ADDRESS = re.compile(r"^[0-9a-f]{4,}:[0-9a-f]{2}:[0-9a-f]{2}\.[0-7]$")
# Block devices that are not disks of this host.
_NOT_DISKS = ("loop", "ram", "zram", "dm-", "md", "sr", "fd", "nbd", "drbd", "rbd")
# by-id has several names a disk; the worldwide ones stay when the disk moves to another port.
_BEST_IDS = ("wwn-", "nvme-eui.", "nvme-uuid.", "nvme-", "scsi-", "ata-", "virtio-")


def read_cpus(root: str) -> list[Cpu]:
    """Online CPUs with their places (Documentation/ABI/stable/sysfs-devices-system-cpu)."""
    base = below(root, "/sys/devices/system/cpu")
    node_of = {}
    for node in _nodes(root):
        listed = read_text(below(root, f"/sys/devices/system/node/node{node}/cpulist"), "")
        node_of.update({cpu: node for cpu in parse_cpu_list(listed)})
    online = parse_cpu_list(read_text(f"{base}/online", ""))
    return [
        Cpu(
            number=cpu,
            node=node_of.get(cpu, 0),
            # -1: the firmware does not say (arm64 without PPTT); each CPU is then a core of its own.
            socket=max(0, read_int(f"{base}/cpu{cpu}/topology/physical_package_id", 0)),
            core=read_int(f"{base}/cpu{cpu}/topology/core_id", cpu),
        )
        for cpu in online
    ]


def cpu_section(root: str) -> dict[str, Any]:
    """Counts, each CPU's place, and which CPUs the kernel has isolated."""
    base = below(root, "/sys/devices/system/cpu")
    cpus = read_cpus(root)
    cores = {(cpu.node, cpu.socket, cpu.core) for cpu in cpus}
    info = read_text(below(root, "/proc/cpuinfo"), "") or ""
    vendor = re.search(r"^vendor_id\s*:\s*(\S+)", info, re.MULTILINE)
    model = re.search(r"^model name\s*:\s*(.+)$", info, re.MULTILINE)
    return {
        "sockets": len({cpu.socket for cpu in cpus}),
        "cores": len(cores),
        "threads": len(cpus),
        "threads_per_core": max(1, len(cpus) // len(cores)) if cores else 0,
        "vendor": vendor.group(1) if vendor else None,
        "model": model.group(1).strip() if model else None,
        "online": read_text(f"{base}/online", ""),
        "offline": read_text(f"{base}/offline", ""),
        "isolated": read_text(f"{base}/isolated", ""),
        "nohz_full": (read_text(f"{base}/nohz_full", "") or "").replace("(null)", ""),
        "cpus": [{"cpu": cpu.number, "node": cpu.node, "socket": cpu.socket, "core": cpu.core} for cpu in cpus],
    }


def _nodes(root: str) -> list[int]:
    names = entries(below(root, "/sys/devices/system/node"))
    return sorted(int(name[4:]) for name in names if re.match(r"^node\d+$", name))


def _meminfo(path: str) -> dict[str, int]:
    """Fields in bytes, of a node's meminfo or of /proc/meminfo."""
    text = read_text(path, "") or ""
    found = re.findall(r"(\w[\w()]*):\s+(\d+)(?: (kB))?\s*$", text, re.MULTILINE)
    return {name: int(number) * (1024 if unit else 1) for name, number, unit in found}


def read_pools(folder: str) -> dict[int, dict[str, int]]:
    """Huge page pools in a folder of sysfs: size in bytes -> pages in all and free."""
    pools = {}
    for name in entries(folder):
        match = re.match(r"^hugepages-(\d+)kB$", name)
        if match:
            pools[int(match.group(1)) * 1024] = {
                "total": read_int(f"{folder}/{name}/nr_hugepages", 0),
                "free": read_int(f"{folder}/{name}/free_hugepages", 0),
            }
    return pools


def numa_section(root: str) -> list[dict[str, Any]]:
    """NUMA nodes with memory, CPUs, distances and huge page pools. A kernel without NUMA is one node."""
    found = []
    for number in _nodes(root):
        base = below(root, f"/sys/devices/system/node/node{number}")
        memory = _meminfo(f"{base}/meminfo")
        found.append(_node(number, read_text(f"{base}/cpulist", ""), memory, read_pools(f"{base}/hugepages")))
        found[-1]["distances"] = [int(text) for text in (read_text(f"{base}/distance", "") or "").split()]
    if not found:
        pools = read_pools(below(root, "/sys/kernel/mm/hugepages"))
        online = read_text(below(root, "/sys/devices/system/cpu/online"), "")
        found = [{**_node(0, online, _meminfo(below(root, "/proc/meminfo")), pools), "distances": [10]}]
    return found


def _node(number: int, cpus: str, memory: dict[str, int], pools: dict[int, dict[str, int]]) -> dict[str, Any]:
    return {
        "node": number,
        "cpus": cpus,
        "memory_bytes": memory.get("MemTotal", 0),
        "free_bytes": memory.get("MemFree", 0),
        "hugepages": [
            {"size": kernel_size(size), "size_bytes": size, **counts} for size, counts in sorted(pools.items())
        ],
    }


def domain_nodes(numa: list[dict[str, Any]]) -> list[Node]:
    """Nodes with memory as the huge page plan takes them (some machines have nodes with CPUs only)."""
    return [
        Node(entry["node"], entry["memory_bytes"], {pool["size_bytes"]: pool["total"] for pool in entry["hugepages"]})
        for entry in numa
        if entry["memory_bytes"]
    ]


def domain_cpus(section: dict[str, Any]) -> list[Cpu]:
    """CPUs of the section as the partition plan takes them."""
    return [Cpu(int(c["cpu"]), int(c["node"]), int(c["socket"]), int(c["core"])) for c in section["cpus"]]


def pci_section(root: str) -> list[dict[str, Any]]:
    """PCI functions with class, driver, NUMA node, IOMMU group and virtual functions."""
    base = below(root, "/sys/bus/pci/devices")
    return [_pci(f"{base}/{address}", address) for address in entries(base) if PCI_ADDRESS.match(address)]


def _pci(path: str, address: str) -> dict[str, Any]:
    node = read_int(f"{path}/numa_node", -1)
    total = read_int(f"{path}/sriov_totalvfs")
    group = link_name(f"{path}/iommu_group")
    found = {
        "address": address,
        "class": (read_text(f"{path}/class", "") or "").removeprefix("0x"),
        "vendor": (read_text(f"{path}/vendor", "") or "").removeprefix("0x"),
        "device": (read_text(f"{path}/device", "") or "").removeprefix("0x"),
        "driver": link_name(f"{path}/driver"),
        # -1 from the firmware: the platform has one node, or does not say.
        "numa_node": None if node is None or node < 0 else node,
        "iommu_group": int(group) if group and group.isdigit() else None,
        "physical_function": link_name(f"{path}/physfn"),
        "sriov": None,
    }
    if total is not None:
        names = [name for name in entries(path) if re.match(r"^virtfn\d+$", name)]
        links = sorted(names, key=lambda name: int(name[6:]))
        found["sriov"] = {
            "total": total,
            "enabled": read_int(f"{path}/sriov_numvfs", 0),
            "functions": [link_name(f"{path}/{name}") for name in links],
        }
    return found


def pci_address(path: str) -> str | None:
    """The nearest PCI function above a device of sysfs (virtio sits between a card and its interface)."""
    parts = os.path.realpath(path).split("/")
    return next((part for part in reversed(parts) if PCI_ADDRESS.match(part)), None)


def network_section(root: str) -> list[dict[str, Any]]:
    """Network cards: interfaces with a device behind them (no bonds, bridges, VLANs or tap devices)."""
    base = below(root, "/sys/class/net")
    found = []
    for name in entries(base):
        path = f"{base}/{name}"
        if not os.path.exists(f"{path}/device"):
            continue
        speed = read_int(f"{path}/speed", -1)
        address = pci_address(f"{path}/device")
        node = read_int(f"{path}/device/numa_node", -1)
        found.append(
            {
                "name": name,
                "mac": read_text(f"{path}/address"),
                "driver": link_name(f"{path}/device/driver"),
                "pci_address": address,
                "numa_node": node if node is not None and node >= 0 else None,
                # Where the link is down, reading these gives EINVAL or -1.
                "link": read_text(f"{path}/carrier") == "1",
                "state": read_text(f"{path}/operstate"),
                "speed_mbps": speed if speed and speed > 0 else None,
                "duplex": read_text(f"{path}/duplex"),
                "mtu": read_int(f"{path}/mtu"),
                "master": link_name(f"{path}/master"),
            }
        )
    return found


def disk_section(root: str) -> list[dict[str, Any]]:
    """Disks with size, model, serial and their names in /dev/disk/by-id, the worldwide ones first."""
    base, links = below(root, "/sys/block"), below(root, "/dev/disk/by-id")
    ids: dict[str, list[str]] = {}
    for name in entries(links):
        ids.setdefault(link_name(f"{links}/{name}") or "", []).append(name)
    found = []
    for name in entries(base):
        path = f"{base}/{name}"
        if name.startswith(_NOT_DISKS) or not read_int(f"{path}/size", 0):
            continue
        names = sorted(ids.get(name, []), key=_id_order)
        found.append(
            {
                "name": name,
                "size_bytes": read_int(f"{path}/size", 0) * 512,  # always in 512 bytes, whatever the sector size
                "model": read_text(f"{path}/device/model"),
                "serial": read_text(f"{path}/serial") or read_text(f"{path}/device/serial"),
                "wwn": read_text(f"{path}/wwid") or read_text(f"{path}/device/wwid"),
                "rotational": read_text(f"{path}/queue/rotational") == "1",
                "removable": read_text(f"{path}/removable") == "1",
                "pci_address": pci_address(path),
                "by_id": names,
            }
        )
    return found


def _id_order(name: str) -> tuple[int, str]:
    rank = next((place for place, start in enumerate(_BEST_IDS) if name.startswith(start)), len(_BEST_IDS))
    return rank, name


SECTIONS: dict[str, Callable[[str], Any]] = {
    "cpu": cpu_section,
    "numa": numa_section,
    "pci": pci_section,
    "network": network_section,
    "disks": disk_section,
    "tasks": read_tasks,
    "xen": read_xen,
}


def read_topology(root: str, sections: list[str]) -> dict[str, Any]:
    """The sections asked for; `problems` says what could not be read."""
    found: dict[str, Any] = {}
    problems = []
    for name in sections:
        try:
            found[name] = SECTIONS[name](root)
        except (OSError, ValueError, TypeError) as error:
            found[name] = None
            problems.append(f"{name}: {error}")
    if found.get("numa") == [] or (found.get("cpu") and not found["cpu"]["cpus"]):
        problems.append("cpu: /sys lists no CPU that is online")
    return {**found, "problems": problems}
