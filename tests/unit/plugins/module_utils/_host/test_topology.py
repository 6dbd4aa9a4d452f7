# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, typeone.metal contributors
"""Topology of a recorded tree, tasks, and Xen's own view."""

from __future__ import annotations

import pytest
from ansible_collections.typeone.metal.plugins.module_utils._host.tasks import read_tasks
from ansible_collections.typeone.metal.plugins.module_utils._host.topology import SECTIONS, domain_nodes, read_topology
from ansible_collections.typeone.metal.plugins.module_utils._host.xen import parse_info, parse_vcpus

XL_INFO = """host                   : node1
xen_version            : 4.17.7
nr_cpus                : 4
threads_per_core       : 2
virt_caps              : pv hvm hap
total_memory           : 4095
free_memory            : 2000
cpu_topology           :
cpu:    core    socket     node
  0:       0        0        0
  1:       0        0        0
  2:       1        0        1
  3:       1        0        1
device topology        :
device           node
No device topology data available
numa_info              :
node:    memsize    memfree    distances
   0:      2048       1000      10,20
   1:      2047       900       20,10
xen_major              : 4
xen_commandline        : placeholder dom0_mem=1G dom0_max_vcpus=2
"""

XL_VCPUS = """Name                                ID  VCPU   CPU State   Time(s) Affinity (Hard / Soft)
Domain-0                             0     0    0   r--      12.3  0 / all
Domain-0                             0     1    1   -b-       8.1  1 / all
guest                                3     0    -   --p       0.0  all / 2-3
"""


def test_everything_of_an_empty_host(tmp_path) -> None:
    """A folder with nothing in it costs the values, never the result."""
    found = read_topology(str(tmp_path), list(SECTIONS))
    assert found["pci"] == found["network"] == found["disks"] == found["tasks"] == []
    assert found["xen"] is None
    assert found["problems"] == ["cpu: /sys lists no CPU that is online"]


def test_cpus_and_nodes(host) -> None:
    """Counts, lists, memory and pools."""
    found = read_topology(host.root, ["cpu", "numa"])
    cpu = found["cpu"]
    assert [cpu[name] for name in ("sockets", "cores", "threads", "threads_per_core")] == [2, 4, 8, 2]
    assert (cpu["vendor"], cpu["model"], cpu["online"], cpu["nohz_full"]) == ("GenuineIntel", "Example CPU", "0-7", "")
    assert cpu["cpus"][5] == {"cpu": 5, "node": 0, "socket": 0, "core": 1}
    node = found["numa"][1]
    assert (node["cpus"], node["memory_bytes"], node["distances"]) == ("2,3,6,7", 16 * 1024**3, [20, 10])
    assert node["hugepages"][1] == {"size": "1G", "size_bytes": 1024**3, "total": 0, "free": 0}
    assert found["problems"] == []


def test_a_kernel_without_numa_is_one_node(tmp_path) -> None:
    """The pools of the whole system then count as the node's."""
    (tmp_path / "proc").mkdir()
    (tmp_path / "proc/meminfo").write_text("MemTotal:  1048576 kB\nMemFree: 10 kB\nHugePages_Total:  0\n")
    pool = tmp_path / "sys/kernel/mm/hugepages/hugepages-2048kB"
    pool.mkdir(parents=True)
    (pool / "nr_hugepages").write_text("3\n")
    numa = read_topology(str(tmp_path), ["numa"])["numa"]
    assert (numa[0]["node"], numa[0]["memory_bytes"], numa[0]["free_bytes"]) == (0, 1024**3, 10240)
    assert domain_nodes(numa)[0].pools == {2 * 1024**2: 3}


def test_pci_and_network_cards(host) -> None:
    """Functions with their places; a link that is down has no speed."""
    host.pci("0000:3b:00.0", driver="i40e", node=1, group=12, total_vfs=64, vfs=1)
    host.pci("0000:3b:02.0", driver="iavf", group=13, physfn="0000:3b:00.0")
    host.nic("ens1", "0000:3b:00.0", mac="02:00:00:00:00:01", speed=25000, carrier=1)
    host.nic("ens2", "0000:3b:02.0", mac="02:00:00:00:00:02")
    host.write("/sys/class/net/lo/address", "00:00:00:00:00:00")
    found = read_topology(host.root, ["pci", "network"])
    card, function = found["pci"]
    assert (card["driver"], card["numa_node"], card["iommu_group"]) == ("i40e", 1, 12)
    assert card["sriov"] == {"total": 64, "enabled": 1, "functions": ["0000:3b:02.0"]}
    assert (function["physical_function"], function["numa_node"], function["sriov"]) == ("0000:3b:00.0", None, None)
    first, second = found["network"]
    assert (first["name"], first["pci_address"], first["driver"]) == ("ens1", "0000:3b:00.0", "i40e")
    assert (first["link"], first["speed_mbps"], first["numa_node"]) == (True, 25000, 1)
    assert (second["link"], second["speed_mbps"], second["state"]) == (False, None, "down")


def test_disks(host) -> None:
    """Worldwide names come first; loop devices and empty drives are no disks."""
    host.disk("sda", sectors=2048, serial="S1", ids=("ata-Example_S1", "wwn-0x5000", "scsi-35000"))
    host.disk("loop0", sectors=8, serial="").disk("sdb", sectors=0, serial="empty")
    disks = read_topology(host.root, ["disks"])["disks"]
    assert [disk["name"] for disk in disks] == ["sda"]
    assert (disks[0]["size_bytes"], disks[0]["serial"], disks[0]["rotational"]) == (1048576, "S1", False)
    assert disks[0]["by_id"] == ["wwn-0x5000", "scsi-35000", "ata-Example_S1"]


def test_tasks_are_grouped(host) -> None:
    """Kernel threads aside, by control group and CPUs."""
    host.task(1, "systemd", "0-1", group="init.scope").task(2, "kthreadd", "0-7", kernel=True)
    host.task(30, "sshd", "0-1").task(31, "cron", "0-1").task(32, "qemu", "2", group="machine.slice")
    assert read_tasks(host.root) == [
        {"slice": "init.scope", "cpus": "0-1", "count": 1, "names": ["systemd"]},
        {"slice": "machine.slice", "cpus": "2", "count": 1, "names": ["qemu"]},
        {"slice": "system.slice", "cpus": "0-1", "count": 2, "names": ["cron", "sshd"]},
    ]


def test_control_groups_of_version_1(host) -> None:
    """systemd's own hierarchy tells the slice where there is no unified one."""
    host.task(30, "sshd", "0").write("/proc/30/cgroup", "5:cpuset:/\n1:name=systemd:/system.slice/ssh.service\n0::/")
    assert read_tasks(host.root)[0]["slice"] == "system.slice"


def test_xen_info() -> None:
    """The machine as Xen sees it."""
    found = parse_info(XL_INFO)
    assert (found["version"], found["threads_per_core"], found["capabilities"]) == ("4.17.7", 2, ["pv", "hvm", "hap"])
    assert found["cpus"][2] == {"cpu": 2, "node": 1, "socket": 0, "core": 1}
    assert [node["memory_bytes"] for node in found["numa"]] == [2048 * 1024**2, 2047 * 1024**2]
    assert found["arguments"] == ["placeholder", "dom0_mem=1G", "dom0_max_vcpus=2"]


@pytest.mark.parametrize("text", ["", "xen_version : 4.17\n", "numa_info :\ncpu_topology :\n"])
def test_xen_info_of_little(text) -> None:
    """What xl leaves out is empty."""
    found = parse_info(text)
    assert (found["cpus"], found["numa"]) == ([], [])


def test_xen_virtual_cpus() -> None:
    """Hard affinity is what counts; a paused guest is on no CPU."""
    assert parse_vcpus(XL_VCPUS) == [
        {"name": "Domain-0", "domain": 0, "vcpu": 0, "cpu": 0, "affinity": "0"},
        {"name": "Domain-0", "domain": 0, "vcpu": 1, "cpu": 1, "affinity": "1"},
        {"name": "guest", "domain": 3, "vcpu": 0, "cpu": None, "affinity": "all"},
    ]
