# Copyright: (c) 2026, typeone.metal contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Arguments that a host's first boot can have."""

from __future__ import annotations

import pytest
from ansible_collections.typeone.metal.plugins.module_utils._domain.cpu_partition import Cpu, plan_cpu_partition
from ansible_collections.typeone.metal.plugins.module_utils._domain.hugepages import GIB, Node, plan_hugepages
from ansible_collections.typeone.metal.plugins.module_utils._domain.known_arguments import apply_arguments, known_boot_arguments

CPUS = [Cpu(number, number % 2, 0, number // 2) for number in range(4)]


def words(variables, **known):
    """The arguments as words, those of Xen marked."""
    return [
        ("xen:" if item["target"] == "xen" else "") + "=".join(item[name] for name in ("name", "value") if name in item)
        for item in known_boot_arguments(variables, **known)
    ]


@pytest.mark.parametrize(
    ("pools", "numa", "found"),
    [
        ([{"size": "1G", "nodes": {0: 2, 1: 1}}], None, ["hugepagesz=1G", "hugepages=0:2,1:1"]),
        ([{"size": "1G", "count": 4}], 2, ["hugepagesz=1G", "hugepages=0:2,1:2"]),
        ([{"size": "2M", "count": 4, "reserve_at": "boot"}], 1, ["hugepagesz=2M", "hugepages=4"]),
        ([{"size": "1G", "count": 4}], None, []),  # one node or several: not known
        ([{"size": "1G", "nodes": {0: 4}}], None, []),
        ([{"size": "2M", "nodes": {0: 4, 1: 4}}], 2, []),  # at run time unless it is most of a node: not known
        ([{"size": "1G", "share": 0.5}], 2, []),
        ([{"size": "1G", "nodes": {0: 4, 1: 4}, "reserve_at": "runtime"}], 2, []),
    ],
)
def test_huge_pages(pools, numa, found) -> None:
    """What depends on the hardware is left out; the rest is what the role will ask for."""
    assert words({"hugepages_pools": pools}, numa_nodes=numa) == found
    if found:
        nodes = [Node(node, 64 * GIB, {2 * 1024**2: 0, GIB: 0}) for node in range(numa or 2)]
        assert plan_hugepages(pools, nodes).arguments() == found


@pytest.mark.parametrize(
    ("variables", "cpus"),
    [
        ({"cpu_isolation_housekeeping": "0-1", "cpu_isolation_dedicated": "2-3"}, None),
        ({"cpu_isolation_housekeeping": "0-1"}, 4),
        ({"cpu_isolation_dedicated": "2-3"}, 4),
    ],
)
@pytest.mark.parametrize("xen", [False, True])
def test_cpus(variables, cpus, xen) -> None:
    """One explicit set is enough where the number of CPUs is known; the words are those of the role."""
    given = {name.removeprefix("cpu_isolation_"): cpu_list for name, cpu_list in variables.items()}
    plan = plan_cpu_partition(CPUS, split_cores=True, xen=xen, **given)
    wanted = [f"xen:{word}" for word in plan.xen_arguments()] if xen else plan.kernel_arguments()
    assert wanted and words(variables, cpus=cpus, hypervisor="xen" if xen else "kvm") == wanted


@pytest.mark.parametrize(
    ("variables", "hypervisor", "said"),
    [
        ({"dedicated": "0-3"}, "kvm", "CPU 0 boots the host"),
        ({"dedicated": "0-3", "housekeeping": "4-7"}, "kvm", "CPU 0 boots the host"),
        ({"dedicated": "4-7", "housekeeping": "0,2-5"}, "kvm", "CPU 4-5 cannot be both"),
        ({"housekeeping": "0,4-5"}, "xen", "housekeeping must be 0-2"),
        ({"dedicated": "0-7"}, "kvm", "no CPU is left"),
    ],
)
def test_cpus_that_would_not_boot_are_refused(variables, hypervisor, said) -> None:
    """Before the host is started with them: the role comes too late for that."""
    with pytest.raises(ValueError, match=said):
        words({f"cpu_isolation_{name}": text for name, text in variables.items()}, cpus=8, hypervisor=hypervisor)


def test_a_policy_waits_for_the_hardware() -> None:
    """Which CPUs are whose is not known; nor are one set's others without their number."""
    assert words({"cpu_isolation_housekeeping_cores": 1}, cpus=4) == []
    assert words({"cpu_isolation_dedicated": "2-3"}) == []


def test_own_arguments_go_where_they_belong() -> None:
    """Each line gets what is for it, and loses what must not be there or is set anew."""
    own = [
        {"name": "quiet", "state": "absent"},
        {"name": "loglvl", "value": "all", "target": "xen"},
        {"name": "console", "value": "hvc0", "target": "dom0"},
        {"name": "nosmt"},
    ]
    known = known_boot_arguments({"kernel_cmdline_arguments": own}, hypervisor="xen")
    line = ["quiet", "console=tty0", "ro"]
    assert apply_arguments(line, known, target="kernel") == ["console=tty0", "ro", "nosmt"]
    assert apply_arguments(line, known, target="dom0") == ["ro", "nosmt", "console=hvc0"]
    assert apply_arguments(["loglvl=none", "com1=115200"], known, target="xen") == ["com1=115200", "loglvl=all"]


def test_pages_that_leave_no_memory_are_refused() -> None:
    """With the sum; the reserve counts for each node."""
    variables = {"hugepages_pools": [{"size": "1G", "nodes": {0: 30, 1: 30}}], "hugepages_reserve": "2G"}
    assert words(variables, memory_bytes=64 * GIB)
    with pytest.raises(ValueError, match="60 GiB are to be reserved at boot; 63 GiB of memory - 4 GiB .* on 2 NUMA nodes = 59 GiB"):
        words(variables, memory_bytes=63 * GIB)


def test_an_argument_of_two_owners_is_refused() -> None:
    """The first boot would have it, and the role that comes second refuse it on a host that is installed already."""
    both = {
        "kernel_cmdline_arguments": [{"name": "isolcpus", "value": "1"}],
        "cpu_isolation_housekeeping": "0-1",
        "cpu_isolation_dedicated": "2-3",
    }
    with pytest.raises(ValueError, match="isolcpus of cpu_isolation and site"):
        words(both)
    assert "isolcpus=1" in words(both, hypervisor="xen")  # there, Xen divides the CPUs
