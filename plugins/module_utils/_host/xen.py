# Copyright: (c) 2026, typeone.metal contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The hypervisor's own view of the host: under Xen, dom0's /sys shows its virtual CPUs, not the machine."""

from __future__ import annotations

import re
from typing import Any

from ansible_collections.typeone.metal.plugins.module_utils._domain.cpu_partition import Cpu
from ansible_collections.typeone.metal.plugins.module_utils._host.files import below, read_text
from ansible_collections.typeone.metal.plugins.module_utils._host.programs import HostError, Programs


def is_dom0(root: str) -> bool:
    """True in Xen's control domain."""
    if read_text(below(root, "/sys/hypervisor/type")) != "xen":
        return False
    return "control_d" in (read_text(below(root, "/proc/xen/capabilities"), "") or "")


def parse_info(text: str) -> dict[str, Any]:
    """`xl info -n`: counts, CPUs with core, socket and node, memory of the nodes in bytes, Xen's arguments."""
    values = dict(re.findall(r"^(\w+)\s*:[ \t]*(.*)$", text, re.MULTILINE))
    rows = re.findall(r"^\s*(\d+):\s+(\d+)\s+(\d+)\s+(\d+)\s*$", _block(text, "cpu_topology"), re.MULTILINE)
    nodes = re.findall(r"^\s*(\d+):\s+(\d+)\s+(\d+)", _block(text, "numa_info"), re.MULTILINE)
    return {
        "version": values.get("xen_version") or None,
        "threads_per_core": int(values.get("threads_per_core") or 0),
        "capabilities": values.get("virt_caps", "").split(),
        "arguments": values.get("xen_commandline", "").split(),
        "memory_bytes": int(values.get("total_memory") or 0) * 1024**2,
        "free_bytes": int(values.get("free_memory") or 0) * 1024**2,
        "cpus": [
            {"cpu": int(cpu), "node": int(node), "socket": int(socket), "core": int(core)}
            for cpu, core, socket, node in rows
        ],
        "numa": [
            {"node": int(node), "memory_bytes": int(size) * 1024**2, "free_bytes": int(free) * 1024**2}
            for node, size, free in nodes
        ],
    }


def _block(text: str, name: str) -> str:
    """The indented table below a heading of `xl info -n`."""
    match = re.search(rf"^{name}\s*:[^\n]*\n(.*?)(?=^\w+\s*:(?!\s+(?:core|memsize)))", text + "\nend :", re.M | re.S)
    return match.group(1) if match else ""


def parse_vcpus(text: str) -> list[dict[str, Any]]:
    """`xl vcpu-list`: domain, virtual CPU, the CPU it is on, its hard affinity ("all" or a list)."""
    found = []
    for line in text.splitlines()[1:]:
        match = re.match(r"^(\S+)\s+(\d+)\s+(\d+)\s+(\S+)\s+(\S+)\s+\S+\s+(\S+)\s*/\s*(\S+)", line)
        if match:
            name, domain, vcpu, cpu, _state, hard, _soft = match.groups()
            found.append(
                {
                    "name": name,
                    "domain": int(domain),
                    "vcpu": int(vcpu),
                    "cpu": int(cpu) if cpu.isdigit() else None,
                    "affinity": hard,
                }
            )
    return found


def read_xen(root: str, programs: Programs | None = None) -> dict[str, Any] | None:
    """Xen's view, with the virtual CPUs of all domains; None where this host is not Xen's control domain."""
    if not is_dom0(root):
        return None
    programs = programs or Programs(root=root)
    try:
        found = parse_info(programs.run(["xl", "info", "-n"]).stdout)
        found["vcpus"] = parse_vcpus(programs.run(["xl", "vcpu-list"]).stdout)
    except HostError as error:
        raise ValueError(str(error)) from error
    return found


def xen_cpus(section: dict[str, Any]) -> list[Cpu]:
    """The machine's CPUs as the partition plan takes them."""
    return [Cpu(c["cpu"], c["node"], c["socket"], c["core"]) for c in section["cpus"]]
