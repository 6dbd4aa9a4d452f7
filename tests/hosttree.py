# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, typeone.metal contributors
"""Small trees of /sys and /proc, made for a test: two NUMA nodes, cards, disks, tasks."""

from __future__ import annotations

import os
import pathlib
from typing import Any


class HostTree:
    """A root folder with what the kernel would show. Every method returns the tree."""

    def __init__(self, root: pathlib.Path) -> None:
        self.path = root
        self.write("/proc/cpuinfo", "vendor_id\t: GenuineIntel\nmodel name\t: Example CPU\n")
        self.write("/proc/cmdline", "BOOT_IMAGE=/vmlinuz root=/dev/sda2 ro quiet")

    @property
    def root(self) -> str:
        """The folder as text."""
        return str(self.path)

    def write(self, path: str, text: str | int) -> HostTree:
        """A file, ended by a line feed as sysfs does."""
        target = self.path / path.lstrip("/")
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(f"{text}\n", encoding="utf-8")
        return self

    def read(self, path: str) -> str:
        """A file's text without blanks around."""
        return (self.path / path.lstrip("/")).read_text(encoding="utf-8").strip()

    def link(self, path: str, target: str) -> HostTree:
        """A symbolic link inside the tree; `target` is a path from the root."""
        place = self.path / path.lstrip("/")
        place.parent.mkdir(parents=True, exist_ok=True)
        os.symlink(os.path.relpath(self.path / target.lstrip("/"), place.parent), place)
        return self

    def exists(self, path: str) -> bool:
        """Whether a file (or a link, even a broken one) is there."""
        return os.path.lexists(self.path / path.lstrip("/"))

    def cpus(self, *, nodes: int = 2, cores: int = 2, threads: int = 2) -> HostTree:
        """CPUs as Linux numbers them: first threads of all cores, then the second ones. Socket = node."""
        total = nodes * cores
        for node in range(nodes):
            numbers = []
            for core in range(cores):
                for thread in range(threads):
                    cpu = thread * total + node * cores + core
                    numbers.append(cpu)
                    self.write(f"/sys/devices/system/cpu/cpu{cpu}/topology/physical_package_id", node)
                    self.write(f"/sys/devices/system/cpu/cpu{cpu}/topology/core_id", core)
            base = f"/sys/devices/system/node/node{node}"
            self.write(f"{base}/cpulist", ",".join(str(cpu) for cpu in sorted(numbers)))
            self.write(f"{base}/distance", " ".join("10" if other == node else "20" for other in range(nodes)))
        self.write("/sys/devices/system/cpu/online", f"0-{total * threads - 1}")
        self.write("/sys/devices/system/cpu/offline", "")
        self.write("/sys/devices/system/cpu/isolated", "")
        return self.write("/sys/devices/system/cpu/nohz_full", "(null)")

    def memory(self, *gibibytes: int, sizes: tuple = (2048, 1048576)) -> HostTree:
        """Memory of each node, with empty pools of the page sizes (in KiB)."""
        for node, size in enumerate(gibibytes):
            base = f"/sys/devices/system/node/node{node}"
            kib = size * 1024**2
            text = f"Node {node} MemTotal: {kib} kB\nNode {node} MemFree: {kib // 2} kB\nNode {node} HugePages_Total: 0"
            self.write(f"{base}/meminfo", text)
            for page in sizes:
                self.write(f"{base}/hugepages/hugepages-{page}kB/nr_hugepages", 0)
                self.write(f"{base}/hugepages/hugepages-{page}kB/free_hugepages", 0)
        return self

    def pages(self, node: int, kib: int) -> int:
        """Pages that a pool holds."""
        return int(self.read(f"/sys/devices/system/node/node{node}/hugepages/hugepages-{kib}kB/nr_hugepages"))

    def pci(self, address: str, **given: Any) -> HostTree:
        """A PCI function; given: driver, group, node, total_vfs, vfs, physfn, kind."""
        base = f"/sys/devices/pci0000:00/{address}"
        self.write(f"{base}/class", given.get("kind", "0x020000")).write(f"{base}/vendor", "0x8086")
        self.write(f"{base}/device", "0x1572").write(f"{base}/numa_node", given.get("node", -1))
        self.link(f"/sys/bus/pci/devices/{address}", base)
        if given.get("driver"):
            self.write(f"/sys/bus/pci/drivers/{given['driver']}/bind", "")
            self.link(f"{base}/driver", f"/sys/bus/pci/drivers/{given['driver']}")
        if given.get("group") is not None:
            self.write(f"/sys/kernel/iommu_groups/{given['group']}/type", "DMA")
            self.link(f"/sys/kernel/iommu_groups/{given['group']}/devices/{address}", base)
            self.link(f"{base}/iommu_group", f"/sys/kernel/iommu_groups/{given['group']}")
        if given.get("total_vfs") is not None:
            self.write(f"{base}/sriov_totalvfs", given["total_vfs"]).write(f"{base}/sriov_numvfs", given.get("vfs", 0))
            self.write(f"{base}/sriov_drivers_autoprobe", 1)
        if given.get("physfn"):
            parent = f"/sys/devices/pci0000:00/{given['physfn']}"
            self.link(f"{base}/physfn", parent)
            number = sum(name.startswith("virtfn") for name in os.listdir(self.path / parent.lstrip("/")))
            self.link(f"{parent}/virtfn{number}", base)
        return self

    def nic(self, name: str, address: str, *, mac: str, speed: int = -1, carrier: int = 0) -> HostTree:
        """A network interface of a PCI function that is there already."""
        base = f"/sys/devices/pci0000:00/{address}/net/{name}"
        for key, value in {"address": mac, "speed": speed, "carrier": carrier, "mtu": 1500, "duplex": "full"}.items():
            self.write(f"{base}/{key}", value)
        self.write(f"{base}/operstate", "up" if carrier else "down")
        self.link(f"{base}/device", f"/sys/devices/pci0000:00/{address}")
        return self.link(f"/sys/class/net/{name}", base)

    def disk(self, name: str, *, sectors: int, serial: str, ids: tuple = ()) -> HostTree:
        """A disk with names in by-id."""
        self.write(f"/sys/block/{name}/size", sectors).write(f"/sys/block/{name}/queue/rotational", 0)
        self.write(f"/sys/block/{name}/device/model", "Example disk").write(f"/sys/block/{name}/device/serial", serial)
        self.write(f"/dev/{name}", "")
        for text in ids:
            self.link(f"/dev/disk/by-id/{text}", f"/dev/{name}")
        return self

    def task(self, pid: int, name: str, cpus: str, *, group: str = "system.slice", kernel: bool = False) -> HostTree:
        """A process with one task."""
        flags = 0x00200000 if kernel else 0x00400000
        self.write(f"/proc/{pid}/stat", f"{pid} ({name} (x)) S 1 1 1 0 -1 {flags} 0 0")
        self.write(f"/proc/{pid}/cgroup", f"0::/{group}/{name}.service")
        return self.write(f"/proc/{pid}/task/{pid}/status", f"Name:\t{name}\nCpus_allowed_list:\t{cpus}")

    def interrupt(self, number: int, cpus: str) -> HostTree:
        """An interrupt and where it goes."""
        return self.write(f"/proc/irq/{number}/smp_affinity_list", cpus)

    def isolate(self, cpus: str) -> HostTree:
        """What a kernel shows that isolated CPUs."""
        self.write("/sys/devices/system/cpu/isolated", cpus)
        return self.write("/sys/devices/system/cpu/nohz_full", cpus)

    def xen(self) -> HostTree:
        """The control domain of Xen."""
        self.write("/sys/hypervisor/type", "xen")
        return self.write("/proc/xen/capabilities", "control_d")
