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
    arguments_from_tokens,
    claim_from_arguments,
)
from ansible_collections.typeone.metal.plugins.module_utils._domain.cpu_list import parse_cpu_list
from ansible_collections.typeone.metal.plugins.module_utils._domain.cpu_partition import Partition
from ansible_collections.typeone.metal.plugins.module_utils._domain.hugepages import (
    GIB,
    Node,
    parse_size,
    plan_hugepages,
)


def _hugepages(pools: Iterable[Mapping[str, Any]], numa_nodes: int | None) -> list[str]:
    """Arguments of the pools that are reserved at boot whatever the hardware is."""
    pools = [pool for pool in pools or () if pool.get("count") is not None or pool.get("nodes") is not None]
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
    # Feasibility is the role's question, on the host: memory without end makes it none here.
    nodes = [Node(number, 1 << 60, {}) for number in range(count)]
    return plan_hugepages(sure, nodes, reserve=0).arguments()


def _cpus(variables: Mapping[str, Any]) -> Partition | None:
    """The partition, if both sets are explicit."""
    housekeeping = parse_cpu_list(variables.get("cpu_isolation_housekeeping") or "")
    dedicated = parse_cpu_list(variables.get("cpu_isolation_dedicated") or "")
    return Partition(housekeeping, dedicated, {}) if housekeeping and dedicated else None


def known_boot_arguments(
    variables: Mapping[str, Any], *, hypervisor: str = "kvm", numa_nodes: int | None = None
) -> list[dict[str, str]]:
    """Arguments (name, value, target) known before a host has ever run. Raises ValueError.

    `variables` are a host's, by the names that the roles give them; `numa_nodes` is how many nodes it has, if known.
    """
    own = list(variables.get("kernel_cmdline_arguments") or ())
    claim = claim_from_arguments(own)
    found: list[dict[str, str]] = []
    for target in ("kernel", "dom0", "xen"):
        found += arguments_from_tokens(claim.of(target).present, target)
    partition = _cpus(variables)
    if hypervisor == "xen":
        return found + (arguments_from_tokens(partition.xen_arguments(), "xen") if partition else [])
    tokens = _hugepages(variables.get("hugepages_pools") or [], numa_nodes)
    if partition:
        tokens += partition.kernel_arguments(
            managed_irq=bool(variables.get("cpu_isolation_managed_irq", True)),
            tickless=bool(variables.get("cpu_isolation_tickless", True)),
        )
    return found + arguments_from_tokens(tokens)
