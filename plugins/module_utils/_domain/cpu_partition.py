# Copyright: (c) 2026, typeone.metal contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""CPUs divided into housekeeping (the system) and dedicated (guests): whole cores, a plan for each NUMA node."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from ansible_collections.typeone.metal.plugins.module_utils._domain.cpu_list import format_cpu_list, parse_cpu_list


@dataclass(frozen=True)
class Cpu:
    """A logical CPU and where it sits. `core` need be unique within a socket only."""

    number: int
    node: int
    socket: int
    core: int


@dataclass(frozen=True)
class Partition:
    """Two sets of CPUs that cover the host. `problems` says why a partition must not be applied."""

    housekeeping: tuple[int, ...]
    dedicated: tuple[int, ...]
    nodes: Mapping[int, Mapping[str, str]]
    problems: tuple[str, ...] = ()

    def kernel_arguments(self, *, managed_irq: bool = True, tickless: bool = True) -> list[str]:
        """Arguments of Linux that keep the scheduler, the tick, RCU callbacks and interrupts off the dedicated CPUs.

        Documentation/admin-guide/kernel-parameters.txt: isolcpus, nohz_full, rcu_nocbs, irqaffinity.
        """
        if not self.dedicated:
            return []
        dedicated, housekeeping = format_cpu_list(self.dedicated), format_cpu_list(self.housekeeping)
        tokens = [f"isolcpus={'managed_irq,' if managed_irq else ''}domain,{dedicated}"]
        tokens += [f"nohz_full={dedicated}", f"rcu_nocbs={dedicated}"] if tickless else []
        return [*tokens, f"irqaffinity={housekeeping}"]

    def xen_arguments(self) -> list[str]:
        """Arguments of Xen that give dom0 the housekeeping CPUs and no others.

        dom0_vcpus_pin binds virtual CPU n to CPU n (docs/misc/xen-command-line.pandoc): the set must be 0..n-1.
        """
        return [f"dom0_max_vcpus={len(self.housekeeping)}", "dom0_vcpus_pin"] if self.dedicated else []

    def as_dict(self) -> dict[str, object]:
        """Plain data; CPU lists as Linux writes them."""
        return {
            "feasible": not self.problems,
            "housekeeping": format_cpu_list(self.housekeeping),
            "dedicated": format_cpu_list(self.dedicated),
            "nodes": {str(node): dict(lists) for node, lists in sorted(self.nodes.items())},
            "kernel_arguments": self.kernel_arguments(),
            "xen_arguments": self.xen_arguments(),
            "problems": list(self.problems),
        }


def _cores(cpus: Iterable[Cpu]) -> dict[int, list[tuple[Cpu, ...]]]:
    """Cores a node, each with its siblings, in the order of their lowest CPU."""
    siblings: dict[tuple[int, int, int], list[Cpu]] = {}
    for cpu in sorted(cpus, key=lambda item: item.number):
        siblings.setdefault((cpu.node, cpu.socket, cpu.core), []).append(cpu)
    nodes: dict[int, list[tuple[Cpu, ...]]] = {}
    for (node, _socket, _core), members in siblings.items():
        nodes.setdefault(node, []).append(tuple(members))
    return nodes


def plan_cpu_partition(
    cpus: Iterable[Cpu],
    *,
    housekeeping: str | None = None,
    dedicated: str | None = None,
    housekeeping_cores: int | None = None,
    dedicated_cores: int | None = None,
    split_cores: bool = False,
    xen: bool = False,
) -> Partition:
    """Divide a host's CPUs.

    Explicit: `housekeeping` or `dedicated` is a CPU list, the rest is the other set; both may be given if they cover
    the host. Policy: `housekeeping_cores` or `dedicated_cores` counts whole cores on each NUMA node (under Xen
    `housekeeping_cores` counts in all, from CPU 0 up). Raises ValueError for a request that makes no sense; a partition
    that must not be applied has `problems`.
    """
    known = sorted(cpus, key=lambda item: item.number)
    given = {
        "housekeeping": housekeeping,
        "dedicated": dedicated,
        "housekeeping_cores": housekeeping_cores,
        "dedicated_cores": dedicated_cores,
    }
    named = [name for name, value in given.items() if value not in (None, "")]
    if not known:
        raise ValueError("no CPU is known")
    if not named or (len(named) > 1 and named != ["housekeeping", "dedicated"]):
        raise ValueError(
            "name the CPUs by one of housekeeping, dedicated (or both), housekeeping_cores and dedicated_cores, "
            f"not {' and '.join(named) if named else 'none'}"
        )
    everything = {cpu.number for cpu in known}
    if named[0] in ("housekeeping", "dedicated"):
        kept, given_away = _explicit(everything, parse_cpu_list(housekeeping), parse_cpu_list(dedicated))
    else:
        kept = _by_policy(known, keep=housekeeping_cores, give=dedicated_cores, xen=xen)
        given_away = everything - kept
    problems = _problems(known, kept, given_away, split_cores=split_cores, xen=xen)
    return Partition(tuple(sorted(kept)), tuple(sorted(given_away)), _by_node(known, kept), tuple(problems))


def _explicit(everything: set[int], keep: tuple[int, ...], give: tuple[int, ...]) -> tuple[set[int], set[int]]:
    unknown = sorted({*keep, *give} - everything)
    if unknown:
        raise ValueError(f"CPU {format_cpu_list(unknown)} is not there: this host has {format_cpu_list(everything)}")
    both = set(keep) & set(give)
    if both:
        raise ValueError(f"CPU {format_cpu_list(both)} cannot be both housekeeping and dedicated")
    kept = set(keep) if keep else everything - set(give)
    given_away = set(give) if give else everything - set(keep)
    missing = everything - kept - given_away
    if missing:
        raise ValueError(f"CPU {format_cpu_list(missing)} is neither housekeeping nor dedicated: name one set only")
    return kept, given_away


def _by_policy(known: list[Cpu], *, keep: int | None, give: int | None, xen: bool) -> set[int]:
    """Housekeeping CPUs of a policy. Raises ValueError where a node has too few cores."""
    nodes = _cores(known)
    count = keep if keep is not None else give
    if count is None or count < 0:
        raise ValueError(f"{count} is not a number of cores")
    if xen:
        cores = sorted((core for members in nodes.values() for core in members), key=lambda core: core[0].number)
        number = keep if keep is not None else len(cores) - count * len(nodes)
        return {cpu.number for core in cores[: max(0, number)] for cpu in core}
    kept: set[int] = set()
    for node, cores in nodes.items():
        if count > len(cores):
            raise ValueError(f"NUMA node {node} has {len(cores)} cores, {count} were asked for")
        number = keep if keep is not None else len(cores) - count
        kept.update(cpu.number for core in cores[:number] for cpu in core)
    return kept


def _problems(known: list[Cpu], kept: set[int], given_away: set[int], *, split_cores: bool, xen: bool) -> list[str]:
    """Why a partition must not be applied."""
    found = []
    first = known[0].number
    if not kept:
        found.append("no CPU is left for the system: keep one core at least")
    elif given_away and first not in kept:
        found.append(f"CPU {first} boots the host and takes its timekeeping, it cannot be dedicated")
    if xen and kept and kept != set(range(len(kept))):
        found.append(
            f"under Xen, dom0's virtual CPU n is pinned to CPU n, so that housekeeping must be 0-{len(kept) - 1}, "
            f"not {format_cpu_list(kept)}"
        )
    for cores in _cores(known).values() if not split_cores else ():
        for core in cores:
            members = {cpu.number for cpu in core}
            if members & kept and members & given_away:
                found.append(
                    f"CPUs {format_cpu_list(members)} are threads of one core and would be on both sides: "
                    "what runs on one slows the other"
                )
    return found


def _by_node(known: list[Cpu], kept: set[int]) -> dict[int, dict[str, str]]:
    return {
        node: {
            "housekeeping": format_cpu_list(cpu.number for cpu in known if cpu.node == node and cpu.number in kept),
            "dedicated": format_cpu_list(cpu.number for cpu in known if cpu.node == node and cpu.number not in kept),
        }
        for node in sorted({cpu.node for cpu in known})
    }
