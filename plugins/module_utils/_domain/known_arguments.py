# Copyright: (c) 2026, typeone.metal contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Boot arguments that follow from a host's variables alone, so that its very first boot can have them.

What depends on the hardware (policies, shares, the CPU's vendor) is left out: the roles find it later, and then ask for
a reboot. What is told here must be, token by token, what the roles will ask for.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from ansible_collections.typeone.metal.plugins.module_utils._domain.cmdline import (
    TARGETS,
    arguments_from_tokens,
    claim_from_arguments,
    shared_keys,
)
from ansible_collections.typeone.metal.plugins.module_utils._domain.cpu_list import parse_cpu_list
from ansible_collections.typeone.metal.plugins.module_utils._domain.cpu_partition import Cpu, Partition, plan_cpu_partition
from ansible_collections.typeone.metal.plugins.module_utils._domain.hugepages import (
    GIB,
    Node,
    Plan,
    format_size,
    parse_size,
    plan_hugepages,
)


def _hugepages(variables: Mapping[str, Any], numa_nodes: int | None, memory_bytes: int | None) -> list[str]:
    """Arguments of the pools that are reserved at boot whatever the hardware is."""
    pools = [pool for pool in variables.get("hugepages_pools") or () if _counted(pool)]
    sure = [
        {**pool, "reserve_at": "boot"}
        for pool in pools
        if pool.get("reserve_at") == "boot"
        or (pool.get("reserve_at") in (None, "auto") and parse_size(pool["size"]) >= GIB)
    ]
    named = {int(node) for pool in sure for node in pool.get("nodes") or {}}
    count = numa_nodes or (max(named) + 1 if len(named) > 1 else 0)
    if not sure or not count:
        return []
    # Feasibility of each node is the role's question, on the host: memory without end makes it none here.
    plan = plan_hugepages(sure, [Node(number, 1 << 60, {}) for number in range(count)], reserve=0)
    _refuse_too_much(plan, memory_bytes, variables.get("hugepages_reserve"))
    return plan.arguments()


def _counted(pool: Mapping[str, Any]) -> bool:
    return pool.get("count") is not None or pool.get("nodes") is not None


def _refuse_too_much(plan: Plan, memory_bytes: int | None, reserve: str | int | None) -> None:
    """A kernel takes as many pages as it finds and says nothing: with no memory left, the host would never come up."""
    total = sum(size * count for pages in plan.pages.values() for size, count in pages.items())
    each = parse_size(reserve) if reserve else None
    kept = sum(Node(node, (memory_bytes or 0) // len(plan.pages), {}).reserve(each) for node in plan.pages)
    if memory_bytes and total > memory_bytes - kept:
        raise ValueError(
            f"huge pages of {format_size(total)} are to be reserved at boot; {format_size(memory_bytes)} of memory "
            f"- {format_size(kept)} for the system on {len(plan.pages)} NUMA nodes = {format_size(max(0, memory_bytes - kept))} to give"
        )


def _cpus(variables: Mapping[str, Any], cpus: int | None, *, xen: bool) -> Partition | None:
    """The partition, if both sets are explicit, or one is and the number of CPUs is known. Raises ValueError.

    Cores and nodes are the role's question, on the host. A CPU that is not there does no harm: the kernel leaves it out.
    """
    sets = {name: variables.get(f"cpu_isolation_{name}") or None for name in ("housekeeping", "dedicated")}
    named = [cpu for text in sets.values() if text for cpu in parse_cpu_list(text)]
    if not all(sets.values()) and not (named and cpus):
        return None
    everything = {*named, 0} if all(sets.values()) else {*named, *range(cpus or 0)}
    plan = plan_cpu_partition([Cpu(number, 0, 0, number) for number in everything], split_cores=True, xen=xen, **sets)
    if plan.problems:
        raise ValueError(f"the CPUs are to be divided at boot; {'; '.join(plan.problems)}")
    return plan if plan.dedicated else None


def _own(arguments: Iterable[Mapping[str, Any]]) -> list[dict[str, str]]:
    """The site's own arguments, those to be absent with their `state`."""
    claim, found = claim_from_arguments(arguments), []
    for target in TARGETS:
        found += arguments_from_tokens(claim.of(target).present, target)
        found += [{**gone, "state": "absent"} for gone in arguments_from_tokens(claim.of(target).absent, target)]
    return found


def apply_arguments(words: Iterable[str], arguments: Iterable[Mapping[str, Any]], *, target: str) -> list[str]:
    """A command line once arguments are applied: every other word of their names goes away. Raises ValueError.

    `target` is whose line it is: `kernel` (Linux without Xen), `dom0` (Linux under Xen) or `xen`.
    """
    claim = claim_from_arguments(arguments)
    wanted = claim.linux_under_xen if target == "dom0" else claim.of(target)
    return list(wanted.apply(words))


def known_boot_arguments(
    variables: Mapping[str, Any],
    *,
    hypervisor: str = "kvm",
    numa_nodes: int | None = None,
    cpus: int | None = None,
    memory_bytes: int | None = None,
) -> list[dict[str, str]]:
    """Arguments (name, value, target) known before a host has ever run. Raises ValueError.

    `variables` are a host's, by the names that the roles give them; the others are what is known of the hardware: NUMA
    nodes, logical CPUs, and memory, of which huge pages must leave some.
    """
    own = _own(variables.get("kernel_cmdline_arguments") or ())
    partition = _cpus(variables, cpus, xen=hypervisor == "xen")
    pages: list[dict[str, str]] = []
    isolation = arguments_from_tokens(partition.xen_arguments(), "xen") if partition else []
    if hypervisor != "xen":
        pages = arguments_from_tokens(_hugepages(variables, numa_nodes, memory_bytes))
        isolation = arguments_from_tokens(
            partition.kernel_arguments(
                managed_irq=bool(variables.get("cpu_isolation_managed_irq", True)),
                tickless=bool(variables.get("cpu_isolation_tickless", True)),
            )
            if partition
            else ()
        )
    owner = str(variables.get("kernel_cmdline_owner") or "site")
    shared = shared_keys({owner: own, "hugepages": pages, "cpu_isolation": isolation})
    if shared:
        raise ValueError(f"arguments have one owner each, and more than one asks for {'; '.join(shared)}")
    return own + pages + isolation
