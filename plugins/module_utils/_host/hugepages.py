# Copyright: (c) 2026, typeone.metal contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Huge pages of a host: planned, reserved at run time where that works, kept over a boot, mounted, read back."""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from typing import Any

from ansible_collections.typeone.metal.plugins.module_utils._domain.cmdline import arguments_from_tokens
from ansible_collections.typeone.metal.plugins.module_utils._domain.hugepages import (
    Plan,
    format_size,
    kernel_size,
    parse_size,
    plan_hugepages,
)
from ansible_collections.typeone.metal.plugins.module_utils._host.files import below, read_int, read_text
from ansible_collections.typeone.metal.plugins.module_utils._host.programs import HostError, Programs
from ansible_collections.typeone.metal.plugins.module_utils._host.topology import domain_nodes, numa_section
from ansible_collections.typeone.metal.plugins.module_utils._host.units import LIBEXEC, Units
from ansible_collections.typeone.metal.plugins.module_utils._host.xen import is_dom0

CONFIGURATION = "/etc/typeone/hugepages.conf"
SERVICE = "typeone-hugepages.service"

_SCRIPT = """#!/bin/sh
# Made by typeone.metal.host_hugepages: reserves huge pages early, while memory is in one piece.
# Lines of the configuration: NODE SIZE_IN_KIB PAGES
set -u
sys=${TYPEONE_SYS:-/sys}
failed=0
while read -r node size pages; do
    case "$node" in ''|\\#*) continue ;; esac
    pool=$sys/devices/system/node/node$node/hugepages/hugepages-${size}kB/nr_hugepages
    [ -e "$pool" ] || pool=$sys/kernel/mm/hugepages/hugepages-${size}kB/nr_hugepages
    echo "$pages" > "$pool"
    read -r got < "$pool"
    [ "$got" -ge "$pages" ] || { echo "node $node: $got of $pages pages of $size KiB"; failed=1; }
done < "${1:-/etc/typeone/hugepages.conf}"
exit "$failed"
"""

_UNIT = f"""# Made by typeone.metal.host_hugepages
[Unit]
Description=Reserve huge pages per NUMA node
DefaultDependencies=no
After=local-fs.target
Before=sysinit.target
ConditionPathExists={CONFIGURATION}

[Service]
Type=oneshot
RemainAfterExit=yes
ExecStart={LIBEXEC}/hugepages {CONFIGURATION}

[Install]
WantedBy=sysinit.target
"""

_MOUNT = """# Made by typeone.metal.host_hugepages
[Unit]
Description=Huge pages of {size}
DefaultDependencies=no
Before=sysinit.target
After={service}

[Mount]
What=hugetlbfs
Where={path}
Type=hugetlbfs
Options=pagesize={size},mode={mode}

[Install]
WantedBy=sysinit.target
"""


@dataclass(frozen=True)
class Request:
    """What a task asks for; see the module's options."""

    pools: list[dict[str, Any]]
    reserve: str | None = None
    mounts: list[dict[str, Any]] = field(default_factory=list)
    root: str = "/"


class HugePages:
    """The huge pages of the host below a root folder."""

    def __init__(self, request: Request, programs: Programs | None = None) -> None:
        self.request = request
        self.programs = programs or Programs(root=request.root)

    def _plan(self) -> Plan:
        """The plan for this host. Raises HostError, with the arithmetic where it does not fit."""
        ours = self._recorded()  # given back where it is not asked for any more
        nodes = [
            replace(node, pools={size: 0 if (node.number, size) in ours else held for size, held in node.pools.items()})
            for node in domain_nodes(numa_section(self.request.root))
        ]
        try:
            plan = plan_hugepages(self.request.pools, nodes, reserve=self.request.reserve)
        except ValueError as error:
            raise HostError(f"Cannot plan huge pages on this host: {error}. Correct the pools.") from error
        if not plan.feasible:
            xen = (
                " Under Xen, dom0 has no huge pages: Xen itself gives guests large pages."
                if is_dom0(self.request.root)
                else ""
            )
            raise HostError(
                f"Cannot reserve these huge pages on this host: {'; '.join(plan.problems)}. Nothing was changed. "
                f"Ask for fewer pages, or keep less for the system (reserve).{xen}"
            )
        offered = {size for node in nodes for size in node.pools}
        for mount in self.request.mounts:
            if mount.get("state", "present") == "present" and parse_size(mount["size"]) not in offered:
                raise HostError(
                    f"Cannot mount huge pages of {mount['size']} on {mount['path']} of this host: the kernel has pages of "
                    f"{', '.join(format_size(size) for size in sorted(offered)) or 'no size'}. Nothing was changed. Name one of these."
                )
        return plan

    def run(self, *, check: bool) -> dict[str, Any]:
        """Bring the pools about. Raises HostError."""
        plan = self._plan()
        wanted = self._wanted(plan)
        before = self._held(wanted)
        units = self._units(plan, wanted)
        files_differ, diff = units.changed(), units.diff()
        to_set = {key: pages for key, pages in wanted.items() if before[key] != pages}
        if check:
            after = {**before, **{key: pages for key, pages in to_set.items() if key[1] not in plan.boot}}
        else:
            after = self._reserve(plan, to_set, before)
            try:
                units.apply()
            except HostError:
                for key in to_set:
                    self._set(key, before[key])
                raise
        if before != after:
            diff.append({"before": _listing(before), "after": _listing(after)})
        missing = [
            f"NUMA node {node}: {after[node, size]} of {pages} pages of {format_size(size)}"
            for (node, size), pages in sorted(wanted.items())
            if after[node, size] != pages
        ]
        return {
            "changed": files_differ or before != after,
            "diff": diff,
            "hugepages": {
                **plan.as_dict(),
                "held": {
                    str(node): {kernel_size(s): after[n, s] for n, s in sorted(after) if n == node}
                    for node in plan.pages
                },
                "missing": missing,
                "satisfied": not missing,
            },
            "arguments": arguments_from_tokens(plan.arguments()),
        }

    def _pool(self, node: int, size: int) -> str:
        name = f"hugepages/hugepages-{size // 1024}kB"
        path = below(self.request.root, f"/sys/devices/system/node/node{node}/{name}")
        if read_text(f"{path}/nr_hugepages") is None:
            path = below(self.request.root, f"/sys/kernel/mm/{name}")
        return path

    def _recorded(self) -> set[tuple[int, int]]:
        """(node, size) that an earlier run reserved."""
        text = read_text(below(self.request.root, CONFIGURATION), "") or ""
        lines = re.findall(r"^(?:# boot: )?(\d+) (\d+) \d+$", text, re.MULTILINE)
        return {(int(node), int(size) * 1024) for node, size in lines}

    def _wanted(self, plan: Plan) -> dict[tuple[int, int], int]:
        """(node, page size) -> pages; a size that was ours and is not asked for any more is given back."""
        wanted = {key: 0 for key in self._recorded() if key[0] in plan.pages}
        wanted.update({(node, size): count for node, pages in plan.pages.items() for size, count in pages.items()})
        sizes = {size for _node, size in wanted}
        return {(node, size): wanted.get((node, size), 0) for node in plan.pages for size in sizes}

    def _held(self, wanted: dict[tuple[int, int], int]) -> dict[tuple[int, int], int]:
        return {(node, size): read_int(f"{self._pool(node, size)}/nr_hugepages", 0) for node, size in wanted}

    def _set(self, key: tuple[int, int], pages: int) -> int:
        """Ask the kernel for pages; returns how many it has then (it takes what it finds and says nothing)."""
        path = f"{self._pool(*key)}/nr_hugepages"
        try:
            with open(path, "w", encoding="utf-8") as stream:
                stream.write(f"{pages}\n")
        except OSError as error:
            # A kernel without run-time allocation of this size (1 GiB on old ones) says EINVAL.
            return read_int(path, 0) if error.errno else 0
        return read_int(path, 0)

    def _compact(self) -> None:
        try:
            with open(below(self.request.root, "/proc/sys/vm/compact_memory"), "w", encoding="utf-8") as stream:
                stream.write("1\n")
        except OSError:
            pass  # a kernel without compaction: what it finds is what it has

    def _reserve(
        self, plan: Plan, to_set: dict[tuple[int, int], int], before: dict[tuple[int, int], int]
    ) -> dict[tuple[int, int], int]:
        """Reserve at run time. What was to be had at boot and cannot be had now is left to the boot."""
        after, taken = dict(before), []
        for key, pages in sorted(to_set.items(), key=lambda item: item[1] - before[item[0]]):
            got = self._set(key, pages)
            if got < pages:
                self._compact()
                got = self._set(key, pages)
            after[key] = got
            taken.append(key)
            if got == pages:
                continue
            if key[1] in plan.boot:
                after[key] = self._set(key, before[key])
                continue
            for done in taken:
                self._set(done, before[done])
            verb = "found" if got < pages else "could give back no more than to"
            raise HostError(
                f"Cannot reserve {pages} pages of {format_size(key[1])} on NUMA node {key[0]} of this host: the kernel "
                f"{verb} {got}; memory is fragmented or in use. All pools are as they were. "
                "Set reserve_at: boot for this pool, or ask for fewer."
            )
        return after

    def _units(self, plan: Plan, wanted: dict[tuple[int, int], int]) -> Units:
        units = Units(self.request.root, self.programs)
        kept = [key for key, pages in wanted.items() if pages and key[1] not in plan.boot]
        lines = "".join(
            f"{'# boot: ' if size in plan.boot else ''}{node} {size // 1024} {pages}\n"
            for (node, size), pages in sorted(wanted.items())
            if pages
        )
        # Started by the next boot only: now, the pages have been reserved and read back above.
        units.unit(SERVICE, _UNIT if kept else None, wanted_by="sysinit.target", start=False)
        units.files.want(CONFIGURATION, f"# NODE SIZE_IN_KIB PAGES\n{lines}" if lines else None)
        units.files.want(f"{LIBEXEC}/hugepages", _SCRIPT if kept else None, mode=0o755 if kept else 0o644)
        for mount in self.request.mounts:
            present = mount.get("state", "present") == "present"
            size = kernel_size(parse_size(mount["size"]))
            text = _MOUNT.format(size=size, path=mount["path"], mode=mount.get("mode") or "1770", service=SERVICE)
            units.mount(mount["path"], text if present else None, wanted_by="sysinit.target")
        return units


def _listing(held: dict[tuple[int, int], int]) -> str:
    return "".join(f"node {node}, {kernel_size(size)}: {pages}\n" for (node, size), pages in sorted(held.items()))
