# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, typeone.metal contributors
"""CPUs divided by whole cores."""

from __future__ import annotations

import pytest
from ansible_collections.typeone.metal.plugins.module_utils._domain.cpu_partition import Cpu, plan_cpu_partition
from hypothesis import given
from hypothesis import strategies as st


def machine(*, nodes: int = 2, cores: int = 2, threads: int = 2) -> list:
    """First threads of all cores, then the second ones, as Linux numbers them."""
    total = nodes * cores
    return [
        Cpu(thread * total + node * cores + core, node, node, core)
        for thread in range(threads)
        for node in range(nodes)
        for core in range(cores)
    ]


@given(st.integers(1, 4), st.integers(1, 8), st.integers(1, 2), st.data())
def test_a_policy_divides_whole_cores(nodes, cores, threads, data) -> None:
    """The sets cover the host, share nothing, and no core is on both sides; each node has what was asked for."""
    keep = data.draw(st.integers(1, cores))
    cpus = machine(nodes=nodes, cores=cores, threads=threads)
    plan = plan_cpu_partition(cpus, housekeeping_cores=keep)
    assert plan.problems == ()
    assert sorted(plan.housekeeping + plan.dedicated) == sorted(cpu.number for cpu in cpus)
    kept = set(plan.housekeeping)
    for node in range(nodes):
        inside = {cpu.core for cpu in cpus if cpu.node == node and cpu.number in kept}
        outside = {cpu.core for cpu in cpus if cpu.node == node and cpu.number not in kept}
        assert not inside & outside
        assert len(inside) == keep


@given(st.sets(st.integers(0, 7)))
def test_an_explicit_set_is_taken_or_refused(dedicated) -> None:
    """What is accepted keeps CPU 0 and splits no core."""
    listed = ",".join(map(str, sorted(dedicated)))
    if not dedicated:
        return
    plan = plan_cpu_partition(machine(), dedicated=listed)
    whole = all((cpu in dedicated) == (cpu + 4 in dedicated) for cpu in range(4))
    assert (plan.problems == ()) == (whole and 0 not in dedicated)


@pytest.mark.parametrize(
    ("options", "housekeeping", "dedicated"),
    [
        ({"housekeeping_cores": 1}, (0, 2, 4, 6), (1, 3, 5, 7)),
        ({"dedicated_cores": 1}, (0, 2, 4, 6), (1, 3, 5, 7)),
        ({"housekeeping": "0,4"}, (0, 4), (1, 2, 3, 5, 6, 7)),
        ({"dedicated": "2-3,6-7"}, (0, 1, 4, 5), (2, 3, 6, 7)),
        ({"housekeeping": "0-1,4-5", "dedicated": "2-3,6-7"}, (0, 1, 4, 5), (2, 3, 6, 7)),
        ({"housekeeping": "0", "split_cores": True}, (0,), (1, 2, 3, 4, 5, 6, 7)),
        ({"dedicated_cores": 0}, tuple(range(8)), ()),
    ],
)
def test_partitions(options, housekeeping, dedicated) -> None:
    """Policies and lists."""
    plan = plan_cpu_partition(machine(), **options)
    assert (plan.housekeeping, plan.dedicated, plan.problems) == (housekeeping, dedicated, ())


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({}, "not none"),
        ({"housekeeping": "0", "housekeeping_cores": 1}, "not housekeeping and housekeeping_cores"),
        ({"dedicated": "9"}, "CPU 9 is not there: this host has 0-7"),
        ({"housekeeping": "0-1", "dedicated": "1-7"}, "CPU 1 cannot be both"),
        ({"housekeeping": "0", "dedicated": "7"}, "CPU 1-6 is neither"),
        ({"housekeeping_cores": 3}, "NUMA node 0 has 2 cores, 3 were asked for"),
        ({"dedicated_cores": -1}, "-1 is not a number of cores"),
    ],
)
def test_requests_that_make_no_sense(options, words) -> None:
    """Refused with what is there."""
    with pytest.raises(ValueError, match=words):
        plan_cpu_partition(machine(), **options)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"dedicated": "0,4"}, "CPU 0 boots the host"),
        ({"dedicated": "0-7"}, "no CPU is left"),
        ({"dedicated": "1"}, "CPUs 1,5 are threads of one core"),
        ({"housekeeping": "0,4", "xen": True}, "housekeeping must be 0-1, not 0,4"),
    ],
)
def test_partitions_that_must_not_be(options, words) -> None:
    """Possible, but wrong: told as problems."""
    assert any(words in problem for problem in plan_cpu_partition(machine(), **options).problems)


def test_xen_takes_the_first_cpus() -> None:
    """dom0's virtual CPU n is CPU n; cores are counted in all. Xen numbers the threads of a core one after the other."""
    cpus = [Cpu(number, number // 4, 0, number // 2) for number in range(8)]
    plan = plan_cpu_partition(cpus, housekeeping_cores=1, xen=True)
    assert plan.housekeeping == (0, 1)
    assert plan.xen_arguments() == ["dom0_max_vcpus=2", "dom0_vcpus_pin"]
    assert plan.problems == ()


def test_arguments() -> None:
    """Linux's arguments, with and without their parts."""
    plan = plan_cpu_partition(machine(threads=1), housekeeping="0-1")
    assert plan.kernel_arguments() == ["isolcpus=managed_irq,domain,2-3", "nohz_full=2-3", "rcu_nocbs=2-3", "irqaffinity=0-1"]
    assert plan.kernel_arguments(managed_irq=False, tickless=False) == ["isolcpus=domain,2-3", "irqaffinity=0-1"]
    assert plan_cpu_partition(machine(), dedicated_cores=0).kernel_arguments() == []
