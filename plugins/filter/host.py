# Copyright: (c) 2026, typeone.metal contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Filters that plan a host's CPUs, huge pages and arguments. Each is documented in the file of its name."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from ansible.errors import AnsibleFilterError
from ansible_collections.typeone.metal.plugins.module_utils._domain import cpu_list as _cpu_list
from ansible_collections.typeone.metal.plugins.module_utils._domain import known_arguments as _known
from ansible_collections.typeone.metal.plugins.module_utils._domain.cmdline import (
    arguments_from_tokens,
    check_token,
    shared_keys,
)
from ansible_collections.typeone.metal.plugins.module_utils._domain.cpu_partition import Cpu
from ansible_collections.typeone.metal.plugins.module_utils._domain.cpu_partition import (
    plan_cpu_partition as _partition,
)
from ansible_collections.typeone.metal.plugins.module_utils._domain.hugepages import Node
from ansible_collections.typeone.metal.plugins.module_utils._domain.hugepages import plan_hugepages as _hugepages


def _told(name: str, work: Callable[[], Any]) -> Any:
    """The work's result; what is wrong with the input becomes the filter's error."""
    try:
        return work()
    except (ValueError, TypeError, KeyError) as error:
        raise AnsibleFilterError(f"Cannot apply {name}: {error}. Correct the filter's input.") from error


def parse_cpu_list(text: str | int) -> list[int]:
    """CPU numbers of a list."""
    return _told("parse_cpu_list", lambda: list(_cpu_list.parse_cpu_list(text)))


def format_cpu_list(cpus: Iterable[int] | str) -> str:
    """A list of CPU numbers."""
    return _told("format_cpu_list", lambda: _cpu_list.format_cpu_list(_cpu_list.parse_cpu_list(cpus)))


def plan_hugepages(pools: list, numa: list, reserve: str | None = None) -> dict[str, Any]:
    """Huge pages for each NUMA node."""

    def work() -> dict[str, Any]:
        nodes = [
            Node(
                int(n["node"]), int(n["memory_bytes"]), {int(p["size_bytes"]): int(p["total"]) for p in n["hugepages"]}
            )
            for n in numa
            if n["memory_bytes"]
        ]
        return _hugepages(pools, nodes, reserve=reserve).as_dict()

    return _told("plan_hugepages", work)


def plan_cpu_partition(cpus: list, **options: Any) -> dict[str, Any]:
    """Housekeeping and dedicated CPUs."""

    def work() -> dict[str, Any]:
        known = [Cpu(int(c["cpu"]), int(c["node"]), int(c["socket"]), int(c["core"])) for c in cpus]
        return _partition(known, **options).as_dict()

    return _told("plan_cpu_partition", work)


def kernel_arguments(tokens: str | list, target: str = "kernel") -> list[dict[str, str]]:
    """Words of a command line as arguments."""

    def work() -> list[dict[str, str]]:
        found = arguments_from_tokens(tokens, target)
        for argument in found:
            check_token("=".join(argument[name] for name in ("name", "value") if name in argument))
        return found

    return _told("kernel_arguments", work)


def known_boot_arguments(
    variables: Mapping[str, Any], hypervisor: str = "kvm", numa_nodes: int | None = None, **hardware: int | None
) -> list[dict[str, str]]:
    """Arguments that the first boot can have."""
    return _told(
        "known_boot_arguments",
        lambda: _known.known_boot_arguments(variables, hypervisor=hypervisor, numa_nodes=numa_nodes, **hardware),
    )


def apply_kernel_arguments(words: Iterable[str], arguments: list, target: str = "kernel") -> list[str]:
    """A command line once arguments are applied."""
    return _told("apply_kernel_arguments", lambda: _known.apply_arguments(words, arguments, target=target))


def shared_kernel_arguments(parts: Mapping[str, list]) -> list[str]:
    """Arguments that more than one owner asks for."""
    return _told("shared_kernel_arguments", lambda: shared_keys(parts))


class FilterModule:
    """The filters of this file."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """Name -> filter."""
        return {
            "parse_cpu_list": parse_cpu_list,
            "format_cpu_list": format_cpu_list,
            "plan_hugepages": plan_hugepages,
            "plan_cpu_partition": plan_cpu_partition,
            "kernel_arguments": kernel_arguments,
            "known_boot_arguments": known_boot_arguments,
            "apply_kernel_arguments": apply_kernel_arguments,
            "shared_kernel_arguments": shared_kernel_arguments,
        }
